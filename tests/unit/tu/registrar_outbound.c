/* Flows of an instance at the registrar (RFC 5626 6), and Path (RFC 3327 5.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/tu/registrar.h"

#define INSTANCE "+sip.instance=\"<urn:uuid:1>\""
#define OUTBOUND "Supported: path, outbound\r\n"

static const struct ahoy_registrar_limits limits = { .min_expires_s = 60,
                                                     .max_expires_s = 7200,
                                                     .default_expires_s = 3600 };
static const uint64_t now_ms = 1000000;

struct world {
    char text[65536];
    struct ahoy_message message;
    struct ahoy_routing routing;
    struct ahoy_register read;
    struct ahoy_bindings bindings, next;
};

static int setup(void **state)
{
    static struct world world;
    ahoy_bindings_init(&world.bindings);
    *state = &world;
    return 0;
}

/* What a REGISTER with |rows|, by a connection of that number, is answered. */
static unsigned register_by(struct world *world, uint32_t connection, const char *call_id,
                            const char *rows)
{
    int size = snprintf(world->text, sizeof world->text,
                        "REGISTER sip:atlanta.example SIP/2.0\r\n"
                        "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKnashds7\r\n"
                        "From: <sip:alice@atlanta.example>;tag=456248\r\n"
                        "To: <sip:alice@atlanta.example>\r\n"
                        "Call-ID: %s\r\nCSeq: 1 REGISTER\r\n%s\r\n",
                        call_id, rows);
    struct ahoy_err err = { 0 };
    const struct ahoy_hop hop = { .transport = AHOY_TCP, .connection = { connection, 1 } };
    assert_in_range(size, 1, sizeof world->text - 1);
    assert_true(
        ahoy_message_parse((struct span){ world->text, (size_t)size }, &world->message, &err));
    assert_true(ahoy_message_routing(&world->message, &world->routing, &err));
    err = (struct ahoy_err){ 0 };
    if (!ahoy_register_parse(&world->message, &world->routing, NULL, &hop, &limits, &world->read,
                             &err) ||
        !ahoy_registrar_apply(&world->bindings, &world->read.asks, now_ms, &world->next, &err))
        return err.status;
    ahoy_bindings_copy(&world->bindings, &world->next, now_ms);
    return 200;
}

static void assert_text(struct span text, const char *right)
{
    assert_int_equal(text.size, strlen(right));
    assert_memory_equal(text.at, right, text.size);
}

static void assert_listed(struct world *world, const char *right)
{
    char space[16384];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_registrar_print(&world->bindings, now_ms, &buf);
    assert_text(ahoy_buf_text(&buf), right);
}

/* R5626-6-8, -10, -11: the same flow anew, from another port and in another call, takes the place
 * of the old one, with all that is known of it. */
static void a_flow_replaces_itself(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_by(world, 7, "one",
                                 OUTBOUND "Contact: <sip:a@192.0.2.1:1001>;reg-id=1;" INSTANCE
                                          ";audio\r\n"),
                     200);
    assert_int_equal(register_by(world, 8, "two",
                                 OUTBOUND "Contact: <sip:a@192.0.2.1:1002>;q=0.5;reg-id=1;" INSTANCE
                                          ";video=\"TRUE\";expires=100\r\n"),
                     200);
    assert_int_equal(world->bindings.count, 1);
    const struct ahoy_binding *binding = &world->bindings.list[0];
    assert_text(binding->contact, "sip:a@192.0.2.1:1002");
    assert_text(binding->instance, "<urn:uuid:1>");
    assert_int_equal(binding->reg_id, 1);
    assert_int_equal(binding->hop.connection.slot, 8);
    assert_int_equal(binding->updated_ms, now_ms);
    assert_listed(world, "Contact: <sip:a@192.0.2.1:1002>;expires=100;q=0.500;reg-id=1;" INSTANCE
                         ";video=\"TRUE\"\r\n");
}

/* R5626-6-7: flows, instances and plain contacts stand beside each other. */
static void others_stay(void **state)
{
    struct world *world = *state;
    const char *const contacts[] = {
        "reg-id=1;" INSTANCE,
        "reg-id=2;" INSTANCE,
        "reg-id=1;+sip.instance=\"<urn:uuid:2>\"",
        "q=1",
    };
    for (unsigned i = 0; i < 4; i++) {
        char rows[256];
        snprintf(rows, sizeof rows, OUTBOUND "Contact: <sip:a@192.0.2.1>;%s\r\n", contacts[i]);
        assert_int_equal(register_by(world, i, "call", rows), 200);
        assert_int_equal(world->read.asks.requires_outbound, i < 3); /* R5626-6-6, -9 */
        assert_int_equal(world->bindings.count, i + 1);
    }
    /* To be removed, the flow is named, or the URI. */
    assert_int_equal(register_by(world, 0, "last",
                                 "Contact: <sip:elsewhere@b.example>;expires=0;reg-id=2;" INSTANCE
                                 "\r\n"),
                     200);
    assert_int_equal(world->bindings.count, 3);
    assert_int_equal(
        register_by(world, 0, "last-of-all", "Contact: <sip:a@192.0.2.1>;expires=0\r\n"), 200);
    assert_int_equal(world->bindings.count, 0);
}

