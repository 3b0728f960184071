/* What a session offers and answers: RFC 3264, with the versions of section 8. */
#include "libahoy/tu/session.h"

#include <stdlib.h>

#include "libahoy/base/unset.h"

bool ahoy_session_keep(char **bytes, size_t *size, struct span text)
{
    char *copy = malloc(text.size + 1);
    if (copy == NULL)
        return false;
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    ahoy_session_wipe(*bytes, *size);
    *bytes = copy;
    *size = text.size;
    return true;
}

void ahoy_session_wipe(char *bytes, size_t size)
{
    if (bytes != NULL)
        explicit_bzero(bytes, size);
    free(bytes);
}

void ahoy_session_goes_by(struct ahoy_session *session, const struct ahoy_hop *hop)
{
    session->local.security.tells_keys &=
        ahoy_transport_is_secure((enum ahoy_transport)hop->transport);
}

static bool is_secured(const struct ahoy_sdp_agreed *agreed)
{
    return agreed->secured.suite != AHOY_NO_SUITE;
}

/* Whether an offer of ours would not secure what is to be, or has been. */
static bool is_bare(const struct ahoy_session *session)
{
    const struct ahoy_sdp_agreed *agreed = &session->dialog.agreed;
    return !session->local.security.tells_keys &&
           (session->local.security.wish == AHOY_SECURITY_KEYS ||
            (is_secured(agreed) && !agreed->secured.by_handshake));
}

static struct span described(const struct ahoy_session *session)
{
    return (struct span){ session->described, session->described_size };
}

void ahoy_session_forget_described(struct ahoy_session *session)
{
    if (session->described != session->described_room)
        ahoy_session_wipe(session->described, session->described_size);
    else
        explicit_bzero(session->described, session->described_size);
    session->described = NULL;
    session->described_size = 0;
}

/* Keeps |text| in place of what we described before; false, and that stays, where memory is
 * refused. */
static bool keep_described(struct ahoy_session *session, struct span text)
{
    bool is_short = text.size <= sizeof session->described_room;
    char *at = is_short ? session->described_room : malloc(text.size);
    if (at == NULL)
        return false;
    ahoy_session_forget_described(session);
    memcpy(at, text.at, text.size);
    session->described = at;
    session->described_size = text.size;
    return true;
}

/* The offer to be answered, or what we said before, as far as there is one; it was sound. */
static unsigned read(const struct ahoy_session *session, struct ahoy_ua_context *context,
                     const struct span *offer)
{
    struct ahoy_err err = { .status = 0 };
    if (offer == NULL && session->described == NULL)
        return 0;
    if (!ahoy_sdp_parse(offer != NULL ? *offer : described(session), &context->sdp, &err))
        return err.status;
    /* R3264-8-6: a peer who lets lines vanish is not understood. */
    return context->sdp.media_count < session->described_media ? 488 : 0;
}

static struct span print(const struct ahoy_session *session, struct ahoy_ua_context *context,
                         bool is_answer, struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_buf body = ahoy_buf_over(context->body, sizeof context->body);
    if (!is_answer && is_bare(session))
        return SPAN("");
    if (!is_answer && session->described == NULL)
        ahoy_sdp_print_first(&context->repeated, &session->local, &body);
    else if (!is_answer)
        ahoy_sdp_print_offer(&session->local, &context->sdp, &body);
    else if (!ahoy_sdp_print_answer(&context->sdp, &session->local, &body, agreed) ||
             (is_secured(&session->dialog.agreed) && !is_secured(agreed)))
        return SPAN("");
    return ahoy_buf_text(&body);
}

/* What an answer of ours has numbered is so from now on: R3264-8.3.2-1. */
static void keep_numbers(struct ahoy_sdp_local *local, const struct ahoy_sdp_formats *heard)
{
    if (ahoy_sdp_has_codec(heard, AHOY_OPUS))
        local->opus = heard->types[AHOY_OPUS];
    for (size_t i = 0; i < AHOY_EVENT_CLOCKS; i++) {
        if (heard->events[i] != 0)
            local->events[i] = heard->events[i];
    }
}

/* The lines of media in a description of ours. */
static size_t count_media(struct span text)
{
    struct span value;
    size_t count = 0;
    while (ahoy_sdp_next(&text, 'm', &value))
        count++;
    return count;
}

