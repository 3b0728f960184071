/* A telephone exchange in a test's hands: the real server core on a memory store, to which bytes
 * come from whomever the test likes, and all that it sends is recorded. */
#pragma once

#include "ahoyd/server.h"

enum { EXCHANGE_SENT_LIMIT = 512 };

struct exchange_sent {
    struct ahoy_hop hop;
    struct span bytes;
    uint32_t call; /* As the server told them (stack/wire.h). */
    uint16_t gap;
};

struct exchange {
    struct ahoyd_change_owner owner; /* First: the store gives changes back to it. */
    struct exchange_pusher {         /* It wakes nobody, and notes whom it should. */
        struct ahoyd_pusher base;    /* First. */
        bool refuses;
        unsigned count;
        uint64_t key;     /* Of the last one. */
        char pushed[512]; /* The last: "provider prid param aor method call_id". */
    } pusher;
    struct ahoyd_change *stored; /* Waiting to be handed to the server, newest first. */
    bool hold;                   /* They go on waiting. */
    unsigned fail;               /* With this status instead of what the store said, if any. */
    struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoyd_server *server;
    struct exchange_listeners {
        struct ahoy_listener at[AHOY_LISTENERS_LIMIT];
        char texts[AHOY_LISTENERS_LIMIT][2][80];
    } * listeners;
    struct ahoy_log log;
    size_t logged_size;
    char logged
        [16384]; /* Lines of the server's log, each with its end; what does not fit is lost. */
    uint64_t now_ms;
    uint32_t waited_us; /* What comes has waited so long. */
    /* Connections that the server opens do not come to stand, for this fate; NONE: they do. */
    enum ahoy_wire_fate fate;
    unsigned branches; /* Made so far. */
    unsigned closed;   /* Connections that the server wanted closed. */
    size_t count;      /* Of what was sent since the last event. */
    struct exchange_sent sent[EXCHANGE_SENT_LIMIT];
    struct ahoy_message message; /* The one that was last looked at. */
    char challenge[2048];        /* Rows of the last 401 or 407. */
};

/* A request, as far as a test cares; the rest is filled in. */
struct ask {
    const char *peer; /* "192.0.2.1:5060", which is the default: who sends it, by UDP. */
    const char *sent_by; /* Where NULL: the same.  What Via says of that. */
    const char *method;
    const char *uri;
    const char *from; /* A URI. */
    const char *to;   /* Where NULL: the Request-URI. */
    const char *to_tag;
    const char *call_id; /* Where NULL: "call". */
    unsigned cseq;       /* Where 0: 1. */
    const char *rows;    /* Further rows, each with CRLF. */
    /* For exchange_ask_as. */
    const char *user, *password;
    const char *realm;      /* Where NULL: that of the challenge. */
    const char *digest_uri; /* Where NULL: the Request-URI. */
    const char *nonce;      /* Where NULL: that of the challenge. */
    const char *ha1;        /* Where NULL: that of the password. */
    bool md5;               /* Not SHA-256. */
    const char *algorithm;  /* Not these, but "SHA-512-256-sess". */
    const char *qop;        /* Where NULL: "auth"; "" for RFC 2069's. */
    const char *nc;         /* Where NULL: "00000001". */
    const char *name;       /* Where NULL: username="user". */
    const char *body;
};

/* |config| is the text of a configuration.  Fails the test where anything is refused. */
struct exchange *exchange_new(const char *config, uint32_t transaction_limit);
/* The same, with Alice, whose password is "wonderland", and Bob, whose is "builder", as users of
 * atlanta.example. */
struct exchange *exchange_of_atlanta(const char *config);
/* The server goes on with |config|, and nothing is left of the one before. */
void exchange_renew(struct exchange *exchange, const char *config);
void exchange_free(struct exchange *exchange);
/* For cmocka: frees the exchange that |*state| is. */
int exchange_teardown(void **state);
void exchange_add_user(struct exchange *exchange, const char *user, const char *realm,
                       const char *password);
void exchange_add_alias(struct exchange *exchange, const char *alias, const char *realm,
                        const char *user);

/* What Alice of atlanta.example, whose password is "wonderland", registers with |rows|. */
struct ask exchange_alice(const char *rows);

struct ahoy_ip exchange_ip(const char *text);

/* One event in, and all that it brings about. */
void exchange_step(struct exchange *exchange, struct ahoy_wire_event *event);
/* A datagram from |peer| to the first UDP listener that it can reach. */
void exchange_datagram(struct exchange *exchange, const char *peer, struct span bytes);
/* Time passes; the server is woken when it asks to be.  Of what it sends then, the last is kept. */
void exchange_wait(struct exchange *exchange, uint64_t ms);
/* What waits for the server since |hold| was set. */
void exchange_release(struct exchange *exchange);

/* The last push has failed. */
void exchange_fail_push(struct exchange *exchange);

/* Sends |ask| and returns the status that the peer is answered, 0 for silence.  A 100 counts only
 * where nothing else is sent to it. */
unsigned exchange_ask(struct exchange *exchange, const struct ask *ask);
/* The same for somebody with a password: takes the challenge up, with a higher CSeq.  Where there
 * was none, what was answered. */
unsigned exchange_ask_as(struct exchange *exchange, const struct ask *ask);
/* Prints |ask|, with further rows. */
struct span exchange_print_ask(struct exchange *exchange, const struct ask *ask, const char *more,
                               char *space, size_t size);
/* The row that answers the last challenge. */
void exchange_print_credentials(const struct exchange *exchange, const struct ask *ask, char *row,
                                size_t size);

/* Number |index| of what was sent since the last event, indexed; fails the test where there is
 * none. */
const struct ahoy_message *exchange_sent(struct exchange *exchange, size_t index);
/* The first of them that went to |peer|; NULL where none did. */
const struct ahoy_message *exchange_sent_to(struct exchange *exchange, const char *peer);
/* |peer| answers what it was sent first, with further |rows|, each with CRLF. */
void exchange_answer(struct exchange *exchange, const char *peer, unsigned status,
                     const char *rows);
/* The value of the first |header| of |message|, as a C string in a static buffer. */
const char *exchange_value(const struct ahoy_message *message, enum ahoy_header header);

/* How many bindings |aor| has. */
size_t exchange_bindings(struct exchange *exchange, const char *aor);
/* Puts a binding into the store, as if somebody had registered it from |source|. */
void exchange_bind(struct exchange *exchange, const char *aor, const char *contact,
                   const char *source);
