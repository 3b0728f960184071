/* 100,000 calls in which everybody does as chance will have it, watched by somebody who knows
 * nothing of the engine but what must hold (the laws of the simulator, by their numbers):
 *
 *  1. At most one final response to a request, but for 2xx to INVITE.
 *  2. Exactly one to an INVITE, at the latest when Timer C and 64*T1 are over.
 *  8. Each 2xx gets its ACK, the same for the same.
 *  9. All 2xx go up; one other final response at most.
 * 10. After a 2xx, a 6xx or the caller's CANCEL each pending branch gets one CANCEL, not before
 *     its first provisional response; and none for any other reason but Timer C.
 * 12. The best response is that of 16.7.
 * 17. We pop our own Via only, and the response goes where the request came from.
 * 18. Max-Forwards falls.
 *
 * A failure names its call: that number as the first argument plays it alone, with all messages. */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/base/rng.h"
#include "libahoy/syntax/compose.h"
#include "tests/support/stage.h"

enum { CALLS = 100000, BRANCHES = 4, KEPT_LIMIT = 2048 };

/* Some bytes that must be kept. */
struct kept {
    size_t size;
    char at[KEPT_LIMIT];
};

/* A target, and what has become of it. */
struct branch {
    struct kept request; /* As it got it; empty where it never did. */
    struct kept cancel;
    struct kept ack;     /* Of a 2xx, as the proxy forwarded it. */
    struct kept final;   /* Its final response, less our Via; empty for one that only counts. */
    unsigned status;     /* Of that. */
    unsigned order;      /* When it came. */
    bool provisional;    /* The proxy has heard one. */
    bool is_cancelled;   /* The proxy should have asked for it. */
    bool is_dropped;     /* For a better one, before the caller gave up. */
    uint64_t timer_c_ms; /* When it is due. */
    struct ahoy_handle client; /* Who sent the request. */
};

struct call {
    struct stage *stage;
    unsigned number;
    bool is_shown;
    struct ahoy_rng rng;
    bool is_invite;
    size_t count;
    struct branch branches[BRANCHES];
    unsigned finished; /* Branches that have a final response. */
    bool has_request;  /* The proxy has taken it. */
    bool server_is_over;
    struct kept answer; /* What Alice got last. */
    struct kept cancel_answer;
    unsigned final;                      /* Its status, or 0: the first final one. */
    unsigned successes;                  /* 2xx that she got. */
    const struct ahoy_message *expected; /* It must go up in this turn. */
    unsigned best;                       /* So must this one, of */
    const struct branch *best_of;
    bool expects_cancel_answer, gave_up;
    unsigned acks; /* That must go down in this turn. */
};

static void wrong(const struct call *call, int law, const char *what, struct span text)
{
    print_error("call %u, law %d: %s\n%.*s\n", call->number, law, what, (int)text.size, text.at);
    fail();
}

static unsigned below(struct call *call, unsigned bound)
{
    return (unsigned)ahoy_rng_below(&call->rng, bound);
}

static void keep(struct kept *kept, struct span text)
{
    assert_true(text.size <= sizeof kept->at);
    memcpy(kept->at, text.at, text.size);
    kept->size = text.size;
}

static struct span text_of(const struct kept *kept)
{
    return (struct span){ kept->at, kept->size };
}

/* Keeps a response as it must be behind us: without its first row, which has our Via alone. */
static void keep_popped(struct kept *kept, const struct ahoy_message *message)
{
    size_t line = message->start_line.size;
    size_t row = message->fields[0].row.size;
    struct span rest = ahoy_span_after(message->bytes, line + row);
    assert_int_equal(message->fields[0].header, AHOY_HEADER_VIA);
    assert_true(line + rest.size <= sizeof kept->at);
    memcpy(kept->at, message->bytes.at, line);
    memcpy(kept->at + line, rest.at, rest.size);
    kept->size = line + rest.size;
}

/* 16.7 step 6, said another way than the engine has it: more is better. */
static int worth(const struct call *call, unsigned status)
{
    if (status == 408 && !call->is_invite)
        return 0;
    if (status >= 600)
        return 1000;
    int value = 900 - (int)(status / 100) * 100;
    if (status == 401 || status == 407)
        value += 30;
    if (status == 415 || status == 420 || status == 484)
        value += 20;
    if (status == 487)
        value += call->gave_up ? 5 : -5;
    if (status == 408 || status == 503)
        value -= 10;
    return value;
}

