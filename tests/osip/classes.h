/* The classes of differences between Ahoy and libosip2, as predicates over the bytes that ask
 * neither parser: a verdict of Ahoy's that no predicate bears out is a finding. */
#pragma once

#include "tests/osip/compare.h"

/* |text| without its first |count| bytes, or all of them. */
static inline struct span osip_drop(struct span text, size_t count)
{
    return ahoy_span_after(text, count < text.size ? count : text.size);
}

/* Why Ahoy refuses |bytes| with |fault| and libosip2 takes them; NULL where nothing explains it. */
const char *osip_class_of_fault(struct span bytes, const struct ahoy_err *fault);

/* Why libosip2 refuses the |culprit| in |message|, and Ahoy takes it; NULL where nothing does. */
const char *osip_class_of_culprit(const struct ahoy_message *message, struct span culprit);

/* The names of the classes of either kind, some more than once; NULL behind the last. */
const char *osip_class_of_faults(size_t i);
const char *osip_class_of_culprits(size_t i);
