/* What joins the user agent, which knows by which flows it is registered, and the stack, which can
 * tell whether they live (RFC 5626 4.4). */
#include "ahoy/worker.h"
#include "libahoy/stack/stack.h"

_Static_assert((int)AHOY_UA_SERVERS_LIMIT <= (int)AHOY_KEPT_LIMIT, "each flow can be kept");

void phone_mind_flows(struct phone *phone)
{
    for (size_t i = 0; i < AHOY_UA_SERVERS_LIMIT; i++) {
        struct ahoy_hop flow;
        uint32_t keep_ms;
        if (!ahoy_ua_flow(phone_ua(phone), i, &flow, &keep_ms))
            keep_ms = 0;
        enum ahoy_kept kept = ahoy_stack_keep(phone_stack(phone), i, &flow, keep_ms);
        if (keep_ms > 0 && kept == AHOY_KEPT_ANSWERED)
            ahoy_ua_flow_answered(phone_ua(phone), i);
        else if (keep_ms > 0 && kept == AHOY_KEPT_FAILED)
            ahoy_ua_flow_failed(phone_ua(phone), i, phone_now());
    }
}
