/* The subscriptions that this worker serves, as a notifier (RFC 6665 4.2): whom they tell of which
 * address-of-record, and the NOTIFYs on their way.  None of them is kept anywhere else
 * (docs/decisions/0121-subscriptions-are-not-kept.md). */
#pragma once

#include "ahoyd/serving.h"
#include "libahoy/tu/notifier.h"

enum { AHOYD_SUBSCRIPTIONS_LIMIT = 4096 /* Of a worker, some 3 KB each. */ };

struct ahoyd_subscription {
    struct ahoy_handle self;
    struct ahoyd_watch watch;
    struct ahoy_timer timer;
    struct ahoy_hop hop; /* The way that the last SUBSCRIBE came, ... */
    bool is_direct;      /* ... straight from the subscriber. */
    uint32_t version;    /* Of the next document. */
    struct record *told; /* What the last one told; NULL before. */
    uint64_t lapse_ms;   /* When the first contact of that one expires. */
    size_t aor_size;
    char aor[AHOYD_AOR_LIMIT];
    struct ahoy_notifier notifier;
};

_Static_assert(sizeof(struct ahoyd_subscription) < 13 * 1024, "as docs/limits.md says");

/* Bytes of our tag of such a dialog: one that nobody can guess, and which subscription it is. */
enum { AHOYD_SUBSCRIPTION_TAG_SIZE = 2 * AHOY_TOKEN_SIZE };

void ahoyd_subscriptions_init(struct ahoyd_server *server, uint64_t now_ms);
void ahoyd_subscriptions_fini(struct ahoyd_server *server);
/* Forgets all of them, without a word, while the store still stands. */
void ahoyd_subscriptions_forget(struct ahoyd_server *server);

/* One more to |aor|, for |ip|, which is NULL for a peer that is trusted.  NULL where a limit
 * refuses, with the status that says so. */
struct ahoyd_subscription *ahoyd_subscription_new(struct ahoyd_server *server, struct span aor,
                                                  const struct ahoy_ip *ip, unsigned *status);
void ahoyd_subscription_remove(struct ahoyd_server *server,
                               struct ahoyd_subscription *subscription);
void ahoyd_subscription_print_tag(struct ahoyd_server *server,
                                  const struct ahoyd_subscription *subscription,
                                  char tag[AHOYD_SUBSCRIPTION_TAG_SIZE]);
/* The one that a request within its dialog belongs to, or NULL. */
struct ahoyd_subscription *ahoyd_subscription_find(struct ahoyd_server *server,
                                                   const struct ahoy_routing *routing);
/* Adds our Contact, as |hop| reaches it. */
void ahoyd_subscription_put_contact(const struct ahoyd_server *server,
                                    const struct ahoyd_subscription *subscription,
                                    const struct ahoy_hop *hop, struct ahoy_buf *rows);
/* After whatever may have changed it: a NOTIFY that is due is sent; one that is over is removed. */
void ahoyd_subscription_advance(struct ahoyd_server *server,
                                struct ahoyd_subscription *subscription, uint64_t now_ms);

/* Whether |event| is one of a NOTIFY of ours; then it is taken. */
bool ahoyd_subscriptions_step(struct ahoyd_server *server, const struct ahoy_event *event,
                              uint64_t now_ms);
/* What has changed, and what is due, is told.  False where there is nothing. */
bool ahoyd_subscriptions_expire(struct ahoyd_server *server, uint64_t now_ms);
uint64_t ahoyd_subscriptions_deadline(const struct ahoyd_server *server);
