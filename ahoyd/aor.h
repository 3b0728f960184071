/* Whose a URI of ours is: the address-of-record "user@domain" by which bindings and users are found
 * (RFC 3261 10.3 step 5, 16.5). */
#pragma once

#include "ahoyd/serving.h"

/* Prints the address-of-record that |uri| means in |domain|, that behind an alias or a temporary
 * GRUU too.
 * False where it has no user, or a longer one than is known. */
bool ahoyd_aor_find(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                    const struct ahoyd_domain *domain, struct ahoy_buf *aor);
/* A request that will be served has been read: has the bindings fetched from memory that it is most
 * likely about, ... */
void ahoyd_aor_expect(struct ahoyd_server *server, const struct ahoy_message *message,
                      const struct ahoy_routing *routing);
/* ... and when some more have been read, or the first is served, the rest of them. */
void ahoyd_aor_expect_more(struct ahoyd_server *server);
/* Whether |aor|, printed so, is that of |user|. */
bool ahoyd_aor_is_of(struct span aor, struct span user, const struct ahoyd_domain *domain);
