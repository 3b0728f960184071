/* What both transfers of a session, ours and the peer's, share: their transactions and their
 * time. */
#include "libahoy/tu/transfer.h"

static const struct ahoy_handle nobody = { 0, 0 };

static bool is_refer(const struct ahoy_session *session, struct ahoy_handle transaction)
{
    return session->refer != NULL && ahoy_handle_equal(session->refer->client, transaction);
}

static bool is_notify(const struct ahoy_session *session, struct ahoy_handle transaction)
{
    return session->referred != NULL && ahoy_handle_equal(session->referred->notify, transaction);
}

bool ahoy_transfer_response(struct ahoy_session *session, struct ahoy_ua_context *context,
                            const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    if (is_refer(session, event->transaction))
        ahoy_refer_answered(session, context, response, now_ms);
    else if (is_notify(session, event->transaction))
        ahoy_referred_told(session, context, response->status, response, now_ms);
    else
        return false;
    return true;
}

void ahoy_transfer_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, unsigned status, uint64_t now_ms)
{
    /* Who tells of it has heard it, though his answer was lost. */
    if (is_refer(session, event->transaction) && !session->refer->is_told)
        ahoy_refer_end(session, context, status, SPAN(""));
    else if (is_notify(session, event->transaction))
        ahoy_referred_told(session, context, status, NULL, now_ms);
}

void ahoy_transfer_forget(struct ahoy_session *session, struct ahoy_handle transaction)
{
    if (is_refer(session, transaction))
        session->refer->client = nobody;
    if (is_notify(session, transaction))
        session->referred->notify = nobody;
}

/* The peer's ends with a NOTIFY, or with the answer to the one that is under way. */
static uint64_t told_ms(const struct ahoy_session *session)
{
    const struct ahoy_referred *referred = session->referred;
    return referred == NULL || referred->notify.generation != 0 ? UINT64_MAX : referred->end_ms;
}

uint64_t ahoy_transfer_deadline(const struct ahoy_session *session)
{
    uint64_t ours_ms = session->refer == NULL ? UINT64_MAX : session->refer->end_ms;
    uint64_t theirs_ms = told_ms(session);
    return ours_ms < theirs_ms ? ours_ms : theirs_ms;
}

void ahoy_transfer_expire(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    if (session->refer != NULL && now_ms >= session->refer->end_ms)
        ahoy_refer_end(session, context, 408, SPAN("No NOTIFY came"));
    if (now_ms >= told_ms(session))
        ahoy_referred_expire(session, context, now_ms);
}

bool ahoy_transfer_goes_on(const struct ahoy_session *session)
{
    return session->refer != NULL || session->referred != NULL;
}
