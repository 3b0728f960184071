/* GRUUs (RFC 5627): URIs of our domains that name one instance of a user, openly or without telling
 * whose it is.  Neither kind is kept anywhere. */
#pragma once

#include "ahoyd/serving.h"

enum ahoyd_gruu { AHOYD_GRUU_NONE, AHOYD_GRUU_PUBLIC, AHOYD_GRUU_TEMPORARY };

enum ahoyd_gruu ahoyd_gruu_kind(const struct ahoy_uri *uri);

/* Adds to a Contact row both GRUUs of |binding|, which is one of |aor| (5.2): nothing where it has
 * no instance; no temporary one where the user's name is too long for that. */
void ahoyd_gruu_print(struct ahoyd_server *server, struct span aor,
                      const struct ahoy_binding *binding, struct ahoy_buf *row);

/* Prints the public one alone; nothing where |binding| has no instance. */
void ahoyd_gruu_print_public(struct span aor, const struct ahoy_binding *binding,
                             struct ahoy_buf *gruu);

/* Prints the name of the user whose temporary GRUU has this user part.  False where it cannot be
 * one; whether it is good, ahoyd_gruu_narrow tells. */
bool ahoyd_gruu_open(const struct ahoyd_server *server, struct span user, struct ahoy_buf *name);

/* Leaves of |bindings|, which are all of |aor|, those that the GRUU |uri| is bound to (5.4): none
 * where it is a temporary one that is not good any more. */
void ahoyd_gruu_narrow(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                       struct span aor, struct ahoy_bindings *bindings);