/* The old contact goes with the request that brings the flow. */
static void a_plain_contact_becomes_a_flow(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_by(world, 1, "one", "Contact: <sip:a@192.0.2.1>\r\n"), 200);
    assert_int_equal(register_by(world, 1, "two",
                                 OUTBOUND "Contact: <sip:a@192.0.2.1>;reg-id=1;" INSTANCE
                                          ", <sip:a@192.0.2.1>;expires=0\r\n"),
                     200);
    assert_int_equal(world->bindings.count, 1);
    assert_int_equal(world->bindings.list[0].reg_id, 1);
}

/* R5626-6-6, -9: nobody is told of outbound who did not say that he knows it. */
static void what_the_phone_does_not_know(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_by(world, 1, "one", "Contact: <sip:a@b>;reg-id=1;" INSTANCE "\r\n"),
                     200);
    assert_false(world->read.asks.requires_outbound);
    assert_int_equal(world->bindings.list[0].reg_id, 1);
    /* A reg-id without an instance is overlooked. */
    assert_int_equal(register_by(world, 1, "two", OUTBOUND "Contact: <sip:b@b>;reg-id=1\r\n"), 200);
    assert_false(world->read.asks.requires_outbound);
    assert_int_equal(world->bindings.list[1].reg_id, 0);
}

/* R5626-10-1, and the one contact of section 6. */
static void faults(void **state)
{
    struct world *world = *state;
    const char *const numbers[] = { "0", "2147483648", "-1", "x", "" };
    char rows[512];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(rows, sizeof rows, OUTBOUND "Contact: <sip:a@b>;" INSTANCE ";reg-id=%s\r\n",
                 numbers[i]);
        assert_int_equal(register_by(world, 1, "one", rows), 400);
    }
    assert_int_equal(register_by(world, 1, "one",
                                 OUTBOUND "Contact: <sip:a@b>;reg-id=1;" INSTANCE
                                          ", <sip:c@b>\r\n"),
                     400);
    snprintf(rows, sizeof rows, "Contact: <sip:a@b>;reg-id=1;+sip.instance=\"<urn:%0130d>\"\r\n",
             1);
    assert_int_equal(register_by(world, 1, "one", rows), 400);
    assert_int_equal(register_by(world, 1, "one",
                                 OUTBOUND "Contact: <sip:a@b>;reg-id=2147483647;" INSTANCE "\r\n"),
                     200);
}

#define FLOW   "Contact: <sip:a@b>;reg-id=1;" INSTANCE "\r\n"
#define BEHIND "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9\r\n"

/* R5626-6-2 to -5, R5626-11.6-1: through a proxy, only one that keeps the flow will do. */
static void first_hops(void **state)
{
    struct world *world = *state;
    assert_int_equal(register_by(world, 1, "1", OUTBOUND BEHIND FLOW), 439);
    assert_int_equal(register_by(world, 1, "2", OUTBOUND BEHIND "Path: <sip:e@p;lr>\r\n" FLOW),
                     439);
    /* That another one has ob says nothing about the first. */
    assert_int_equal(
        register_by(world, 1, "3", OUTBOUND BEHIND "Path: <sip:x@q;lr;ob>, <sip:e@p;lr>\r\n" FLOW),
        439);
    assert_int_equal(register_by(world, 1, "4", BEHIND FLOW), 200);
    assert_int_equal(world->bindings.list[0].reg_id, 0);
    assert_int_equal(register_by(world, 1, "5",
                                 OUTBOUND BEHIND
                                 "Path: <sip:q;lr>\r\nPath: <sip:e@p;lr;ob>\r\n" FLOW),
                     200);
    assert_true(world->read.asks.requires_outbound);
    assert_int_equal(world->bindings.list[1].reg_id, 1);
    assert_text(world->bindings.list[1].path, "<sip:q;lr>, <sip:e@p;lr;ob>"); /* R5626-6-1, -8 */
    /* Without a reg-id there is nothing to refuse. */
    assert_int_equal(register_by(world, 1, "6", OUTBOUND BEHIND "Contact: <sip:z@b>\r\n"), 200);
    assert_false(world->read.asks.requires_outbound);
    assert_int_equal(register_by(world, 1, "7", "Path: nonsense;\r\nContact: <sip:z@b>\r\n"), 400);
}

#define RULE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_flow_replaces_itself),       RULE(others_stay), RULE(a_plain_contact_becomes_a_flow),
        RULE(what_the_phone_does_not_know), RULE(faults),      RULE(first_hops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
