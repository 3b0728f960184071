/* Requests that wait until the phone that they are for has been woken: the SIP Request Push Bucket
 * of RFC 8599 5.2, a request and phone each. */
#pragma once

#include "ahoyd/serving.h"

enum {
    AHOYD_SLEEPERS_LIMIT = 4096, /* Of a worker. */
    AHOYD_PUSH_AGAIN_MS = 5000   /* A phone that was pushed is left alone for so long. */
};

void ahoyd_sleepers_init(struct ahoyd_server *server, uint64_t now_ms);
void ahoyd_sleepers_fini(struct ahoyd_server *server);
/* All that wait are forgotten: the server ends. */
void ahoyd_sleepers_forget(struct ahoyd_server *server);

/* Has the phone of |wish| woken, and its request wait for that; or gives the proxy the answer. */
void ahoyd_sleepers_wake(struct ahoyd_server *server, const struct ahoy_proxy_wish *wish,
                         uint64_t now_ms);
/* The push that was asked for under |key| has failed (R8599-5.6.2-3). */
void ahoyd_sleepers_failed(struct ahoyd_server *server, uint64_t key, uint64_t now_ms);
/* Phones that have registered, and requests that have waited for long enough.  False where there
 * are none. */
bool ahoyd_sleepers_expire(struct ahoyd_server *server, uint64_t now_ms);
uint64_t ahoyd_sleepers_deadline(const struct ahoyd_server *server);
