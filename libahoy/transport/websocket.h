/* The frames of one WebSocket, that a client has opened to us or we to a server: RFC 6455 section
 * 5, under SIP as RFC 7118 has it.  Bytes go in, pieces of messages come out; what is sent needs no
 * state, so any worker may frame it. */
#pragma once

#include "libahoy/base/buf.h"

enum {
    AHOY_SHORT_FRAME_LIMIT = 125, /* Bytes in a control frame (RFC 6455 5.5). */
    AHOY_FRAME_MASK_SIZE = 4,     /* Bytes of the key that a client's frame is masked by. */
    AHOY_FRAME_HEAD_LIMIT = 14,   /* Bytes of the head of a frame of ours, that key among them. */
    AHOY_TEXT_FRAME = 1,
    AHOY_BINARY_FRAME = 2,
    AHOY_CLOSE_FRAME = 8,
    AHOY_PING_FRAME = 9,
    AHOY_PONG_FRAME = 10
};

/* Why a WebSocket is closed (RFC 6455 7.4.1). */
enum ahoy_close_code {
    AHOY_CLOSE_NONE = 0,    /* Nothing is said. */
    AHOY_CLOSE_AWAY = 1001, /* We end, or have waited too long. */
    AHOY_CLOSE_PROTOCOL = 1002,
    AHOY_CLOSE_NOT_UTF8 = 1007,
    AHOY_CLOSE_TOO_BIG = 1009,
    AHOY_CLOSE_INTERNAL = 1011
};

enum ahoy_websocket_verdict {
    AHOY_WEBSOCKET_MORE,  /* All input has been taken; what follows is still to come. */
    AHOY_WEBSOCKET_PIECE, /* |bytes| are the next ones of a message ... */
    AHOY_WEBSOCKET_LAST,  /* ... and with these it is whole. */
    AHOY_WEBSOCKET_PING,  /* |bytes| want to come back in a pong. */
    AHOY_WEBSOCKET_CLOSE  /* It ends: the peer wants that, or has broken a rule.  Tell it |code|. */
};

struct ahoy_websocket_part {
    struct span bytes; /* They live until the next call. */
    bool is_text;      /* The message must be UTF-8; only the whole of it shows whether it is. */
    unsigned code;     /* enum ahoy_close_code, or what the peer said. */
};

struct ahoy_websocket;

/* One that is not open yet; |is_client|: we open it, so that the peer's frames must not be masked,
 * as they must be otherwise (5.1).  NULL where memory is refused. */
struct ahoy_websocket *ahoy_websocket_new(bool is_client);
void ahoy_websocket_free(struct ahoy_websocket *websocket);
/* The upgrade is over: frames may come. */
void ahoy_websocket_open(struct ahoy_websocket *websocket);
bool ahoy_websocket_is_open(const struct ahoy_websocket *websocket);
/* Whether a part of a message or of a frame has come, and the rest has not. */
bool ahoy_websocket_is_amid(const struct ahoy_websocket *websocket);

/* Reads |input| up to the end of the next part, and takes that off it.  Messages above |limit|
 * bytes, frames joined, end the WebSocket before they are read (attack 46).  After a CLOSE it is
 * not to be called any more. */
enum ahoy_websocket_verdict ahoy_websocket_next(struct ahoy_websocket *websocket, size_t limit,
                                                struct span *input,
                                                struct ahoy_websocket_part *part);

/* Writes the head of a frame of ours in front of |payload|, where AHOY_FRAME_HEAD_LIMIT bytes are
 * free.  Returns the frame. */
struct span ahoy_websocket_frame(unsigned opcode, char *payload, size_t size);
/* The same for a SIP message: text where it is UTF-8, else binary (R7118-4.2-2). */
struct span ahoy_websocket_frame_message(char *payload, size_t size);
/* |frame|, one of the above, masked by |key| as a client's must be (5.3): AHOY_FRAME_MASK_SIZE
 * bytes in front of it are free.  A new and unpredictable |key| for each. */
struct span ahoy_websocket_mask(struct span frame, uint32_t key);
/* The message in a whole frame of ours that is not masked; empty where that carries none. */
struct span ahoy_websocket_payload(struct span frame);
/* Prints a short frame of ours; |payload| has at most AHOY_SHORT_FRAME_LIMIT bytes. */
void ahoy_websocket_put(unsigned opcode, struct span payload, struct ahoy_buf *buf);
/* Prints a close frame that says |code|. */
void ahoy_websocket_put_close(unsigned code, struct ahoy_buf *buf);
