/* Who sends a request, by digest (RFC 3261 22, RFC 7616, RFC 8760). */
#pragma once

#include "ahoyd/serving.h"

enum ahoyd_verdict {
    AHOYD_AUTHENTIC,
    AHOYD_UNKNOWN,   /* No credentials for the domain, or wrong ones: to be challenged. */
    AHOYD_STALE,     /* Right, but for a nonce that is too old: to be challenged. */
    AHOYD_UNREADABLE /* To be answered with err->status. */
};

/* A view into the request. */
struct ahoyd_proof {
    struct span user;
    struct span row; /* That of the credentials. */
};

/* Checks the credentials for |domain| in |header| (Authorization or Proxy-Authorization); |proof|
 * holds when they are right. */
enum ahoyd_verdict ahoyd_authenticate(struct ahoyd_server *server, const struct ahoy_event *event,
                                      const struct ahoyd_domain *domain, enum ahoy_header header,
                                      uint64_t now_ms, struct ahoyd_proof *proof,
                                      struct ahoy_err *err);

/* Answers 401 or 407 (|status|) with a challenge for |domain| by SHA-256 and one by MD5; with the
 * latter alone where the phone is known to fail on the former (phones.h). */
void ahoyd_challenge(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_domain *domain, unsigned status, bool is_stale,
                     uint64_t now_ms);

/* Prints the address-of-record that |uri| is in |domain|: false where it has no user, or a longer
 * one than is known. */
bool ahoyd_print_aor(const struct ahoy_uri *uri, const struct ahoyd_domain *domain,
                     struct ahoy_buf *buf);
/* Whether |aor|, printed so, is that of |user|. */
bool ahoyd_is_aor_of(struct span aor, struct span user, const struct ahoyd_domain *domain);
