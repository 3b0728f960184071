/* What the server does with a request: each function answers it, forwards it, or drops it. */
#pragma once

#include "ahoyd/path.h"

/* A new REQUEST: checked, then served by one of those below, or forwarded (RFC 3261 16.3 to
 * 16.6). */
void ahoyd_serve_request(struct ahoyd_server *server, const struct ahoy_event *event,
                         uint64_t now_ms);
/* An ACK to a 2xx: forwarded along its dialog, or dropped. */
void ahoyd_serve_ack(struct ahoyd_server *server, const struct ahoy_event *event, uint64_t now_ms);

/* A REGISTER for |domain| (10.3). */
void ahoyd_serve_register(struct ahoyd_server *server, const struct ahoy_event *event,
                          const struct ahoyd_domain *domain, uint64_t now_ms);
/* The store has kept or refused what a REGISTER asked for: the answer leaves. */
void ahoyd_serve_stored(struct ahoyd_server *server, const struct ahoyd_change *change,
                        uint64_t now_ms);

/* A request to the server itself: OPTIONS is answered (11.2), all else is not allowed. */
void ahoyd_serve_options(struct ahoyd_server *server, const struct ahoy_event *event);
void ahoyd_serve_not_allowed(struct ahoyd_server *server, const struct ahoy_event *event);

/* Answers 420 to the option tags of |header| that we do not know (8.2.2.3, 16.3 step 5).  False
 * where it did, so that the caller goes no further. */
bool ahoyd_serve_extensions(struct ahoyd_server *server, const struct ahoy_event *event,
                            enum ahoy_header header);
/* Answers 503 with Retry-After while the server drains. */
void ahoyd_serve_later(struct ahoyd_server *server, const struct ahoy_event *event);
