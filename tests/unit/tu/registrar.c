/* The registrar's rules, step by step (RFC 3261 10.3), and attacks 13, 14, 56 and 57. */
#include "libahoy/tu/registrar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static const struct ahoy_registrar_limits limits = { .min_expires_s = 60,
                                                     .max_expires_s = 7200,
                                                     .default_expires_s = 3600 };
static const uint64_t now_ms = 1000000;

/* A registrar with one address-of-record, which keeps what apply leaves behind. */
struct world {
    bool safe; /* The Request-URI is sips. */
    char text[65536];
    struct ahoy_message message;
    struct ahoy_routing routing;
    struct ahoy_register read;
    struct ahoy_bindings bindings, next;
    struct ahoy_err err;
};

static int setup(void **state)
{
    static struct world world;
    ahoy_bindings_init(&world.bindings);
    world.safe = false;
    *state = &world;
    return 0;
}

static bool parse(struct world *world, const char *call_id, unsigned cseq, const char *rows)
{
    int size = snprintf(world->text, sizeof world->text,
                        "REGISTER sip%s:atlanta.example SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnashds7\r\n"
                        "From: <sip:alice@atlanta.example>;tag=456248\r\n"
                        "To: <sip:alice@atlanta.example>\r\n"
                        "Call-ID: %s\r\nCSeq: %u REGISTER\r\n%s\r\n",
                        world->safe ? "s" : "", call_id, cseq, rows);
    struct span bytes = { world->text, (size_t)size };
    struct ahoy_hop hop = { .transport = AHOY_UDP };
    assert_in_range(size, 1, sizeof world->text - 1);
    assert_true(ahoy_message_parse(bytes, &world->message, &world->err));
    assert_true(ahoy_message_routing(&world->message, &world->routing, &world->err));
    struct ahoy_address contact;
    (void)ahoy_message_check_rest(&world->message, &world->routing, &contact, NULL);
    world->err = (struct ahoy_err){ 0 };
    bool sound = ahoy_register_parse(&world->message, &world->routing, NULL, &hop, &limits,
                                     &world->read, &world->err);
    /* A Contact that was read before makes no difference. */
    const struct ahoy_err before = world->err;
    world->err = (struct ahoy_err){ 0 };
    assert_int_equal(ahoy_register_parse(&world->message, &world->routing, &contact, &hop, &limits,
                                         &world->read, &world->err),
                     sound);
    assert_int_equal(world->err.status, before.status);
    assert_ptr_equal(world->err.at, before.at);
    return sound;
}

static unsigned parse_fault(struct world *world, const char *rows)
{
    assert_false(parse(world, "call", 1, rows));
    return world->err.status;
}

/* What the registrar answers at |at_ms|; only a 200 changes the bindings. */
static unsigned register_at(struct world *world, uint64_t at_ms, const char *call_id, unsigned cseq,
                            const char *rows)
{
    if (!parse(world, call_id, cseq, rows) ||
        !ahoy_registrar_apply(&world->bindings, &world->read.asks, at_ms, &world->next,
                              &world->err))
        return world->err.status;
    ahoy_bindings_copy(&world->bindings, &world->next, at_ms);
    return 200;
}

static unsigned register_now(struct world *world, const char *call_id, unsigned cseq,
                             const char *rows)
{
    return register_at(world, now_ms, call_id, cseq, rows);
}

static void assert_listed(struct world *world, uint64_t at_ms, const char *right)
{
    char space[16384];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_registrar_print(&world->bindings, at_ms, &buf);
    assert_false(buf.overflow);
    space[buf.size] = '\0';
    assert_string_equal(space, right);
}

