/* telephone-event: RFC 4733 2.3 and 2.5. */
#include "libahoy/media/event.h"

#include <assert.h>

#include "libahoy/media/octets.h"

enum { END = 1 << 7, LONGEST = 0xffff, VOLUME = 10 /* dBm0 below zero */ };

static const char digits[AHOY_EVENT_CODES + 1] = "0123456789*#ABCD";

char ahoy_event_digit(uint8_t code)
{
    return code < AHOY_EVENT_CODES ? digits[code] : '\0';
}

uint8_t ahoy_event_code(char digit)
{
    uint8_t code = 0;
    while (code < AHOY_EVENT_CODES && digits[code] != digit)
        code++;
    return code;
}

/* An event is known by its timestamp: any of its packets will do, so that one that is lost takes
 * no digit with it (2.5.2.2).  What is older than the event at hand comes too late. */
bool ahoy_event_take(struct ahoy_event_heard *heard, const struct ahoy_rtp *rtp, uint8_t *code)
{
    if (rtp->payload.size < AHOY_EVENT_SIZE)
        return false;
    struct ahoy_event_heard event = { .is_any = true,
                                      .code = ahoy_octet(rtp->payload.at),
                                      .timestamp = rtp->timestamp,
                                      .duration = ahoy_octets_two(rtp->payload.at + 2) };
    uint32_t later = event.timestamp - heard->timestamp;
    if (heard->is_any && (later == 0 || later > UINT32_MAX / 2)) {
        if (later == 0 && event.duration > heard->duration)
            heard->duration = event.duration;
        return false;
    }
    /* R4733-2.5.2.3-1: it begins where the longest one ends. */
    bool goes_on = heard->is_any && event.code == heard->code && heard->duration == LONGEST &&
                   later == LONGEST;
    *heard = event;
    *code = event.code;
    return !goes_on;
}

void ahoy_event_say(struct ahoy_event_said *said, uint8_t code, uint32_t lasts, uint32_t timestamp)
{
    assert(code < AHOY_EVENT_CODES && lasts > 0 && lasts <= LONGEST);
    *said = (struct ahoy_event_said){ .code = code,
                                      .timestamp = timestamp,
                                      .lasts = lasts,
                                      .copies = AHOY_EVENT_COPIES,
                                      .is_first = true };
}

bool ahoy_event_is_said(const struct ahoy_event_said *said)
{
    return said->copies > 0;
}

void ahoy_event_next(struct ahoy_event_said *said, uint32_t step, char bytes[AHOY_EVENT_SIZE],
                     struct ahoy_rtp *rtp)
{
    assert(ahoy_event_is_said(said));
    struct ahoy_buf buf = ahoy_buf_over(bytes, AHOY_EVENT_SIZE);
    said->lasted = said->lasted + step < said->lasts ? said->lasted + step : said->lasts;
    bool is_end = said->lasted == said->lasts;
    ahoy_buf_put_byte(&buf, (char)said->code);
    ahoy_buf_put_byte(&buf, (char)((is_end ? END : 0) | VOLUME)); /* R4733-2.3.3-1 */
    ahoy_octets_put_two(&buf, (uint16_t)said->lasted);
    rtp->timestamp = said->timestamp; /* R4733-2.5.1.2-2 */
    rtp->marker = said->is_first;     /* R4733-2.5.1.2-3, -5 */
    rtp->payload = ahoy_buf_text(&buf);
    said->is_first = false;
    said->copies -= is_end;
}
