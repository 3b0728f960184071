/* Ahoy and libosip2 side by side. */
#include "tests/osip/compare.h"

#include "tests/osip/classes.h"
#include "tests/osip/theirs.h"

static struct ahoy_message message;

static bool ahoy_takes(struct span bytes, struct ahoy_err *fault)
{
    struct ahoy_routing routing;
    return ahoy_message_parse(bytes, &message, fault) &&
           ahoy_message_routing(&message, &routing, fault) && ahoy_message_check(&message, fault);
}

void osip_compare(struct span bytes, struct osip_comparison *comparison)
{
    *comparison = (struct osip_comparison){ .reason = "-", .culprit = { bytes.at, 0 } };
    comparison->ours = ahoy_takes(bytes, &comparison->fault);
    comparison->theirs = osip_takes(bytes);
    if (comparison->ours == comparison->theirs)
        return;
    if (comparison->ours) {
        comparison->culprit = osip_culprit(&message);
        comparison->reason = osip_class_of_culprit(&message, comparison->culprit);
    } else {
        comparison->reason = osip_class_of_fault(bytes, &comparison->fault);
    }
}

const char *osip_class_name(size_t i)
{
    size_t faults = 0;
    while (osip_class_of_faults(faults) != NULL)
        faults++;
    return i < faults ? osip_class_of_faults(i) : osip_class_of_culprits(i - faults);
}
