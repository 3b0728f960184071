/* The notifier's side of one subscription (RFC 6665 4.2).  Pure: the owner answers SUBSCRIBE, asks
 * whether a NOTIFY is due, sends it where it finds the subscriber, and reports what became of it.
 *
 * One NOTIFY is under way at a time, and between two there is the pause of the package, but not
 * before one that answers a SUBSCRIBE or ends the subscription: what changes meanwhile is told by
 * the next one, which tells what there is by then. */
#pragma once

#include "libahoy/transaction/user.h"
#include "libahoy/tu/dialog.h"
#include "libahoy/tu/subscription.h"

enum ahoy_notifier_state {
    AHOY_NOTIFIER_ACTIVE = 1,
    AHOY_NOTIFIER_ENDING, /* The last NOTIFY is still to be sent, or under way. */
    AHOY_NOTIFIER_OVER    /* Nothing more will be heard of it: the owner forgets it. */
};

struct ahoy_notifier {
    enum ahoy_notifier_state state;
    enum ahoy_subscription_reason reason; /* Why it ends. */
    bool has_news;                        /* Something is to be told, ... */
    bool is_urgent;                       /* ... without a pause. */
    bool told_end;
    struct ahoy_handle notify; /* Under way; else null. */
    uint64_t expires_ms;
    uint64_t free_ms; /* When the pause is over. */
    const struct ahoy_event_package *package;
    size_t id_size;
    char id[AHOY_EVENT_ID_LIMIT]; /* Of Event. */
    struct ahoy_dialog dialog;
};

/* Takes the SUBSCRIBE outside of dialogs that was read into |subscribe|: a first NOTIFY is due at
 * once (R6665-4.2.1.2-1), and the last one where it asks for no time (4.4.3).  |local_tag| is our
 * To tag.  Faults as those of ahoy_dialog_from_request. */
bool ahoy_notifier_begin(struct ahoy_notifier *notifier, const struct ahoy_message *message,
                         const struct ahoy_routing *routing, const struct ahoy_subscribe *subscribe,
                         struct span local_tag, uint64_t now_ms, struct ahoy_err *err);
/* Takes one within its dialog, likewise.  Faults: 500 for a CSeq that is too low, 481 where it is
 * for another subscription, or this one is at its end. */
bool ahoy_notifier_refresh(struct ahoy_notifier *notifier, const struct ahoy_message *message,
                           const struct ahoy_routing *routing,
                           const struct ahoy_subscribe *subscribe, uint64_t now_ms,
                           struct ahoy_err *err);
/* What it tells of has changed. */
void ahoy_notifier_change(struct ahoy_notifier *notifier);

/* Whether a NOTIFY is to be sent now.  One that expires ends here (4.2.1.4). */
bool ahoy_notifier_poll(struct ahoy_notifier *notifier, uint64_t now_ms);
/* Prints that NOTIFY but for Contact, which the owner has added, and the body: the last rows are
 * those about it, with the empty line. */
void ahoy_notifier_print(struct ahoy_notifier *notifier, size_t body_size, uint64_t now_ms,
                         struct ahoy_buf *line, struct ahoy_buf *rows);
/* It was sent by |transaction|; where that is null, memory or a limit refused: then it is over. */
void ahoy_notifier_sent(struct ahoy_notifier *notifier, struct ahoy_handle transaction,
                        uint64_t now_ms);
/* An event of that transaction. */
void ahoy_notifier_step(struct ahoy_notifier *notifier, const struct ahoy_event *event);
/* When to poll next; UINT64_MAX where an event comes first. */
uint64_t ahoy_notifier_deadline(const struct ahoy_notifier *notifier);
