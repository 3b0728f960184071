/* Ahoy and libosip2 on the same bytes: where only one of them takes a message, a class of
 * tests/osip/classes.tsv says why. */
#include "fuzz/target.h"
#include "tests/osip/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct osip_comparison comparison;
    osip_compare((struct span){ (const char *)data, size }, &comparison);
    MUST(comparison.reason != NULL);
    return 0;
}
