/* A proxy on a stage: the engine over the real transaction layer, between peers that say what a
 * test has them say, in virtual time.  What leaves is read in the order in which it left:
 *
 *     stage_say(&stage, ALICE, STAGE_INVITE);
 *     stage_expect(&stage, ALICE, "100");
 *     stage_expect(&stage, BOB, "INVITE");
 *     stage_answer(&stage, BOB, 486, "");
 *     stage_expect(&stage, BOB, "ACK");
 *     stage_expect(&stage, ALICE, "486");
 *     stage_expect_silence(&stage);
 *
 * Nothing that happens off the stage stays unread: stage_fini fails the test where it does. */
#pragma once

#include "libahoy/transaction/transactions.h"
#include "libahoy/tu/proxy.h"

/* Peer number n has the address 192.0.2.(10 + n), port 5060. */
enum stage_peer { ALICE, BOB, CAROL, DAVE, STAGE_PEERS = 20 };

/* The listeners of 192.0.2.1 and [2001:db8::1], by index. */
enum { STAGE_UDP, STAGE_TCP, STAGE_UDP6, STAGE_TLS, STAGE_UDP_ALT, STAGE_LISTENERS };

enum { STAGE_LOG_LIMIT = 4096, STAGE_TIMER_C_MS = 200000, STAGE_WISHES_LIMIT = 256 };

struct stage_message {
    uint64_t at_ms;
    struct ahoy_hop hop;
    struct ahoy_handle transaction;
    struct span bytes;
};

struct stage {
    uint64_t now_ms;
    struct ahoy_listener listeners[STAGE_LISTENERS];
    struct ahoy_timers timers;
    struct ahoy_flows flows;
    struct ahoy_transactions *transactions;
    struct ahoy_proxy *proxy;
    struct ahoy_hop peers[STAGE_PEERS]; /* UDP; a test may change them. */

    /* What the owner's policy makes of the next request; one target, Bob, at first. */
    struct ahoy_proxy_target targets[STAGE_PEERS];
    struct ahoy_proxy_plan plan;

    /* What the proxy wished for, LOCATE and REST apart, and how much of it a test has looked at. */
    size_t wanted_count, wanted_read, rest_count, rest_read;
    struct stage_wanted {
        uint64_t user;
        char uri[64];
        bool is_secure;
    } wanted[STAGE_WISHES_LIMIT];
    struct ahoy_proxy_wish rests[STAGE_WISHES_LIMIT];

    unsigned redirected; /* How often the policy was asked about a 3xx, ... */
    uint8_t sender;      /* ... the last time on behalf of this one. */

    /* Where these are set: the first gets what leaves, and nothing is logged; the second sees each
     * event before the proxy does, and NULL at the end of each turn. */
    void (*watch)(void *watcher, const struct ahoy_sending *sending);
    void (*tap)(void *watcher, const struct ahoy_event *event);
    void *watcher;

    struct stage_message log[STAGE_LOG_LIMIT];
    size_t count;
    size_t room_used; /* Bytes of it. */
    size_t read;      /* The first that was not expected yet. */
    struct span last; /* The one that was expected last. */
    struct ahoy_message message;
    struct ahoy_routing routing;
};

/* Alice calls Bob, by UDP, and acknowledges a 300 to 699, so that it is not sent again. */
extern const char STAGE_INVITE[];
extern const char STAGE_ACK[];
/* She asks what he can do. */
extern const char STAGE_OPTIONS[];

/* |limit| contexts, and as many transactions as they can need.  False where memory is refused;
 * then there is nothing to close.  No two stages at a time. */
bool stage_open(struct stage *stage, uint32_t limit);
void stage_close(struct stage *stage);
/* The same as a test's first and last line: nothing is refused, nothing unread, and at the end
 * nothing under way. */
void stage_init(struct stage *stage);
void stage_fini(struct stage *stage);
/* The two around a test, whose state is the stage. */
int stage_set_up(void **state);
int stage_tear_down(void **state);
#define stage_test(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

/* The next request is for |count| targets: Bob, Carol, Dave ... */
void stage_fork(struct stage *stage, size_t count);
/* The next request is for one more target, Bob by name, that has |count| ways. */
void stage_add_ways(struct stage *stage, const struct span *ways, size_t count);
/* The proxy wants |uri| to be located, and finds |peers|, those behind the first |fresh| resting;
 * the list ends with ALICE. */
void stage_locate(struct stage *stage, const char *uri, const enum stage_peer *peers, size_t fresh);
#define STAGE_AT(...) ((const enum stage_peer[]){ __VA_ARGS__, ALICE })
/* The proxy wants |peer| to rest. */
void stage_expect_rest(struct stage *stage, enum stage_peer peer, uint64_t rest_ms);

/* |peer| speaks by |transport| from now on. */
void stage_transport(struct stage *stage, enum stage_peer peer, enum ahoy_transport transport);

/* |peer| says |text|: a turn of the whole stage. */
void stage_say(struct stage *stage, enum stage_peer peer, const char *text);
void stage_hear(struct stage *stage, const struct ahoy_hop *hop, struct span text);
/* |peer| answers the last request of |method| that it got; |headers| are rows with CRLF.  Its tag
 * is "t" and its number. */
void stage_answer_to(struct stage *stage, enum stage_peer peer, const char *method, unsigned status,
                     const char *headers);
/* The same to the last request that is neither ACK nor CANCEL. */
void stage_answer(struct stage *stage, enum stage_peer peer, unsigned status, const char *headers);
bool stage_can_answer(const struct stage *stage, enum stage_peer peer);
/* What was sent to |peer| last did not leave. */
void stage_lose(struct stage *stage, enum stage_peer peer);
/* Time passes, and all that falls due happens when it is due. */
void stage_wait(struct stage *stage, uint64_t span_ms);
/* One turn: all events up, all messages out. */
void stage_turn(struct stage *stage);

/* The next message that left is to |peer|, and is a request of the method, or a response of the
 * status, that |what| names. */
void stage_check(struct stage *stage, enum stage_peer peer, const char *what, const char *file,
                 int line);
#define stage_expect(stage, peer, what) stage_check(stage, peer, what, __FILE__, __LINE__)
/* Nothing has left that was not expected. */
void stage_check_silence(struct stage *stage, const char *file, int line);
#define stage_expect_silence(stage) stage_check_silence(stage, __FILE__, __LINE__)
/* The message that was expected last is |text|; "BRANCH" in it stands for the rest of
 * our Via. */
void stage_check_text(struct stage *stage, const char *text, const char *file, int line);
#define stage_expect_text(stage, text) stage_check_text(stage, text, __FILE__, __LINE__)
/* It is STAGE_INVITE as it is forwarded to |uri|, with |rows| between Via and Max-Forwards. */
void stage_check_invite(struct stage *stage, const char *uri, const char *rows, const char *file,
                        int line);
#define stage_expect_invite(stage, uri, rows)                                                      \
    stage_check_invite(stage, uri, rows, __FILE__, __LINE__)
/* |peer| answers as by stage_answer, with a failure, and gets its ACK. */
#define stage_fail(stage, peer, status, headers)                                                   \
    (stage_answer(stage, peer, status, headers), stage_expect(stage, peer, "ACK"))
/* Alice gets the failure |what|, acknowledges it, and that was all. */
#define stage_end_with(stage, what)                                                                \
    (stage_expect(stage, ALICE, what), stage_say(stage, ALICE, STAGE_ACK),                         \
     stage_expect_silence(stage))
/* Whether the message that was expected last has |row|, without CRLF. */
bool stage_has(const struct stage *stage, const char *row);
