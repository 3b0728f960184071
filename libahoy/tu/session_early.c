/* The caller's early dialogs, one for each fork that says something before the answer (RFC 3261
 * 12.1.2, 13.2.2.4), and the PRACK to what asks for it (RFC 3262 4). */
#include "libahoy/tu/transfer.h"

#include <stdlib.h>

#include "libahoy/base/poison.h"
#include "libahoy/syntax/value.h"

static const struct ahoy_handle nobody = { 0, 0 };

struct ahoy_dialog *ahoy_session_early(const struct ahoy_session *session, struct span tag)
{
    for (unsigned i = 0; i < session->early_count; i++) {
        if (ahoy_span_equal_nocase(session->early[i]->remote_tag, tag))
            return session->early[i];
    }
    return NULL;
}

struct ahoy_dialog *ahoy_session_find(struct ahoy_session *session,
                                      const struct ahoy_routing *routing)
{
    bool is_calling =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    if ((!is_calling && ahoy_dialog_matches(&session->dialog, routing)) ||
        ahoy_refer_is_begun_by(session, routing))
        return &session->dialog;
    struct ahoy_dialog *early = ahoy_session_early(session, routing->from_tag);
    return early != NULL && ahoy_dialog_matches(early, routing) ? early : NULL;
}

/* The context keeps one at hand, as most calls have one for a moment: the processor still has it in
 * its caches when the next call rings. */
static void free_early(struct ahoy_dialog *early, struct ahoy_ua_context *context)
{
    if (early->agreed.secured.suite != AHOY_NO_SUITE)
        explicit_bzero(&early->agreed, sizeof early->agreed);
    ahoy_dialog_fini(early);
    if (context->early != NULL) {
        free(early);
        return;
    }
    ahoy_poison(early, sizeof *early);
    context->early = early;
}

/* Zeroed where it must be: most of it is room for texts. */
static struct ahoy_dialog *new_early(struct ahoy_ua_context *context)
{
    struct ahoy_dialog *early = context->early;
    context->early = NULL;
    if (early == NULL)
        early = malloc(sizeof *early);
    if (early == NULL)
        return NULL;
    ahoy_unpoison(early, sizeof *early);
    memset(early, 0, offsetof(struct ahoy_dialog, routes));
    return early;
}

/* The early dialog of a response; NULL where it makes none, or a limit or memory refuses. */
static struct ahoy_dialog *find_or_add(struct ahoy_session *session,
                                       struct ahoy_ua_context *context,
                                       const struct ahoy_event *event)
{
    struct ahoy_dialog *early = ahoy_session_early(session, event->routing->to_tag);
    if (early != NULL || event->routing->to_tag.size == 0 ||
        session->early_count == AHOY_SESSION_FORKS_LIMIT)
        return early;
    early = new_early(context);
    if (early == NULL)
        return NULL;
    ahoy_dialog_asked(early, &session->dialog, session->invite_cseq);
    early->local_uri = session->dialog.local_uri; /* Most say who they are as they were asked. */
    early->remote_uri = session->dialog.remote_uri;
    if (!context->located.is_route) /* And many are where the last one was. */
        (void)ahoy_dialog_retarget(early,
                                   (struct span){ context->located.way, context->located.size });
    if (!ahoy_dialog_from_response(early, event->message, event->routing, NULL)) {
        free_early(early, context);
        return NULL;
    }
    early->offers = session->dialog.offers;
    session->early[session->early_count++] = early;
    return early;
}

/* Whether it asks for PRACK, and which number it has. */
static bool is_reliable(const struct ahoy_message *response, uint32_t *rseq)
{
    const struct ahoy_field *field = ahoy_message_first(response, AHOY_HEADER_RSEQ);
    struct ahoy_value value;
    if (field == NULL || !ahoy_ua_lists(response, AHOY_HEADER_REQUIRE, SPAN("100rel")) ||
        !ahoy_value_parse(AHOY_HEADER_RSEQ, field->value, &value, NULL))
        return false;
    *rseq = (uint32_t)value.as.number;
    return true;
}

static struct ahoy_handle send_prack(struct ahoy_session *session, struct ahoy_ua_context *context,
                                     struct ahoy_dialog *dialog, uint32_t rseq,
                                     uint32_t invite_cseq, uint64_t now_ms)
{
    struct ahoy_ua_request request;
    dialog->local_cseq++;
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_PRACK, dialog->local_cseq, false, &request);
    ahoy_buf_put(&request.rows, SPAN("RAck: "));
    ahoy_buf_put_number(&request.rows, rseq);
    ahoy_buf_put_byte(&request.rows, ' ');
    ahoy_buf_put_number(&request.rows, invite_cseq);
    ahoy_buf_put(&request.rows, SPAN(" INVITE\r\n"));
    struct ahoy_handle prack =
        ahoy_ua_request_send(&request, SPAN(""), ahoy_handle_pack(session->self), now_ms);
    session->transactions += prack.generation != 0;
    return prack;
}