/* In any order, between others, however many those are. */
static void a_contact_has_parameters_in_any_order(void **state)
{
    struct world *world = *state;
    assert_true(parse(world, "call", 1,
                      "Supported: outbound, path\r\n"
                      "Contact: <sip:a@192.0.2.1>;a;b=1;reg-id=7;c;Q=0.5;d=\"q=1\";e;"
                      "+sip.instance=\"<urn:x>\";f;expires=100;g=h\r\n"));
    const struct ahoy_asked_contact *asked = world->read.asks.asked;
    assert_int_equal(world->read.asks.count, 1);
    assert_int_equal(asked[0].expires_s, 100);
    assert_int_equal(asked[0].q, 500);
    assert_int_equal(asked[0].reg_id, 7);
    assert_true(ahoy_span_equal(asked[0].instance, SPAN("<urn:x>")));
    assert_true(parse(world, "call", 1,
                      "Contact: <sip:a@192.0.2.1>;q=0.5;+sip.instance=\"<urn:x>\";expires=100, "
                      "<sip:b@192.0.2.1>;x\r\n"));
    assert_int_equal(world->read.asks.count, 2);
    assert_int_equal(asked[1].expires_s, 3600); /* Nothing is left of the first. */
    assert_int_equal(asked[1].q, 1000);
    assert_int_equal(asked[1].instance.size, 0);
    assert_int_equal(asked[1].reg_id, 0);
    /* Of one that is there twice, the first counts, and a fault in the other does not. */
    assert_true(parse(world, "call", 1,
                      "Contact: <sip:a@192.0.2.1>;expires=100;expires=200;q=0.5;q=9;EXPIRES=300;"
                      "expires=400;expires=500;expires=600\r\n"));
    assert_int_equal(asked[0].expires_s, 100);
    assert_int_equal(asked[0].q, 500);
}

/* R3261-10.3-16, -17, -18: parameter, header, default. */
static void the_interval_comes_from_three_places(void **state)
{
    struct world *world = *state;
    assert_true(parse(world, "call", 1,
                      "Contact: <sip:a@192.0.2.1>;expires=100, <sip:b@192.0.2.1>\r\n"
                      "Contact: sip:c@192.0.2.1;expires=0\r\nExpires: 200\r\n"));
    assert_int_equal(world->read.asks.count, 3);
    assert_int_equal(world->read.asks.asked[0].expires_s, 100);
    assert_int_equal(world->read.asks.asked[1].expires_s, 200);
    assert_int_equal(world->read.asks.asked[2].expires_s, 0);
    assert_true(parse(world, "call", 1, "Contact: <sip:a@192.0.2.1>\r\n"));
    assert_int_equal(world->read.asks.asked[0].expires_s, 3600);
    assert_false(world->read.asks.remove_all);
    assert_int_equal(world->read.asks.cseq, 1);
}

static uint32_t expires_of(struct world *world, const char *rows)
{
    assert_true(parse(world, "call", 1, rows));
    return world->read.asks.asked[0].expires_s;
}

/* Attack 57, and what 20.10 and 20.19 say of malformed values. */
static void the_interval_is_bounded(void **state)
{
    struct world *world = *state;
    assert_int_equal(expires_of(world, "Contact: <sip:a@192.0.2.1>;expires=7201\r\n"), 7200);
    assert_int_equal(expires_of(world, "Contact: <sip:a@192.0.2.1>;expires=4294967296\r\n"), 7200);
    assert_int_equal(
        expires_of(world, "Contact: <sip:a@192.0.2.1>\r\nExpires: 99999999999999999999\r\n"), 7200);
    assert_int_equal(expires_of(world, "Contact: <sip:a@192.0.2.1>;expires=soon\r\n"), 3600);
    assert_int_equal(expires_of(world, "Contact: <sip:a@192.0.2.1>\r\nExpires: -1\r\n"), 3600);
    assert_int_equal(expires_of(world, "Contact: <sip:a@192.0.2.1>\r\nExpires: \r\n"), 3600);
    assert_int_equal(expires_of(world, "Contact: <sip:a@192.0.2.1>;expires=60\r\n"), 60);
    assert_int_equal(parse_fault(world, "Contact: <sip:a@192.0.2.1>;expires=59\r\n"), 423);
    assert_int_equal(parse_fault(world, "Contact: <sip:a@192.0.2.1>\r\nExpires: 1\r\n"), 423);
    /* One contact that is too brief refuses the whole request. */
    assert_int_equal(
        parse_fault(world, "Contact: <sip:a@192.0.2.1>, <sip:b@192.0.2.1>;expires=1\r\n"), 423);
}