/* Of those that have answered. */
static struct branch *find_best(struct call *call)
{
    struct branch *best = NULL;
    for (size_t i = 0; i < call->count; i++) {
        struct branch *branch = &call->branches[i];
        if (branch->status == 0 || branch->is_dropped)
            continue;
        int more = worth(call, branch->status) - (best == NULL ? 0 : worth(call, best->status));
        if (more > 0 || (more == 0 && best != NULL && branch->order < best->order))
            best = branch;
    }
    return best;
}

/* Of what came before, the best alone is kept then. */
static void see_giving_up(struct call *call)
{
    const struct branch *best = find_best(call);
    for (size_t i = 0; i < call->count; i++)
        call->branches[i].is_dropped = &call->branches[i] != best && call->branches[i].status != 0;
    call->gave_up = true;
}

/* All have answered, and none with a 2xx: the best is due. */
static void expect_best(struct call *call)
{
    const struct branch *best = find_best(call);
    if (best == NULL)
        return; /* RFC 4320 4.2 */
    call->best_of = best;
    call->best = best->status == 503 ? 500 : best->status;
}

static void expect_cancels(struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        if (call->is_invite && call->branches[i].status == 0)
            call->branches[i].is_cancelled = true;
    }
}

static void finish(struct call *call, struct branch *branch, unsigned status,
                   const struct ahoy_message *message)
{
    if (branch->status != 0)
        return;
    branch->status = status;
    branch->order = call->finished++;
    if (message != NULL && status != 503)
        keep_popped(&branch->final, message);
    if (call->final != 0 || call->server_is_over)
        return;
    if (status >= 600)
        expect_cancels(call);
    if (call->finished == call->count)
        expect_best(call);
}

static void hear_response(struct call *call, struct branch *branch,
                          const struct ahoy_message *message)
{
    unsigned status = message->status;
    bool is_open = call->final == 0 && !call->server_is_over;
    if (status < 200) {
        branch->provisional = true;
        if (status > 100 && !branch->is_cancelled && branch->status == 0)
            branch->timer_c_ms = call->stage->now_ms + STAGE_TIMER_C_MS;
        if (status > 100 && call->is_invite && is_open)
            call->expected = message;
    } else if (status < 300) {
        if (is_open || (call->is_invite && call->final < 300 && !call->server_is_over))
            call->expected = message;
        if (branch->status == 0) {
            branch->status = status;
            call->finished++;
        }
        if (is_open)
            expect_cancels(call);
    } else {
        finish(call, branch, status, message);
    }
}

/* At the end of a turn all that was due has been done. */
static void end_turn(struct call *call)
{
    struct span nothing = SPAN("");
    if (call->expected != NULL)
        wrong(call, 9, "was not forwarded", call->expected->bytes);
    if (call->best != 0)
        wrong(call, 12, "no final response was sent, instead of", text_of(&call->best_of->final));
    if (call->expects_cancel_answer)
        wrong(call, 3, "the CANCEL was not answered", nothing);
    if (call->acks > 0)
        wrong(call, 8, "the ACK was not forwarded", nothing);
    for (size_t i = 0; i < call->count; i++) {
        struct branch *branch = &call->branches[i];
        /* Timer C: 16.8. */
        if (call->is_invite && branch->status == 0 && branch->provisional &&
            branch->timer_c_ms < call->stage->now_ms)
            branch->is_cancelled = true;
        if (branch->is_cancelled && branch->status == 0 && branch->provisional &&
            branch->cancel.size == 0)
            wrong(call, 10, "a branch was not cancelled", text_of(&branch->request));
    }
}

