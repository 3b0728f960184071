/* What the server does with a request: each function answers it, forwards it, or drops it. */
#pragma once

#include "ahoyd/path.h"

/* A new REQUEST: checked, then served by one of those below, or forwarded (RFC 3261 16.3 to
 * 16.6). */
void ahoyd_serve_request(struct ahoyd_server *server, const struct ahoy_event *event,
                         uint64_t now_ms);
/* An ACK to a 2xx: forwarded along its dialog, or dropped. */
void ahoyd_serve_ack(struct ahoyd_server *server, const struct ahoy_event *event, uint64_t now_ms);

/* A CANCEL that matches nothing: 481, but for what is not ours to end (8.3, 16.10). */
void ahoyd_serve_cancel(struct ahoyd_server *server, const struct ahoy_event *event,
                        uint64_t now_ms);

/* A request to a user of a domain that redirects: 302 with all of his contacts, without state
 * (8.3). False where there is none to name. */
bool ahoyd_serve_redirect(struct ahoyd_server *server, const struct ahoy_event *event,
                          const struct ahoyd_path *path, uint64_t now_ms);
/* A response to what we forwarded: what a 3xx names is followed as far as the caller might have
 * called it himself (16.7 step 4); all else is the proxy's. */
void ahoyd_serve_response(struct ahoyd_server *server, const struct ahoy_event *event,
                          uint64_t now_ms);

/* Forwarding without state (16.11): a request that takes |route|, and one that follows another by
 * such a route, CANCEL or ACK.  False where it is not done. */
bool ahoyd_serve_stateless(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, const struct ahoyd_route *route);
bool ahoyd_serve_stateless_follower(struct ahoyd_server *server, const struct ahoy_event *event,
                                    const struct ahoyd_path *path, uint64_t now_ms);
/* The response to one. */
void ahoyd_serve_stray(struct ahoyd_server *server, const struct ahoy_event *event);

/* A REGISTER for |domain| (10.3). */
void ahoyd_serve_register(struct ahoyd_server *server, const struct ahoy_event *event,
                          const struct ahoyd_domain *domain, uint64_t now_ms);
/* The store has kept or refused what a REGISTER asked for: the answer leaves. */
void ahoyd_serve_stored(struct ahoyd_server *server, const struct ahoyd_change *change,
                        uint64_t now_ms);

enum { AHOYD_PROOF_ROW_LIMIT = 512 /* Bytes of our Authentication-Info, else it is left out. */ };

/* Steps 3 to 5 of 10.3: who sends |event| is to be, and to prove that he is, the user of |domain|
 * whom From and |uri| name.  Prints his address-of-record, and rows of a 200.  False where it has
 * been answered: 401, 403, 404. */
bool ahoyd_serve_own_aor(struct ahoyd_server *server, const struct ahoy_event *event,
                         const struct ahoyd_domain *domain, const struct ahoy_uri *uri,
                         uint64_t now_ms, struct ahoy_buf *aor, struct ahoy_buf *rows);

/* Whether |event| asks to be told of what this server knows itself: a SUBSCRIBE for an
 * address-of-record of ours to an event package of ours. */
bool ahoyd_serve_watches(const struct ahoy_event *event, const struct ahoyd_path *path);
/* That, or one within a subscription that there is (RFC 6665 4.2). */
void ahoyd_serve_subscribe(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, uint64_t now_ms);

/* A request to the server itself: OPTIONS is answered (11.2), all else is not allowed. */
void ahoyd_serve_options(struct ahoyd_server *server, const struct ahoy_event *event);
void ahoyd_serve_not_allowed(struct ahoyd_server *server, const struct ahoy_event *event);

/* Answers 420 to the option tags of |header| that we do not know (8.2.2.3, 16.3 step 5).  False
 * where it did, so that the caller goes no further. */
bool ahoyd_serve_extensions(struct ahoyd_server *server, const struct ahoy_event *event,
                            enum ahoy_header header);
/* Answers 503 with Retry-After while the server drains. */
void ahoyd_serve_later(struct ahoyd_server *server, const struct ahoy_event *event);
