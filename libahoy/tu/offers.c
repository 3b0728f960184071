/* RFC 6337's tables, as tables. */
#include "libahoy/tu/offers.h"

#include <assert.h>

#define IN(carrier) (1U << AHOY_CARRIER_##carrier)
#define WHEN(state) (1U << AHOY_OFFERS_##state)

static const struct {
    unsigned answers;   /* The carriers whose offers it answers: table 1. */
    unsigned offers_in; /* The states in which it is an offer else. */
} carriers[AHOY_CARRIER_COUNT] = {
    [AHOY_CARRIER_INVITE] = { 0, WHEN(ASKED) | WHEN(AGREED) },
    [AHOY_CARRIER_RELIABLE] = { IN(INVITE), WHEN(ASKED) },
    [AHOY_CARRIER_ACK] = { IN(RELIABLE), 0 },
    [AHOY_CARRIER_PRACK] = { IN(RELIABLE), WHEN(AGREED) },
    [AHOY_CARRIER_UPDATE] = { 0, WHEN(AGREED) },
    [AHOY_CARRIER_SUCCESS] = { IN(PRACK) | IN(UPDATE), 0 },
};

enum ahoy_description ahoy_offers_kind(const struct ahoy_offers *offers, enum ahoy_carrier carrier,
                                       bool is_ours)
{
    enum ahoy_offers_state answerable = is_ours ? AHOY_OFFERS_THEIRS : AHOY_OFFERS_OURS;
    assert(carrier < AHOY_CARRIER_COUNT);
    if ((carriers[carrier].offers_in >> offers->state & 1) != 0)
        return AHOY_OFFER;
    /* A response that repeats what was answered before answers no other offer: RFC 6337 4.1. */
    if (offers->state == answerable && (carriers[carrier].answers >> offers->carrier & 1) != 0)
        return AHOY_ANSWER;
    return AHOY_NEITHER;
}

void ahoy_offers_take(struct ahoy_offers *offers, enum ahoy_carrier carrier, bool is_ours)
{
    switch (ahoy_offers_kind(offers, carrier, is_ours)) {
    case AHOY_OFFER:
        offers->state = is_ours ? AHOY_OFFERS_OURS : AHOY_OFFERS_THEIRS;
        offers->carrier = carrier;
        return;
    case AHOY_ANSWER:
        offers->state = AHOY_OFFERS_AGREED;
        offers->is_established = true;
        return;
    case AHOY_NEITHER:
        return;
    }
}

void ahoy_offers_ask(struct ahoy_offers *offers)
{
    if (offers->state == AHOY_OFFERS_AGREED)
        offers->state = AHOY_OFFERS_ASKED;
}

void ahoy_offers_reject(struct ahoy_offers *offers)
{
    offers->state = offers->is_established ? AHOY_OFFERS_AGREED : AHOY_OFFERS_ASKED;
}

bool ahoy_offers_may_send(const struct ahoy_offers *offers, enum ahoy_method method,
                          unsigned ongoing)
{
    /* R3261-14.1-1 to -3; UAC-II and UAC-UI of RFC 6337 4.3. */
    const unsigned before_invite = AHOY_ONGOING_OUR_INVITE | AHOY_ONGOING_THEIR_INVITE |
                                   AHOY_ONGOING_THEIR_ACK | AHOY_ONGOING_OUR_UPDATE;
    /* UAC-UU, UAC-IU. */
    const unsigned before_update =
        AHOY_ONGOING_OUR_UPDATE | AHOY_ONGOING_OUR_PRACK | AHOY_ONGOING_THEIR_PRACK;
    unsigned bar = method == AHOY_METHOD_INVITE ? before_invite : before_update;
    return offers->state == AHOY_OFFERS_AGREED && (ongoing & bar) == 0;
}

/* UAS-IcI, UAS-UcI and UAS-IsI of RFC 6337 4.3. */
static unsigned refuse_invite(const struct ahoy_offers *offers, unsigned ongoing)
{
    if ((ongoing & (AHOY_ONGOING_OUR_INVITE | AHOY_ONGOING_OUR_UPDATE)) != 0)
        return 491; /* R3261-14.2-2 */
    if ((ongoing & AHOY_ONGOING_THEIR_INVITE) != 0)
        return 500; /* R3261-14.2-1 */
    /* Our offer waits for its answer in the ACK: RFC 5407 3.1.5.  Any other ACK may be late:
     * docs/decisions/0073. */
    return offers->state == AHOY_OFFERS_OURS ? 491 : 0;
}

/* UAS-UcU, UAS-IcU and UAS-IsU. */
static unsigned refuse_update(const struct ahoy_offers *offers, unsigned ongoing)
{
    bool is_in_response = offers->carrier == AHOY_CARRIER_RELIABLE;
    if ((ongoing & (AHOY_ONGOING_OUR_UPDATE | AHOY_ONGOING_OUR_PRACK)) != 0 ||
        (offers->state == AHOY_OFFERS_OURS && !is_in_response))
        return 491; /* R3311-5.2-2 */
    if (offers->state != AHOY_OFFERS_AGREED || (ongoing & AHOY_ONGOING_THEIR_PRACK) != 0)
        return 500; /* R3311-5.2-3 */
    return 0;
}

unsigned ahoy_offers_refuse(const struct ahoy_offers *offers, enum ahoy_method method,
                            unsigned ongoing)
{
    return method == AHOY_METHOD_INVITE ? refuse_invite(offers, ongoing)
                                        : refuse_update(offers, ongoing);
}
