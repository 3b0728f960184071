/* Who is called: a phone, or what stands behind a trunk. */
#include <stdlib.h>

#include "ahoyd/rehearsal/inside.h"
#include "libahoy/syntax/compose.h"

enum { ROWS_SIZE = 8192 };

void party_put_sound(const struct ahoy_ip *ip, struct ahoy_buf *buf)
{
    struct span family = ip->family == AHOY_IPV6 ? SPAN("IN IP6 ") : SPAN("IN IP4 ");
    ahoy_buf_put(buf, SPAN("v=0\r\no=- 1 1 "));
    ahoy_buf_put(buf, family);
    ahoy_ip_print_bare(ip, buf);
    ahoy_buf_put(buf, SPAN("\r\ns=-\r\nc="));
    ahoy_buf_put(buf, family);
    ahoy_ip_print_bare(ip, buf);
    ahoy_buf_put(buf, SPAN("\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8 0\r\n"));
}

/* "alice@atlanta.example", "+491701234@carrier (sip:192.0.2.10)": it is called by |uri|. */
static void name(struct place *place, const struct ahoy_uri *uri)
{
    struct ahoy_buf space = ahoy_buf_over(place->called, sizeof place->called);
    struct ahoy_buf *buf = &space;
    if (place->trunk != NULL) {
        ahoy_buf_put(buf, uri->user);
        ahoy_buf_put_byte(buf, '@');
    }
    ahoy_buf_put(buf, place->name);
    if (place->uri.size > 0) {
        ahoy_buf_put(buf, SPAN(" ("));
        ahoy_buf_put(buf, place->uri);
        ahoy_buf_put_byte(buf, ')');
    }
    place->called_size = ahoy_buf_text(buf).size;
}

static void put_contact(const struct world *world, int place, const struct ahoy_hop *hop,
                        struct ahoy_buf *buf)
{
    struct span contact = SPAN("");
    if (place != NO_PLACE)
        contact = world->places[place].party.contact;
    ahoy_buf_put(buf, SPAN("Contact: <"));
    if (contact.size > 0) {
        ahoy_buf_put(buf, contact);
    } else {
        ahoy_buf_put(buf, SPAN("sip:"));
        ahoy_ip_print(&hop->remote, buf);
        ahoy_buf_put(buf, SPAN(";transport="));
        ahoy_buf_put(buf, ahoy_transport_uri_name((enum ahoy_transport)hop->transport));
    }
    ahoy_buf_put(buf, SPAN(">\r\n"));
}

/* Answers |request|, which came to |place| by |hop|.  Its tag tells which place that is. */
static void answer(struct world *world, int place, const struct ahoy_hop *hop,
                   const struct ahoy_message *request, unsigned status)
{
    char rows[ROWS_SIZE], tag_space[32], sound_space[512];
    struct ahoy_buf headers = ahoy_buf_over(rows, sizeof rows);
    struct ahoy_buf tag = ahoy_buf_over(tag_space, sizeof tag_space);
    struct ahoy_buf sound = ahoy_buf_over(sound_space, sizeof sound_space);
    struct ahoy_buf text = ahoy_buf_over(world->text, sizeof world->text);
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_RECORD_ROUTE);
    struct span route;
    ahoy_buf_put(&tag, SPAN("place-"));
    ahoy_buf_put_number(&tag, (uint64_t)(place + 1));
    while (request->method == AHOY_METHOD_INVITE && ahoy_values_next(&values, &route, NULL)) {
        ahoy_buf_put(&headers, SPAN("Record-Route: "));
        ahoy_buf_put(&headers, route);
        ahoy_buf_put(&headers, SPAN("\r\n"));
    }
    if (request->method == AHOY_METHOD_INVITE && status < 400)
        put_contact(world, place, hop, &headers);
    if (request->method == AHOY_METHOD_INVITE && status >= 200 && status < 300) {
        ahoy_buf_put(&headers, SPAN("Content-Type: application/sdp\r\n"));
        party_put_sound(&hop->remote, &sound);
    }
    const struct ahoy_response response = { .status = status,
                                            .to_tag = ahoy_buf_text(&tag),
                                            .headers = ahoy_buf_text(&headers),
                                            .body = ahoy_buf_text(&sound) };
    ahoy_compose_response(&text, request, &response);
    world_send(world, hop, ahoy_buf_text(&text));
}

static void be_called(struct world *world, int number, const struct ahoy_wire_effect *effect)
{
    struct place *place = &world->places[number];
    bool rings = place->party.manner == AHOYD_MANNER_RINGS || place->party.after_s > 0;
    name(place, &world->routing.request_uri);
    const struct span called = { place->called, place->called_size };
    world_tell(world, &called, 1);
    if (rings)
        answer(world, number, &effect->hop, &world->message, 180);
    const struct happening happening = { .kind = OF_PARTY, .place = number, .hop = effect->hop };
    world_schedule(world, &happening, effect->bytes,
                   place->party.manner == AHOYD_MANNER_RINGS ? UINT64_MAX
                                                             : place->party.after_s * 1000ull);
}

/* RFC 3261 9.2 */
static void be_cancelled(struct world *world, int number, const struct ahoy_wire_effect *effect)
{
    struct happening *waits = world_take(world, number, world->routing.via.branch);
    answer(world, number, &effect->hop, &world->message, 200);
    if (waits != NULL && ahoy_message_parse(waits->wire.bytes, &world->invite, NULL))
        answer(world, number, &waits->hop, &world->invite, 487);
    free(waits);
}

void party_receive(struct world *world, int place, const struct ahoy_wire_effect *effect)
{
    enum ahoy_method method = world->message.method;
    if (method == AHOY_METHOD_ACK || !ahoy_message_routing(&world->message, &world->routing, NULL))
        return;
    if (method == AHOY_METHOD_INVITE && place != NO_PLACE && world->routing.to_tag.size == 0)
        be_called(world, place, effect);
    else if (method == AHOY_METHOD_CANCEL && place != NO_PLACE)
        be_cancelled(world, place, effect);
    else
        answer(world, place, &effect->hop, &world->message, 200);
}

void party_answer(struct world *world, const struct happening *happening)
{
    if (ahoy_message_parse(happening->wire.bytes, &world->invite, NULL))
        answer(world, happening->place, &happening->hop, &world->invite,
               world->places[happening->place].party.status);
}
