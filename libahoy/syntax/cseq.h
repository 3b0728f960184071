/* CSeq (RFC 3261 20.16): a number below 2^31 (8.1.1.5) and a method. */
#pragma once

#include "libahoy/base/err.h"
#include "libahoy/syntax/method.h"

struct ahoy_cseq {
    uint32_t number;
    enum ahoy_method method;
    struct span method_text;
};

/* Reads all of |text|.  Faults: 400.  A method that is unknown is no fault. */
bool ahoy_cseq_parse(struct span text, struct ahoy_cseq *cseq, struct ahoy_err *err);
