/* The head of a message is read line by line, because the row that matters, Content-Length, may
 * be folded, short, and in any case.  What is doubtful breaks the stream: who guesses where a
 * message ends can be made to see one that nobody sent. */
#include "libahoy/transport/frame.h"

static enum ahoy_frame_verdict broken(struct ahoy_frame *frame, size_t size, struct ahoy_err *err,
                                      unsigned status, struct span bytes, const char *expected)
{
    frame->size = size;
    ahoy_fail(err, status, bytes.at + size, expected);
    return AHOY_FRAME_BROKEN;
}

size_t ahoy_frame_skip(struct ahoy_frame *frame, struct span *bytes)
{
    size_t doubles = 0;
    size_t i = 0;
    for (; i < bytes->size; i++) {
        char byte = bytes->at[i];
        if (byte != '\r' && byte != '\n')
            break;
        if (byte == "\r\n\r\n"[frame->blanks])
            frame->blanks++;
        else
            frame->blanks = byte == '\r';
        if (frame->blanks == 4) {
            frame->blanks = 0;
            doubles++;
        }
    }
    *bytes = ahoy_span_after(*bytes, i);
    return doubles;
}

static bool is_digits(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    return text.size > 0;
}

/* Faults are only noted here: the rest of the head, Via perhaps, is needed to answer them. */
static void read_body_size(struct ahoy_frame *frame, struct span value)
{
    uint64_t size;
    if (!ahoy_span_number(value, AHOY_MESSAGE_LIMIT, &size)) {
        bool large = is_digits(value);
        frame->fault = large ? "a message within the limit" : "Content-Length: one number";
        frame->fault_status = large ? 413 : 400;
    } else if (frame->has_body_size && size != frame->body_size) {
        frame->fault = "one Content-Length";
        frame->fault_status = 400;
    } else {
        frame->has_body_size = true;
        frame->body_size = (size_t)size;
    }
}

/* A glance tells that most rows are neither "l" nor "Content-" something. */
static bool may_be_length(struct span row)
{
    char first = row.at[0];
    if (first == 'C' || first == 'c')
        return row.size > 7 && row.at[7] == '-';
    return first == 'L' || first == 'l';
}

/* |row| is whole, continuation lines included. */
static void read_row(struct ahoy_frame *frame, struct span row)
{
    if (!may_be_length(row))
        return;
    size_t colon = ahoy_span_find(row, ':');
    if (colon == row.size)
        return;
    struct span name = ahoy_span_trim((struct span){ row.at, colon });
    if (ahoy_header_parse(name) == AHOY_HEADER_CONTENT_LENGTH && frame->fault == NULL)
        read_body_size(frame, ahoy_span_trim(ahoy_span_after(row, colon + 1)));
}

/* A new row begins at |line|, so the one before it is over.  The first of all is the start line. */
static void end_row(struct ahoy_frame *frame, struct span bytes, size_t line)
{
    if (frame->row > 0)
        read_row(frame, ahoy_span_between(bytes.at + frame->row, bytes.at + line));
    if (line > 0)
        frame->row_count++;
    frame->row = line;
}

/* The head is whole: its |head_size| bytes end with the empty line. */
static enum ahoy_frame_verdict end_head(struct ahoy_frame *frame, struct span bytes,
                                        size_t head_size, struct ahoy_err *err)
{
    if (frame->fault != NULL)
        return broken(frame, head_size, err, frame->fault_status, bytes, frame->fault);
    if (!frame->has_body_size)
        return broken(frame, head_size, err, 400, bytes, "Content-Length, as streams need it");
    if (head_size + frame->body_size > AHOY_MESSAGE_LIMIT)
        return broken(frame, head_size, err, 413, bytes, "a message within the limit");
    frame->size = head_size + frame->body_size;
    return bytes.size < frame->size ? AHOY_FRAME_MORE : AHOY_FRAME_WHOLE;
}

static bool begins_row(struct span bytes, size_t line)
{
    return bytes.at[line] != ' ' && bytes.at[line] != '\t';
}

/* Where the row begins that the line at hand belongs to: all before it is whole. */
static size_t row_at_hand(const struct ahoy_frame *frame, struct span bytes)
{
    bool is_row = frame->line < bytes.size && begins_row(bytes, frame->line);
    return is_row ? frame->line : frame->row;
}

static enum ahoy_frame_verdict bad_line(struct ahoy_frame *frame, struct span bytes,
                                        struct ahoy_err *err, unsigned status, const char *expected)
{
    return broken(frame, row_at_hand(frame, bytes), err, status, bytes, expected);
}

/* Takes the line that ends at |end| into account; more lines are to come. */
static bool read_line(struct ahoy_frame *frame, struct span bytes, size_t end)
{
    if (begins_row(bytes, frame->line))
        end_row(frame, bytes, frame->line);
    frame->line = end;
    return end - frame->row <= AHOY_LINE_LIMIT && frame->row_count <= AHOY_HEADERS_LIMIT;
}

/* The line at hand has no end yet. */
static enum ahoy_frame_verdict await_line(struct ahoy_frame *frame, struct span bytes,
                                          struct ahoy_err *err)
{
    if (bytes.size - row_at_hand(frame, bytes) > AHOY_LINE_LIMIT && bytes.size > frame->line)
        return bad_line(frame, bytes, err, 400, "a shorter line");
    if (bytes.size >= AHOY_MESSAGE_LIMIT)
        return bad_line(frame, bytes, err, 413, "a message within the limit");
    return AHOY_FRAME_MORE;
}

enum ahoy_frame_verdict ahoy_frame_cut(struct ahoy_frame *frame, struct span bytes,
                                       struct ahoy_err *err)
{
    if (frame->size > 0)
        return bytes.size < frame->size ? AHOY_FRAME_MORE : AHOY_FRAME_WHOLE;
    for (;;) {
        struct span rest = ahoy_span_after(bytes, frame->line);
        size_t length = ahoy_span_find(rest, '\n');
        size_t end = frame->line + length + 1;
        if (length == rest.size)
            return await_line(frame, bytes, err);
        if (end > AHOY_MESSAGE_LIMIT)
            return bad_line(frame, bytes, err, 413, "a message within the limit");
        if (length == 0 || rest.at[length - 1] != '\r')
            return bad_line(frame, bytes, err, 400, "CRLF at the end of the line");
        if (length == 1) {
            end_row(frame, bytes, frame->line);
            return end_head(frame, bytes, end, err);
        }
        if (!read_line(frame, bytes, end))
            return broken(frame, frame->row, err, 400, bytes, "fewer and shorter rows");
    }
}