/* 423 only below one hour, however long the minimum is. */
static void an_hour_is_never_too_brief(void **state)
{
    struct world *world = *state;
    const struct ahoy_registrar_limits strict = { 7200, 86400, 7200, 0 };
    struct ahoy_hop hop = { .transport = AHOY_UDP };
    assert_true(parse(world, "call", 1, "Contact: <sip:a@192.0.2.1>;expires=3600\r\n"));
    assert_true(ahoy_register_parse(&world->message, &world->routing, NULL, &hop, &strict,
                                    &world->read, &world->err));
    assert_true(parse(world, "call", 1, "Contact: <sip:a@192.0.2.1>;expires=3599\r\n"));
    assert_false(ahoy_register_parse(&world->message, &world->routing, NULL, &hop, &strict,
                                     &world->read, &world->err));
    assert_int_equal(world->err.status, 423);
}

static void q_is_read_in_thousandths(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *row;
        unsigned q;
    } good[] = {
        { "Contact: <sip:a@b.example>\r\n", 1000 },
        { "Contact: <sip:a@b.example>;q=1\r\n", 1000 },
        { "Contact: <sip:a@b.example>;q=1.000\r\n", 1000 },
        { "Contact: <sip:a@b.example>;q=0\r\n", 0 },
        { "Contact: <sip:a@b.example>;q=0.\r\n", 0 },
        { "Contact: <sip:a@b.example>;q=0.7\r\n", 700 },
        { "Contact: <sip:a@b.example>;Q=0.25\r\n", 250 },
        { "Contact: <sip:a@b.example>;q=0.001\r\n", 1 },
    };
    static const char *const bad[] = {
        "Contact: <sip:a@b.example>;q=2\r\n",      "Contact: <sip:a@b.example>;q=1.001\r\n",
        "Contact: <sip:a@b.example>;q=0.0001\r\n", "Contact: <sip:a@b.example>;q=.5\r\n",
        "Contact: <sip:a@b.example>;q=0,5\r\n",    "Contact: <sip:a@b.example>;q=00\r\n",
        "Contact: <sip:a@b.example>;q\r\n",        "Contact: <sip:a@b.example>;q=0.x\r\n",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(parse(world, "call", 1, good[i].row));
        assert_int_equal(world->read.asks.asked[0].q, good[i].q);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse_fault(world, bad[i]), 400);
}

/* Attack 13, CVE-2011-2665. */
static void a_broken_contact_is_refused(void **state)
{
    struct world *world = *state;
    static char huge[2048];
    assert_int_equal(parse_fault(world, "Contact: sip:a@192.0.2.1>\r\n"), 400);
    assert_int_equal(parse_fault(world, "Contact: <sip:a@192.0.2.1\r\n"), 400);
    assert_int_equal(parse_fault(world, "Contact: \"a <sip:a@192.0.2.1>\r\n"), 400);
    assert_int_equal(parse_fault(world, "Contact: <sip:a@192.0.2.1>,\r\n"), 400);
    /* R5627-5.1-3 */
    assert_int_equal(parse_fault(world, "Contact: <mailto:alice@atlanta.example>\r\n"), 403);
    assert_int_equal(parse_fault(world, "Contact: <sip:a@192.0.2.1>;=\r\n"), 400);
    memset(huge, 'a', AHOY_CONTACT_LIMIT + 1);
    (void)snprintf(huge + AHOY_CONTACT_LIMIT + 1, 100, "@192.0.2.1>\r\n");
    memcpy(huge, "Contact: <sip:", strlen("Contact: <sip:"));
    assert_int_equal(parse_fault(world, huge), 400);
}

