/* A worker is asked for a piece of its ring at a time, and goes on with its calls meanwhile; all
 * reading, masking and printing is done here, in the thread of whoever asks. */
#include "ahoyd/command_why.h"

#include <stdlib.h>

#include "ahoyd/case.h"
#include "ahoyd/mask.h"
#include "ahoyd/notes.h"
#include "ahoyd/roll.h"
#include "ahoyd/trace.h"

/* Reads the rings of all workers; false where memory is refused. */
static bool read_all(const struct ahoyd_command_means *means,
                     const struct ahoyd_notes_reader *reader)
{
    char *piece = malloc(AHOYD_PIECE_LIMIT);
    for (unsigned i = 0; piece != NULL && i < means->workers; i++) {
        uint64_t from = 0;
        ahoyd_notes_read(means, i, &from, piece, reader);
    }
    free(piece);
    return piece != NULL;
}

static json_t *refuse_without_server(void)
{
    return ahoyd_command_failure(503, "the server is not running, so nothing is noted");
}

/* |bytes|, each as the character of its number: so every text is one of JSON, and can be turned
 * back.  NUL, which many readers cannot bear, is the sign for what is none. */
static json_t *text_of(struct span bytes)
{
    char space[2 * AHOYD_MASKED_LIMIT + 16];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (byte == '\0') {
            ahoy_buf_put(&buf, SPAN("\xef\xbf\xbd"));
        } else if (byte < 0x80) {
            ahoy_buf_put_byte(&buf, (char)byte);
        } else {
            ahoy_buf_put_byte(&buf, (char)(0xc0 | byte >> 6));
            ahoy_buf_put_byte(&buf, (char)(0x80 | (byte & 0x3f)));
        }
    }
    struct span text = ahoy_buf_text(&buf);
    return json_stringn(text.at, text.size);
}

static json_t *address_of(const struct ahoy_ip *ip)
{
    char space[64];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (ip->family != AHOY_NO_FAMILY)
        ahoy_ip_print(ip, &buf);
    return text_of(ahoy_buf_text(&buf));
}

/* What every note has; further members are those of a line of the trace (docs/trace.md), and the
 * message itself, or why something was done. */
static json_t *base_row(const struct ahoyd_command_means *means, unsigned worker,
                        const struct ahoy_note *note)
{
    struct ahoy_ip local = { .family = AHOY_NO_FAMILY };
    if (means->local != NULL)
        local = means->local(means->context, note->listener);
    const char *transport = ahoy_transport_uri_name((enum ahoy_transport)note->transport).at;
    return json_pack("{s:I, s:I, s:s*, s:o*, s:o*}", "us", (json_int_t)(note->now_ms * 1000),
                     "worker", (json_int_t)worker, "transport", transport, "local",
                     address_of(&local), "remote", address_of(&note->remote));
}

/* A call that is explained. */
struct explanation {
    const struct ahoyd_command_means *means;
    struct span call_id;
    json_t *notes;
    bool more;
    struct ahoyd_case call;
    struct ahoyd_case_losses losses;
    struct ahoy_message message;
};

