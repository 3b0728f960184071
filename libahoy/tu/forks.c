/* Each fork's call is one of its own: acknowledged whatever becomes of it. */
#include "libahoy/tu/forks.h"

#include "libahoy/base/unset.h"

/* R3261-13.2.2.4-3, -8 */
void ahoy_forks_acknowledge(struct ahoy_ua_context *context, const struct ahoy_dialog *dialog,
                            const struct ahoy_acked *acked, uint64_t now_ms)
{
    struct ahoy_ua_request request;
    const struct span parts[] = { dialog->call_id, dialog->remote_tag };
    AHOY_UNSET char seed[AHOY_TAG_LIMIT + 512];
    struct ahoy_buf buf = ahoy_buf_over(seed, sizeof seed);
    ahoy_buf_put_number(&buf, acked->cseq);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ahoy_buf_put(&buf, parts[i]);
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_ACK, acked->cseq, false, &request);
    ahoy_credentials_put(acked->credentials, &request.rows); /* R3261-13.2.2.4-5 */
    /* Where it cannot be sent the 2xx comes again. */
    (void)ahoy_ua_request_send_ack(&request, SPAN(""), ahoy_buf_text(&buf), now_ms);
}

/* A tag that looks like another's only spares its own fork the BYE: the key is no secret. */
static uint64_t hash_fork(struct span to_tag)
{
    static const struct ahoy_hash_key key = { { 0, 0 } };
    return ahoy_siphash(&key, to_tag);
}

static bool has_given_up(const struct ahoy_forks *forks, uint64_t fork)
{
    for (unsigned i = 0; i < forks->count; i++) {
        if (forks->hashes[i] == fork)
            return true;
    }
    return false;
}

/* R3261-13.2.2.4-9, but once: its 2xx may come again, and a second BYE would need another CSeq. */
void ahoy_forks_give_up(struct ahoy_forks *forks, struct ahoy_ua_context *context,
                        const struct ahoy_dialog *caller, const struct ahoy_acked *acked,
                        struct ahoy_dialog *early, const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_dialog *stray = &context->stray;
    struct ahoy_ua_request request;
    uint64_t fork = hash_fork(event->routing->to_tag);
    bool is_known = has_given_up(forks, fork);
    if (!is_known && forks->count == AHOY_SESSION_FORKS_LIMIT)
        return; /* Without an ACK it ends by itself: 13.3.1.4. */
    ahoy_dialog_asked(stray, caller, acked->cseq);
    if (!ahoy_dialog_from_response(stray, event->message, event->routing, NULL))
        return;
    if (early != NULL)
        ahoy_dialog_confirm(stray, early);
    ahoy_forks_acknowledge(context, stray, acked, now_ms);
    if (is_known)
        return;
    stray->local_cseq++;
    ahoy_ua_request_begin(context, stray, AHOY_METHOD_BYE, stray->local_cseq, false, &request);
    /* Where it cannot be sent the next 2xx tries again. */
    if (ahoy_ua_request_send(&request, SPAN(""), AHOY_UA_NOBODY, now_ms).generation != 0)
        forks->hashes[forks->count++] = fork;
}
