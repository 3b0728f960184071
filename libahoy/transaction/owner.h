/* What the files of the owner share: the slot of a transaction, the tables, and the verbs by which
 * the effects of a state machine are carried out.  Nobody outside this folder includes it. */
#pragma once

#include "libahoy/transaction/invite_client.h"
#include "libahoy/transaction/invite_server.h"
#include "libahoy/transaction/match.h"
#include "libahoy/transaction/noninvite_client.h"
#include "libahoy/transaction/noninvite_server.h"
#include "libahoy/transaction/transactions.h"

enum ahoy_transaction_kind {
    AHOY_INVITE_CLIENT = 1,
    AHOY_NONINVITE_CLIENT,
    AHOY_INVITE_SERVER,
    AHOY_NONINVITE_SERVER
};

enum {
    AHOY_SHORT_KEY = 64,         /* Bytes of a packed key that the slot itself can hold. */
    AHOY_MESSAGE_CHUNK = 864,    /* An INVITE of a phone that came over two hops fits. */
    AHOY_SENDINGS_RESERVE = 1024 /* Messages that may wait beyond two a transaction. */
};

/* A slot.  Small, since there are many; large things are in the arena, which is given back as soon
 * as a state is entered that does not need it. */
struct ahoy_transaction {
    /* What is looked at when it is over, which is out of all caches by then, stands together. */
    struct ahoy_timer end;    /* The clock that ends the state. */
    uint64_t hash;            /* Under which the table has us: clients' is their token. */
    unsigned char kind : 3;   /* enum ahoy_transaction_kind */
    unsigned char method : 5; /* enum ahoy_method */
    uint8_t owed;             /* A bit for each event that the user is to get: owner.c. */
    uint8_t round;            /* How often |again| has been started; stays at 255. */
    bool is_over : 1;         /* Ended: the handle is stale. */
    bool is_silent : 1;       /* No event comes up: our own CANCEL. */
    bool is_cancelled : 1;    /* The user wants it cancelled. */
    bool has_ack : 1;         /* |kept| is the ACK. */
    bool has_cookie : 1;      /* Servers: the peer is one of RFC 3261. */
    bool has_long_key : 1;
    bool is_moved : 1; /* Clients: from UDP to TCP, for its size. */
    union {
        struct ahoy_invite_client invite_client;
        struct ahoy_noninvite_client noninvite_client;
        struct ahoy_invite_server invite_server;
        struct ahoy_noninvite_server noninvite_server;
    } machine;
    struct ahoy_arena arena; /* Of |kept|, and of a long key. */
    struct ahoy_timer again; /* Clock A, E or G.  Both timers' |what| is our handle. */
    struct span kept;        /* The request, ACK or response that may have to be sent again. */
    uint64_t user;
    struct ahoy_transaction *next; /* In the line of those with events, or of the dead. */
    struct ahoy_hop hop;           /* Where everything is sent. */
    union {
        char short_key[AHOY_SHORT_KEY]; /* Servers: packed. */
        const char *long_key;           /* The same, in the arena. */
        struct {
            char tail[AHOY_BRANCH_TAIL_LIMIT]; /* Of the branch. */
            uint8_t tail_size;
            struct span cancel_headers; /* In the arena, until the CANCEL may leave. */
        } client;
    };
};

/* The message at hand, from the call that brings it until its event has been dealt with. */
struct ahoy_arrival {
    const struct ahoy_message *message;
    const struct ahoy_routing *routing;
    const struct ahoy_hop *source;
    const struct ahoy_hop *reply;
    bool is_at_hand; /* What is sent now is sent because of it. */
    uint32_t call;   /* The mark of its call, 0 as long as nobody asks. */
    uint64_t now_ms;
    enum ahoy_event_kind told; /* To the user; 0 when nothing is, or it has been polled. */
    const struct ahoy_transaction *about; /* The transaction of that, which lives until the next
                                           * settle; NULL for none. */
    struct span sent;                     /* Where |told| is RESPONSE. */
    struct ahoy_expected *expected;
    unsigned lookalikes; /* Transactions of the same hash. */
    bool is_accepted;
    bool keeps_answer;             /* It may not be answered without state. */
    struct ahoy_handle unanswered; /* The INVITE that was accepted; null once it is seen to. */
};

