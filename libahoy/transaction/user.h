/* What the transaction layer tells its user, and what the user may ask of it (RFC 3261 17, 16.6,
 * 8): the face that tu/ sees.  Events go up by being polled; requests and responses go down by
 * these calls, which return at once. */
#pragma once

#include "libahoy/transport/flow.h"

struct ahoy_transactions;

enum {
    AHOY_BRANCH_TAIL_LIMIT = 32, /* Bytes that a user may add to a branch. */
    /* Transactions that share one hash, which only peers of RFC 2543 can bring about. */
    AHOY_LOOKALIKES_LIMIT = 16
};

enum ahoy_event_kind {
    /* A request that matches no transaction, ACK and CANCEL aside.  The user accepts it (below),
     * answers it without state, or lets it drop. */
    AHOY_EVENT_REQUEST = 1,
    /* An ACK for a 2xx, or for nothing that is known: it makes no transaction. */
    AHOY_EVENT_ACK,
    /* A CANCEL: answered like any request.  |transaction| is the INVITE server transaction that it
     * matches (9.2), with its |user|; null where none does. */
    AHOY_EVENT_CANCEL,
    /* A response to the client transaction |transaction|: each provisional, the first final, and
     * after a 2xx to INVITE every further one (RFC 6026). */
    AHOY_EVENT_RESPONSE,
    /* A response to what ahoy_transaction_send sent, whose branch fits that of the Via below it
     * (16.11).  Others that match no transaction never come up (RFC 6026 8.9). */
    AHOY_EVENT_STRAY,
    /* The client transaction |transaction| heard no final response in time: timer B or F, or
     * 64*T1 after its CANCEL. */
    AHOY_EVENT_TIMEOUT,
    /* The client transaction's request could not be sent (treated as a 503, 8.1.3.1), or the ACK
     * to its final response, which then came up before (17.1.1.2, figure 5); or the server
     * transaction's response, which ends that transaction not at once but in its time (RFC 6026
     * 8.8). */
    AHOY_EVENT_UNREACHABLE,
    /* The INVITE server transaction's 300 to 699 was never acknowledged: timer H. */
    AHOY_EVENT_NO_ACK,
    /* |transaction| is over and its handle stale: the last event of every transaction. */
    AHOY_EVENT_ENDED
};

/* Lives until the next step or poll of the stack. */
struct ahoy_event {
    enum ahoy_event_kind kind;
    struct ahoy_handle transaction;     /* Null for REQUEST and ACK. */
    uint64_t user;                      /* What the user gave that transaction; 0 without. */
    bool is_server;                     /* |transaction| is a server transaction. */
    const struct ahoy_message *message; /* REQUEST, ACK, CANCEL, RESPONSE */
    const struct ahoy_routing *routing; /* of |message| */
    const struct ahoy_hop *hop;         /* by which |message| came */
    const struct ahoy_hop *sent_to;     /* Of a client transaction: where its request went. */
    struct span sent; /* RESPONSE: the request, as it was sent; empty where it is kept no more. */
};

/* Makes a server transaction of a REQUEST or CANCEL event, which then absorbs retransmissions.
 * |user| comes back in every event of it.  Null where a limit or the allocator refuses, or where
 * the event was accepted before: answer 503 without state.
 *
 * An INVITE that is accepted but not responded to before the next event is polled gets a 100 from
 * the layer (R3261-17.2.1-1).  Any other request that has no final response after 64*T1 ends
 * without one, since its client has given it up (RFC 4320 4.2). */
struct ahoy_handle ahoy_transaction_accept(struct ahoy_transactions *transactions,
                                           const struct ahoy_event *event, uint64_t user,
                                           uint64_t now_ms);

/* Sends a response through a server transaction: |pieces| joined are the message.  Its topmost Via
 * is the one that the request came with, with received and rport marked (ahoy_compose_response
 * does it for our own answers; for forwarded ones the request was marked on its way,
 * syntax/received.h).  Kept as long as it may have to be sent again.  After a final response
 * nothing more is sent, but for more 2xx to INVITE after a 2xx: what else comes is ignored, which
 * is a success.  False where |transaction| is stale, no server transaction, or over, or memory is
 * refused; the transaction is then as before. */
bool ahoy_transaction_respond(struct ahoy_transactions *transactions,
                              struct ahoy_handle transaction, unsigned status,
                              const struct span *pieces, size_t count, uint64_t now_ms);

/* A response, and what the wire would look for else. */
struct ahoy_reply {
    unsigned status;
    const struct span *pieces;
    size_t count;
    uint32_t call, behind; /* As struct ahoy_outgoing has them. */
};

/* The same, for who has composed the response himself, mostly when its request is no longer at
 * hand. */
