/* Cutting messages out of a byte stream: RFC 3261 7.5 and 18.3, with the keep-alives of RFC 5626
 * 3.5.1 between them.  Pure: the bytes stay the caller's, and nothing is taken because a peer
 * announced it. */
#pragma once

#include "libahoy/syntax/message.h"

enum ahoy_frame_verdict {
    AHOY_FRAME_MORE,  /* The message goes on behind the bytes that are there. */
    AHOY_FRAME_WHOLE, /* The first frame->size bytes are one message. */
    AHOY_FRAME_BROKEN /* Where the message ends cannot be told.  The first frame->size bytes are the
                       * whole rows of its head, for an answer; then the stream must be closed. */
};

/* How far the message at hand has been read, so that no byte of it is looked at twice however
 * small the pieces in which it comes.  Zeroed at the beginning of each message. */
struct ahoy_frame {
    size_t size;       /* Of the message, once its head is whole; else 0. */
    size_t row, line;  /* Where the row and the line begin that have not ended yet. */
    size_t body_size;  /* What Content-Length said. */
    const char *fault; /* What was wrong with it, or NULL. */
    uint16_t fault_status;
    uint16_t row_count;
    uint8_t blanks; /* How much of CRLF CRLF has come before the message. */
    bool has_body_size;
};

/* Drops the CRLFs in front of a start line (R3261-7.5-1) off |bytes|.  Returns how many double
 * ones there were, each of which wants a single one for an answer (RFC 5626 4.4.1).  To be called
 * between two messages only. */
size_t ahoy_frame_skip(struct ahoy_frame *frame, struct span *bytes);

/* Looks for the end of the message that |bytes| begins with: those of the call before, and more.
 * Broken streams: 400 for a Content-Length that is absent (R3261-18.3-3), no number, or two
 * different ones, for more than AHOY_HEADERS_LIMIT rows, a row above AHOY_LINE_LIMIT, a line that
 * LF ends alone; 413 for a message above AHOY_MESSAGE_LIMIT. */
enum ahoy_frame_verdict ahoy_frame_cut(struct ahoy_frame *frame, struct span bytes,
                                       struct ahoy_err *err);
