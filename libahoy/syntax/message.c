/* The index over a message (RFC 3261 7), and the walks over its rows. */
#include "libahoy/syntax/message.h"

#include "libahoy/syntax/block.h"
#include "libahoy/syntax/fragment.h"
#include "libahoy/syntax/marks.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/start_line.h"

/* A message while it is being indexed. */
struct indexer {
    struct ahoy_message *message;
    struct ahoy_err *err;
    enum ahoy_extent extent;
    bool sound; /* No fault so far. */
};

/* A row, or the start line, that is being read. */
struct line {
    const char *at;
    const char *end;  /* Before the CRLF. */
    const char *next; /* Behind it; NULL where there is no CRLF. */
    const char *bad;  /* The first control byte in it, or NULL. */
};

/* Keeps the first fault of a message. */
static void note(struct indexer *indexer, unsigned status, const char *at, const char *expected)
{
    if (indexer->sound)
        ahoy_fail(indexer->err, status, at, expected);
    indexer->sound = false;
}

/* Finds the end of a line as below, from its first control byte on. */
__attribute__((noinline)) static struct line find_far_end(const char *begin, const char *at,
                                                          const char *end, bool is_row)
{
    struct line line = { .at = begin, .end = end };
    for (; at < end; at = ahoy_scan_control(at + 1, end)) {
        if (*at == '\r' && end - at >= 2 && at[1] == '\n') {
            if (!is_row || end - at == 2 || !ahoy_is(at[2], AHOY_WSP)) {
                line.end = at;
                line.next = at + 2;
                break;
            }
            at += 2;
        } else if (*at != '\t' && line.bad == NULL) {
            line.bad = at;
        }
    }
    return line;
}

/* Whether a row ends at |at|: it goes on where the next line begins with white space (7.3.1). */
static inline bool is_row_end(const char *at, const char *end)
{
    return end - at > 2 && memcmp(at, "\r\n", 2) == 0 && !ahoy_is(at[2], AHOY_WSP);
}

/* Finds the end of the line that begins at |begin|, from |at| on. */
static inline struct line find_end(const char *begin, const char *at, const char *end, bool is_row)
{
    at = ahoy_scan_control(at, end);
    if (is_row_end(at, end))
        return (struct line){ begin, at, at + 2, NULL };
    return find_far_end(begin, at, end, is_row);
}

/* The first control byte in a row that is neither white space nor escaped inside quotes, where
 * 25.1 allows all but CR and LF; NULL where there is none. */
static const char *find_bad(const char *at, const char *end)
{
    bool quoted = false;
    for (; at < end; at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (*at == '\r' && at[1] == '\n') {
            at++; /* A fold: a lone CR, or LF, is caught below. */
        } else if (quoted && *at == '\\' && at + 1 < end && at[1] != '\r' && at[1] != '\n') {
            at++;
        } else if (*at != '\t' && ahoy_scan_control(at, at + 1) == at) {
            return at;
        }
    }
    return NULL;
}

/* Whether a row is not too long and holds no control bytes. */
static bool check_bytes(struct indexer *indexer, const struct line *line)
{
    if (line->end - line->at > AHOY_LINE_LIMIT) {
        note(indexer, 400, line->at + AHOY_LINE_LIMIT, "a row of at most 8192 bytes");
        return false;
    }
    if (line->bad == NULL)
        return true;
    const char *bad = find_bad(line->at, line->end);
    if (bad == NULL)
        return true;
    note(indexer, 400, bad, "no control byte");
    return false;
}

/* Adds the row at |at| as |number| to the chain of its header; one that stands once is not added
 * twice. */
static bool add_to_chain(struct indexer *indexer, enum ahoy_header header, uint16_t number,
                         const char *at)
{
    struct ahoy_message *message = indexer->message;
    if (message->first[header] == 0) {
        message->first[header] = number;
    } else if (ahoy_header_kind(header) == AHOY_SINGLE) {
        note(indexer, 400, at, "this header only once");
        return false;
    } else {
        message->fields[message->last[header] - 1].next = number;
    }
    message->last[header] = number;
    return true;
}

static inline void fill_row(struct ahoy_field *field, enum ahoy_header header, struct span name,
                            struct span value, struct span row)
{
    field->header = header;
    field->next = 0;
    field->name = name;
    field->value = value;
    field->row = row;
}

/* The header whose known name begins the row at |at| and ends at a colon in the first block, in
 * front of |stop|; else AHOY_HEADER_OTHER. */
