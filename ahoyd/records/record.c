/* A dialog ends with the BYE of either side, whatever is answered to that (RFC 3261 15.1.1), or
 * when its session timer runs out (RFC 4028 10).  Where neither can be seen, that is said. */
#include "ahoyd/records/record.h"

#include "libahoy/tu/session_timer.h"

enum {
    AGAIN_MS = 5000,        /* A call that failed may be made again, with a password say. */
    UNANSWERED_MS = 900000, /* Longer than any timer C: notes of its end were lost. */
    STANDING_MS = 86400000
};

static struct span text_of(const struct ahoyd_record_text *text)
{
    return (struct span){ text->at, text->size };
}

static void keep(struct ahoyd_record_text *text, struct span value)
{
    text->size = value.size < sizeof text->at ? value.size : sizeof text->at;
    if (text->size > 0)
        memcpy(text->at, value.at, text->size);
}

/* "sip:alice@atlanta.example:5070": without parameters, headers and passwords. */
static void keep_uri(struct ahoyd_record_text *text, const struct ahoy_uri *uri)
{
    char space[1024];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (uri->scheme == AHOY_SCHEME_OTHER) {
        keep(text, uri->text);
        return;
    }
    ahoy_buf_put(&buf, uri->name);
    ahoy_buf_put_byte(&buf, ':');
    ahoy_buf_put(&buf, uri->user);
    ahoy_buf_put(&buf, uri->has_user ? SPAN("@") : SPAN(""));
    ahoy_buf_put(&buf, uri->host);
    if (uri->port != 0) {
        ahoy_buf_put_byte(&buf, ':');
        ahoy_buf_put_number(&buf, uri->port);
    }
    keep(text, ahoy_buf_text(&buf));
}

static void keep_address(struct ahoyd_record_text *text, const struct ahoy_message *message,
                         enum ahoy_header header)
{
    struct ahoy_address address;
    if (ahoy_address_parse(ahoy_message_value(message, header), &address, NULL))
        keep_uri(text, &address.uri);
}

/* A number for the tag of From or To; 0 where there is none. */
static uint64_t tag_of(const struct ahoy_message *message, enum ahoy_header header)
{
    struct ahoy_address address;
    if (!ahoy_address_parse(ahoy_message_value(message, header), &address, NULL) ||
        address.tag.size == 0)
        return 0;
    return ahoy_span_hash(address.tag) | 1;
}

static bool is_message(const struct ahoyd_noted *noted)
{
    return noted->note->kind == AHOY_NOTE_IN || noted->note->kind == AHOY_NOTE_OUT;
}

bool ahoyd_record_begins(const struct ahoyd_noted *noted)
{
    return noted->note->kind == AHOY_NOTE_IN && noted->message->is_request &&
           noted->message->method == AHOY_METHOD_INVITE &&
           tag_of(noted->message, AHOY_HEADER_TO) == 0;
}

void ahoyd_record_init(struct ahoyd_record *record, struct span call_id)
{
    *record = (struct ahoyd_record){ .end = AHOYD_RECORD_OPEN };
    ahoyd_case_init(&record->fate, call_id);
}

/* A new attempt: what was noted of the one before counts no more. */
static void begin(struct ahoyd_record *record, const struct ahoy_message *message)
{
    const struct ahoyd_case fate = record->fate;
    struct ahoy_uri uri;
    *record = (struct ahoyd_record){ .fate = fate };
    keep_address(&record->caller, message, AHOY_HEADER_FROM);
    keep_address(&record->callee, message, AHOY_HEADER_TO);
    if (ahoy_uri_parse(message->request_uri, &uri, NULL))
        keep_uri(&record->uri, &uri);
    keep(&record->agent, ahoy_message_value(message, AHOY_HEADER_USER_AGENT));
    record->caller_tag = tag_of(message, AHOY_HEADER_FROM);
}

/* Whose phones ring: "sip:bob@atlanta.example", "bob@atlanta.example". */
static void keep_domain(struct ahoyd_record *record, struct span called)
{
    struct ahoy_uri uri;
    size_t at = ahoy_span_find(called, '@');
    if (ahoy_uri_parse(called, &uri, NULL) && uri.scheme != AHOY_SCHEME_OTHER)
        keep(&record->domain, uri.host);
    else if (at < called.size)
        keep(&record->domain, ahoy_span_after(called, at + 1));
}

/* Those that it may have gone to, one after the other. */
static void add_trunk(struct ahoyd_record *record, struct span name)
{
    char space[AHOYD_RECORD_TEXT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&buf, text_of(&record->trunk));
    ahoy_buf_put(&buf, record->trunk.size > 0 ? SPAN(" ") : SPAN(""));
    ahoy_buf_put(&buf, name);
    if (!buf.overflow)
        keep(&record->trunk, ahoy_buf_text(&buf));
}

static void take_cause(struct ahoyd_record *record, unsigned cause, struct span detail)
{
    if (cause == AHOY_CAUSE_LOGGED_IN)
        keep(&record->login, detail);
    else if (cause == AHOY_CAUSE_FROM_TRUNK)
        keep(&record->source_trunk, detail);
    else if (cause == AHOY_CAUSE_TRUNK_CHOSEN)
        add_trunk(record, detail);
    else if (cause == AHOY_CAUSE_USER_FOUND)
        keep_domain(record, detail);
}

/* Adds |number| to those that |list| has; false where it is there, or there is no room. */
static bool add(uint64_t *list, size_t *count, size_t limit, uint64_t number)
{
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == number)
            return false;
    }
    if (*count == limit)
        return false;
    list[(*count)++] = number;
    return true;
}

