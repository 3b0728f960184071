/* Parameters: ";name", ";name=token", ";name=\"quoted\"" (RFC 3261 25.1 generic-param; with a URI
 * in brackets: RFC 8224 4), and the comma lists that hold values with them. */
#pragma once

#include "libahoy/base/err.h"

struct ahoy_param {
    struct span name;
    struct span value; /* As it stands, quotes and brackets included; empty without "=". */
    bool has_value;
};

/* Takes the next parameter off |rest|, which begins at ";" (or white space before it) or is
 * empty.  Returns false at the end, with err->expected NULL, or at a fault, with |err| filled. */
bool ahoy_param_next(struct span *rest, struct ahoy_param *param, struct ahoy_err *err);

/* Reads the parameter whose ";" is at |at|; returns where it ends, NULL at a fault. */
const char *ahoy_param_read(const char *at, const char *end, struct ahoy_param *param,
                            struct ahoy_err *err);

/* Takes the next pair off |rest|, and the comma behind it: "name=value", as authentication has them
 * (25.1 auth-param).  Returns like ahoy_param_next. */
bool ahoy_pair_next(struct span *rest, struct ahoy_param *pair, struct ahoy_err *err);

/* The first parameter |name|, case aside, in well-formed |params| (checked before).  False where
 * absent. */
bool ahoy_params_find(struct span params, struct span name, struct ahoy_param *param);

/* Takes the next item of a comma list off |rest|: commas inside quotes or angle brackets do not
 * count; white space around an item is trimmed.  False at the end (err->expected NULL) or where
 * an item is empty or a quote or bracket stays open (|err| filled). */
bool ahoy_list_next(struct span *rest, struct span *item, struct ahoy_err *err);

/* The same for words of a Call-ID (25.1 word), in which quotes and brackets are plain: every comma
 * counts. */
bool ahoy_words_next(struct span *rest, struct span *item, struct ahoy_err *err);

/* The contents of a quoted string, or |value| itself where it is not quoted.  Escapes stay as
 * they are. */
struct span ahoy_unquote(struct span value);