static inline enum ahoy_header find_header(const char *at, const char *stop, const char *end,
                                           const char **colon)
{
    ahoy_block bytes = ahoy_block_load(at, end);
    unsigned colons = ahoy_block_mask((ahoy_block)(bytes == ':'));
    if (colons == 0)
        return AHOY_HEADER_OTHER;
    *colon = at + ahoy_lowest_bit(colons);
    if (*colon >= stop)
        return AHOY_HEADER_OTHER;
    return ahoy_header_find(bytes, (size_t)(*colon - at));
}

/* Indexes rows as long as they are plain, as nearly all are: a known name, a colon, a value of
 * printable ASCII without folds, so that its white space is spaces.  Returns where the first other
 * one begins, or one that ends too far away to tell that it is not too long. */
static const char *index_plain_rows(struct indexer *indexer, const char *at, const char *end)
{
    struct ahoy_message *message = indexer->message;
    if (end - at > AHOY_LINE_LIMIT)
        end = at + AHOY_LINE_LIMIT;
    struct ahoy_marks unprintable = ahoy_marks_of(at, end, ahoy_find_unprintable);
    struct ahoy_field *field = &message->fields[message->field_count];
    unsigned number = message->field_count + 1u;
    for (; number <= AHOY_HEADERS_LIMIT; number++) {
        const char *stop = ahoy_marks_next(&unprintable, at, ahoy_find_unprintable);
        if (!is_row_end(stop, end))
            break;
        const char *colon;
        enum ahoy_header header = find_header(at, stop, end, &colon);
        if (header == AHOY_HEADER_OTHER || !add_to_chain(indexer, header, (uint16_t)number, at))
            break;
        const char *value = colon + 1;
        while (*value == ' ')
            value++;
        const char *last = stop;
        while (last > value && last[-1] == ' ')
            last--;
        fill_row(field++, header, ahoy_span_between(at, colon), ahoy_span_between(value, last),
                 ahoy_span_between(at, stop + 2));
        at = stop + 2;
    }
    message->field_count = (uint16_t)(number - 1);
    return at;
}

/* Indexes the row that begins at |at|; returns where the next one begins, NULL where this one has
 * no end. */
static const char *index_row(struct indexer *indexer, const char *at, const char *end)
{
    struct span name = ahoy_span_between(at, ahoy_skip(at, end, AHOY_TOKEN));
    const char *colon = ahoy_skip(ahoy_span_end(name), end, AHOY_WSP);
    struct line line = find_end(at, ahoy_span_end(name), end, true);
    if (line.next == NULL) {
        note(indexer, 400, end, "CRLF");
        return NULL;
    }
    if (name.size == 0) {
        note(indexer, 400, at, "a header name");
    } else if (*colon != ':') {
        note(indexer, 400, colon, "\":\" behind a header name");
    } else if (check_bytes(indexer, &line)) {
        struct ahoy_message *message = indexer->message;
        uint16_t number = (uint16_t)(message->field_count + 1);
        enum ahoy_header header = ahoy_header_parse(name);
        if (header == AHOY_HEADER_OTHER || add_to_chain(indexer, header, number, at)) {
            fill_row(&message->fields[number - 1], header, name,
                     ahoy_span_trim(ahoy_span_between(colon + 1, line.end)),
                     ahoy_span_between(at, line.next));
            message->field_count = number;
        }
    }
    return line.next;
}

/* Indexes all rows; returns where the empty line begins, or where there is no more to read, which
 * only a fragment may be without one. */
static const char *index_rows(struct indexer *indexer, const char *at, const char *end)
{
    for (;;) {
        at = index_plain_rows(indexer, at, end);
        if (end - at >= 2 && memcmp(at, "\r\n", 2) == 0)
            return at;
        if (at == end) {
            if (indexer->extent == AHOY_WHOLE)
                note(indexer, 400, end, "an empty line"); /* R3261-7-2 */
            return end;
        }
        if (indexer->message->field_count == AHOY_HEADERS_LIMIT) {
            note(indexer, 400, at, "at most 256 rows");
            return end;
        }
        at = index_row(indexer, at, end);
        if (at == NULL)
            return end;
    }
}

static const char *index_start_line(struct indexer *indexer, const char *at, const char *end)
{
    struct ahoy_message *message = indexer->message;
    struct line line = find_end(at, at, end, false);
    struct ahoy_err err;
    bool ended = line.next != NULL;
    if (!ended)
        line.next = end;
    message->start_line = ahoy_span_between(at, line.next);
    struct span text = ahoy_span_between(at, line.end);
    if (line.bad != NULL) {
        note(indexer, 400, line.bad, "no control byte");
        text.size = 0;
    } else if (!ended && indexer->extent == AHOY_WHOLE) {
        note(indexer, 400, end, "CRLF");
    }
    if (!ahoy_start_line_parse(text, message, &err))
        note(indexer, err.status, err.at, err.expected);
    else if (text.size > AHOY_LINE_LIMIT)
        note(indexer, 400, at + AHOY_LINE_LIMIT, "a line of at most 8192 bytes");
    return line.next;
}