struct span ahoy_session_describe(struct ahoy_session *session, struct ahoy_ua_context *context,
                                  const struct span *offer, struct ahoy_sdp_agreed *agreed,
                                  unsigned *status)
{
    const struct ahoy_sdp_secured *secured = &session->dialog.agreed.secured;
    session->local.security.is_passive = secured->by_handshake && !secured->is_active;
    *agreed = (struct ahoy_sdp_agreed){ .codec = AHOY_NO_CODEC };
    *status = read(session, context, offer);
    if (*status != 0)
        return SPAN("");
    struct ahoy_sdp_ice *ice = session->is_secured ? &session->local.security.handshake.ice : NULL;
    struct ahoy_sdp_words words = { .user = "" };
    struct ahoy_sdp_settled settled = { .is_settled = false };
    if (ice != NULL) {
        words = ice->words;
        settled = ice->settled;
    }
    ahoy_session_mind_ice(session, context, offer != NULL);
    struct span text = SPAN("");
    if (session->described == NULL)
        session->local.origin = session->local.media;
    else
        text = print(session, context, offer != NULL, agreed);
    if (text.size > 0 && ahoy_span_equal(text, described(session)))
        return text;          /* R3264-8-2 */
    session->local.version++; /* R3264-8-1 */
    text = print(session, context, offer != NULL, agreed);
    bool is_first = session->described == NULL && offer == NULL;
    if (text.size > 0 && keep_described(session, text)) {
        session->described_media = is_first ? 1 : count_media(text);
        session->dialog.has_left_ice &= offer != NULL;
        keep_numbers(&session->local, &agreed->heard);
        return text;
    }
    session->local.version--;
    if (ice != NULL) {
        ice->words = words;
        ice->settled = settled;
    }
    *status = text.size > 0 ? 500 : 488;
    return SPAN("");
}

void ahoy_session_agree(struct ahoy_dialog *dialog, const struct ahoy_ua_context *context,
                        const struct ahoy_sdp_agreed *agreed)
{
    AHOY_UNSET char room[AHOY_ICE_LINES_SIZE]; /* Few calls use it. */
    struct ahoy_buf lines = ahoy_buf_over(room, sizeof room);
    dialog->has_left_ice |= dialog->agreed.secured.peer.has_ice;
    dialog->has_left_ice &= agreed->secured.by_handshake && !agreed->secured.peer.has_ice;
    dialog->agreed = *agreed;
    if (agreed->secured.peer.has_ice)
        ahoy_sdp_copy_ice(&context->sdp, &lines);
    if (lines.size == 0 ||
        !ahoy_session_keep(&dialog->ice, &dialog->ice_size, ahoy_buf_text(&lines)))
        dialog->ice_size = 0;
}

void ahoy_session_take_offer(struct ahoy_session *session)
{
    if (session->offer_size > 0)
        ahoy_offers_take(&session->dialog.offers, AHOY_CARRIER_INVITE, false);
    else
        ahoy_offers_ask(&session->dialog.offers);
}

struct span ahoy_session_body(struct ahoy_session *session, struct ahoy_ua_context *context,
                              unsigned *status)
{
    struct ahoy_dialog *dialog = &session->dialog;
    const struct span offer = { session->offer, session->offer_size };
    struct ahoy_sdp_agreed agreed;
    *status = 0;
    switch (ahoy_offers_kind(&dialog->offers, AHOY_CARRIER_RELIABLE, true)) {
    case AHOY_OFFER:
        return ahoy_session_describe(session, context, NULL, &agreed, status);
    case AHOY_ANSWER:
        break;
    case AHOY_NEITHER:
        return SPAN("");
    }
    struct span body = ahoy_session_describe(session, context, &offer, &agreed, status);
    if (*status == 0) {
        ahoy_session_agree(dialog, context, &agreed);
    }
    return body;
}

bool ahoy_session_read_answer(struct ahoy_dialog *dialog, struct ahoy_ua_context *context,
                              const struct ahoy_message *message,
                              const struct ahoy_sdp_local *offered)
{
    AHOY_UNSET struct ahoy_sdp_agreed agreed;
    if (!ahoy_ua_has_description(message) ||
        !ahoy_sdp_hear_answer(&context->repeated, message->body, offered, &context->sdp, &agreed) ||
        (is_secured(&dialog->agreed) && !is_secured(&agreed)))
        return false;
    ahoy_session_agree(dialog, context, &agreed);
    return true;
}

void ahoy_session_tell(const struct ahoy_session *session, struct ahoy_ua_context *context,
                       enum ahoy_ua_news_kind kind, const struct ahoy_dialog *dialog)
{
    const struct ahoy_ua_news news = { .kind = kind,
                                       .session = session->self,
                                       .agreed = dialog->agreed };
    const struct span text = kind == AHOY_NEWS_ANSWERED ? dialog->remote_uri : SPAN("");
    if (!ahoy_ua_tell_all(context, &news, text, (struct span){ dialog->ice, dialog->ice_size }))
        ahoy_ua_tell(context, &news, text);
}
