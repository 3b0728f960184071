/* Only what counts for the last attempt is kept: a call that is made again, with a password or to
 * somebody else, begins anew. */
#include "ahoyd/case.h"

#include "libahoy/sdp/sdp.h"
#include "libahoy/syntax/address.h"
#include "libahoy/syntax/cseq.h"

enum { LOSS_MS = 2000 /* A connection's loss and what it does to a call are so near. */ };

void ahoyd_case_init(struct ahoyd_case *call, struct span call_id)
{
    *call = (struct ahoyd_case){ .cause = AHOY_CAUSE_COUNT };
    call->call_id_size = call_id.size < sizeof call->call_id ? call_id.size : 0;
    memcpy(call->call_id, call_id.at, call->call_id_size);
}

static void keep_name(struct ahoyd_case_name *name, struct span text)
{
    name->size = text.size < sizeof name->at ? text.size : sizeof name->at;
    if (name->size > 0)
        memcpy(name->at, text.at, name->size);
}

static struct ahoyd_case_end end_of(const struct ahoy_note *note)
{
    return (struct ahoyd_case_end){ note->transport, note->remote };
}

struct span ahoyd_case_of(const struct ahoy_note *note, struct span text,
                          struct ahoy_message *message)
{
    if (note->kind == AHOY_NOTE_CAUSE)
        return (struct span){ text.at, note->name_size < text.size ? note->name_size : text.size };
    if (note->kind != AHOY_NOTE_IN && note->kind != AHOY_NOTE_OUT)
        return SPAN("");
    (void)ahoy_message_parse(text, message, NULL); /* One that was cut has its head still. */
    return ahoy_message_value(message, AHOY_HEADER_CALL_ID);
}

void ahoyd_case_user(struct ahoyd_case_name *name, const struct ahoy_message *message,
                     enum ahoy_header header)
{
    char space[AHOYD_CASE_NAME_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_address address;
    if (!ahoy_address_parse(ahoy_message_value(message, header), &address, NULL))
        return;
    if (address.uri.has_user && address.uri.scheme != AHOY_SCHEME_OTHER) {
        ahoy_buf_put(&buf, address.uri.user);
        ahoy_buf_put_byte(&buf, '@');
        ahoy_buf_put(&buf, address.uri.host);
    }
    keep_name(name, buf.size > 0 && !buf.overflow ? ahoy_buf_text(&buf) : address.uri.text);
}

/* The name of an audio format: what rtpmap says, else the static one (RFC 3551 6). */
static struct span codec_of(const struct ahoy_sdp_media *media, struct span format)
{
    static const struct {
        struct span format, name;
    } fixed[] = { { SPAN_INIT("0"), SPAN_INIT("PCMU") },
                  { SPAN_INIT("3"), SPAN_INIT("GSM") },
                  { SPAN_INIT("8"), SPAN_INIT("PCMA") },
                  { SPAN_INIT("9"), SPAN_INIT("G722") },
                  { SPAN_INIT("18"), SPAN_INIT("G729") } };
    struct span rest = media->lines;
    struct ahoy_sdp_attribute attribute;
    while (ahoy_sdp_attribute_next(&rest, &attribute)) {
        struct span words = attribute.value;
        if (ahoy_span_equal(attribute.name, SPAN("rtpmap")) &&
            ahoy_span_equal(ahoy_sdp_word(&words), format))
            return (struct span){ words.at, ahoy_span_find(words, '/') };
    }
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (ahoy_span_equal(fixed[i].format, format))
            return fixed[i].name;
    }
    return format;
}