static json_t *message_row(const struct ahoyd_command_means *means, unsigned worker,
                           const struct ahoy_note *note, struct span text,
                           const struct ahoy_message *message)
{
    char space[AHOYD_MASKED_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoyd_mask(text, &buf);
    struct span masked = ahoy_buf_text(&buf);
    struct span start = { masked.at, ahoy_span_find(masked, '\r') };
    struct ahoyd_case_name from = { 0 };
    json_t *row = base_row(means, worker, note);
    if (message->is_request)
        ahoyd_case_user(&from, message, AHOY_HEADER_FROM);
    json_object_set_new(row, "dir", json_string(note->kind == AHOY_NOTE_IN ? "in" : "out"));
    json_object_set_new(row, "start", text_of(start));
    json_object_set_new(row, "call_id", text_of(ahoy_message_value(message, AHOY_HEADER_CALL_ID)));
    json_object_set_new(row, "cseq", text_of(ahoy_message_value(message, AHOY_HEADER_CSEQ)));
    json_object_set_new(row, "from", text_of((struct span){ from.at, from.size }));
    if (note->kind == AHOY_NOTE_IN && ahoyd_trace_is_forwarded(message))
        json_object_set_new(row, "forwarded", json_true());
    json_object_set_new(row, "size", json_integer(note->whole_size));
    json_object_set_new(row, "bytes", text_of(masked));
    return row;
}

static json_t *cause_row(const struct ahoyd_command_means *means, unsigned worker,
                         const struct ahoy_note *note, struct span text, struct span call_id)
{
    char space[1024];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    const struct ahoyd_case_end place = { note->transport, note->remote };
    json_t *row = base_row(means, worker, note);
    ahoyd_case_print_cause((enum ahoy_cause)note->number, ahoy_span_after(text, call_id.size),
                           &place, &buf);
    json_object_set_new(row, "call_id", text_of(call_id));
    json_object_set_new(row, "cause", json_string(ahoy_cause_rows[note->number].label));
    json_object_set_new(row, "why", text_of(ahoy_buf_text(&buf)));
    return row;
}

/* A note of the call |call_id|, or NULL where there is nothing to show; |message| is what was read
 * of it. */
static json_t *note_row(const struct ahoyd_command_means *means, unsigned worker,
                        const struct ahoy_note *note, struct span text, struct span call_id,
                        const struct ahoy_message *message)
{
    if (note->kind == AHOY_NOTE_IN || note->kind == AHOY_NOTE_OUT)
        return message_row(means, worker, note, text, message);
    if (note->kind == AHOY_NOTE_CAUSE && note->number < AHOY_CAUSE_COUNT)
        return cause_row(means, worker, note, text, call_id);
    return NULL;
}

static void take_note(void *self, unsigned worker, const struct ahoy_note *note, struct span text)
{
    struct explanation *explanation = self;
    if (note->kind == AHOY_NOTE_LOST)
        ahoyd_case_lose(&explanation->losses, note, text);
    struct span call_id = ahoyd_case_of(note, text, &explanation->message);
    if (!ahoy_span_equal(call_id, explanation->call_id))
        return;
    ahoyd_case_take(&explanation->call, note, text, &explanation->message, &explanation->losses);
    explanation->more |= json_array_size(explanation->notes) == AHOYD_EXPLAIN_LIMIT;
    if (explanation->more)
        return;
    /* Where memory is refused, the note is missing. */
    (void)json_array_append_new(explanation->notes, note_row(explanation->means, worker, note, text,
                                                             call_id, &explanation->message));
}

static json_t *line_of(const struct ahoyd_case *call)
{
    char space[2048];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoyd_case_print(call, &buf);
    return text_of(ahoy_buf_text(&buf));
}

json_t *ahoyd_command_explain(const struct ahoyd_command_means *means, const json_t *request)
{
    const json_t *call_id = json_object_get(request, "call_id");
    size_t size = json_string_length(call_id);
    if (means->notes == NULL)
        return refuse_without_server();
    if (size == 0 || size >= AHOYD_CASE_CALL_ID_LIMIT)
        return ahoyd_command_failure(400, "call_id must be a text of 1 to 255 bytes");
    struct explanation *explanation = calloc(1, sizeof *explanation);
    if (explanation == NULL)
        return NULL;
    explanation->means = means;
    explanation->call_id = (struct span){ json_string_value(call_id), size };
    explanation->notes = json_array();
    ahoyd_case_init(&explanation->call, explanation->call_id);
    const struct ahoyd_notes_reader reader = { take_note, explanation };
    json_t *answer = NULL;
    if (!read_all(means, &reader) || json_array_size(explanation->notes) == 0)
        answer = ahoyd_command_failure(
            404, "no such call is noted any more: see docs/why.md for how long they are");
    else
        answer =
            json_pack("{s:b, s:o*, s:s, s:O, s:b}", "ok", 1, "cause", line_of(&explanation->call),
                      "label", ahoyd_case_label(&explanation->call), "notes", explanation->notes,
                      "more", explanation->more);
    json_decref(explanation->notes);
    free(explanation);
    return answer;
}

static json_t *call_row(const struct ahoyd_case *call)
{
    return json_pack("{s:o*, s:o*, s:o*, s:s, s:I, s:I, s:i, s:s, s:o*}", "call_id",
                     text_of((struct span){ call->call_id, call->call_id_size }), "from",
                     text_of((struct span){ call->from.at, call->from.size }), "to",
                     text_of((struct span){ call->to.at, call->to.size }), "state",
                     ahoyd_case_state_name(call->state), "begun_ms", (json_int_t)call->begun_ms,
                     "since_ms", (json_int_t)call->since_ms, "status", (int)call->status, "label",
                     ahoyd_case_label(call), "cause", line_of(call));
}

/* Which calls are asked for, and how many there are of each state. */
struct listing {
    struct ahoyd_command_page page;
    const char *state; /* NULL: any. */
    json_t *calls;     /* The newest first. */
    size_t total;
    size_t counts[AHOYD_CASE_FAILED + 1];
};

static bool is_wanted(const struct listing *listing, const struct ahoyd_case *call)
{
    const char *name = ahoyd_case_state_name(call->state);
    bool is_living = call->state < AHOYD_CASE_ENDED;
    if (listing->state != NULL && strcmp(listing->state, name) != 0 &&
        (strcmp(listing->state, "living") != 0 || !is_living))
        return false;
    return ahoyd_command_matches(&listing->page, (struct span){ call->from.at, call->from.size }) ||
           ahoyd_command_matches(&listing->page, (struct span){ call->to.at, call->to.size }) ||
           ahoyd_command_matches(&listing->page,
                                 (struct span){ call->call_id, call->call_id_size });
}

static void list_call(void *self, const struct ahoyd_case *call)
{
    struct listing *listing = self;
    listing->counts[call->state]++;
    if (is_wanted(listing, call) && ahoyd_command_shows(&listing->page, listing->total++))
        (void)json_array_append_new(listing->calls, call_row(call)); /* Else memory is refused. */
}

static json_t *counts_of(const struct listing *listing)
{
    json_t *counts = json_object();
    for (size_t i = 0; i <= AHOYD_CASE_FAILED; i++)
        (void)json_object_set_new(counts, ahoyd_case_state_name((enum ahoyd_case_state)i),
                                  json_integer((json_int_t)listing->counts[i])); /* The same. */
    return counts;
}

/* In the order in which they began. */
static json_t *turn_round(json_t *calls)
{
    json_t *turned = json_array();
    for (size_t i = json_array_size(calls); i > 0; i--)
        (void)json_array_append(turned, json_array_get(calls, i - 1)); /* The same. */
    json_decref(calls);
    return turned;
}

json_t *ahoyd_command_calls(const struct ahoyd_command_means *means, const json_t *request)
{
    const json_t *state = json_object_get(request, "state");
    struct listing listing = { .state = json_string_value(state) };
    bool more = false;
    if (means->notes == NULL || means->roll == NULL)
        return refuse_without_server();
    if (!ahoyd_command_read_page(request, AHOYD_CALLS_LIMIT, &listing.page) ||
        (state != NULL && listing.state == NULL))
        return ahoyd_command_failure(400, ahoyd_command_page_fault);
    listing.calls = json_array();
    if (listing.calls == NULL || !ahoyd_roll_each(means->roll, means, list_call, &listing, &more)) {
        json_decref(listing.calls);
        return NULL;
    }
    more = more || listing.total > listing.page.skip + listing.page.limit;
    return json_pack("{s:b, s:o, s:I, s:o*, s:b}", "ok", 1, "calls", turn_round(listing.calls),
                     "total", (json_int_t)listing.total, "counts", counts_of(&listing), "more",
                     more);
}

/* Who follows what happens. */
struct following {
    const struct ahoyd_command_means *means;
    json_t *notes;
    struct ahoy_message message;
};

static void follow_note(void *self, unsigned worker, const struct ahoy_note *note, struct span text)
{
    struct following *following = self;
    struct span call_id = ahoyd_case_of(note, text, &following->message);
    json_t *row = note_row(following->means, worker, note, text, call_id, &following->message);
    if (row != NULL)
        (void)json_array_append_new(following->notes, row); /* Else memory is refused. */
}

/* One piece of each worker's ring, so that an answer has a bound, and where the next begin. */
static void follow_all(struct following *following, const json_t *from, char *piece, json_t *next)
{
    const struct ahoyd_command_means *means = following->means;
    const struct ahoyd_notes_reader reader = { follow_note, following };
    for (unsigned i = 0; i < means->workers; i++) {
        const json_t *begin = json_array_get(from, i);
        uint64_t at = json_is_integer(begin) ? (uint64_t)json_integer_value(begin) : UINT64_MAX;
        size_t size = means->notes(means->context, i, &at, piece, AHOYD_PIECE_LIMIT);
        ahoyd_notes_take((struct span){ piece, size }, i, &reader);
        json_array_append_new(next, json_integer((json_int_t)at));
    }
}

json_t *ahoyd_command_follow(const struct ahoyd_command_means *means, const json_t *request)
{
    const json_t *from = json_object_get(request, "from");
    if (means->notes == NULL)
        return refuse_without_server();
    if (from != NULL && !json_is_null(from) && !json_is_array(from))
        return ahoyd_command_failure(400, "from must be an array of positions");
    char *piece = malloc(AHOYD_PIECE_LIMIT);
    struct following *following = calloc(1, sizeof *following);
    json_t *answer = NULL;
    if (piece != NULL && following != NULL) {
        json_t *next = json_array();
        *following = (struct following){ .means = means, .notes = json_array() };
        follow_all(following, from, piece, next);
        explicit_bzero(piece, AHOYD_PIECE_LIMIT);
        answer = json_pack("{s:b, s:o, s:o}", "ok", 1, "notes", following->notes, "from", next);
    }
    free(piece);
    free(following);
    return answer;
}
