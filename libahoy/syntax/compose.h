/* Making messages: edit lists over received bytes, responses to requests, ACK and CANCEL from
 * what they answer to. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/syntax/message.h"

enum { AHOY_EDITS_LIMIT = 32, AHOY_PIECES_LIMIT = 2 * AHOY_EDITS_LIMIT + 2 };

/* Changes to a message, in any order of offsets as they are added; kept sorted.  Inserted text
 * stays the caller's and must live until the pieces are used. */
struct ahoy_edits {
    struct span original;
    size_t count;
    bool overflow; /* Too many, or two overlap. */
    struct ahoy_edit {
        size_t at;
        size_t remove;
        struct span insert;
    } list[AHOY_EDITS_LIMIT];
};

/* No changes yet to |original|, which stays the caller's as long as its pieces are used. */
void ahoy_edits_init(struct ahoy_edits *edits, struct span original);
/* |at| points into the original.  Two inserts at one place stand in the order in which they were
 * added. */
void ahoy_edits_insert(struct ahoy_edits *edits, const char *at, struct span text);
void ahoy_edits_remove(struct ahoy_edits *edits, struct span part);
void ahoy_edits_replace(struct ahoy_edits *edits, struct span part, struct span text);
/* The edited message as pieces of the original and of the inserted texts, none empty.  Returns
 * their count; 0 after an overflow. */
size_t ahoy_edits_gather(const struct ahoy_edits *edits, struct span pieces[AHOY_PIECES_LIMIT]);

/* Takes the first value of a list header out: the value and its comma, or the whole row where it
 * was the only one. */
void ahoy_edits_remove_first(struct ahoy_edits *edits, const struct ahoy_message *message,
                             enum ahoy_header header);

struct ahoy_response {
    unsigned status;
    struct span reason;  /* Empty: the registered phrase. */
    struct span to_tag;  /* Added to a To without one, where this is not empty; never to a 100. */
    struct span headers; /* Further rows, each with its CRLF. */
    struct span body;    /* Its Content-Type is among |headers|. */
    /* The source, marked in the topmost Via (received.h); NULL: that is left as it is. */
    const struct ahoy_ip *received;
    const struct ahoy_routing *routing; /* What was read of the request; NULL: it is read again. */
    struct span load; /* What the topmost Via says of our load (oc.h), or empty. */
};

/* Prints a response to |request| by 8.2.6: all Via, From, To, Call-ID and CSeq copied as they
 * stand (Timestamp into a 100), and Content-Length.  Works on a request that was only half
 * parsed. */
void ahoy_compose_response(struct ahoy_buf *buf, const struct ahoy_message *request,
                           const struct ahoy_response *response);

/* Prints the Unsupported of a 420: a row for each option tag of |header| (Require, Proxy-Require)
 * that is not in the comma list |known|.  Nothing where all are. */
void ahoy_compose_unsupported(struct ahoy_buf *buf, const struct ahoy_message *request,
                              enum ahoy_header header, struct span known);

/* Prints the ACK for a response of 300 to 699 (17.1.1.3): |request| as it was sent, its topmost
 * Via alone, To from |response|, and what the caller prefers (RFC 3841 5). */
void ahoy_compose_ack(struct ahoy_buf *buf, const struct ahoy_message *request,
                      const struct ahoy_message *response);

/* Prints the CANCEL for |request| as it was sent (9.1); |headers| are further rows (Reason),
 * each with its CRLF. */
void ahoy_compose_cancel(struct ahoy_buf *buf, const struct ahoy_message *request,
                         struct span headers);
