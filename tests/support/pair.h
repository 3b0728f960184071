/* Two user agents, alice and bob, on two stacks with a wire of 10 ms between them, under virtual
 * time.  All that passes and all that they tell is written down as a ladder:
 *
 *     0 alice > bob INVITE
 *    10 bob: incoming
 *    10 bob > alice 180 INVITE lost
 *
 * In bob's place a script may stand instead, which sees what comes and answers by bytes. */
#pragma once

#include "libahoy/stack/stack.h"
#include "libahoy/tu/ua.h"

enum { PAIR_DELAY_MS = 10, PAIR_FLIGHT = 64, PAIR_TRACE = 1 << 16, PAIR_DROPS = 8 };

struct pair;

struct pair_end {
    const char *name;
    struct ahoy_listener listener;
    struct ahoy_stack *stack;
    struct ahoy_ua *ua;
    struct ahoy_handle session;            /* The last that it heard of. */
    struct ahoy_ua_news news;              /* The last. */
    char received[AHOY_MESSAGE_LIMIT + 1]; /* The last message that reached it. */
    size_t received_size;
};

struct pair_datagram {
    uint64_t due_ms;
    unsigned to; /* Index into ends. */
    char *bytes;
    size_t size;
};

struct pair {
    uint64_t now_ms;
    uint32_t session_s[2];   /* Their session timers. */
    bool trusts_anybody;     /* Both: REFER outside of calls, Replaces. */
    struct pair_end ends[2]; /* alice, bob */
    size_t flying;
    struct pair_datagram flight[PAIR_FLIGHT];
    struct {
        const char *name; /* "ACK", "200 INVITE" */
        unsigned count;
    } drops[PAIR_DROPS];
    /* Called with what reaches bob, who then has no user agent of his own; |message| is parsed. */
    void (*script)(struct pair *pair, const struct ahoy_message *message);
    struct ahoy_message message;
    struct ahoy_routing routing;
    struct ahoy_buf trace;
    char trace_space[PAIR_TRACE];
};

enum { ALICE, BOB };

void pair_init(struct pair *pair);
/* The same; alice has the URN |instance|. */
void pair_init_as(struct pair *pair, struct span instance);
/* The same; she has a further server, at bob's too. */
void pair_init_at(struct pair *pair, struct span instance, const struct ahoy_ua_server *more);
/* The same; their session timers ask for so much. */
void pair_init_timed(struct pair *pair, uint32_t alice_s, uint32_t bob_s);
/* The same; both take transfers from outside of calls. */
void pair_init_trusting(struct pair *pair);
/* Lets everything run out, and checks that nothing is left. */
void pair_fini(struct pair *pair);
/* The next |count| messages of this name are lost. */
void pair_lose(struct pair *pair, const char *name, unsigned count);
void pair_run(struct pair *pair, uint64_t until_ms);
/* Sends what the user agents were asked for just now. */
void pair_settle(struct pair *pair);

/* Bytes that the other end sends, outside of its own stack. */
void pair_inject(struct pair *pair, unsigned to, struct span text);
/* An answer of bob's to |request|; |rows| and |body| may be "". */
void pair_reply(struct pair *pair, const struct ahoy_message *request, unsigned status,
                const char *tag, const char *rows, const char *body);

/* A request of alice's outside of dialogs, by hand, for a user at bob's: |rows| are further rows,
 * each with its CRLF; |branch| follows the cookie.  Time goes on by 20 ms. */
void pair_outside(struct pair *pair, const char *method, const char *user, const char *branch,
                  const char *rows, const char *body);
/* The same within the dialog that bob has; the last that reached him was a request of it, or the
 * INVITE that he has answered provisionally. */
void pair_within(struct pair *pair, const char *method, unsigned cseq, const char *branch,
                 const char *rows, const char *body);

/* Alice calls bob; her session is in ends[ALICE].session. */
void pair_call(struct pair *pair);
/* The end rings, or answers, what came in last. */
void pair_ring(struct pair *pair, unsigned end);
void pair_answer(struct pair *pair, unsigned end);
void pair_hangup(struct pair *pair, unsigned end);
/* From pair_init up to where Bob rings, at 200. */
void pair_ringing(struct pair *pair);
/* From pair_init up to where both have confirmed the call, at 200; the ladder is forgotten. */
void pair_establish(struct pair *pair);

/* The last message that reached |end|, parsed. */
const struct ahoy_message *pair_received(struct pair *pair, unsigned end);
/* Compares the ladder since the last time, and empties it. */
void pair_expect(struct pair *pair, const char *lines);
void pair_forget(struct pair *pair);

#define PAIR_SDP_TYPE "Content-Type: application/sdp\r\n"
/* A session description of G.711 in the given direction. */
#define PAIR_SDP(direction)                                                                        \
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"                    \
    "m=audio 4000 RTP/AVP 8 0\r\na=" direction "\r\n"
