/* Which dialog an INVITE is to take the place of: the Replaces of RFC 3891 6.1. */
#pragma once

#include "libahoy/tu/dialog.h"

/* A view. */
struct ahoy_replaces {
    struct span call_id, to_tag, from_tag;
    bool early_only;
};

/* Reads the value of a Replaces; false where it cannot be read. */
bool ahoy_replaces_read(struct span value, struct ahoy_replaces *replaces);
/* Whether |dialog| is the one: the tags are those of a request that comes in (RFC 3891 3). */
bool ahoy_replaces_matches(const struct ahoy_replaces *replaces, const struct ahoy_dialog *dialog);
/* Prints a value. */
void ahoy_replaces_print(const struct ahoy_replaces *replaces, struct ahoy_buf *buf);
/* What the peer of |dialog| has to match. */
struct ahoy_replaces ahoy_replaces_of(const struct ahoy_dialog *dialog);
