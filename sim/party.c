/* What a party remembers: the last messages of each kind, as bytes; everything else is read from
 * them again. */
#include "sim/party.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "libahoy/syntax/compose.h"
#include "sim/frames.h"
#include "sim/party_inside.h"

const char *sim_party_name(const struct sim_party *party)
{
    return party->name;
}

const struct ahoy_ip *sim_party_ip(const struct sim_party *party)
{
    return &party->node.ip;
}

enum ahoy_transport sim_party_transport(const struct sim_party *party)
{
    return party->kind.transport;
}

const char *sim_party_parameter(const struct sim_party *party)
{
    static const char *const parameters[AHOY_TRANSPORT_COUNT] = {
        [AHOY_UDP] = "",
        [AHOY_TCP] = ";transport=tcp",
        [AHOY_TLS] = ";transport=tls",
        [AHOY_WS] = ";transport=ws",
        [AHOY_WSS] = ";transport=ws", /* RFC 7118 5.2: a URI does not tell them apart. */
    };
    return parameters[party->kind.transport];
}

/* Keeps the newest message of each kind. */
static struct kept *keep(struct sim_party *party, bool sent, unsigned status, struct span method,
                         struct span bytes)
{
    char name[16];
    snprintf(name, sizeof name, "%.*s", (int)method.size, method.at);
    struct kept *kept = NULL;
    for (size_t i = 0; i < party->kept_count; i++) {
        struct kept *other = &party->kept[i];
        if (other->sent == sent && other->status == status && strcmp(other->method, name) == 0)
            kept = other;
    }
    if (kept == NULL) {
        assert(party->kept_count < sizeof party->kept / sizeof *party->kept);
        kept = &party->kept[party->kept_count++];
    }
    free(kept->bytes);
    kept->bytes = malloc(bytes.size);
    assert(kept->bytes != NULL);
    memcpy(kept->bytes, bytes.at, bytes.size);
    kept->size = bytes.size;
    kept->sent = sent;
    kept->status = status;
    kept->order = ++party->kept_order;
    memcpy(kept->method, name, sizeof name);
    return kept;
}

/* The newest kept message that fits; status 0 asks for the request. */
struct kept *sim_party_find(struct sim_party *party, bool sent, unsigned least, unsigned most,
                            const char *method)
{
    struct kept *found = NULL;
    for (size_t i = 0; i < party->kept_count; i++) {
        struct kept *kept = &party->kept[i];
        if (kept->sent == sent && kept->status >= least && kept->status <= most &&
            strcmp(kept->method, method) == 0 && (found == NULL || kept->order > found->order))
            found = kept;
    }
    return found;
}

/* |stream| is no more: what follows goes over a new one. */
static void forget_stream(struct sim_party *party, uint64_t stream)
{
    if (party->stream == stream) {
        party->stream = 0;
        party->is_websocket = false;
    }
    if (party->used == stream)
        party->used = 0;
    for (size_t i = 0; i < party->kept_count; i++) {
        if (party->kept[i].stream == stream)
            party->kept[i].stream = 0;
    }
}

/* What came by a WebSocket: the answer that opens it, or a frame. */
static struct span unwrap(struct sim_party *party, struct span bytes)
{
    if (party->is_websocket)
        return ahoy_websocket_payload(bytes);
    party->is_websocket = ahoy_span_starts_nocase(bytes, SPAN("HTTP/1.1 101 "));
    return SPAN("");
}

static void receive(void *self, const struct sim_packet *packet)
{
    struct sim_party *party = self;
    struct ahoy_message message;
    struct ahoy_cseq cseq;
    struct span bytes = packet->bytes;
    if (packet->kind == SIM_CLOSE)
        forget_stream(party, packet->stream);
    if (packet->kind != SIM_DATAGRAM && packet->kind != SIM_BYTES)
        return;
    party->used = packet->stream;
    if (ahoy_transport_is_websocket(party->kind.transport))
        bytes = unwrap(party, bytes);
    if (ahoy_message_parse(bytes, &message, NULL) &&
        ahoy_cseq_parse(ahoy_message_value(&message, AHOY_HEADER_CSEQ), &cseq, NULL)) {
        struct kept *kept =
            keep(party, false, message.is_request ? 0 : message.status,
                 message.is_request ? message.method_text : cseq.method_text, bytes);
        kept->stream = packet->stream;
        kept->from = packet->from;
    }
    party->watch(party->context, party, bytes);
}

static void wake(void *self)
{
    (void)self; /* It has no deadline. */
}

static uint64_t deadline(const void *self)
{
    (void)self;
    return UINT64_MAX;
}

struct sim_party *sim_party_new(struct sim_world *world, const char *name, const struct ahoy_ip *ip,
                                const struct sim_party_kind *kind, sim_party_watch *watch,
                                void *context)
{
    struct sim_party *party = calloc(1, sizeof *party);
    if (party == NULL)
        return NULL;
    party->name = name;
    party->world = world;
    party->kind = *kind;
    party->watch = watch;
    party->context = context;
    party->node = (struct sim_node){ name, *ip, party, receive, wake, deadline, kind->proves };
    sim_world_add(world, &party->node);
    return party;
}

