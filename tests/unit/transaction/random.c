/* 200,000 random events, from fixed seeds: peers that answer, repeat themselves, fall silent or
 * lie, a user that does anything at any time, limits that are met all the time.  Whatever happens,
 * the laws of the layer hold:
 *
 * - a client transaction tells at most one final response, but for 2xx to INVITE, and nothing after
 *   a timeout;
 * - each transaction that the user got a handle of ends, exactly once, and nothing comes up or
 *   goes down for it afterwards;
 * - a request that has a transaction never comes up again;
 * - a server transaction sends one final response, the same each time, but for 2xx to INVITE;
 * - no CANCEL leaves before a provisional response;
 * - at the end no transaction, no timer and no byte is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/layer.h"

enum {
    EVENTS = 50000, /* For each of four seeds. */
    LIMIT = 1000,   /* Transactions, at most; some seeds have fewer. */
    RECORDS = 32768,
    LETTERS = 64, /* Messages of ours that peers may answer. */
    BRANCHES = 48 /* Of the peers' requests. */
};

/* What is known of a transaction.  Its number, counted from 1, is its |user|. */
struct record {
    struct ahoy_handle handle;
    enum ahoy_method method;
    bool is_server, has_ended, has_provisional;
    unsigned drains;  /* When it ended. */
    bool is_answered; /* Servers: by a final response. */
    unsigned finals_up, final_down;
    char token[AHOY_TOKEN_SIZE]; /* Clients: of their branch, once they have sent. */
};

struct letter {
    char bytes[1024];
    size_t size;
};

static struct layer layer;
static struct ahoy_rng rng;
static struct record records[RECORDS];
static uint64_t last_user;
static uint64_t user_of_slot[LIMIT];                         /* The last that had it. */
static uint64_t user_of_branch[AHOY_METHOD_COUNT][BRANCHES]; /* Servers: the last likewise. */
static uint32_t limit;
static size_t memory_limit;
static struct letter letters[LETTERS];
static size_t letter_count;
static unsigned ups, downs, cancels; /* So that a test that does nothing fails. */

static uint64_t below(uint64_t bound)
{
    return ahoy_rng_below(&rng, bound);
}

static struct record *record_of(uint64_t user)
{
    return user == 0 || user > last_user ? NULL : &records[user - 1];
}

static struct record *record_by_handle(struct ahoy_handle handle)
{
    assert_in_range(handle.slot, 0, LIMIT - 1);
    struct record *record = record_of(user_of_slot[handle.slot]);
    return record != NULL && ahoy_handle_equal(record->handle, handle) ? record : NULL;
}

/* Half of the time one of the latest. */
static struct record *some_record(void)
{
    uint64_t reach = below(2) == 0 && last_user > 20 ? 20 : last_user;
    return reach == 0 ? NULL : record_of(last_user - below(reach));
}

/* The user's next transaction, under the number that it was asked for with. */
static struct record *note(struct ahoy_handle handle, enum ahoy_method method)
{
    if (handle.generation == 0)
        return NULL;
    assert_true(last_user < RECORDS);
    struct record *before = record_of(user_of_slot[handle.slot]);
    assert_true(before == NULL || before->has_ended || before->handle.slot != handle.slot);
    records[last_user++] = (struct record){ .handle = handle, .method = method };
    user_of_slot[handle.slot] = last_user;
    return record_of(last_user);
}

static unsigned some_status(void)
{
    static const unsigned statuses[] = { 100, 180, 183, 200, 202, 302, 404, 486, 487, 503, 603 };
    return statuses[below(sizeof statuses / sizeof statuses[0])];
}

/* The user answers; whether that is of any use depends on what came before. */
static void answer(struct record *record)
{
    char text[64];
    unsigned status = some_status();
    int size = snprintf(text, sizeof text, "SIP/2.0 %u Any\r\nTo: <sip:b@b>;tag=%u\r\n\r\n", status,
                        (unsigned)below(2));
    const struct span piece = { text, (size_t)size };
    bool ok = ahoy_transaction_respond(layer.transactions, record->handle, status, &piece, 1,
                                       layer.now_ms);
    if (record->has_ended || !record->is_server)
        assert_false(ok);
    else if (ok && status >= 200)
        record->is_answered = true;
}

