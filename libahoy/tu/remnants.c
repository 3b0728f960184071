/* A transaction names its remnant by a handle with an even generation, which no session has: those
 * of slots in use are odd (base/pool.c). */
#include "libahoy/tu/remnants.h"

#include <stdlib.h>

#include "libahoy/tu/ua.h"

void ahoy_remnants_init(struct ahoy_pool *remnants, uint32_t limit)
{
    ahoy_pool_init_roomy(remnants, sizeof(struct ahoy_remnant),
                         offsetof(struct ahoy_remnant, dialog.room), limit);
}

static void forget(struct ahoy_pool *remnants, struct ahoy_remnant *remnant,
                   struct ahoy_handle handle)
{
    free(remnant->forks);
    free(remnant->credentials);
    ahoy_dialog_kept_fini(&remnant->dialog);
    ahoy_pool_remove(remnants, handle);
}

void ahoy_remnants_fini(struct ahoy_pool *remnants)
{
    struct ahoy_handle handle;
    struct ahoy_remnant *remnant = ahoy_pool_next(remnants, 0, &handle);
    for (; remnant != NULL; remnant = ahoy_pool_next(remnants, handle.slot + 1, &handle))
        forget(remnants, remnant, handle);
    ahoy_pool_fini(remnants);
}

/* Whether |remnant| has room for the forks that it gives up; most calls have none. */
static bool have_forks(struct ahoy_remnant *remnant)
{
    if (remnant->forks == NULL)
        remnant->forks = calloc(1, sizeof *remnant->forks);
    return remnant->forks != NULL;
}

/* What it keeps of |session|; false where memory is refused. */
static bool keep(struct ahoy_remnant *remnant, const struct ahoy_session *session)
{
    remnant->invite_cseq = session->invite_cseq;
    if (session->forks.count > 0) {
        if (!have_forks(remnant))
            return false;
        *remnant->forks = session->forks;
    }
    return ahoy_dialog_keep(&session->dialog, &remnant->dialog);
}

bool ahoy_remnants_take(struct ahoy_pool *remnants, struct ahoy_session *session,
                        struct ahoy_ua_context *context)
{
    struct ahoy_handle handle;
    struct ahoy_remnant *remnant = ahoy_pool_add(remnants, &handle);
    if (remnant == NULL)
        return false;
    if (!keep(remnant, session) || handle.generation == UINT32_MAX) {
        forget(remnants, remnant, handle);
        return false;
    }
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
    if (!ahoy_dialog_restore(dialog, &remnant->dialog))
        return; /* It comes again. */
    if (ahoy_span_equal_nocase(event->routing->to_tag, dialog->remote_tag))
        ahoy_forks_acknowledge(context, dialog, &acked, now_ms);
    else if (have_forks(remnant))
        ahoy_forks_give_up(remnant->forks, context, dialog, &acked, NULL, event, now_ms);
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
        forget(remnants, remnant, handle);
    else if (event->kind == AHOY_EVENT_RESPONSE && event->message->status / 100 == 2)
        acknowledge(remnant, context, event, now_ms);
}
