/* Values of feature tags, as Contact, Accept-Contact and Reject-Contact have them (RFC 3840 9, RFC
 * 3841 8): lists of tokens, numbers and ranges, or one string. */
#pragma once

#include "libahoy/syntax/params.h"

/* Whether a target that says |has| of a feature may be one that is asked for by |wanted|: whether
 * the two have a value in common (RFC 2533).  What cannot be read has none. */
bool ahoy_features_meet(const struct ahoy_param *has, const struct ahoy_param *wanted);
/* How many values |param| lists: at least 1. */
size_t ahoy_features_count(const struct ahoy_param *param);