static void take_response(struct record *record, unsigned status)
{
    assert_false(record->is_server);
    bool is_success = status >= 200 && status < 300;
    if (status < 200) {
        assert_int_equal(record->finals_up, 0);
        record->has_provisional = true;
        return;
    }
    if (record->finals_up > 0)
        assert_true(record->method == AHOY_METHOD_INVITE && is_success);
    /* Once it has failed there is no success (figure 5). */
    assert_true(record->finals_up < 1000);
    record->finals_up += is_success && record->method == AHOY_METHOD_INVITE ? 1 : 1000;
}

/* Which of the peers' branches it is: peer_asks ends each with two digits. */
static size_t branch_at_hand(void)
{
    struct span branch = layer.routing.via.branch;
    uint64_t number = 0;
    assert_true(ahoy_span_number(ahoy_span_after(branch, branch.size - 2), BRANCHES, &number));
    return number;
}

static void take_request(const struct ahoy_event *event)
{
    enum ahoy_method method = event->message->method;
    uint64_t *user = &user_of_branch[method][branch_at_hand()];
    assert_true(*user == 0 || record_of(*user)->has_ended);
    if (below(8) == 0) {
        const struct span piece = SPAN("SIP/2.0 503 Any\r\n\r\n");
        ahoy_transaction_answer(layer.transactions, event, &piece, 1);
        return;
    }
    struct record *record = note(
        ahoy_transaction_accept(layer.transactions, event, last_user + 1, layer.now_ms), method);
    if (record == NULL)
        return;
    record->is_server = true;
    *user = last_user;
    if (below(2) == 0)
        answer(record);
}

static void check_event(const struct ahoy_event *event, struct record *record)
{
    assert_non_null(record);
    assert_true(ahoy_handle_equal(record->handle, event->transaction));
    assert_int_equal(record->is_server, event->is_server);
    assert_false(record->has_ended);
}

static void watch_event(struct layer *unused, const struct ahoy_event *event)
{
    (void)unused;
    struct record *record = record_of(event->user);
    ups++;
    if (event->transaction.generation != 0)
        check_event(event, record);
    switch (event->kind) {
    case AHOY_EVENT_REQUEST:
        assert_int_equal(event->transaction.generation, 0);
        take_request(event);
        break;
    case AHOY_EVENT_CANCEL:
        if (event->transaction.generation != 0)
            assert_int_equal(record->method, AHOY_METHOD_INVITE);
        take_request(event);
        break;
    case AHOY_EVENT_ACK:
        assert_int_equal(event->transaction.generation, 0);
        break;
    case AHOY_EVENT_STRAY:
        fail(); /* Nothing is forwarded without state here. */
        break;
    case AHOY_EVENT_RESPONSE:
        take_response(record, event->message->status);
        break;
    case AHOY_EVENT_TIMEOUT:
        assert_false(record->is_server);
        assert_int_equal(record->finals_up, 0);
        record->finals_up = 1000;
        break;
    case AHOY_EVENT_NO_ACK:
        assert_true(record->is_server && record->method == AHOY_METHOD_INVITE);
        assert_true(record->final_down >= 300);
        break;
    case AHOY_EVENT_UNREACHABLE:
        break;
    case AHOY_EVENT_ENDED:
        record->has_ended = true;
        record->drains = layer.drains;
        break;
    }
}

static void check_response_down(struct record *record)
{
    uint64_t status = 0;
    assert_true(record->is_server);
    assert_true(ahoy_span_number((struct span){ layer.sent + 8, 3 }, 699, &status));
    if (status < 200) {
        assert_int_equal(record->final_down, 0);
        return;
    }
    bool is_success = status < 300 && record->method == AHOY_METHOD_INVITE;
    if (record->final_down == 0)
        record->final_down = (unsigned)status;
    else if (is_success)
        assert_in_range(record->final_down, 200, 299);
    else
        assert_int_equal(status, record->final_down);
}

/* The token in the topmost Via of the request that goes down. */
static const char *token_down(void)
{
    static const char before[] = ";branch=z9hG4bK";
    const char *at = memmem(layer.sent, layer.sent_size, before, strlen(before));
    assert_non_null(at);
    return at + strlen(before);
}

