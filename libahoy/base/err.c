/* What is wrong with bytes that a peer sent. */
#include "libahoy/base/err.h"

bool ahoy_fail(struct ahoy_err *err, unsigned status, const char *at, const char *expected)
{
    if (err != NULL)
        *err = (struct ahoy_err){ .expected = expected, .at = at, .status = status };
    return false;
}

size_t ahoy_err_offset(const struct ahoy_err *err, struct span bytes)
{
    /* As numbers, because pointers into different objects must not be compared or subtracted. */
    uintptr_t at = (uintptr_t)err->at;
    uintptr_t start = (uintptr_t)bytes.at;
    if (err->at == NULL || at < start || at - start > bytes.size)
        return bytes.size;
    return at - start;
}
