/* Which statuses are which outcome.  408 and 503 also stand for silence and for a way that leads
 * nowhere (RFC 3261 8.1.3.1). */
#include "ahoy/outcome.h"

#include <stddef.h>
#include <stdio.h>

static const struct {
    unsigned status;
    enum phone_outcome outcome;
} outcomes[] = {
    { 401, PHONE_UNPROVED },    { 403, PHONE_UNPROVED },    { 404, PHONE_NOBODY },
    { 407, PHONE_UNPROVED },    { 408, PHONE_UNANSWERED },  { 410, PHONE_NOBODY },
    { 480, PHONE_UNANSWERED },  { 484, PHONE_NOBODY },      { 486, PHONE_BUSY },
    { 487, PHONE_UNANSWERED },  { 502, PHONE_UNREACHABLE }, { 503, PHONE_UNREACHABLE },
    { 504, PHONE_UNREACHABLE }, { 600, PHONE_BUSY },        { 603, PHONE_DECLINED },
    { 604, PHONE_NOBODY },
};

int phone_outcome(unsigned status)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        if (outcomes[i].status == status)
            return (int)outcomes[i].outcome;
    }
    return (int)(status >= 200 && status < 300 ? PHONE_DONE : PHONE_REFUSED);
}

void phone_print_outcomes(void)
{
#define OUTCOME_LINE(name, code, help) printf("  %u  %s\n", code, help);
    PHONE_OUTCOMES(OUTCOME_LINE)
#undef OUTCOME_LINE
}