/* The codecs that the caller offers. */
static void keep_offer(struct ahoyd_case_name *offer, const struct ahoy_message *message)
{
    struct ahoy_sdp sdp;
    char space[AHOYD_CASE_NAME_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (message->body.size == 0 || !ahoy_sdp_parse(message->body, &sdp, NULL) ||
        sdp.media_count == 0)
        return;
    struct span formats = sdp.media[0].formats;
    struct span format;
    while ((format = ahoy_sdp_word(&formats)).size > 0) {
        struct span name = codec_of(&sdp.media[0], format);
        if (buf.size + name.size + 2 > buf.capacity)
            break;
        ahoy_buf_put(&buf, buf.size > 0 ? SPAN(", ") : SPAN(""));
        ahoy_buf_put(&buf, name);
    }
    keep_name(offer, ahoy_buf_text(&buf));
}

static void enter(struct ahoyd_case *call, enum ahoyd_case_state state, uint64_t now_ms)
{
    call->state = state;
    call->since_ms = now_ms;
}

static bool has_to_tag(const struct ahoy_message *message)
{
    struct ahoy_address to;
    return ahoy_address_parse(ahoy_message_value(message, AHOY_HEADER_TO), &to, NULL) &&
           to.tag.size > 0;
}

/* Whether |message| begins an attempt: the first request of a call, or one like it that is new. */
static bool begins(const struct ahoyd_case *call, const struct ahoy_message *message, uint32_t cseq)
{
    enum ahoy_method method = message->method;
    if (method == AHOY_METHOD_ACK || method == AHOY_METHOD_CANCEL)
        return false;
    if (method == AHOY_METHOD_INVITE)
        return !has_to_tag(message) && (call->method != method || call->cseq != cseq);
    return call->method != AHOY_METHOD_INVITE &&
           (call->method != method || call->cseq != cseq || call->begun_ms == 0);
}

static void begin(struct ahoyd_case *call, const struct ahoy_note *note,
                  const struct ahoy_message *message, uint32_t cseq)
{
    struct ahoyd_case before = *call;
    ahoyd_case_init(call, (struct span){ before.call_id, before.call_id_size });
    call->method = message->method;
    call->cseq = cseq;
    call->begun_ms = note->now_ms;
    call->caller = end_of(note);
    enter(call, AHOYD_CASE_ASKED, note->now_ms);
    ahoyd_case_user(&call->from, message, AHOY_HEADER_FROM);
    ahoyd_case_user(&call->to, message, AHOY_HEADER_TO);
    keep_offer(&call->offer, message);
}

static void take_request(struct ahoyd_case *call, const struct ahoy_note *note,
                         const struct ahoy_message *message, uint32_t cseq)
{
    if (note->kind != AHOY_NOTE_IN)
        return;
    if (begins(call, message, cseq)) {
        begin(call, note, message, cseq);
    } else if (message->method == AHOY_METHOD_CANCEL && call->status == 0) {
        call->cancelled = true;
    } else if (message->method == AHOY_METHOD_BYE && call->state == AHOYD_CASE_ANSWERED) {
        enter(call, AHOYD_CASE_ENDED, note->now_ms);
        call->caller_ended = ahoy_ip_equal(&note->remote, &call->caller.remote);
    }
}

/* Which of the phones that failed said what goes back to the caller. */
static void find_speaker(struct ahoyd_case *call, unsigned status)
{
    for (size_t i = 0; i < call->heard_count && i < AHOYD_CASE_HEARD_LIMIT; i++) {
        if (call->heard[i].status != status)
            continue;
        call->said = call->heard[i];
        call->is_passed_on = true;
        return;
    }
}

static void take_response(struct ahoyd_case *call, const struct ahoy_note *note, unsigned status)
{
    if (note->kind == AHOY_NOTE_IN && status >= 300 && call->status == 0) {
        call->said = (struct ahoyd_case_heard){ status, end_of(note) };
        call->heard[call->heard_count++ % AHOYD_CASE_HEARD_LIMIT] = call->said;
    }
    if (note->kind == AHOY_NOTE_IN || call->status != 0)
        return;
    if (status > 100 && status < 200 && call->state == AHOYD_CASE_ASKED)
        enter(call, AHOYD_CASE_RINGING, note->now_ms);
    if (status < 200)
        return;
    call->status = status;
    find_speaker(call, status);
    enter(call, status < 300 ? AHOYD_CASE_ANSWERED : AHOYD_CASE_FAILED, note->now_ms);
    if (status < 300)
        call->answered_ms = note->now_ms;
}

/* What came of the connection that |note| is about. */
static void find_loss(struct ahoyd_case *call, const struct ahoy_note *note,
                      const struct ahoyd_case_losses *losses)
{
    for (size_t i = 0; i < sizeof losses->list / sizeof *losses->list; i++) {
        const struct ahoyd_case_loss *loss = &losses->list[i];
        if (loss->now_ms + LOSS_MS < note->now_ms || loss->now_ms > note->now_ms ||
            loss->end.transport != note->transport ||
            !ahoy_ip_equal(&loss->end.remote, &note->remote))
            continue;
        call->fate = loss->fate;
        call->domain = loss->domain;
    }
}

static void take_cause(struct ahoyd_case *call, const struct ahoy_note *note, struct span text,
                       const struct ahoyd_case_losses *losses)
{
    enum ahoy_cause cause = (enum ahoy_cause)note->number;
    if (cause >= AHOY_CAUSE_COUNT || call->status != 0 ||
        (call->cause != AHOY_CAUSE_COUNT &&
         ahoy_cause_rows[cause].weight < ahoy_cause_rows[call->cause].weight))
        return;
    call->cause = cause;
    call->place = end_of(note);
    keep_name(&call->detail, ahoy_span_after(text, note->name_size));
    call->fate = AHOY_FATE_NONE;
    if (cause == AHOY_CAUSE_NOT_SENT)
        find_loss(call, note, losses);
}

void ahoyd_case_take(struct ahoyd_case *call, const struct ahoy_note *note, struct span text,
                     const struct ahoy_message *message, const struct ahoyd_case_losses *losses)
{
    struct ahoy_cseq cseq;
    if (note->kind == AHOY_NOTE_CAUSE) {
        take_cause(call, note, text, losses);
        return;
    }
    if (!ahoy_cseq_parse(ahoy_message_value(message, AHOY_HEADER_CSEQ), &cseq, NULL))
        return;
    if (message->is_request)
        take_request(call, note, message, cseq.number);
    else if (cseq.number == call->cseq && cseq.method == call->method)
        take_response(call, note, message->status);
}

void ahoyd_case_lose(struct ahoyd_case_losses *losses, const struct ahoy_note *note,
                     struct span text)
{
    struct ahoyd_case_loss *loss = &losses->list[losses->next];
    losses->next = (losses->next + 1) % (sizeof losses->list / sizeof *losses->list);
    *loss = (struct ahoyd_case_loss){ .now_ms = note->now_ms,
                                      .fate = (enum ahoy_wire_fate)note->number,
                                      .end = end_of(note) };
    keep_name(&loss->domain, text);
}