void sim_party_call_itself(struct sim_party *party, const char *host)
{
    party->host = host;
}

void sim_party_free(struct sim_party *party)
{
    if (party == NULL)
        return;
    for (size_t i = 0; i < party->kept_count; i++)
        free(party->kept[i].bytes);
    free(party);
}

void sim_party_connect(struct sim_party *party)
{
    if (party->kind.transport == AHOY_UDP || party->stream != 0)
        return;
    party->stream = sim_world_open(party->world, &party->node.ip, &party->kind.proxy);
    if (ahoy_transport_is_websocket(party->kind.transport))
        sim_world_bytes(party->world, party->stream, &party->node.ip, &party->kind.proxy,
                        sim_frames_request());
}

void sim_party_go_to(struct sim_party *party, const struct ahoy_ip *ip)
{
    if (ahoy_ip_equal(&party->kind.proxy, ip))
        return;
    party->kind.proxy = *ip;
    party->stream = 0;
    party->is_websocket = false;
}

static bool transmit(struct sim_party *party, const struct ahoy_ip *to, uint64_t stream,
                     struct span bytes, bool lost)
{
    char space[MESSAGE_LIMIT + SIM_FRAME_HEAD_LIMIT];
    struct ahoy_buf frame = ahoy_buf_over(space, sizeof space);
    if (party->kind.transport == AHOY_UDP) {
        sim_world_datagram(party->world, &party->node.ip, to, bytes, lost);
        return true;
    }
    if (ahoy_transport_is_websocket(party->kind.transport)) {
        if (!party->is_websocket)
            return false;
        sim_frames_put(&frame, SIM_FRAME_FIN | AHOY_TEXT_FRAME, bytes);
        bytes = ahoy_buf_text(&frame);
    }
    if (stream == 0) {
        sim_party_connect(party);
        stream = party->stream;
    }
    party->used = stream;
    if (!lost)
        sim_world_bytes(party->world, stream, &party->node.ip, to, bytes);
    return true;
}

/* Turns the branch of a message into another one of the same form. */
static void stray(char *bytes, size_t size)
{
    const char *cookie = memmem(bytes, size, AHOY_BRANCH_COOKIE, sizeof AHOY_BRANCH_COOKIE - 1);
    if (cookie == NULL)
        return;
    char *first = bytes + (cookie - bytes) + sizeof AHOY_BRANCH_COOKIE - 1;
    *first = *first == '0' ? '1' : '0';
}

static const struct span description =
    SPAN_INIT("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
              "m=audio 4000 RTP/AVP 8 0\r\na=sendrecv\r\n");

bool sim_party_say(struct sim_party *party, const struct sim_saying *saying)
{
    char space[2][MESSAGE_LIMIT];
    struct ahoy_buf first = ahoy_buf_over(space[0], MESSAGE_LIMIT);
    struct ahoy_buf whole = ahoy_buf_over(space[1], MESSAGE_LIMIT);
    struct kept *request = NULL;
    if (saying->status != 0)
        request = sim_party_find(party, false, 0, 0, saying->method);
    bool made = saying->status == 0
                    ? sim_party_compose_request(party, saying, &first)
                    : request != NULL && sim_party_compose_response(party, saying, request, &first);
    if (!made)
        return false;
    sim_rows_put(ahoy_buf_text(&first), saying->rows, saying->row_count,
                 (saying->flaws & SIM_SDP) != 0 ? description : SPAN(""), &whole);
    struct span message = ahoy_buf_text(&whole);
    if (message.size == 0)
        return false;
    if (saying->flaws & SIM_STRAY)
        stray(space[1], message.size);
    struct kept *kept = keep(party, true, saying->status, ahoy_span(saying->method), message);
    kept->from = request != NULL ? request->from : party->kind.proxy;
    kept->stream = request != NULL ? request->stream : 0;
    return transmit(party, &kept->from, kept->stream, message, (saying->flaws & SIM_LOST) != 0);
}

const struct ahoy_ip *sim_party_asker(struct sim_party *party, const char *method)
{
    const struct kept *request = sim_party_find(party, false, 0, 0, method);
    return request == NULL ? NULL : &request->from;
}

bool sim_party_say_again(struct sim_party *party, const struct sim_saying *saying)
{
    struct kept *kept = sim_party_find(party, true, saying->status, saying->status, saying->method);
    if (kept == NULL)
        return false;
    if (saying->status == 0)
        kept->from = party->kind.proxy;
    return transmit(party, &kept->from, kept->stream, sim_party_bytes(kept),
                    (saying->flaws & SIM_LOST) != 0);
}

bool sim_party_close(struct sim_party *party)
{
    if (party->used == 0)
        return false;
    sim_world_close(party->world, party->used, &party->node.ip, &party->kind.proxy);
    forget_stream(party, party->used);
    return true;
}

void sim_party_unreachable(struct sim_party *party)
{
    sim_world_unreachable(party->world, &party->node.ip, &party->kind.proxy);
}