/* A CANCEL of ours is a transaction that the user knows nothing of; it has the branch of one that
 * it knows (R3261-9.1-6). */
static void check_cancel_down(void)
{
    for (uint64_t user = last_user; user > 0; user--) {
        const struct record *record = record_of(user);
        if (memcmp(record->token, token_down(), AHOY_TOKEN_SIZE) != 0)
            continue;
        assert_int_equal(record->method, AHOY_METHOD_INVITE);
        assert_true(record->has_provisional);
        cancels++;
        return;
    }
    fail();
}

static void check_request_down(const struct ahoy_sending *sending, struct record *record)
{
    if (memcmp(layer.sent, "CANCEL ", 7) == 0) {
        assert_null(record);
        check_cancel_down();
    } else if (record != NULL) {
        assert_false(record->is_server);
        memcpy(record->token, token_down(), AHOY_TOKEN_SIZE);
    } else {
        assert_int_equal(sending->transaction.generation, 0);
    }
    if (layer.sent_size > sizeof letters[0].bytes)
        return;
    struct letter *letter = &letters[letter_count++ % LETTERS];
    memcpy(letter->bytes, layer.sent, layer.sent_size);
    letter->size = layer.sent_size;
}

static void watch_sending(struct layer *unused, const struct ahoy_sending *sending)
{
    (void)unused;
    downs++;
    struct record *record = NULL;
    if (sending->transaction.generation != 0)
        record = record_by_handle(sending->transaction);
    /* What it had sent before may still be on its way down. */
    if (record != NULL && record->has_ended)
        assert_int_equal(layer.drains, record->drains);
    if (memcmp(layer.sent, "SIP/2.0 ", 8) != 0)
        check_request_down(sending, record);
    else if (record != NULL)
        check_response_down(record);
}

static const struct layer_watch watch = { watch_event, watch_sending };

/* What a peer or the network does.  Events must be dry before. */

static void peer_answers(void)
{
    if (letter_count == 0)
        return;
    size_t reach = letter_count < LETTERS ? letter_count : LETTERS;
    const struct letter *letter = &letters[(letter_count - 1 - below(reach)) % LETTERS];
    if (memcmp(letter->bytes, "ACK ", 4) != 0)
        layer_answer_to(&layer, (struct span){ letter->bytes, letter->size }, some_status());
}

static void peer_asks(void)
{
    static const char *const methods[] = { "INVITE", "INVITE", "ACK", "CANCEL", "OPTIONS", "FROB" };
    static const char *const tags[] = { NULL, "0", "1" };
    static const char padding[] =
        "----------------------------------------------------------------";
    char branch[160];
    size_t number = below(BRANCHES);
    const char *method = methods[below(sizeof methods / sizeof methods[0])];
    const char *tag = tags[below(3)];
    /* Some are of RFC 2543, some are long. */
    if (number % 4 == 0)
        snprintf(branch, sizeof branch, "%02zu", number);
    else
        snprintf(branch, sizeof branch, "z9hG4bK%s%02zu", number % 4 == 1 ? padding : "", number);
    layer_request_to(&layer, method, branch, strcmp(method, "ACK") == 0 ? tag : NULL, "");
}

static void time_passes(void)
{
    static const uint64_t reaches[] = { 10, 10, 10, 700, 700, 700, 5000, 40000 };
    uint64_t reach = reaches[below(sizeof reaches / sizeof reaches[0])];
    layer_run(&layer, layer.now_ms + below(reach));
}

static void sending_fails(void)
{
    /* Whoever fails has sent something: any client, or a server that has answered. */
    const struct record *record = some_record();
    if (record == NULL || (record->is_server && !record->is_answered))
        return;
    ahoy_transactions_send_failed(layer.transactions, record->handle, layer.now_ms);
}

/* What the user does, at any time. */

static void user_sends(void)
{
    static const enum ahoy_method methods[] = { AHOY_METHOD_INVITE, AHOY_METHOD_INVITE,
                                                AHOY_METHOD_OPTIONS, AHOY_METHOD_OTHER };
    enum ahoy_method method = methods[below(4)];
    (void)note(layer_send_quietly(&layer, method, last_user + 1), method); /* Or it is refused. */
}