/* A contact of exactly the limit is kept. */
static void a_long_contact_is_kept(void **state)
{
    struct world *world = *state;
    static char rows[2048];
    int size = snprintf(rows, sizeof rows, "Contact: <sip:");
    size_t users = AHOY_CONTACT_LIMIT - strlen("sip:@192.0.2.1");
    memset(rows + size, 'a', users);
    (void)snprintf(rows + (size_t)size + users, 100, "@192.0.2.1>\r\n");
    assert_int_equal(register_now(world, "call", 1, rows), 200);
    assert_int_equal(world->bindings.list[0].contact.size, AHOY_CONTACT_LIMIT);
}

static void a_long_call_id_is_refused(void **state)
{
    struct world *world = *state;
    char call_id[AHOY_BINDING_CALL_ID_LIMIT + 2] = { 0 };
    memset(call_id, 'c', AHOY_BINDING_CALL_ID_LIMIT);
    assert_int_equal(register_now(world, call_id, 1, "Contact: <sip:a@b.example>\r\n"), 200);
    call_id[AHOY_BINDING_CALL_ID_LIMIT] = 'c';
    assert_int_equal(register_now(world, call_id, 2, "Contact: <sip:a@b.example>\r\n"), 400);
}

/* R5630-5.2-2, R5630-5.2-3: with a sips contact all contacts and the Request-URI are sips. */
static void safe_contacts_are_registered_safely(void **state)
{
    struct world *world = *state;
    assert_int_equal(parse_fault(world, "Contact: <sips:a@192.0.2.1>\r\n"), 400);
    world->safe = true;
    assert_true(parse(world, "call", 1, "Contact: <sips:a@192.0.2.1>, <SIPS:b@192.0.2.2>\r\n"));
    assert_true(parse(world, "call", 1, "Contact: <sip:a@192.0.2.1>\r\n"));
    assert_int_equal(parse_fault(world, "Contact: <sips:a@192.0.2.1>, <sip:b@192.0.2.1>\r\n"), 400);
}

/* Attack 14, R3261-10.2.2-1, R3261-10.3-12: the bindings stay as they were. */
static void star_must_stand_alone(void **state)
{
    struct world *world = *state;
    static const char *const bad[] = {
        "Contact: *\r\n",
        "Contact: *\r\nExpires: 1\r\n",
        "Contact: *\r\nExpires: x\r\n",
        "Contact: *, <sip:a@192.0.2.1>\r\nExpires: 0\r\n",
        "Contact: <sip:a@192.0.2.1>\r\nContact: *\r\nExpires: 0\r\n",
        "Contact: *\r\nContact: *\r\nExpires: 0\r\n",
        "Contact: *;expires=0\r\n",
    };
    assert_int_equal(register_now(world, "call", 1, "Contact: <sip:a@192.0.2.1>\r\n"), 200);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(register_now(world, "call", 2, bad[i]), 400);
    assert_listed(world, now_ms, "Contact: <sip:a@192.0.2.1>;expires=3600\r\n");
}

/* R3261-10.3-13, -14, -15. */
static void star_removes_all(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 5, "Contact: <sip:a@192.0.2.1>\r\n"), 200);
    assert_int_equal(register_now(world, "two", 9, "Contact: <sip:b@192.0.2.1>\r\n"), 200);
    assert_int_equal(register_now(world, "two", 9, "Contact: *\r\nExpires: 0\r\n"), 500);
    assert_int_equal(world->bindings.count, 2);
    assert_int_equal(register_now(world, "three", 1, "Contact: *\r\nExpires: 0\r\n"), 200);
    assert_int_equal(world->bindings.count, 0);
}

