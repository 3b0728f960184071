/* The trace.  Lines gather in a buffer and leave in one write to a file that is open for appending,
 * so that lines of several workers never mix. */
#include "ahoyd/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "libahoy/transport/frame.h"
#include "libahoy/transport/upgrade.h"

enum {
    BUFFER_SIZE = 128 * 1024,
    VALUE_LIMIT = 1024, /* Bytes of a header that are noted. */
    /* A line at its longest: six pieces of values, each byte of them as an escape of six. */
    LINE_LIMIT = 6 * 6 * VALUE_LIMIT + 1024,
    PARTIALS_LIMIT = 64 /* Connections in the middle of a message. */
};

/* A connection of which the beginning of a message has come, or whose messages cannot be told
 * apart any more. */
struct partial {
    struct partial *next;
    struct ahoy_handle connection;
    struct ahoy_frame frame;
    struct ahoy_websocket *websocket; /* WS and WSS; else NULL. */
    bool broken;
    char *at;
    size_t size;
};

struct ahoyd_trace {
    struct ahoyd_trace_options options;
    struct partial *partials; /* The newest first. */
    size_t partial_count;
    struct ahoy_buf lines;
    struct ahoy_message message; /* Too large for the stack of every call. */
    char bytes[BUFFER_SIZE];
};

struct ahoyd_trace *ahoyd_trace_new(const struct ahoyd_trace_options *options)
{
    struct ahoyd_trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL)
        return NULL;
    trace->options = *options;
    trace->lines = ahoy_buf_over(trace->bytes, BUFFER_SIZE);
    return trace;
}

static void remove_partial(struct ahoyd_trace *trace, struct partial **link)
{
    struct partial *partial = *link;
    *link = partial->next;
    trace->partial_count--;
    ahoy_websocket_free(partial->websocket);
    free(partial->at);
    free(partial);
}

void ahoyd_trace_free(struct ahoyd_trace *trace)
{
    if (trace == NULL)
        return;
    while (trace->partials != NULL)
        remove_partial(trace, &trace->partials);
    free(trace);
}

void ahoyd_trace_relisten(struct ahoyd_trace *trace, const struct ahoy_listener *listeners,
                          size_t count)
{
    trace->options.listeners = listeners;
    trace->options.listener_count = count;
}

void ahoyd_trace_flush(struct ahoyd_trace *trace)
{
    struct span lines = ahoy_buf_text(&trace->lines);
    while (lines.size > 0) {
        ssize_t size = write(trace->options.fd, lines.at, lines.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        lines = ahoy_span_after(lines, (size_t)size);
    }
    trace->lines = ahoy_buf_over(trace->bytes, BUFFER_SIZE);
}

/* The inside of a string of JSON.  Bytes beyond ASCII are written one escape each, whatever they
 * may mean; many readers cannot bear NUL, so it gets the sign for what is none. */
static void put_escaped(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size && i < VALUE_LIMIT; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte == '"' || byte == '\\') {
            ahoy_buf_put_byte(buf, '\\');
            ahoy_buf_put_byte(buf, (char)byte);
        } else if (byte == '\0') {
            ahoy_buf_put(buf, SPAN("\\ufffd"));
        } else if (byte < 0x20 || byte >= 0x7f) {
            ahoy_buf_put(buf, SPAN("\\u00"));
            ahoy_buf_put_hex(buf, &byte, 1);
        } else {
            ahoy_buf_put_byte(buf, (char)byte);
        }
    }
}

static void begin_member(struct ahoy_buf *buf, struct span name)
{
    ahoy_buf_put(buf, SPAN(",\""));
    ahoy_buf_put(buf, name);
    ahoy_buf_put(buf, SPAN("\":\""));
}

static void put_member(struct ahoy_buf *buf, struct span name, struct span value)
{
    begin_member(buf, name);
    put_escaped(buf, value);
    ahoy_buf_put_byte(buf, '"');
}

