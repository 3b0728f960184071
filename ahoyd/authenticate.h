/* Who sends a request, by digest (RFC 3261 22, RFC 7616, RFC 8760), or by his certificate. */
#pragma once

#include "ahoyd/serving.h"
#include "libahoy/syntax/challenge.h"

enum ahoyd_verdict {
    AHOYD_AUTHENTIC,
    AHOYD_UNKNOWN,   /* No credentials for the domain, or wrong ones: to be challenged. */
    AHOYD_STALE,     /* Right, but for a nonce that is too old or was used: to be challenged. */
    AHOYD_TIRED,     /* Not looked at, for too many were wrong: to be answered later. */
    AHOYD_UNREADABLE /* To be answered with err->status. */
};

/* Points into itself and into the request. */
struct ahoyd_proof {
    struct span user; /* His name, in plain text. */
    struct span row;  /* That of the credentials; empty where there are none, but a certificate. */
    struct ahoy_challenge credentials; /* All of it empty there. */
    struct ahoy_digest_hex rspauth;    /* Ours in turn, where the domain gives it. */
    uint64_t wait_ms;                  /* TIRED: for so long. */
    char space[AHOYD_NAME_LIMIT];
};

/* Checks the credentials for |domain| in |header| (Authorization or Proxy-Authorization); |proof|
 * holds when they are right. */
enum ahoyd_verdict ahoyd_authenticate(struct ahoyd_server *server, const struct ahoy_event *event,
                                      const struct ahoyd_domain *domain, enum ahoy_header header,
                                      uint64_t now_ms, struct ahoyd_proof *proof,
                                      struct ahoy_err *err);

/* certified.c: whether a certificate proves the sender to be a user of |domain|, whom |proof| then
 * names. */
bool ahoyd_certified(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_domain *domain, struct ahoyd_proof *proof);

/* Looks for a certificate, or else checks the credentials, and answers the request where they are
 * not right: challenges by 401 or 407, or refuses it.  False where it did. */
bool ahoyd_demand(struct ahoyd_server *server, const struct ahoy_event *event,
                  const struct ahoyd_domain *domain, unsigned status, uint64_t now_ms,
                  struct ahoyd_proof *proof);
/* challenge.c: answers 401 or 407 (|status|) with a challenge for |domain| by each algorithm that
 * it offers, the strongest first; by MD5 alone where the phone is known to fail on others
 * (phones.h). */
void ahoyd_challenge(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_domain *domain, unsigned status, bool is_stale,
                     uint64_t now_ms);
/* Adds the Authentication-Info that |domain| gives for |proof|, or nothing (RFC 7616 3.5). */
void ahoyd_print_rspauth(const struct ahoyd_domain *domain, const struct ahoyd_proof *proof,
                         struct ahoy_buf *rows);
