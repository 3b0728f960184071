/* The subscriber's side (RFC 6665 4.1): one subscription, kept alive until it is given up or ends
 * for good.  A SUBSCRIBE that forks makes no more than one, as the packages that we know ask for
 * (5.4.9, R3680-4.9-1): the others' NOTIFYs get 481. */
#pragma once

#include "libahoy/tu/subscription.h"
#include "libahoy/tu/ua_context.h"

enum {
    AHOY_SUBSCRIBER_SOON_MS = 500,    /* "At once": so that two who disagree do not spin. */
    AHOY_SUBSCRIBER_LATER_MS = 30000, /* Where nobody says how much later. */
    AHOY_SUBSCRIBER_LIMIT_S = 86400 * 7
};

enum ahoy_subscriber_state {
    AHOY_SUBSCRIBER_NONE,
    AHOY_SUBSCRIBER_WAITING, /* For the first NOTIFY: the RFC's notify_wait. */
    AHOY_SUBSCRIBER_HELD,    /* Its pending and active. */
    AHOY_SUBSCRIBER_LEAVING, /* For the last NOTIFY. */
    AHOY_SUBSCRIBER_RESTING  /* It has ended, and begins again in a while. */
};

struct ahoy_subscriber {
    enum ahoy_subscriber_state state;
    struct ahoy_event_name event;
    uint32_t asked_s;               /* What we ask for. */
    bool raised;                    /* A 423 was obeyed once. */
    struct ahoy_handle transaction; /* The SUBSCRIBE that is under way; else null. */
    /* UINT64_MAX for never: the next SUBSCRIBE, timer N, the end where nothing comes before. */
    uint64_t due_ms, timer_n_ms, expires_ms;
    struct ahoy_credentials credentials;
    struct ahoy_dialog dialog; /* Until the first NOTIFY not one: what SUBSCRIBE is made of. */
    size_t uri_size;
    char uri[AHOY_TARGET_LIMIT]; /* Whom we watch. */
};

/* Before anything else. */
void ahoy_subscriber_init(struct ahoy_subscriber *subscriber);
/* Subscribes to |package| of |uri| for |expires_s| seconds.  False where it is subscribed already,
 * or |uri| is too long. */
bool ahoy_subscriber_start(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                           const struct ahoy_event_package *package, struct span uri,
                           uint32_t expires_s, uint64_t now_ms);
/* Unsubscribes: WATCH_ENDED follows. */
void ahoy_subscriber_stop(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                          uint64_t now_ms);
/* Events of its SUBSCRIBEs. */
void ahoy_subscriber_step(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms);
/* A NOTIFY, whosever it is: answered. */
void ahoy_subscriber_notified(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                              const struct ahoy_event *event, uint64_t now_ms);
void ahoy_subscriber_expire(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                            uint64_t now_ms);
/* UINT64_MAX for never. */
uint64_t ahoy_subscriber_deadline(const struct ahoy_subscriber *subscriber);
/* Whether the notifier still has to hear from us, or we from it before we leave. */
bool ahoy_subscriber_is_busy(const struct ahoy_subscriber *subscriber);