struct ahoy_transactions {
    struct ahoy_clocks clocks;
    struct ahoy_hash_key tag_key;    /* Of stateless tags. */
    struct ahoy_hash_key match_key;  /* Of the table of servers. */
    struct ahoy_hash_key branch_key; /* Of branches that are made from a seed. */
    struct ahoy_rng rng;
    const struct ahoy_flows *flows;
    struct ahoy_timers *timers;

    struct ahoy_pool pool;   /* struct ahoy_transaction */
    struct ahoy_map clients; /* By token. */
    struct ahoy_map servers; /* By the hash of their key. */
    struct ahoy_chunks chunks;
    struct ahoy_arena outbox; /* What is to be sent once, and what is no longer kept. */

    struct ahoy_sending *sendings;
    size_t next_sending, sending_count, sending_capacity, sending_limit;
    struct ahoy_transaction *first_owed, *last_owed; /* In the order in which events arose. */
    struct ahoy_transaction *dead; /* Told to be over; freed by the next settle. */
    uint32_t over_count;           /* Of the pool's, those that are over. */

    struct {
        const char *at; /* NULL for none. */
        uint32_t call;
        uint16_t gap;
    } joined; /* The last message that was made for sending, and what is known of it, or 0. */
    struct ahoy_arrival arrival;
    struct ahoy_message own;          /* A message of ours that is parsed again. */
    char scratch[AHOY_MESSAGE_LIMIT]; /* Where messages are composed. */
};

/* owner.c: the life of a transaction. */

/* A new slot, its clocks not running and in no table; NULL where a limit or the allocator
 * refuses. */
struct ahoy_transaction *ahoy_owner_add(struct ahoy_transactions *owner,
                                        enum ahoy_transaction_kind kind, enum ahoy_method method,
                                        const struct ahoy_hop *hop, uint64_t user);
/* Takes back what add gave, where the transaction did not come about. */
void ahoy_owner_drop(struct ahoy_transactions *owner, struct ahoy_transaction *transaction);
/* NULL where |handle| is stale or the transaction over. */
struct ahoy_transaction *ahoy_owner_get(const struct ahoy_transactions *owner,
                                        struct ahoy_handle handle);
struct ahoy_handle ahoy_owner_handle(const struct ahoy_transaction *transaction);
bool ahoy_owner_is_server(const struct ahoy_transaction *transaction);
/* It is over: no clock runs, no table has it, the user will be told. */
void ahoy_owner_end(struct ahoy_transactions *owner, struct ahoy_transaction *transaction);
/* Frees the slot and all that it holds. */
void ahoy_owner_remove(struct ahoy_transactions *owner, struct ahoy_transaction *transaction);

void ahoy_owner_start(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                      enum ahoy_clock clock, uint64_t now_ms);
void ahoy_owner_stop(struct ahoy_transactions *owner, struct ahoy_transaction *transaction);

/* Whether there is memory for what begins or prolongs a transaction.  Some is held back for what
 * ends one, or those that wait to end could fill it all and wait for ever. */
bool ahoy_owner_has_room(const struct ahoy_transactions *owner);
/* Keeps |pieces| joined instead of what was kept before, whose bytes live on until the next
 * settle.  False where memory is refused; all is then as before. */
bool ahoy_owner_keep(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                     const struct span *pieces, size_t count);
/* Keeps nothing. */
void ahoy_owner_forget(struct ahoy_transactions *owner, struct ahoy_transaction *transaction);

/* queues.c: what goes up and down. */

/* Makes room for one more message to be sent; false where a limit or the allocator refuses. */
bool ahoy_owner_reserve(struct ahoy_transactions *owner);
/* |bytes| are to be sent next, and their end is |pieces| joined: where they may grow will be told
 * along with them (stack/wire.h), if it can be told by that. */
void ahoy_owner_note_joined(struct ahoy_transactions *owner, const struct span *pieces,
                            size_t count, struct span bytes);