static void see_event(void *watcher, const struct ahoy_event *event)
{
    struct call *call = watcher;
    if (event == NULL) {
        end_turn(call);
        return;
    }
    if (event->kind == AHOY_EVENT_REQUEST)
        call->has_request = true;
    if (event->kind == AHOY_EVENT_ACK)
        call->acks++;
    if (event->kind == AHOY_EVENT_CANCEL && event->user != 0) {
        call->expects_cancel_answer = true;
        if (call->final == 0) {
            see_giving_up(call);
            expect_cancels(call);
        }
    }
    /* A CANCEL's own server transaction has no events that mean anything. */
    size_t index = event->user >> 27 & 31;
    if (event->user == 0 || index >= call->count)
        return;
    struct branch *branch = &call->branches[index];
    if (event->is_server)
        call->server_is_over = call->server_is_over || event->kind == AHOY_EVENT_ENDED;
    else if (event->kind == AHOY_EVENT_RESPONSE)
        hear_response(call, branch, event->message);
    else if (event->kind == AHOY_EVENT_TIMEOUT)
        finish(call, branch, 408, NULL);
    else if (event->kind == AHOY_EVENT_UNREACHABLE)
        finish(call, branch, 503, NULL);
}

/* What leaves for a target. */
static void see_below(struct call *call, struct branch *branch, struct span text)
{
    if (ahoy_span_starts_nocase(text, SPAN("CANCEL "))) {
        bool due = branch->timer_c_ms <= call->stage->now_ms;
        if (branch->cancel.size == 0 &&
            (!branch->provisional || branch->status != 0 || !(branch->is_cancelled || due)))
            wrong(call, 10, "cancelled for no reason", text);
        if (branch->cancel.size != 0 && !ahoy_span_equal(text_of(&branch->cancel), text))
            wrong(call, 10, "cancelled twice", text);
        keep(&branch->cancel, text);
        branch->is_cancelled = true;
    } else if (ahoy_span_starts_nocase(text, SPAN("ACK "))) {
        if (memmem(text.at, text.size, "192.0.2.10", 10) == NULL)
            return; /* The layer's, for a 300 to 699. */
        if (call->acks == 0)
            wrong(call, 8, "an ACK that nobody sent", text);
        call->acks--;
        if (memmem(text.at, text.size, "ack1", 4) == NULL)
            return; /* So late for a 300 to 699 that its transaction is over. */
        if (branch->ack.size != 0 && !ahoy_span_equal(text_of(&branch->ack), text))
            wrong(call, 8, "not the same ACK for the same", text);
        keep(&branch->ack, text);
    } else {
        if (branch->request.size != 0 && !ahoy_span_equal(text_of(&branch->request), text))
            wrong(call, 3, "another request on one branch", text);
        if (memmem(text.at, text.size, "\r\nMax-Forwards: 32\r\n", 20) == NULL)
            wrong(call, 18, "Max-Forwards", text);
        if (branch->request.size == 0)
            branch->timer_c_ms = call->stage->now_ms + STAGE_TIMER_C_MS;
        keep(&branch->request, text);
    }
}

/* Whether |text| is what |branch| said, and behind its rows what others of 401 and 407 ask for. */
static bool is_aggregate(const struct call *call, const struct branch *best, struct span text)
{
    size_t end = best->final.size - 2; /* No body is sent in these. */
    if (text.size < best->final.size || memcmp(text.at, best->final.at, end) != 0)
        return false;
    size_t more = text.size - best->final.size;
    size_t due = 0;
    for (size_t i = 0; i < call->count; i++) {
        const struct branch *branch = &call->branches[i];
        if (branch == best || (branch->status != 401 && branch->status != 407))
            continue;
        char row[64];
        int size = snprintf(row, sizeof row, "WWW-Authenticate: Digest realm=\"%zu\"\r\n", i);
        due += (size_t)size;
        if (branch->final.size == 0 || memmem(text.at + end, more, row, (size_t)size) == NULL)
            return false;
    }
    return more == due;
}

/* Whether the To tag is that of a target. */
static bool is_of_target(struct span text)
{
    const char *tag = memmem(text.at, text.size, "example.com>;tag=t", 18);
    return tag != NULL && tag[20] == '\r';
}

static void see_best(struct call *call, struct span text, unsigned status)
{
    const struct branch *best = call->best_of;
    if (status != call->best)
        wrong(call, 12, "not the best", text);
    bool is_challenge = status == 401 || status == 407;
    if (best->final.size == 0) { /* Of our own making: with a tag of ours. */
        if (is_of_target(text))
            wrong(call, 12, "not ours", text);
    } else if (is_challenge ? !is_aggregate(call, best, text)
                            : !ahoy_span_equal(text_of(&best->final), text)) {
        wrong(call, 17, "not as it came", text);
    }
    call->best = 0;
}

