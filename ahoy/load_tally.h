/* What a load came to, and how it is told. */
#pragma once

#include "ahoy/load_histogram.h"
#include "ahoy/options.h"

enum { LOAD_STATUS_LIMIT = 700 };

/* Each outcome of a call written once: OUTCOME(name, text). */
/* clang-format off */
#define LOAD_COUNTERS(COUNTER)                                                                     \
    COUNTER(begun, "calls begun")                                                                  \
    COUNTER(answered, "answered")                                                                  \
    COUNTER(completed, "completed: the BYE was answered, or the other side hung up")               \
    COUNTER(refused, "refused, by the statuses below")                                             \
    COUNTER(unanswered, "cancelled: nobody answered in time")                                      \
    COUNTER(interrupted, "cancelled: the load was to end")                                         \
    COUNTER(broken, "broken: the BYE was refused or unanswered, or the call was lost")             \
    COUNTER(held_back, "not begun: too many at once")                                              \
    COUNTER(not_sent, "not begun: no memory, or no way there")                                     \
    COUNTER(registered, "registrations accepted")                                                  \
    COUNTER(unregistered, "registrations refused or unanswered")
/* clang-format on */

/* Each time that is measured: TIME(name, text). */
/* clang-format off */
#define LOAD_TIMES(TIME)                                                                           \
    TIME(ringing, "INVITE to ringing")                                                             \
    TIME(answer, "INVITE to answer")                                                               \
    TIME(bye, "BYE to its answer")                                                                 \
    TIME(registration, "REGISTER to its answer")
/* clang-format on */

struct load_tally {
#define LOAD_COUNTER_FIELD(name, text) uint64_t name;
    LOAD_COUNTERS(LOAD_COUNTER_FIELD)
#undef LOAD_COUNTER_FIELD
    uint64_t statuses[LOAD_STATUS_LIMIT]; /* Of what was refused: calls, BYEs and REGISTERs. */
#define LOAD_TIME_FIELD(name, text) struct load_histogram name;
    LOAD_TIMES(LOAD_TIME_FIELD)
#undef LOAD_TIME_FIELD
    uint64_t now;                /* Calls at this moment, ... */
    uint64_t most;               /* ... and at most. */
    uint64_t begun_us, ended_us; /* From the first to the last that was begun. */
};

/* The live line, where standard error is a terminal; |is_last| ends it. */
void load_tally_show(const struct load_tally *tally, uint64_t elapsed_ms, bool is_last);
/* The report on standard output: for people, or one JSON object. */
void load_tally_report(const struct load_tally *tally, bool json);
/* The exit code: PHONE_DONE where all went well, else what the most frequent status comes to. */
int load_tally_outcome(const struct load_tally *tally);