/* R3261-10.3-20, -21, -22: of one call in order, of others in any. */
static void cseq_orders_the_requests_of_a_call(void **state)
{
    struct world *world = *state;
    const char *row = "Contact: <sip:a@192.0.2.1>;expires=100\r\n";
    const char *longer = "Contact: <sip:a@192.0.2.1>;expires=200\r\n";
    const char *removal = "Contact: <sip:a@192.0.2.1>;expires=0\r\n";
    assert_int_equal(register_now(world, "one", 7, row), 200);
    assert_int_equal(register_now(world, "one", 7, longer), 500);
    assert_int_equal(register_now(world, "one", 6, removal), 500);
    assert_listed(world, now_ms, "Contact: <sip:a@192.0.2.1>;expires=100\r\n");
    assert_int_equal(register_now(world, "one", 8, longer), 200);
    assert_int_equal(world->bindings.list[0].cseq, 8);
    assert_int_equal(register_now(world, "two", 1, row), 200);
    assert_int_equal(world->bindings.count, 1);
    assert_int_equal(world->bindings.list[0].cseq, 1);
    assert_listed(world, now_ms, "Contact: <sip:a@192.0.2.1>;expires=100\r\n");
    assert_int_equal(register_now(world, "three", 1, removal), 200);
    assert_int_equal(world->bindings.count, 0);
}

/* R3261-10.3-5, -23: the second contact is out of order, so the first is not added. */
static void all_changes_or_none(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 7, "Contact: <sip:a@192.0.2.1>\r\n"), 200);
    assert_int_equal(
        register_now(world, "one", 7, "Contact: <sip:b@192.0.2.1>, <sip:a@192.0.2.1>\r\n"), 500);
    assert_listed(world, now_ms, "Contact: <sip:a@192.0.2.1>;expires=3600\r\n");
    /* A binding that the request does not name does not hold it up. */
    assert_int_equal(register_now(world, "one", 7, "Contact: <sip:b@192.0.2.1>\r\n"), 200);
    assert_int_equal(world->bindings.count, 2);
}

/* Contacts are one by 19.1.4, not by their bytes. */
static void contacts_are_compared_as_uris(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 1, "Contact: <sip:%61@B.example>;q=0.5\r\n"), 200);
    assert_int_equal(register_now(world, "one", 2, "Contact: <sip:a@b.example>\r\n"), 200);
    assert_listed(world, now_ms, "Contact: <sip:a@b.example>;expires=3600\r\n");
    assert_int_equal(register_now(world, "one", 3, "Contact: <sip:A@b.example>;q=0.123\r\n"), 200);
    assert_int_equal(register_now(world, "one", 4, "Contact: <sip:a@b.example:5060>\r\n"), 200);
    assert_listed(world, now_ms,
                  "Contact: <sip:a@b.example>;expires=3600\r\n"
                  "Contact: <sip:A@b.example>;expires=3600;q=0.123\r\n"
                  "Contact: <sip:a@b.example:5060>;expires=3600\r\n");
}

/* Equality is not transitive: one contact may meet two bindings, and becomes one of them. */
static void one_contact_replaces_every_equal_one(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 1, "Contact: <sip:a@b.example;x=1>\r\n"), 200);
    assert_int_equal(register_now(world, "one", 2, "Contact: <sip:a@b.example;x=2>\r\n"), 200);
    assert_int_equal(world->bindings.count, 2);
    assert_int_equal(register_now(world, "one", 3, "Contact: <sip:a@b.example>\r\n"), 200);
    assert_listed(world, now_ms, "Contact: <sip:a@b.example>;expires=3600\r\n");
}

static void the_last_of_two_equal_contacts_counts(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 1,
                                  "Contact: <sip:a@b.example>;expires=100\r\n"
                                  "Contact: <sip:a@b.example>;expires=200\r\n"),
                     200);
    assert_listed(world, now_ms, "Contact: <sip:a@b.example>;expires=200\r\n");
    assert_int_equal(register_now(world, "one", 2,
                                  "Contact: <sip:a@b.example>;expires=100\r\n"
                                  "Contact: <sip:a@b.example>;expires=0\r\n"),
                     200);
    assert_int_equal(world->bindings.count, 0);
}

