/* What both sides of a subscription know (RFC 6665): the event packages that there are, and what
 * SUBSCRIBE and NOTIFY say in Event, Expires, Accept and Subscription-State. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/syntax/message.h"

/* What can be subscribed to (5.4). */
struct ahoy_event_package {
    struct span name;
    struct span media_type; /* Of what a NOTIFY tells, and all that Accept stands for by default. */
    uint32_t default_s;     /* How long it lasts where SUBSCRIBE does not say: R6665-3.1.1-1. */
    uint32_t pause_ms;      /* Between two NOTIFYs. */
    /* Prints what there is to tell of |resource|, whose type is the package's; NULL where we can
     * only be told. */
    void (*print)(const void *resource, struct ahoy_buf *body);
};

extern const struct ahoy_event_package ahoy_event_reg; /* RFC 3680; of struct ahoy_reginfo. */

/* The one of that name, whose case counts (8.2.1); NULL where we know none. */
const struct ahoy_event_package *ahoy_event_package_find(struct span name);
/* Adds Allow-Events, which names all of them that we tell of. */
void ahoy_event_put_allow(struct ahoy_buf *buf);

enum { AHOY_EVENT_ID_LIMIT = 64 /* Bytes of an "id" of Event. */ };

/* What Event names: a package, and which of several subscriptions. */
struct ahoy_event_name {
    const struct ahoy_event_package *package; /* NULL where we know none of that name. */
    struct span id;                           /* Empty where there is none. */
};

/* Reads it; false where there is none that can be read, or its id is too long. */
bool ahoy_event_name_read(const struct ahoy_message *message, struct ahoy_event_name *name);
/* Adds the row. */
void ahoy_event_name_put(const struct ahoy_event_name *name, struct ahoy_buf *rows);

struct ahoy_subscribe_limits {
    uint32_t min_s; /* Less, but not 0, is answered 423. */
    uint32_t max_s; /* More is cut. */
};

/* What a SUBSCRIBE asks for. */
struct ahoy_subscribe {
    struct ahoy_event_name event;
    uint32_t expires_s; /* 0: what there is now, and no more. */
};

/* Reads it.  Faults: 489 for a package that we do not tell of, 406 where Accept lacks what we would
 * send (4.1.2.1), 423, and 400 for an Expires that is no number. */
bool ahoy_subscribe_read(const struct ahoy_message *message,
                         const struct ahoy_subscribe_limits *limits,
                         struct ahoy_subscribe *subscribe, struct ahoy_err *err);

/* Why a subscription ended (4.1.3), and what the subscriber then does. */
#define AHOY_SUBSCRIPTION_REASONS(REASON)                                                          \
    REASON(NO_REASON, "", LATER)                                                                   \
    REASON(DEACTIVATED, "deactivated", SOON)                                                       \
    REASON(PROBATION, "probation", LATER)                                                          \
    REASON(REJECTED, "rejected", NEVER)                                                            \
    REASON(EXPIRED, "timeout", SOON)                                                               \
    REASON(GIVEUP, "giveup", LATER)                                                                \
    REASON(NORESOURCE, "noresource", NEVER)                                                        \
    REASON(INVARIANT, "invariant", NEVER)

enum ahoy_subscription_reason {
#define AHOY_REASON(name, word, again) AHOY_SUBSCRIPTION_##name,
    AHOY_SUBSCRIPTION_REASONS(AHOY_REASON)
#undef AHOY_REASON
};

/* When to subscribe again: LATER is when retry-after says, or else when one likes. */
enum ahoy_subscription_again { AHOY_AGAIN_SOON = 1, AHOY_AGAIN_LATER, AHOY_AGAIN_NEVER };

/* The word of Subscription-State, empty for NO_REASON; and when to subscribe again after it. */
struct span ahoy_subscription_reason_word(enum ahoy_subscription_reason reason);
enum ahoy_subscription_again ahoy_subscription_again(enum ahoy_subscription_reason reason);

enum ahoy_subscription_state {
    AHOY_SUBSCRIPTION_PENDING = 1,
    AHOY_SUBSCRIPTION_ACTIVE,
    AHOY_SUBSCRIPTION_TERMINATED
};

/* What Subscription-State says. */
struct ahoy_subscription_status {
    enum ahoy_subscription_state state;
    enum ahoy_subscription_reason reason; /* TERMINATED; a word that we do not know is none. */
    bool has_expires;                     /* Never where TERMINATED: R6665-4.1.3-4. */
    uint32_t expires_s, retry_after_s;    /* 0 where absent. */
};

/* "pending", "active", "terminated" */
struct span ahoy_subscription_state_word(enum ahoy_subscription_state state);
/* False where there is none that can be read. */
bool ahoy_subscription_status_read(const struct ahoy_message *message,
                                   struct ahoy_subscription_status *status);
/* Adds the row. */
void ahoy_subscription_status_put(const struct ahoy_subscription_status *status,
                                  struct ahoy_buf *rows);

/* Whether a failure of SUBSCRIBE or NOTIFY within a subscription ends it (4.1.2.2, 4.2.2). */
bool ahoy_subscription_is_ended_by(unsigned status);