static void put_address(struct ahoy_buf *buf, struct span name, const struct ahoy_ip *ip)
{
    char bytes[64];
    struct ahoy_buf text = ahoy_buf_over(bytes, sizeof bytes);
    if (ip != NULL && ip->family != AHOY_NO_FAMILY)
        ahoy_ip_print(ip, &text);
    put_member(buf, name, ahoy_buf_text(&text));
}

/* What |hop| and the time say. */
static void put_way(struct ahoyd_trace *trace, struct span direction, const struct ahoy_hop *hop,
                    uint64_t now_us)
{
    struct ahoy_buf *buf = &trace->lines;
    const struct ahoyd_trace_options *options = &trace->options;
    bool known = hop->listener < options->listener_count;
    ahoy_buf_put(buf, SPAN("{\"us\":"));
    ahoy_buf_put_number(buf, now_us - options->start_us);
    ahoy_buf_put(buf, SPAN(",\"worker\":"));
    ahoy_buf_put_number(buf, options->worker);
    put_member(buf, SPAN("dir"), direction);
    put_member(buf, SPAN("transport"),
               ahoy_transport_uri_name((enum ahoy_transport)hop->transport));
    put_address(buf, SPAN("local"), known ? &options->listeners[hop->listener].local : NULL);
    put_address(buf, SPAN("remote"), &hop->remote);
}

/* The start line.  A password in the Request-URI is nobody's business. */
static void put_start(struct ahoy_buf *buf, const struct ahoy_message *message)
{
    struct span line = ahoy_span_trim(message->start_line);
    struct ahoy_uri uri;
    begin_member(buf, SPAN("start"));
    if (message->is_request && ahoy_uri_parse(message->request_uri, &uri, NULL) &&
        uri.password.size > 0) {
        put_escaped(buf, ahoy_span_between(line.at, uri.password.at));
        ahoy_buf_put(buf, SPAN("***"));
        line = ahoy_span_between(ahoy_span_end(uri.password), ahoy_span_end(line));
    }
    put_escaped(buf, line);
    ahoy_buf_put_byte(buf, '"');
}

/* Who the message is from, as "user@host"; empty where that cannot be read. */
static void put_from(struct ahoy_buf *buf, const struct ahoy_message *message)
{
    struct ahoy_address from;
    begin_member(buf, SPAN("from"));
    if (ahoy_address_parse(ahoy_message_value(message, AHOY_HEADER_FROM), &from, NULL) &&
        from.uri.scheme != AHOY_SCHEME_OTHER && from.uri.has_user) {
        put_escaped(buf, from.uri.user);
        ahoy_buf_put_byte(buf, '@');
        put_escaped(buf, from.uri.host);
    }
    ahoy_buf_put_byte(buf, '"');
}

bool ahoyd_trace_is_forwarded(const struct ahoy_message *message)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_VIA);
    struct span via;
    return message->is_request && ahoy_values_next(&values, &via, NULL) &&
           ahoy_values_next(&values, &via, NULL);
}

/* One line for the message |bytes|.  What cannot be parsed is noted as far as it could be; what is
 * only a keep-alive is not. */
static void note(struct ahoyd_trace *trace, struct span direction, const struct ahoy_hop *hop,
                 struct span bytes, uint64_t now_us)
{
    if (ahoy_span_trim(bytes).size == 0)
        return;
    if (trace->lines.capacity - trace->lines.size < LINE_LIMIT)
        ahoyd_trace_flush(trace);
    struct ahoy_message *message = &trace->message;
    struct ahoy_err err;
    bool sound = ahoy_message_parse(bytes, message, &err);
    put_way(trace, direction, hop, now_us);
    struct ahoy_buf *buf = &trace->lines;
    put_start(buf, message);
    put_member(buf, SPAN("call_id"), ahoy_message_value(message, AHOY_HEADER_CALL_ID));
    put_member(buf, SPAN("cseq"), ahoy_message_value(message, AHOY_HEADER_CSEQ));
    put_from(buf, message);
    if (ahoy_span_equal(direction, SPAN("in")) && ahoyd_trace_is_forwarded(message))
        ahoy_buf_put(buf, SPAN(",\"forwarded\":true"));
    ahoy_buf_put(buf, SPAN(",\"size\":"));
    ahoy_buf_put_number(buf, bytes.size);
    if (!sound)
        ahoy_buf_put(buf, SPAN(",\"malformed\":true"));
    ahoy_buf_put(buf, SPAN("}\n"));
}