/* The same of what was composed for |request|.  To be forgotten once it was sent. */
void ahoy_owner_note_composed(struct ahoy_transactions *owner, const struct ahoy_outgoing *request,
                              struct span bytes);
/* The same where its |call| is known and where its end begins, as struct ahoy_outgoing has them; to
 * be forgotten likewise.  False, and nothing noted, where they are not. */
bool ahoy_owner_note_known(struct ahoy_transactions *owner, uint32_t call, uint32_t behind,
                           struct span bytes);
void ahoy_owner_forget_joined(struct ahoy_transactions *owner);
/* Sends |bytes|, which live until the next settle.  False only where nothing was reserved. */
bool ahoy_owner_send(struct ahoy_transactions *owner, const struct ahoy_hop *hop, struct span bytes,
                     struct ahoy_handle transaction);
/* Sends what |transaction| keeps.  Where there is no room it counts as lost on the way. */
void ahoy_owner_send_kept(struct ahoy_transactions *owner, struct ahoy_transaction *transaction);
/* The user will get an event of |kind| (TIMEOUT, UNREACHABLE, NO_ACK or ENDED). */
void ahoy_owner_tell(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                     enum ahoy_event_kind kind);
/* The user will get the message at hand, as an event of |transaction| or of none (NULL). */
void ahoy_owner_tell_message(struct ahoy_transactions *owner, enum ahoy_event_kind kind,
                             const struct ahoy_transaction *transaction);

/* client.c */

/* The message at hand is a response, which is to be taken soon. */
void ahoy_client_expect(const struct ahoy_transactions *owner, struct ahoy_expected *expected);
/* The message at hand is a response. */
void ahoy_client_take_response(struct ahoy_transactions *owner);
void ahoy_client_take_timer(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                            enum ahoy_clock clock, uint64_t now_ms);
void ahoy_client_take_failure(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                              uint64_t now_ms);
/* The CANCEL of |invite|, which is in INC_PROCEEDING, has left. */
void ahoy_client_take_cancel_sent(struct ahoy_transactions *owner, struct ahoy_transaction *invite,
                                  uint64_t now_ms);
/* A client transaction that is in the table but has not begun; NULL where it is refused. */
struct ahoy_transaction *ahoy_client_add(struct ahoy_transactions *owner, enum ahoy_method method,
                                         const struct ahoy_hop *hop,
                                         const struct ahoy_branch *branch, uint64_t user);
/* Begins, with the request that it keeps. */
void ahoy_client_begin(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                       uint64_t now_ms);
struct ahoy_branch ahoy_client_branch(const struct ahoy_transaction *transaction);

/* cancel.c */

/* A provisional response has come to |invite|, which is cancelled: its CANCEL may leave. */
void ahoy_cancel_go(struct ahoy_transactions *owner, struct ahoy_transaction *invite,
                    uint64_t now_ms);

/* server.c */

/* The message at hand is a request, which is to be taken soon. */
void ahoy_server_expect(const struct ahoy_transactions *owner, struct ahoy_expected *expected);
/* The message at hand is a request. */
void ahoy_server_take_request(struct ahoy_transactions *owner);
/* Answers the request of |event| in a transaction that has no user.  False where a limit or the
 * allocator refuses; all is then as before. */
bool ahoy_server_answer(struct ahoy_transactions *owner, const struct ahoy_event *event,
                        const struct span *pieces, size_t count);
/* The user has had its chance to answer the INVITE that it accepted last. */
void ahoy_server_see_to_unanswered(struct ahoy_transactions *owner);
void ahoy_server_take_timer(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                            enum ahoy_clock clock, uint64_t now_ms);
void ahoy_server_take_failure(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                              uint64_t now_ms);
/* Answers without state: stateless.c. */
bool ahoy_stateless_is_ack(const struct ahoy_transactions *owner,
                           const struct ahoy_routing *routing);
/* Whether the response at hand, which no transaction has, is to what we sent from a seed. */
bool ahoy_stateless_is_response(const struct ahoy_transactions *owner);
