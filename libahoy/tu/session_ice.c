/* ICE in a call's descriptions after the first: restarts, and what was settled on (RFC 8839 4.4,
 * 7.5).  Checks are the program's business. */
#include "libahoy/tu/session.h"

/* Whether the peer, who offers, has other words than those agreed on; or asks for an offer in a
 * call that has them, as who puts two calls together does (4.4.2.1, 7.5); or we offer them again to
 * who has gone on without (4.4.3.1). */
static bool is_restart(const struct ahoy_session *session, const struct ahoy_ua_context *context,
                       const struct ahoy_sdp_media *media, bool is_answer)
{
    uint64_t mark = 0, before = session->dialog.agreed.secured.peer.ice_mark;
    if (!is_answer)
        return session->dialog.has_left_ice ||
               (before != 0 && session->dialog.offers.state == AHOY_OFFERS_ASKED);
    return before != 0 && media != NULL && ahoy_sdp_has_ice(&context->sdp, media, &mark) &&
           mark != before;
}

static void renew_words(struct ahoy_sdp_words *words, struct ahoy_rng *rng)
{
    ahoy_rng_token(rng, words->user);
    ahoy_rng_token(rng, words->word);
    ahoy_rng_token(rng, words->word + AHOY_TOKEN_SIZE);
}

/* Our candidate at |ip|; one that only checks have shown is none that we know of here. */
static struct ahoy_candidate find(const struct ahoy_sdp_ice *ice, const struct ahoy_ip *ip)
{
    if (ice->settled.is_settled && ahoy_ip_equal(&ice->settled.ours.ip, ip))
        return ice->settled.ours;
    for (size_t i = 0; i < ice->count; i++) {
        if (ahoy_ip_equal(&ice->candidates[i].ip, ip))
            return ice->candidates[i];
    }
    return (struct ahoy_candidate){
        .ip = *ip,
        .kind = AHOY_CANDIDATE_PEER,
        .priority = ahoy_candidate_priority(AHOY_CANDIDATE_PEER, 65535),
        .foundation = 1,
    };
}

void ahoy_session_mind_ice(struct ahoy_session *session, struct ahoy_ua_context *context,
                           bool is_answer)
{
    struct ahoy_sdp_ice *ice = &session->local.security.handshake.ice;
    struct ahoy_ip chosen;
    if (session->local.security.wish == AHOY_SECURITY_OFF)
        return; /* Then there are no such words either. */
    const struct ahoy_sdp_media *media = is_answer ? ahoy_sdp_find_ice(&context->sdp) : NULL;
    if (is_restart(session, context, media, is_answer)) {
        renew_words(&ice->words, &context->rng);
        ice->settled = (struct ahoy_sdp_settled){ .is_settled = false };
        return;
    }
    /* DEPARTS: the answer is not held back until our check of that pair is answered (4.4.2), as he
     * who controls has seen it succeed. */
    if (media != NULL && ahoy_sdp_read_chosen(media, &chosen) && !ice->settled.controls)
        ice->settled = (struct ahoy_sdp_settled){ .is_settled = true, .ours = find(ice, &chosen) };
}

/* Whether the peer reads only what stands in c= and m= (4.3.4). */
static bool is_to_be_told(const struct ahoy_session *session, const struct ahoy_dialog *dialog,
                          const struct ahoy_sdp_settled *settled)
{
    struct ahoy_ice_peer peer;
    const struct ahoy_ip *told = ahoy_sdp_place(&session->local);
    return settled->controls &&
           ahoy_sdp_read_ice((struct span){ dialog->ice, dialog->ice_size }, &peer) &&
           !peer.is_modern &&
           (!ahoy_ip_equal(told, &settled->ours.ip) ||
            !ahoy_ip_equal(&dialog->agreed.rtp, &settled->theirs));
}

/* A restart of ours is under way, or was until now. */
static bool has_other_words(const struct ahoy_session *session)
{
    const struct ahoy_sdp_words *local = &session->local.security.handshake.ice.words;
    return memcmp(local, &session->in_force.security.handshake.ice.words, sizeof *local) != 0;
}

void ahoy_session_stay_settled(struct ahoy_session *session)
{
    if (session->is_secured && !has_other_words(session))
        session->in_force.security.handshake.ice.settled =
            session->local.security.handshake.ice.settled;
}

void ahoy_session_settled(struct ahoy_session *session, const struct ahoy_sdp_settled *settled)
{
    const struct ahoy_dialog *dialog = session->early_count > 0 ? session->early[0] : NULL;
    struct ahoy_sdp_ice *local = &session->local.security.handshake.ice;
    struct ahoy_sdp_ice *in_force = &session->in_force.security.handshake.ice;
    if (session->state != AHOY_SESSION_CALLING)
        dialog = &session->dialog;
    if (!session->is_secured || session->described == NULL || dialog == NULL ||
        has_other_words(session))
        return;
    bool is_owed = is_to_be_told(session, dialog, settled);
    local->settled = *settled;
    if (!is_owed)
        in_force->settled = *settled;
}