bool ahoy_transaction_reply(struct ahoy_transactions *transactions, struct ahoy_handle transaction,
                            const struct ahoy_reply *reply, uint64_t now_ms);

/* Answers a REQUEST or CANCEL event without keeping anything: sent once (attack rule R3); an INVITE
 * by a failure.  The ACK to such an answer comes up as an AHOY_EVENT_ACK. */
void ahoy_transaction_answer(struct ahoy_transactions *transactions, const struct ahoy_event *event,
                             const struct span *pieces, size_t count);

/* If |event|, a REQUEST, came again, the answer to it would be another one, for something has been
 * used up by it: so it may not be answered without state (8.2.7).  From here on
 * ahoy_transaction_answer makes a server transaction of it, which keeps the answer; only where
 * memory is refused it does not.  No event of that transaction has a |user|. */
void ahoy_transaction_keep_answer(struct ahoy_transactions *transactions,
                                  const struct ahoy_event *event);

/* A request to be sent.  The layer puts our Via between |request_line| and |pieces|. */
struct ahoy_outgoing {
    enum ahoy_method method;
    struct span request_line;  /* With its CRLF. */
    const struct span *pieces; /* All that follows: rows, the empty line, the body. */
    size_t count;
    /* Where to.  What is too large for a datagram goes by TCP instead of UDP (18.1.1), and where
     * that is refused by UDP after all. */
    struct ahoy_hop hop;
    bool is_flow; /* Nothing else leads there (RFC 5626): it goes by no other transport. */
    struct span branch_tail; /* Appended to the branch, at most AHOY_BRANCH_TAIL_LIMIT bytes of a
                              * token; empty for none. */
    struct span via_params;  /* Further parameters of our Via, from ";" on; or empty. */
    /* What the wire would look for else (stack/wire.h), 0 where it is not known: the mark of the
     * Call-ID (ahoy_span_mark), and how many bytes at the end begin with the value of
     * Content-Length, a plain number in a row without folds. */
    uint32_t call;
    uint32_t behind;
    uint64_t user;           /* Comes back in the events. */
};

/* Starts a client transaction (any method but ACK) and sends.  Null where a limit (of
 * transactions, of memory, AHOY_MESSAGE_LIMIT) or the allocator refuses, or where no listener of
 * ours fits the hop, or that is a group; nothing comes up then.  Otherwise events follow, the last
 * one AHOY_EVENT_ENDED. */
struct ahoy_handle ahoy_transaction_request(struct ahoy_transactions *transactions,
                                            const struct ahoy_outgoing *request, uint64_t now_ms);

/* What events of |transaction| bring from now on, in place of what it was begun with.  Nothing
 * happens where it is stale. */
void ahoy_transaction_assign(struct ahoy_transactions *transactions,
                             struct ahoy_handle transaction, uint64_t user);

/* Sends a request once and forgets it: an ACK to a 2xx, or what is forwarded without state.  The
 * branch is made from |seed| (the branch that it came with) so that a retransmission gets the same
 * one (16.11).  False where no listener fits, or where a limit or the allocator refuses. */
bool ahoy_transaction_send(struct ahoy_transactions *transactions,
                           const struct ahoy_outgoing *request, struct span seed);

/* Sends a response of others once to |hop|: what is made of a STRAY event.  Where memory is
 * refused it is lost, as on the way. */
void ahoy_transaction_pass(struct ahoy_transactions *transactions, const struct ahoy_hop *hop,
                           const struct span *pieces, size_t count);

/* Cancels an INVITE client transaction (9.1): the CANCEL leaves at once where a provisional
 * response has come, else with the first one; never after a final one.  |headers| are further
 * rows (Reason), with CRLF, copied.  Its responses do not come up.  Nothing happens where
 * |transaction| is stale, no INVITE client transaction, or cancelled before. */
void ahoy_transaction_cancel(struct ahoy_transactions *transactions, struct ahoy_handle transaction,
                             struct span headers, uint64_t now_ms);

/* The listener that a request to |hop| would leave from, for Record-Route and Contact; NULL
 * where none fits. */
const struct ahoy_listener *ahoy_transaction_listener(const struct ahoy_transactions *transactions,
                                                      const struct ahoy_hop *hop);

/* Whether |via| has the sent-by of one of our listeners. */
bool ahoy_transaction_is_own_via(const struct ahoy_transactions *transactions,
                                 const struct ahoy_via *via);

/* The To tag for an answer without state: the same for the same request and its ACK, unguessable
 * (8.2.7).  An ACK event whose To tag equals its own is the ACK to such an answer, and is
 * dropped by the layer itself. */
void ahoy_transaction_stateless_tag(const struct ahoy_transactions *transactions,
                                    const struct ahoy_routing *routing, char tag[AHOY_TOKEN_SIZE]);
