/* Who a caller is, as one server vouches for it to the next: P-Asserted-Identity, and what a phone
 * would like there, P-Preferred-Identity (RFC 3325).  Trusted are the trunks that the configuration
 * says are, and nobody else: docs/decisions/0078-who-is-vouched-for.md. */
#pragma once

#include "ahoyd/policy.h"

/* Whether |from| names nobody: "sip:anonymous@anonymous.invalid" (RFC 3323 4.1.1.3). */
bool ahoyd_identity_is_hidden(const struct ahoy_uri *from);

/* The domain of ours whose user the sender says he is, in From, or, where that names nobody, in
 * P-Preferred-Identity.  NULL for none, and where a trunk that is trusted hides its caller. */
const struct ahoyd_domain *ahoyd_identity_domain(const struct ahoyd_server *server,
                                                 const struct ahoy_event *event);

/* What becomes of what |from| asserts on its way to |to|. */
enum ahoy_asserted ahoyd_identity_way(const struct ahoyd_server *server, const struct ahoy_ip *from,
                                      const struct ahoy_ip *to);

/* Settles what |plan| lets pass to a peer that is |to_trusted| or not, and prints what we assert
 * into |rows|: of |sender|, or of nobody where that is NULL. */
void ahoyd_identity_settle(const struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_sender *sender, bool to_trusted,
                           struct ahoy_proxy_plan *plan, struct ahoy_buf *rows);