/* What the 2xx will answer may stand in an unreliable response before it, which is no answer yet
 * but says where sound before the answer comes from (RFC 6337 3.1.1): as gateways say it that know
 * no PRACK.  DEPARTS: R3261-13.2.1-3 would pass over a 2xx that says something else; it counts, as
 * whoever sent it means it (docs/decisions/0119). */
static void preview(const struct ahoy_session *session, struct ahoy_ua_context *context,
                    struct ahoy_dialog *dialog, const struct ahoy_message *response)
{
    if (session->state == AHOY_SESSION_CALLING && response->body.size > 0 &&
        dialog->agreed.codec == AHOY_NO_CODEC &&
        ahoy_offers_kind(&dialog->offers, AHOY_CARRIER_RELIABLE, false) == AHOY_ANSWER &&
        ahoy_session_read_answer(dialog, context, response, &session->in_force))
        ahoy_session_tell(session, context, AHOY_NEWS_EARLY, dialog);
}

bool ahoy_session_confirm(struct ahoy_session *session, struct ahoy_ua_context *context,
                          struct ahoy_dialog *dialog, const struct ahoy_event *event,
                          uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    bool is_change = dialog == &session->dialog;
    uint32_t rseq;
    if (!is_reliable(response, &rseq)) {
        if (!is_change)
            preview(session, context, dialog, response);
        return true;
    }
    if (dialog->rseq != 0 && rseq != dialog->rseq + 1)
        return false; /* R3262-4-6, R3262-4-10 */
    struct ahoy_handle prack =
        send_prack(session, context, dialog, rseq, event->routing->cseq.number, now_ms);
    if (prack.generation == 0)
        return false; /* It comes again. */
    dialog->rseq = rseq;
    const struct ahoy_sdp_local *offered = is_change ? &session->offered : &session->in_force;
    if (ahoy_offers_kind(&dialog->offers, AHOY_CARRIER_RELIABLE, false) != AHOY_ANSWER ||
        !ahoy_session_read_answer(dialog, context, response, offered))
        return true;
    dialog->prack = prack;
    ahoy_offers_take(&dialog->offers, AHOY_CARRIER_RELIABLE, false);
    if (session->state == AHOY_SESSION_CALLING)
        ahoy_session_tell(session, context, AHOY_NEWS_EARLY, dialog);
    return true;
}

bool ahoy_session_provisional(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event, uint64_t now_ms)
{
    uint32_t rseq;
    struct ahoy_dialog *early = find_or_add(session, context, event);
    if (early == NULL) /* R3262-4-4: it would have to make a dialog. */
        return !is_reliable(event->message, &rseq);
    early->takes_update |= ahoy_ua_lists(event->message, AHOY_HEADER_ALLOW, SPAN("UPDATE"));
    return ahoy_session_confirm(session, context, early, event, now_ms);
}

void ahoy_session_leave_early(struct ahoy_session *session, struct ahoy_ua_context *context)
{
    for (unsigned i = 0; i < session->early_count; i++) {
        struct ahoy_dialog *early = session->early[i];
        if (!ahoy_span_equal_nocase(early->remote_tag, session->dialog.remote_tag))
            continue;
        ahoy_dialog_confirm(&session->dialog, early);
        if (session->change.dialog == early)
            session->change.dialog = &session->dialog;
        free_early(early, context);
        session->early[i] = session->early[--session->early_count];
        return;
    }
}

void ahoy_session_forget_early(struct ahoy_session *session, struct ahoy_ua_context *context)
{
    for (unsigned i = 0; i < session->early_count; i++) {
        if (session->change.dialog == session->early[i])
            session->change.dialog = NULL;
        free_early(session->early[i], context);
    }
    session->early_count = 0;
}

void ahoy_session_pracked(struct ahoy_session *session, struct ahoy_handle transaction)
{
    if (ahoy_handle_equal(session->dialog.prack, transaction))
        session->dialog.prack = nobody;
    for (unsigned i = 0; i < session->early_count; i++) {
        if (ahoy_handle_equal(session->early[i]->prack, transaction))
            session->early[i]->prack = nobody;
    }
}
