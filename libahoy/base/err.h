/* What is wrong with bytes that a peer sent, or why the world refused: said by the one who found
 * it, carried up unchanged, ended in a 4xx, a 5xx, a line of the log, or silence. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_err {
    const char *expected; /* What should have stood there, for a person; a literal. */
    const char *at;       /* Where, within the bytes that were given to the parser. */
    unsigned status;      /* The SIP status code that answers it best: 400, 413, 414, 505 ... */
};

/* Fills |err| (which may be NULL) and returns false, so that a parser can `return
 * ahoy_fail(...)`. */
bool ahoy_fail(struct ahoy_err *err, unsigned status, const char *at, const char *expected);

/* Says that there is no more, which is no fault: err->expected is NULL.  Returns false, as walks do
 * at their end. */
bool ahoy_finished(struct ahoy_err *err);

/* The offset of |err->at| within |bytes|; bytes.size where it lies outside. */
size_t ahoy_err_offset(const struct ahoy_err *err, struct span bytes);