static struct partial **find(struct ahoyd_trace *trace, struct ahoy_handle connection)
{
    struct partial **link = &trace->partials;
    while (*link != NULL && !ahoy_handle_equal((*link)->connection, connection))
        link = &(*link)->next;
    return link;
}

/* A new one; the oldest makes room for it.  NULL where memory is refused. */
static struct partial *add_partial(struct ahoyd_trace *trace, struct ahoy_handle connection)
{
    if (trace->partial_count == PARTIALS_LIMIT) {
        struct partial **last = &trace->partials;
        while ((*last)->next != NULL)
            last = &(*last)->next;
        remove_partial(trace, last);
    }
    struct partial *partial = calloc(1, sizeof *partial);
    if (partial == NULL)
        return NULL;
    partial->connection = connection;
    partial->next = trace->partials;
    trace->partials = partial;
    trace->partial_count++;
    return partial;
}

/* Adds |bytes| to what |partial| has; false where memory is refused. */
static bool keep(struct partial *partial, struct span bytes)
{
    char *at = realloc(partial->at, partial->size + bytes.size);
    if (at == NULL)
        return false;
    memcpy(at + partial->size, bytes.at, bytes.size);
    partial->at = at;
    partial->size += bytes.size;
    return true;
}

/* Notes each whole message that |bytes| begins with; what is left of them stays in |bytes|.  False:
 * the stream is broken. */
static bool note_whole(struct ahoyd_trace *trace, const struct ahoy_hop *hop,
                       struct ahoy_frame *frame, struct span *bytes, uint64_t now_us)
{
    for (;;) {
        ahoy_frame_skip(frame, bytes);
        if (bytes->size == 0)
            return true;
        struct ahoy_err err;
        enum ahoy_frame_verdict verdict = ahoy_frame_cut(frame, *bytes, &err);
        if (verdict == AHOY_FRAME_MORE)
            return true;
        note(trace, SPAN("in"), hop, (struct span){ bytes->at, frame->size }, now_us);
        if (verdict == AHOY_FRAME_BROKEN)
            return false;
        *bytes = ahoy_span_after(*bytes, frame->size);
        *frame = (struct ahoy_frame){ 0 };
    }
}

/* Whole messages are noted where they stand; only what is left over is kept. */
static void begin_stream(struct ahoyd_trace *trace, const struct ahoy_wire_event *event,
                         uint64_t now_us)
{
    struct ahoy_frame frame = { 0 };
    struct span bytes = event->bytes;
    bool sound = note_whole(trace, &event->hop, &frame, &bytes, now_us);
    if (sound && bytes.size == 0)
        return;
    struct partial *partial = add_partial(trace, event->hop.connection);
    if (partial == NULL)
        return;
    partial->frame = frame;
    partial->broken = !sound || !keep(partial, bytes);
}

static void continue_stream(struct ahoyd_trace *trace, struct partial **link,
                            const struct ahoy_wire_event *event, uint64_t now_us)
{
    struct partial *partial = *link;
    if (partial->broken)
        return;
    if (!keep(partial, event->bytes)) {
        partial->broken = true;
        return;
    }
    struct span bytes = { partial->at, partial->size };
    partial->broken = !note_whole(trace, &event->hop, &partial->frame, &bytes, now_us);
    if (bytes.size == 0 && !partial->broken) {
        remove_partial(trace, link);
        return;
    }
    memmove(partial->at, bytes.at, bytes.size);
    partial->size = bytes.size;
}

/* Drops the request for a WebSocket, which no frame looks like, off |bytes|; false where it is not
 * whole yet. */
