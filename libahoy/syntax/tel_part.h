/* The parameters of a tel URI, one by one; for those who read, compare and print tel URIs. */
#pragma once

#include "libahoy/syntax/uri_part.h"

/* Takes ";name" or ";name=value" off |rest|, which begins with ";" or is empty: then false. */
bool ahoy_tel_param_next(struct span *rest, struct ahoy_uri_part *part);

/* The value of ;name in |params|, case aside; false where absent. */
bool ahoy_tel_param(struct span params, struct span name, struct span *value);

/* Whether |unit| (of ahoy_escaped_take) is a visual-separator. */
bool ahoy_tel_is_separator(unsigned unit);
