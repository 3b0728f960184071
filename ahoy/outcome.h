/* How a verb ended, as its exit code tells it. */
#pragma once

/* Written once: OUTCOME(name, code, help). */
/* clang-format off */
#define PHONE_OUTCOMES(OUTCOME)                                                                    \
    OUTCOME(DONE, 0, "done: registered, answered and ended, delivered, told")                      \
    OUTCOME(REFUSED, 1, "refused or failed for another reason")                                    \
    OUTCOME(MISUSED, 2, "the command line, or a file that it names, is wrong")                     \
    OUTCOME(BUSY, 3, "the other side is busy")                                                     \
    OUTCOME(DECLINED, 4, "the other side declined")                                                \
    OUTCOME(UNANSWERED, 5, "nobody answered in time, or nobody is registered there")               \
    OUTCOME(UNREACHABLE, 6, "the server, the network or the other phone cannot be reached")        \
    OUTCOME(UNPROVED, 7, "the account or its password is not accepted")                            \
    OUTCOME(NOBODY, 8, "there is nobody of that name")
/* clang-format on */

#define PHONE_OUTCOME_CONSTANT(name, code, help) PHONE_##name = (code),
enum phone_outcome { PHONE_OUTCOMES(PHONE_OUTCOME_CONSTANT) };
#undef PHONE_OUTCOME_CONSTANT

/* What a final |status| comes to. */
int phone_outcome(unsigned status);
/* Prints the table. */
void phone_print_outcomes(void);