static bool skip_upgrade(struct partial *partial, struct span *bytes)
{
    bool is_frame = partial->size == 0 && ((unsigned char)bytes->at[0] & 0x70) == 0;
    size_t seen = partial->size;
    size_t whole = 0;
    if (!is_frame && (seen + bytes->size > AHOY_UPGRADE_LIMIT || !keep(partial, *bytes))) {
        partial->broken = true;
        return false;
    }
    if (!is_frame)
        whole = ahoy_upgrade_size((struct span){ partial->at, partial->size }, seen);
    if (!is_frame && whole == 0)
        return false;
    *bytes = is_frame ? *bytes : ahoy_span_after(*bytes, whole - seen);
    partial->size = 0;
    ahoy_websocket_open(partial->websocket);
    return true;
}

/* Notes the messages in frames. */
static void note_frames(struct ahoyd_trace *trace, struct partial *partial,
                        const struct ahoy_hop *hop, struct span bytes, uint64_t now_us)
{
    struct ahoy_websocket_part part;
    while (!partial->broken) {
        enum ahoy_websocket_verdict verdict =
            ahoy_websocket_next(partial->websocket, AHOY_MESSAGE_LIMIT, &bytes, &part);
        if (verdict == AHOY_WEBSOCKET_MORE)
            return;
        bool carries = verdict == AHOY_WEBSOCKET_PIECE || verdict == AHOY_WEBSOCKET_LAST;
        partial->broken = verdict == AHOY_WEBSOCKET_CLOSE ||
                          (carries && part.bytes.size > 0 && !keep(partial, part.bytes));
        if (verdict != AHOY_WEBSOCKET_LAST || partial->broken)
            continue;
        note(trace, SPAN("in"), hop, (struct span){ partial->at, partial->size }, now_us);
        partial->size = 0;
    }
}

/* Between two messages nothing is kept. */
static void read_websocket(struct ahoyd_trace *trace, struct partial **link,
                           const struct ahoy_wire_event *event, uint64_t now_us)
{
    struct span bytes = event->bytes;
    if (*link == NULL) {
        struct partial *partial = add_partial(trace, event->hop.connection);
        if (partial == NULL)
            return;
        link = &trace->partials;
        partial->websocket = ahoy_websocket_new(false);
        partial->broken = partial->websocket == NULL;
    }
    struct partial *partial = *link;
    if (partial->broken)
        return;
    if (ahoy_websocket_is_open(partial->websocket) || skip_upgrade(partial, &bytes))
        note_frames(trace, partial, &event->hop, bytes, now_us);
    if (!partial->broken && partial->size == 0 && !ahoy_websocket_is_amid(partial->websocket))
        remove_partial(trace, link);
}

void ahoyd_trace_in(struct ahoyd_trace *trace, const struct ahoy_wire_event *event, uint64_t now_us)
{
    if (event->kind == AHOY_WIRE_DATAGRAM) {
        note(trace, SPAN("in"), &event->hop, event->bytes, now_us);
    } else if (event->kind == AHOY_WIRE_BYTES) {
        struct partial **link = find(trace, event->hop.connection);
        if (ahoy_transport_is_websocket((enum ahoy_transport)event->hop.transport))
            read_websocket(trace, link, event, now_us);
        else if (*link == NULL)
            begin_stream(trace, event, now_us);
        else
            continue_stream(trace, link, event, now_us);
    } else if (event->kind == AHOY_WIRE_CLOSED) {
        struct partial **link = find(trace, event->hop.connection);
        if (*link != NULL)
            remove_partial(trace, link);
    }
}

void ahoyd_trace_out(struct ahoyd_trace *trace, const struct ahoy_wire_effect *effect,
                     uint64_t now_us)
{
    struct span message = effect->bytes;
    if (effect->kind != AHOY_WIRE_SEND)
        return;
    if (ahoy_transport_is_websocket((enum ahoy_transport)effect->hop.transport))
        message = ahoy_websocket_payload(message);
    note(trace, SPAN("out"), &effect->hop, message, now_us);
}