/* Finds the body behind the empty line by Content-Length (18.3). */
static void index_body(struct indexer *indexer, const char *at, const char *end)
{
    struct ahoy_message *message = indexer->message;
    message->body = ahoy_span_between(at, end);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_CONTENT_LENGTH);
    if (field == NULL || indexer->extent == AHOY_PART)
        return;
    uint64_t size;
    if (!ahoy_span_number(field->value, UINT32_MAX, &size)) {
        note(indexer, 400, field->value.at, "a Content-Length");
    } else if (size > message->body.size) {
        note(indexer, 400, field->value.at, "a Content-Length of no more than is there");
    } else {
        message->body.size = size;
        message->bytes = ahoy_span_between(message->bytes.at, ahoy_span_end(message->body));
    }
}

/* Behind the CRLFs that a peer may send before a message (R3261-7.5-1). */
static const char *skip_empty_lines(struct span bytes)
{
    const char *at = bytes.at;
    while (ahoy_span_end(bytes) - at >= 2 && at[0] == '\r' && at[1] == '\n')
        at += 2;
    return at;
}

bool ahoy_fragment_parse(struct span bytes, enum ahoy_extent extent, struct ahoy_message *message,
                         struct ahoy_err *err)
{
    struct indexer indexer;
    indexer.message = message;
    indexer.err = err;
    indexer.extent = extent;
    indexer.sound = true;
    const char *at = bytes.at;
    const char *end = ahoy_span_end(bytes);
    message->bytes = bytes;
    message->field_count = 0;
    memset(message->first, 0, sizeof message->first);
    if (bytes.size > AHOY_MESSAGE_LIMIT)
        note(&indexer, 413, at + AHOY_MESSAGE_LIMIT, "a message of at most 65536 bytes");
    if (extent <= AHOY_FRAGMENT)
        at = index_start_line(&indexer, at, end);
    else
        ahoy_start_line_none(message);
    at = index_rows(&indexer, at, end);
    message->headers_end = (size_t)(at - message->bytes.at);
    index_body(&indexer, at == end ? end : at + 2, end);
    return indexer.sound;
}

bool ahoy_message_parse(struct span bytes, struct ahoy_message *message, struct ahoy_err *err)
{
    if (bytes.at == NULL)
        bytes = SPAN("");
    const char *at = skip_empty_lines(bytes);
    return ahoy_fragment_parse(ahoy_span_between(at, ahoy_span_end(bytes)), AHOY_WHOLE, message,
                               err);
}

const struct ahoy_field *ahoy_message_first(const struct ahoy_message *message,
                                            enum ahoy_header header)
{
    uint16_t number = message->first[header];
    return number == 0 ? NULL : &message->fields[number - 1];
}

const struct ahoy_field *ahoy_message_next(const struct ahoy_message *message,
                                           const struct ahoy_field *field)
{
    return field->next == 0 ? NULL : &message->fields[field->next - 1];
}

struct span ahoy_message_value(const struct ahoy_message *message, enum ahoy_header header)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    return field == NULL ? SPAN("") : field->value;
}

struct ahoy_values ahoy_message_values(const struct ahoy_message *message, enum ahoy_header header)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    struct span rest = field == NULL ? SPAN("") : field->value;
    return (struct ahoy_values){ .message = message, .field = field, .rest = rest };
}

static void begin_row(struct ahoy_values *values, const struct ahoy_field *field)
{
    values->field = field;
    if (field != NULL)
        values->rest = field->value;
}

bool ahoy_values_next(struct ahoy_values *values, struct span *item, struct ahoy_err *err)
{
    struct ahoy_err fault = { .expected = NULL };
    while (values->field != NULL) {
        if (ahoy_header_next(values->field->header, &values->rest, item, &fault))
            return true;
        if (fault.expected != NULL)
            return ahoy_fail(err, fault.status, fault.at, fault.expected);
        begin_row(values, ahoy_message_next(values->message, values->field));
    }
    return ahoy_finished(err);
}

bool ahoy_addresses_next(struct ahoy_values *values, struct ahoy_address *address,
                         struct ahoy_err *err)
{
    struct ahoy_err fault = { .expected = NULL };
    while (values->field != NULL) {
        if (ahoy_address_next(&values->rest, address, &fault))
            return true;
        if (fault.expected != NULL)
            return ahoy_fail(err, fault.status, fault.at, fault.expected);
        begin_row(values, ahoy_message_next(values->message, values->field));
    }
    return ahoy_finished(err);
}