static void take_branch(struct ahoyd_record *record, const struct ahoy_message *message)
{
    struct ahoy_via via;
    if (ahoy_via_first(ahoy_message_value(message, AHOY_HEADER_VIA), &via))
        (void)add(record->branches, &record->branch_count, AHOYD_RECORD_BRANCHES_LIMIT,
                  ahoy_span_hash(via.branch)); /* Sent again, it is there. */
}

static void take_bye(struct ahoyd_record *record, const struct ahoyd_noted *noted)
{
    uint64_t from = tag_of(noted->message, AHOY_HEADER_FROM);
    uint64_t to = tag_of(noted->message, AHOY_HEADER_TO);
    size_t kept = 0;
    for (size_t i = 0; i < record->leg_count; i++) {
        if (record->legs[i] != from && record->legs[i] != to)
            record->legs[kept++] = record->legs[i];
    }
    bool is_last = kept == 0 && record->leg_count > 0;
    record->leg_count = kept;
    if (!is_last)
        return;
    record->ended_ms = noted->note->now_ms;
    record->end = from == record->caller_tag ? AHOYD_RECORD_BY_CALLER : AHOYD_RECORD_BY_CALLEE;
}

static void take_request(struct ahoyd_record *record, const struct ahoyd_noted *noted)
{
    const struct ahoy_message *message = noted->message;
    if (noted->note->kind == AHOY_NOTE_OUT && message->method == AHOY_METHOD_INVITE &&
        tag_of(message, AHOY_HEADER_TO) == 0)
        take_branch(record, message);
    else if (noted->note->kind == AHOY_NOTE_IN && message->method == AHOY_METHOD_BYE)
        take_bye(record, noted);
}

/* How long the session lasts from now on (RFC 4028 7.2, 8.2). */
static void take_session(struct ahoyd_record *record, const struct ahoyd_noted *noted)
{
    struct ahoy_session_terms terms;
    ahoy_session_terms_read(noted->message, &terms);
    record->session_s = terms.interval_s;
    record->refreshed_ms = noted->note->now_ms;
}

static void take_response(struct ahoyd_record *record, const struct ahoyd_noted *noted)
{
    const struct ahoy_message *message = noted->message;
    bool comes = noted->note->kind == AHOY_NOTE_IN;
    struct ahoy_cseq cseq;
    if (!ahoy_cseq_parse(ahoy_message_value(message, AHOY_HEADER_CSEQ), &cseq, NULL))
        return;
    bool is_first = cseq.method == AHOY_METHOD_INVITE && cseq.number == record->fate.cseq;
    bool is_good = message->status / 100 == 2;
    if (is_first && !comes && message->status > 100 && message->status < 200 &&
        record->rang_ms == 0)
        record->rang_ms = noted->note->now_ms;
    if (is_first && is_good && comes && record->target.remote.family == AHOY_NO_FAMILY)
        record->target = (struct ahoyd_case_end){ noted->note->transport, noted->note->remote };
    if (is_first && is_good && !comes && record->end == AHOYD_RECORD_OPEN)
        (void)add(record->legs, &record->leg_count, AHOYD_RECORD_LEGS_LIMIT,
                  tag_of(message, AHOY_HEADER_TO)); /* It may be a retransmission. */
    if (is_good && !comes &&
        (cseq.method == AHOY_METHOD_INVITE || cseq.method == AHOY_METHOD_UPDATE))
        take_session(record, noted);
}

void ahoyd_record_take(struct ahoyd_record *record, const struct ahoyd_noted *noted,
                       const struct ahoyd_case_losses *losses)
{
    const struct ahoyd_case before = record->fate;
    /* Whoever begins a second call by the Call-ID of one that stands does not end that. */
    if (record->end != AHOYD_RECORD_OPEN ||
        (is_message(noted) && record->fate.state == AHOYD_CASE_ANSWERED &&
         ahoyd_record_begins(noted)))
        return;
    ahoyd_case_take(&record->fate, noted->note, noted->text, noted->message, losses);
    if (noted->note->kind == AHOY_NOTE_CAUSE) {
        take_cause(record, noted->note->number, ahoy_span_after(noted->text, noted->call_id.size));
        return;
    }
    if (record->fate.cseq != before.cseq || record->fate.begun_ms != before.begun_ms)
        begin(record, noted->message);
    record->seen_ms = noted->note->now_ms;
    if (noted->message->is_request)
        take_request(record, noted);
    else
        take_response(record, noted);
}

uint64_t ahoyd_record_deadline(const struct ahoyd_record *record)
{
    if (record->end != AHOYD_RECORD_OPEN)
        return 0;
    switch (record->fate.state) {
    case AHOYD_CASE_FAILED:
        return record->fate.since_ms + AGAIN_MS;
    case AHOYD_CASE_ASKED:
    case AHOYD_CASE_RINGING:
        return record->fate.begun_ms + UNANSWERED_MS;
    case AHOYD_CASE_ANSWERED:
    case AHOYD_CASE_ENDED: /* One of several dialogs did. */
        break;
    }
    if (record->session_s > 0)
        return record->refreshed_ms + (uint64_t)record->session_s * 1000;
    return record->seen_ms + STANDING_MS;
}

void ahoyd_record_expire(struct ahoyd_record *record)
{
    if (record->end == AHOYD_RECORD_OPEN && record->fate.status / 100 == 2)
        record->end = record->session_s > 0 ? AHOYD_RECORD_BY_SESSION : AHOYD_RECORD_UNKNOWN;
}
