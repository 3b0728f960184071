/* A call of ours is handed on: to whom the command line names (--transfer), or to whom we have
 * called for that (--consult).  RFC 5589 6 and 7. */
#pragma once

#include "ahoy/worker_talk.h"

/* Zeroed but for the first two. */
struct phone_handover {
    const struct phone_options *options;
    struct phone *phone;
    struct ahoy_handle call;   /* That is handed on; null before its answer. */
    struct ahoy_handle second; /* To whom we consult; null for none, or no more. */
    struct phone_talk *talk;   /* Of that one. */
    bool is_ready, is_asked, is_over;
    unsigned status; /* Of its end: 2xx where it was done. */
};

/* Whether the command line asks for it. */
bool phone_handover_is_wanted(const struct phone_handover *handover);
/* |call| was answered: whom it is to be handed to is called, while it is on hold. */
void phone_handover_begin(struct phone_handover *handover, struct ahoy_handle call);
/* What is told of it, and of the second call. */
void phone_handover_take(struct phone_handover *handover, const struct ahoy_ua_news *news);
/* It has been talked long enough. */
void phone_handover_ask(struct phone_handover *handover);
void phone_handover_close(struct phone_handover *handover);
