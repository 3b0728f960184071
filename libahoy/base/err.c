/* What is wrong with bytes that a peer sent. */
#include "libahoy/base/err.h"

bool ahoy_fail(struct ahoy_err *err, unsigned status, const char *at, const char *expected)
{
    if (err != NULL)
        *err = (struct ahoy_err){ .expected = expected, .at = at, .status = status };
    return false;
}

bool ahoy_finished(struct ahoy_err *err)
{
    if (err != NULL)
        err->expected = NULL;
    return false;
}

size_t ahoy_err_offset(const struct ahoy_err *err, struct span bytes)
{
    /* As numbers, because pointers into different objects must not be subtracted; what lies before
     * |bytes| wraps round and is far too large. */
    uintptr_t offset = (uintptr_t)err->at - (uintptr_t)bytes.at;
    return offset > bytes.size ? bytes.size : offset;
}