/* Attack 56. */
static void an_eleventh_binding_is_refused(void **state)
{
    struct world *world = *state;
    char rows[64];
    for (unsigned i = 0; i < AHOY_BINDINGS_LIMIT; i++) {
        (void)snprintf(rows, sizeof rows, "Contact: <sip:a%u@b.example>\r\n", i);
        assert_int_equal(register_now(world, "one", i + 1, rows), 200);
    }
    assert_int_equal(register_now(world, "one", 50, "Contact: <sip:more@b.example>\r\n"), 403);
    assert_int_equal(world->bindings.count, AHOY_BINDINGS_LIMIT);
    /* One leaves, one comes. */
    assert_int_equal(register_now(world, "one", 51,
                                  "Contact: <sip:more@b.example>\r\n"
                                  "Contact: <sip:a3@b.example>;expires=0\r\n"),
                     200);
    assert_int_equal(world->bindings.count, AHOY_BINDINGS_LIMIT);
    /* What has expired takes no place. */
    assert_int_equal(
        register_at(world, now_ms + 3600000, "two", 1, "Contact: <sip:x@b.example>\r\n"), 200);
    assert_int_equal(world->bindings.count, 1);
}

static void eleven_contacts_at_once_are_refused(void **state)
{
    struct world *world = *state;
    char rows[1024];
    size_t size = 0;
    for (unsigned i = 0; i <= AHOY_BINDINGS_LIMIT; i++)
        size += (size_t)snprintf(rows + size, sizeof rows - size,
                                 "Contact: <sip:a%u@b.example>\r\n", i);
    assert_int_equal(register_now(world, "one", 1, rows), 403);
    assert_int_equal(world->bindings.count, 0);
}

/* Step 6: without a Contact nothing changes and all is listed. */
static void a_query_changes_nothing(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 1, "Contact: <sip:a@b.example>\r\n"), 200);
    assert_true(parse(world, "one", 1, "Expires: 0\r\n"));
    assert_int_equal(world->read.asks.count, 0);
    assert_false(world->read.asks.remove_all);
    assert_int_equal(register_now(world, "one", 1, ""), 200);
    assert_listed(world, now_ms, "Contact: <sip:a@b.example>;expires=3600\r\n");
}

/* R3261-10.3-25, -26: what is left of the interval, and nothing that is over. */
static void the_answer_counts_down(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_now(world, "one", 1, "Contact: <sip:a@b.example>;expires=60\r\n"),
                     200);
    assert_listed(world, now_ms + 1, "Contact: <sip:a@b.example>;expires=60\r\n");
    assert_listed(world, now_ms + 1000, "Contact: <sip:a@b.example>;expires=59\r\n");
    assert_listed(world, now_ms + 59999, "Contact: <sip:a@b.example>;expires=1\r\n");
    assert_listed(world, now_ms + 60000, "");
}

#define RULE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_contact_has_parameters_in_any_order),
        RULE(the_interval_comes_from_three_places),
        RULE(the_interval_is_bounded),
        RULE(an_hour_is_never_too_brief),
        RULE(q_is_read_in_thousandths),
        RULE(safe_contacts_are_registered_safely),
        RULE(a_broken_contact_is_refused),
        RULE(a_long_contact_is_kept),
        RULE(a_long_call_id_is_refused),
        RULE(star_must_stand_alone),
        RULE(star_removes_all),
        RULE(cseq_orders_the_requests_of_a_call),
        RULE(all_changes_or_none),
        RULE(contacts_are_compared_as_uris),
        RULE(one_contact_replaces_every_equal_one),
        RULE(the_last_of_two_equal_contacts_counts),
        RULE(an_eleventh_binding_is_refused),
        RULE(eleven_contacts_at_once_are_refused),
        RULE(a_query_changes_nothing),
        RULE(the_answer_counts_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
