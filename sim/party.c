/* What a party remembers: the last messages of each kind, as bytes; everything else is read from
 * them again. */
#include "sim/party.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "libahoy/syntax/compose.h"
#include "sim/frames.h"

enum { KEPT_LIMIT = 8, STREAMS_LIMIT = 8, MESSAGE_LIMIT = 8192 };

/* A message that may be needed again. */
struct kept {
    char method[16];
    unsigned status; /* 0: a request. */
    bool sent;
    char *bytes;
    size_t size;
    uint64_t order;  /* The newest has the greatest. */
    uint64_t stream; /* Where it came from. */
    struct ahoy_ip from;
};

struct sim_party {
    const char *name;
    struct sim_node node;
    struct sim_world *world;
    struct sim_party_kind kind;
    const char *host; /* In its Contact; NULL: its address. */
    unsigned calls, requests, cseq;
    struct kept kept[4 * KEPT_LIMIT];
    size_t kept_count;
    uint64_t kept_order;
    uint64_t stream;   /* To the proxy, once it is open. */
    uint64_t used;     /* The stream of the last message, either way. */
    bool is_websocket; /* The stream has become one. */
    sim_party_watch *watch;
    void *context;
};

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
static struct kept *find(struct sim_party *party, bool sent, unsigned least, unsigned most,
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

/* Printing into a message that fits. */
static void put(struct ahoy_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void put(struct ahoy_buf *buf, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ahoy_buf_put(buf, ahoy_span(text));
}

/* A browser does not know its address, and invents a name (RFC 7118 5.3.1). */
static void put_own_host(const struct sim_party *party, struct ahoy_buf *buf)
{
    if (ahoy_transport_is_websocket(party->kind.transport))
        put(buf, "%s.invalid", party->name);
    else
        ahoy_ip_print(&party->node.ip, buf);
}

static void put_via(struct sim_party *party, struct ahoy_buf *buf)
{
    struct span name = ahoy_transport_name(party->kind.transport);
    put(buf, "Via: SIP/2.0/%.*s ", (int)name.size, name.at);
    put_own_host(party, buf);
    if (!party->kind.old)
        put(buf, ";branch=" AHOY_BRANCH_COOKIE "-%s-%u", party->name, ++party->requests);
    put(buf, "\r\n");
}

static void put_contact(const struct sim_party *party, struct ahoy_buf *buf)
{
    put(buf, "Contact: <sip:%s@", party->name);
    if (party->host != NULL)
        put(buf, "%s", party->host);
    else
        put_own_host(party, buf);
    put(buf, "%s>\r\n", sim_party_parameter(party));
}

/* A request outside any dialog: to a user, or to the server itself (10.2). */
static void compose_first(struct sim_party *party, const char *method, const char *callee,
                          struct ahoy_buf *buf)
{
    bool to_server = strcmp(callee, "proxy") == 0 || strcmp(method, "REGISTER") == 0;
    const char *domain = strchr(callee, '@') != NULL ? "" : "@atlanta.example";
    put(buf, "%s sip:%s%s SIP/2.0\r\n", method, to_server ? "" : callee,
        to_server ? domain + 1 : domain);
    put_via(party, buf);
    put(buf, "Max-Forwards: 70\r\nFrom: <sip:%s@atlanta.example>%s%s\r\n", party->name,
        party->kind.old ? "" : ";tag=tag-", party->kind.old ? "" : party->name);
    put(buf, "To: <sip:%s%s>\r\n", callee, domain);
    put(buf, "Call-ID: call-%u-%s\r\nCSeq: %u %s\r\n", ++party->calls, party->name, ++party->cseq,
        method);
    put_contact(party, buf);
    put(buf, "Content-Length: 0\r\n\r\n");
}

/* The route set, from the Record-Route rows of |message|: reversed for the caller (12.1.2). */
static void put_routes(const struct ahoy_message *message, bool reversed, struct ahoy_buf *buf)
{
    struct span routes[16];
    size_t count = 0;
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RECORD_ROUTE);
    while (count < 16 && ahoy_values_next(&values, &routes[count], NULL))
        count++;
    for (size_t i = 0; i < count; i++) {
        struct span route = routes[reversed ? count - 1 - i : i];
        put(buf, "Route: %.*s\r\n", (int)route.size, route.at);
    }
}

static struct span value(const struct ahoy_message *message, enum ahoy_header header)
{
    return ahoy_message_value(message, header);
}

/* A request within the dialog that |base| made: our INVITE's 2xx, or the INVITE that we
 * answered. */
static bool compose_next(struct sim_party *party, const char *method, struct ahoy_buf *buf)
{
    struct kept *answer = find(party, false, 200, 299, "INVITE");
    struct kept *invite = find(party, false, 0, 0, "INVITE");
    struct kept *ours = find(party, true, 200, 299, "INVITE");
    struct kept *base = answer != NULL ? answer : invite;
    struct ahoy_message message, reply;
    struct ahoy_address contact;
    if (base == NULL || (answer == NULL && ours == NULL) ||
        !ahoy_message_parse((struct span){ base->bytes, base->size }, &message, NULL) ||
        !ahoy_address_parse(value(&message, AHOY_HEADER_CONTACT), &contact, NULL))
        return false;
    struct span from = value(&message, AHOY_HEADER_FROM), to = value(&message, AHOY_HEADER_TO);
    if (answer == NULL) {
        if (!ahoy_message_parse((struct span){ ours->bytes, ours->size }, &reply, NULL))
            return false;
        from = value(&reply, AHOY_HEADER_TO);
        to = value(&reply, AHOY_HEADER_FROM);
    }
    put(buf, "%s %.*s SIP/2.0\r\n", method, (int)contact.uri.text.size, contact.uri.text.at);
    put_via(party, buf);
    put_routes(&message, answer != NULL, buf);
    put(buf, "Max-Forwards: 70\r\nFrom: %.*s\r\nTo: %.*s\r\n", (int)from.size, from.at,
        (int)to.size, to.at);
    struct span call_id = value(&message, AHOY_HEADER_CALL_ID);
    struct ahoy_cseq cseq = { 0 };
    if (strcmp(method, "ACK") == 0)
        ahoy_cseq_parse(value(&message, AHOY_HEADER_CSEQ), &cseq, NULL);
    else
        cseq.number = ++party->cseq;
    put(buf, "Call-ID: %.*s\r\nCSeq: %u %s\r\n", (int)call_id.size, call_id.at, cseq.number,
        method);
    if (strcmp(method, "INVITE") == 0)
        put_contact(party, buf); /* 12.2.1.1 */
    put(buf, "Content-Length: 0\r\n\r\n");
    return true;
}

/* CANCEL, or the ACK to a failure (or to whatever came last): made of our own INVITE (9.1,
 * 17.1.1.3). */
static bool compose_following(struct sim_party *party, const char *method, struct ahoy_buf *buf)
{
    struct kept *invite = find(party, true, 0, 0, "INVITE");
    struct kept *failure = find(party, false, 100, 699, "INVITE");
    struct ahoy_message message, response;
    if (invite == NULL ||
        !ahoy_message_parse((struct span){ invite->bytes, invite->size }, &message, NULL))
        return false;
    if (strcmp(method, "CANCEL") == 0) {
        ahoy_compose_cancel(buf, &message, SPAN(""));
        return true;
    }
    if (failure == NULL ||
        !ahoy_message_parse((struct span){ failure->bytes, failure->size }, &response, NULL))
        return false;
    ahoy_compose_ack(buf, &message, &response);
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

/* Whether the last final response to our INVITE was a failure. */
static bool has_failed(struct sim_party *party)
{
    struct kept *final = find(party, false, 200, 699, "INVITE");
    return final != NULL && final->status >= 300;
}

bool sim_party_request(struct sim_party *party, const char *method, const char *callee,
                       unsigned flaws)
{
    char bytes[MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
    bool ack = strcmp(method, "ACK") == 0;
    bool follows = strcmp(method, "CANCEL") == 0 ||
                   (ack && ((flaws & SIM_HOPBYHOP) != 0 || has_failed(party)));
    bool in_dialog = ack || strcmp(method, "BYE") == 0 || callee == NULL;
    bool sound = true;
    if (follows)
        sound = compose_following(party, method, &buf);
    else if (in_dialog)
        sound = compose_next(party, method, &buf);
    else
        compose_first(party, method, callee, &buf);
    struct span message = ahoy_buf_text(&buf);
    if (!sound || message.size == 0)
        return false;
    if (flaws & SIM_STRAY)
        stray(bytes, message.size);
    keep(party, true, 0, ahoy_span(method), message);
    return transmit(party, &party->kind.proxy, 0, message, (flaws & SIM_LOST) != 0);
}

bool sim_party_respond(struct sim_party *party, unsigned status, const char *method, unsigned flaws)
{
    char bytes[MESSAGE_LIMIT];
    char rows[1024];
    char tag[32];
    struct kept *request = find(party, false, 0, 0, method);
    struct ahoy_message message;
    if (request == NULL ||
        !ahoy_message_parse((struct span){ request->bytes, request->size }, &message, NULL))
        return false;
    struct ahoy_buf headers = ahoy_buf_over(rows, sizeof rows);
    struct ahoy_values values = ahoy_message_values(&message, AHOY_HEADER_RECORD_ROUTE);
    struct span route;
    while (ahoy_values_next(&values, &route, NULL))
        put(&headers, "Record-Route: %.*s\r\n", (int)route.size, route.at);
    put_contact(party, &headers);
    snprintf(tag, sizeof tag, "tag-%s%s", party->name, flaws & SIM_FORKED ? "-too" : "");
    struct ahoy_response response = { .status = status,
                                      .to_tag = ahoy_span(tag),
                                      .headers = ahoy_buf_text(&headers) };
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
    ahoy_compose_response(&buf, &message, &response);
    if (flaws & SIM_STRAY)
        stray(bytes, ahoy_buf_text(&buf).size);
    struct kept *kept = keep(party, true, status, ahoy_span(method), ahoy_buf_text(&buf));
    kept->from = request->from;
    kept->stream = request->stream;
    return transmit(party, &request->from, request->stream, ahoy_buf_text(&buf),
                    (flaws & SIM_LOST) != 0);
}

bool sim_party_again(struct sim_party *party, unsigned status, const char *method, unsigned flaws)
{
    struct kept *kept = find(party, true, status, status, method);
    if (kept == NULL)
        return false;
    return transmit(party, status == 0 ? &party->kind.proxy : &kept->from,
                    status == 0 ? 0 : kept->stream, (struct span){ kept->bytes, kept->size },
                    (flaws & SIM_LOST) != 0);
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
