/* A transaction names its remnant by a handle with an even generation, which no session has: those
 * of slots in use are odd (base/pool.c). */
#include "libahoy/tu/remnants.h"

#include <stdlib.h>

#include "libahoy/tu/ua.h"

void ahoy_remnants_init(struct ahoy_pool *remnants, uint32_t limit)
{
    ahoy_pool_init(remnants, sizeof(struct ahoy_remnant), limit);
}

static void forget(struct ahoy_pool *remnants, struct ahoy_remnant *remnant)
{
    free(remnant->credentials);
    free(remnant->dialog);
    ahoy_pool_remove(remnants, remnant->self);
}

void ahoy_remnants_fini(struct ahoy_pool *remnants)
{
    struct ahoy_handle handle;
    struct ahoy_remnant *remnant = ahoy_pool_next(remnants, 0, &handle);
    for (; remnant != NULL; remnant = ahoy_pool_next(remnants, handle.slot + 1, &handle))
        forget(remnants, remnant);
    ahoy_pool_fini(remnants);
}

bool ahoy_remnants_take(struct ahoy_pool *remnants, struct ahoy_session *session,
                        struct ahoy_ua_context *context)
{
    struct ahoy_handle handle;
    struct ahoy_remnant *remnant = ahoy_pool_add(remnants, &handle);
    if (remnant == NULL)
        return false;
    remnant->self = handle;
    remnant->dialog = ahoy_dialog_keep(&session->dialog);
    if (remnant->dialog == NULL || handle.generation == UINT32_MAX) {
        forget(remnants, remnant);
        return false;
    }
    remnant->invite_cseq = session->invite_cseq;
    remnant->forks = session->forks;
    remnant->credentials = session->credentials;
    session->credentials = NULL;
    handle.generation++;
    ahoy_ua_assign(context, session->client, ahoy_handle_pack(handle));
    session->client = (struct ahoy_handle){ 0, 0 };
    session->transactions = 0;
    return true;
}

bool ahoy_remnants_are_meant(const struct ahoy_event *event)
{
    struct ahoy_handle handle = ahoy_ua_session(event);
    return handle.generation != 0 && handle.generation % 2 == 0;
}

static void acknowledge(struct ahoy_remnant *remnant, struct ahoy_ua_context *context,
                        const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_acked acked = { remnant->invite_cseq, remnant->credentials };
    struct ahoy_dialog *dialog = &context->stray;
    if (!ahoy_dialog_restore(dialog, remnant->dialog))
        return; /* It comes again. */
    if (ahoy_span_equal_nocase(event->routing->to_tag, dialog->remote_tag))
        ahoy_forks_acknowledge(context, dialog, &acked, now_ms);
    else
        ahoy_forks_give_up(&remnant->forks, context, dialog, &acked, NULL, event, now_ms);
}

void ahoy_remnants_step(struct ahoy_pool *remnants, struct ahoy_ua_context *context,
                        const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_handle handle = ahoy_ua_session(event);
    handle.generation--;
    struct ahoy_remnant *remnant = ahoy_pool_get(remnants, handle);
    if (remnant == NULL)
        return;
    if (event->kind == AHOY_EVENT_ENDED)
        forget(remnants, remnant);
    else if (event->kind == AHOY_EVENT_RESPONSE && event->message->status / 100 == 2)
        acknowledge(remnant, context, event, now_ms);
}