/* What leaves for Alice. */
static void see_above(struct call *call, struct span text)
{
    unsigned status = (unsigned)strtoul(text.at + 8, NULL, 10);
    if (memmem(text.at, text.size, " CANCEL\r\n", 9) != NULL) {
        bool is_first = call->cancel_answer.size == 0;
        if (status != 200 || (is_first && !call->expects_cancel_answer) ||
            (!is_first && !ahoy_span_equal(text_of(&call->cancel_answer), text)))
            wrong(call, 3, "to a CANCEL", text);
        call->expects_cancel_answer = false;
        keep(&call->cancel_answer, text);
        return;
    }
    if (status == 100 && call->answer.size == 0) {
        keep(&call->answer, text);
        return;
    }
    if (call->expected != NULL) {
        struct kept popped;
        keep_popped(&popped, call->expected);
        if (!ahoy_span_equal(text_of(&popped), text))
            wrong(call, 17, "not as it came", text);
        call->expected = NULL;
    } else if (call->best != 0) {
        see_best(call, text, status);
    } else if (!ahoy_span_equal(text_of(&call->answer), text)) {
        wrong(call, 1, "is more than was due", text);
    }
    if (status >= 200 && call->final == 0)
        call->final = status;
    call->successes += status >= 200 && status < 300;
    keep(&call->answer, text);
}

static void see_sending(void *watcher, const struct ahoy_sending *sending)
{
    struct call *call = watcher;
    unsigned peer = sending->hop.remote.bytes[3] - 10u;
    if (call->is_shown)
        print_message("[%8llu] to %u: %.*s\n", (unsigned long long)(call->stage->now_ms - 1000000),
                      peer, (int)sending->bytes.size, sending->bytes.at);
    if (!ahoy_ip_equal(&sending->hop.remote, &call->stage->peers[peer].remote))
        wrong(call, 17, "another way than it came", sending->bytes);
    if (peer == ALICE) {
        see_above(call, sending->bytes);
        return;
    }
    struct branch *branch = &call->branches[peer - BOB];
    if (branch->request.size == 0)
        branch->client = sending->transaction;
    see_below(call, branch, sending->bytes);
}

/* Alice's request, or its CANCEL or ACK; |tag| is that of To, |branch| the end of her branch. */
static void alice_says(struct call *call, const char *method, const char *tag, const char *branch)
{
    static char room[1024];
    const char *transport = call->stage->peers[ALICE].transport == AHOY_UDP ? "UDP" : "TCP";
    int size = snprintf(room, sizeof room,
                        "%s sip:bob@example.com SIP/2.0\r\n"
                        "Via: SIP/2.0/%s 192.0.2.10:5060;branch=z9hG4bK%u%s\r\n"
                        "Max-Forwards: 33\r\n"
                        "From: <sip:alice@example.com>;tag=a\r\n"
                        "To: <sip:bob@example.com>%s\r\n"
                        "Call-ID: %u\r\n"
                        "CSeq: 1 %s\r\n"
                        "Content-Length: 0\r\n\r\n",
                        method, transport, call->number, branch, tag, call->number, method);
    struct span text = { room, (size_t)size };
    if (call->is_shown)
        print_message("[%8llu] from 0: %.*s\n", (unsigned long long)(call->stage->now_ms - 1000000),
                      size, room);
    stage_hear(call->stage, &call->stage->peers[ALICE], text);
}

static void target_says(struct call *call, size_t index, struct span request, unsigned status)
{
    static struct ahoy_message message;
    static char room[KEPT_LIMIT];
    assert_true(ahoy_message_parse(request, &message, NULL));
    char row[64] = "";
    if (status == 401 || status == 407)
        (void)snprintf(row, sizeof row, "WWW-Authenticate: Digest realm=\"%zu\"\r\n", index);
    char tag[] = { 't', (char)('0' + index), (char)('a' + below(call, 2)) };
    const struct ahoy_response response = { .status = status,
                                            .to_tag = { tag, sizeof tag },
                                            .headers = ahoy_span(row) };
    struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
    ahoy_compose_response(&buf, &message, &response);
    if (call->is_shown)
        print_message("[%8llu] from %zu: %.*s\n",
                      (unsigned long long)(call->stage->now_ms - 1000000), index + 1, (int)buf.size,
                      room);
    stage_hear(call->stage, &call->stage->peers[BOB + index], ahoy_buf_text(&buf));
}

