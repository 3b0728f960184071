/* A request of ours that makes no session, and its final response: MESSAGE (RFC 3428 4), OPTIONS
 * (RFC 3261 11), INFO (RFC 6086 4.2.1), PUBLISH (RFC 3903 4).  It goes outside of dialogs (RFC 3261
 * 8.1), or within that of a session (12.2.1). */
#pragma once

#include "libahoy/tu/ua_context.h"

enum {
    AHOY_EXCHANGES_LIMIT = 16,       /* At once. */
    AHOY_EXCHANGE_TEXT_LIMIT = 8192, /* Bytes of rows, Content-Type and body together. */
    AHOY_PAGER_LIMIT = 1300          /* Bytes of a MESSAGE: R3428-8-1. */
};

struct ahoy_exchange_request {
    enum ahoy_method method;
    struct span uri;        /* Outside of dialogs: whom it is for. */
    struct span rows;       /* Further ones, each with its CRLF. */
    struct span type, body; /* A body that is empty has no Content-Type. */
};

struct ahoy_exchange {
    struct ahoy_handle self;        /* The owner's name for it. */
    struct ahoy_handle session;     /* Whose dialog it is within; null for none. */
    struct ahoy_handle transaction; /* Null while none is under way. */
    uint64_t user;                  /* Of its transactions. */
    enum ahoy_method method;
    size_t rows_size, type_size, body_size;
    char *text; /* These three, from the allocator. */
    struct ahoy_credentials credentials;
    struct ahoy_dialog dialog; /* Not one: what a request outside of dialogs is made of. */
};

/* Sends |request| within |dialog|, or outside where that is NULL; zeroed before.  0, and its events
 * are to be stepped; else the status that stands for what refuses: 513 for a MESSAGE or a text that
 * is too long, 500, 503 (R3261-8.1.3.1-2). */
unsigned ahoy_exchange_begin(struct ahoy_exchange *exchange, struct ahoy_ua_context *context,
                             struct ahoy_dialog *dialog,
                             const struct ahoy_exchange_request *request, uint64_t now_ms);
/* An event of its transaction.  The final status, 408 where none came and 503 where it could not be
 * sent; 0 while it goes on, which it does within |dialog|, where that is still there. */
unsigned ahoy_exchange_step(struct ahoy_exchange *exchange, struct ahoy_ua_context *context,
                            struct ahoy_dialog *dialog, const struct ahoy_event *event,
                            uint64_t now_ms);
/* Frees what it holds; it may begin again. */
void ahoy_exchange_fini(struct ahoy_exchange *exchange);

/* Those that a program has asked for. */
struct ahoy_exchanges {
    struct ahoy_pool pool; /* struct ahoy_exchange */
};

/* None yet; and an end to all of them, of which nothing is told. */
void ahoy_exchanges_init(struct ahoy_exchanges *exchanges);
void ahoy_exchanges_fini(struct ahoy_exchanges *exchanges);
/* Begins one within |dialog|, that of |session|, or outside where it is NULL; AHOY_NEWS_REPLY
 * follows, maybe at once.  Null, and nothing follows, where there are too many, and for a MESSAGE
 * while another to the same place is unanswered (R3428-8-2, -3). */
struct ahoy_handle ahoy_exchanges_ask(struct ahoy_exchanges *exchanges,
                                      struct ahoy_ua_context *context, struct ahoy_dialog *dialog,
                                      struct ahoy_handle session,
                                      const struct ahoy_exchange_request *request, uint64_t now_ms);
/* The one that an event is for, or NULL. */
struct ahoy_exchange *ahoy_exchanges_find(const struct ahoy_exchanges *exchanges,
                                          struct ahoy_handle transaction);
/* As ahoy_exchange_step; where that is the end, the program is told, and it is there no more. */
unsigned ahoy_exchanges_step(struct ahoy_exchanges *exchanges, struct ahoy_exchange *exchange,
                             struct ahoy_ua_context *context, struct ahoy_dialog *dialog,
                             const struct ahoy_event *event, uint64_t now_ms);