static void user_cancels(void)
{
    const struct record *record = some_record();
    if (record != NULL)
        ahoy_transaction_cancel(layer.transactions, record->handle, SPAN("Reason: SIP\r\n"),
                                layer.now_ms);
}

static void user_answers(void)
{
    struct record *record = some_record();
    if (record != NULL)
        answer(record);
}

static void user_sends_once(void)
{
    const struct span piece = SPAN("Content-Length: 0\r\n\r\n");
    const struct ahoy_outgoing ack = { .method = AHOY_METHOD_ACK,
                                       .request_line = SPAN("ACK sip:b@b SIP/2.0\r\n"),
                                       .pieces = &piece,
                                       .count = 1,
                                       .hop = layer.source };
    (void)ahoy_transaction_send(layer.transactions, &ack, SPAN("seed")); /* Or it is refused. */
}

static void something_happens(void)
{
    static void (*const outside[])(void) = { peer_answers, peer_answers, peer_asks,
                                             peer_asks,    time_passes,  sending_fails };
    static void (*const users[])(void) = { user_sends, user_cancels, user_answers, user_answers,
                                           user_sends_once };
    layer.source.transport = below(3) == 0 ? AHOY_TCP : AHOY_UDP;
    layer_drain_events(&layer);
    if (below(2) == 0)
        outside[below(sizeof outside / sizeof outside[0])]();
    else
        users[below(sizeof users / sizeof users[0])]();
    if (below(2) == 0)
        layer_drain(&layer);
    if (below(1000) == 0)
        ahoy_transactions_trim(layer.transactions);
    assert_in_range(ahoy_transactions_count(layer.transactions), 0, limit);
    assert_in_range(ahoy_transactions_memory(layer.transactions), 0, memory_limit);
}

/* All servers are answered, all clocks run out. */
static void come_to_rest(void)
{
    for (int i = 0; i < 3; i++) {
        layer_drain(&layer);
        for (uint64_t user = last_user; user > 0; user--) {
            const struct span piece = SPAN("SIP/2.0 500 Any\r\n\r\n");
            struct record *record = record_of(user);
            if (!record->is_server || record->has_ended || record->is_answered)
                continue;
            if (ahoy_transaction_respond(layer.transactions, record->handle, 500, &piece, 1,
                                         layer.now_ms))
                record->is_answered = true;
            layer_drain(&layer);
        }
        /* Calls of ours that ring for ever. */
        for (uint64_t user = last_user; user > 0; user--)
            ahoy_transaction_cancel(layer.transactions, record_of(user)->handle, SPAN(""),
                                    layer.now_ms);
        layer_run(&layer, layer.now_ms + 100000);
    }
}

static void run(uint64_t seed, uint32_t transactions, size_t messages)
{
    const uint64_t seeds[2] = { seed, 1 };
    limit = transactions;
    memory_limit = messages * 2016;
    memset(records, 0, sizeof records);
    memset(user_of_slot, 0, sizeof user_of_slot);
    memset(user_of_branch, 0, sizeof user_of_branch);
    last_user = letter_count = ups = downs = cancels = 0;
    ahoy_rng_init(&rng, seeds);
    layer_init_limited(&layer, AHOY_UDP, limit, memory_limit);
    layer.watch = &watch;
    for (int i = 0; i < EVENTS; i++)
        something_happens();
    come_to_rest();
    for (uint64_t user = last_user; user > 0; user--)
        assert_true(record_of(user)->has_ended);
    assert_true(last_user > EVENTS / 50 && ups > EVENTS / 10 && downs > EVENTS / 10);
    assert_true(cancels > 10);
    layer_fini(&layer);
}

static void test_room_for_all(void **state)
{
    (void)state;
    run(1, LIMIT, 10000);
}

static void test_less_room(void **state)
{
    (void)state;
    run(2, 200, 10000);
}

static void test_little_memory(void **state)
{
    (void)state;
    run(3, LIMIT, 60);
}

static void test_hardly_anything(void **state)
{
    (void)state;
    run(4, 30, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room_for_all),
        cmocka_unit_test(test_less_room),
        cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_hardly_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