static void target_acts(struct call *call)
{
    static const unsigned statuses[] = { 100, 100, 180, 180, 183, 200, 200, 202, 302,
                                         401, 401, 407, 404, 408, 415, 420, 484, 486,
                                         486, 487, 500, 503, 503, 600, 603 };
    size_t index = below(call, (unsigned)call->count);
    struct branch *branch = &call->branches[index];
    if (branch->request.size == 0)
        return;
    unsigned what = below(call, 10);
    if (what == 0 && branch->cancel.size != 0) {
        target_says(call, index, text_of(&branch->cancel), 200);
        target_says(call, index, text_of(&branch->request), 487);
    } else if (what == 1 && branch->status != 0) {
        target_says(call, index, text_of(&branch->request), branch->status);
    } else {
        /* One time in two, nothing final. */
        unsigned which =
            below(call, below(call, 2) == 0 ? 5 : sizeof statuses / sizeof statuses[0]);
        target_says(call, index, text_of(&branch->request), statuses[which]);
    }
}

static void alice_acts(struct call *call)
{
    switch (below(call, 4)) {
    case 0:
        if (!call->server_is_over)
            alice_says(call, call->is_invite ? "INVITE" : "MESSAGE", "", "");
        break;
    case 1:
        if (call->is_invite)
            alice_says(call, "CANCEL", "", "");
        break;
    case 2:
        if (call->is_invite && call->final >= 300)
            alice_says(call, "ACK", ";tag=x", "");
        break;
    default:
        /* She acknowledges the call that she has, as often as she likes. */
        if (call->is_invite && call->successes > 0)
            alice_says(call, "ACK", ";tag=t0", "ack1");
        break;
    }
}

static void time_passes(struct call *call)
{
    static const unsigned spans[] = { 1, 20, 600, 5000, 40000, STAGE_TIMER_C_MS };
    /* Long ones are rare, or nobody would ever answer in time. */
    unsigned which = below(call, 4) == 0 ? below(call, 6) : below(call, 3);
    stage_wait(call->stage, below(call, spans[which] + 1));
}

/* What was sent to a target is found not to have left, at any time. */
static void fails_to_leave(struct call *call)
{
    const struct branch *branch = &call->branches[below(call, (unsigned)call->count)];
    ahoy_transactions_send_failed(call->stage->transactions, branch->client, call->stage->now_ms);
    stage_turn(call->stage);
}

static void play(struct stage *stage, unsigned number, bool is_shown)
{
    static struct call call;
    memset(&call, 0, sizeof call);
    call.stage = stage;
    call.number = number;
    call.is_shown = is_shown;
    ahoy_rng_init(&call.rng, (uint64_t[2]){ 20, number });
    call.is_invite = below(&call, 4) > 0;
    call.count = 1 + below(&call, BRANCHES);
    for (unsigned i = 0; i <= call.count; i++)
        stage_transport(stage, (enum stage_peer)i, below(&call, 4) == 0 ? AHOY_UDP : AHOY_TCP);
    stage_fork(stage, call.count);
    stage->watcher = &call;
    alice_says(&call, call.is_invite ? "INVITE" : "MESSAGE", "", "");
    for (unsigned steps = 5 + below(&call, 20); steps > 0; steps--) {
        unsigned who = below(&call, 20);
        if (who < 12)
            target_acts(&call);
        else if (who < 15)
            alice_acts(&call);
        else if (who < 19)
            time_passes(&call);
        else
            fails_to_leave(&call);
    }
    stage_wait(stage, 600000);
    assert_true(call.has_request);
    if (call.is_invite && call.final == 0)
        wrong(&call, 2, "no final response", SPAN(""));
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    assert_int_equal(ahoy_proxy_open(stage->proxy), 0);
    assert_int_equal(ahoy_transactions_count(stage->transactions), 0);
}

static long alone = -1;

static void test_calls(void **state)
{
    (void)state;
    static struct stage stage;
    stage_init(&stage);
    stage.watch = see_sending;
    stage.tap = see_event;
    for (unsigned number = 0; number < CALLS; number++) {
        if (alone < 0 || alone == (long)number)
            play(&stage, number, alone >= 0);
    }
    stage_fini(&stage);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        alone = strtol(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
