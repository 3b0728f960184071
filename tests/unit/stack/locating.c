/* Locating servers in a stack (RFC 3263 4): its questions, its patience, its bounds, and servers
 * that rest (4.3). */
#include "libahoy/stack/locating.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/zone.h"
#include "tests/support/stack_rig.h"

static bool locate(struct rig *rig, const char *uri, uint64_t user)
{
    const struct ahoy_wanted wanted = { .uri = ahoy_span(uri), .user = user };
    return ahoy_stack_locate(rig->stack, &wanted);
}

/* Answers the lookups that the rig has recorded, and those that follow. */
static void answer(struct rig *rig, const struct sim_zone *zone)
{
    char space[4096];
    for (size_t i = 0; i < rig->effect_count; i++) {
        struct ahoy_buf message = ahoy_buf_over(space, sizeof space);
        uint32_t delay_ms;
        assert_int_equal(rig->effects[i].kind, AHOY_WIRE_LOOKUP);
        if (!sim_zone_answer(zone, rig->effects[i].bytes, rig->effects[i].type, &message,
                             &delay_ms))
            continue;
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_ANSWER,
                                         .lookup = rig->effects[i].lookup,
                                         .bytes = ahoy_buf_text(&message) };
        rig_step(rig, &event);
    }
}

static struct sim_zone *make_zone(void)
{
    static const char *const lines[] = {
        "_sip._udp.example.com SRV 10 1 5060 one.example.com",
        "_sip._udp.example.com SRV 20 1 5060 two.example.com",
        "one.example.com A 192.0.2.11",
        "two.example.com A 192.0.2.12",
        "two.example.com AAAA 2001:db8::c",
        "mute.example SILENT",
    };
    struct sim_zone *zone = sim_zone_new();
    assert_non_null(zone);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_true(sim_zone_add(zone, lines[i]));
    return zone;
}

/* The last numbers of the addresses, in order. */
static void expect_hosts(const struct ahoy_located *located, const uint8_t *hosts, size_t count)
{
    assert_int_equal(located->count, count);
    for (size_t i = 0; i < count; i++) {
        const struct ahoy_ip *ip = &located->hops[i].remote;
        assert_int_equal(ip->bytes[ip->family == AHOY_IPV4 ? 3 : 15], hosts[i]);
        assert_int_equal(located->hops[i].transport, AHOY_UDP);
        assert_int_equal(located->hops[i].listener, AHOY_ANY_LISTENER);
    }
}

/* NAPTR, SRV and four address lookups; what was found is told once. */
static void test_found(void **state)
{
    (void)state;
    struct rig rig;
    struct ahoy_located located;
    struct sim_zone *zone = make_zone();
    rig_init(&rig, 0, 1);
    assert_true(locate(&rig, "sip:bob@example.com", 7));
    assert_false(ahoy_stack_located(rig.stack, &located));
    rig_poll(&rig);
    answer(&rig, zone);
    assert_int_equal(rig_count(&rig, AHOY_WIRE_LOOKUP), 1 + 1 + 4);
    assert_true(ahoy_stack_located(rig.stack, &located));
    assert_int_equal(located.user, 7);
    assert_int_equal(located.status, 0);
    expect_hosts(&located, (const uint8_t[]){ 11, 12, 12 }, 3);
    assert_int_equal(located.hops[1].remote.family, AHOY_IPV6);
    assert_false(ahoy_stack_located(rig.stack, &located));
    assert_int_equal(rig.counters->lookups, 6);
    assert_int_equal(rig.counters->located, 1);
    rig_fini(&rig);
    sim_zone_free(zone);
}

/* What needs no question is there at once, and in the order in which it was asked for. */
static void test_at_once(void **state)
{
    (void)state;
    struct rig rig;
    struct ahoy_located located;
    rig_init(&rig, 0, 1);
    assert_true(locate(&rig, "sip:192.0.2.11", 1));
    assert_true(locate(&rig, "sips:phone.example;maddr=192.0.2.11", 2));
    assert_true(locate(&rig, "sip:192.0.2.11;transport=ws", 3));
    assert_true(locate(&rig, "nonsense", 4));
    assert_true(ahoy_stack_located(rig.stack, &located));
    assert_int_equal(located.user, 1);
    expect_hosts(&located, (const uint8_t[]){ 11 }, 1);
    assert_int_equal(located.hops[0].domain, 0);
    /* The peer must prove the URI's own domain, whatever leads there (R5922-7.3-2). */
    assert_true(ahoy_stack_located(rig.stack, &located));
    assert_int_equal(located.user, 2);
    assert_int_equal(located.hops[0].transport, AHOY_TLS);
    assert_int_equal(located.hops[0].domain,
                     ahoy_stack_domain(rig.stack, AHOY_TLS, SPAN("phone.example")));
    const unsigned statuses[] = { 503, 400 };
    for (uint64_t i = 0; i < 2; i++) {
        assert_true(ahoy_stack_located(rig.stack, &located));
        assert_int_equal(located.user, 3 + i);
        assert_int_equal(located.count, 0);
        assert_int_equal(located.status, statuses[i]);
    }
    assert_false(ahoy_stack_located(rig.stack, &located));
    rig_poll(&rig);
    assert_int_equal(rig.effect_count, 0);
    rig_fini(&rig);
}

/* Attack 43: four seconds, then 503; what comes later is about nobody. */
static void test_silence(void **state)
{
    (void)state;
    struct rig rig;
    struct ahoy_located located;
    struct sim_zone *zone = make_zone();
    rig_init(&rig, 0, 1);
    uint64_t begin_ms = rig.now_ms;
    assert_true(locate(&rig, "sip:mute.example", 7));
    rig_poll(&rig);
    answer(&rig, zone);
    rig_wait(&rig, begin_ms + AHOY_SEARCH_MS - 1);
    assert_false(ahoy_stack_located(rig.stack, &located));
    rig_wait(&rig, begin_ms + AHOY_SEARCH_MS);
    assert_true(ahoy_stack_located(rig.stack, &located));
    assert_int_equal(located.user, 7);
    assert_int_equal(located.status, 503);
    struct ahoy_wire_event late = { .kind = AHOY_WIRE_ANSWER, .lookup = rig.effects[0].lookup };
    rig_step(&rig, &late);
    assert_false(ahoy_stack_located(rig.stack, &located));
    assert_int_equal(rig.counters->not_located, 1);
    rig_fini(&rig);
    sim_zone_free(zone);
}

/* One that is slow takes from nobody but itself what was found until then. */
static void test_partly_silent(void **state)
{
    (void)state;
    struct rig rig;
    struct ahoy_located located;
    struct sim_zone *zone = make_zone();
    assert_true(sim_zone_add(zone, "_sip._udp.part.example SRV 1 1 5060 mute.example"));
    assert_true(sim_zone_add(zone, "_sip._udp.part.example SRV 2 1 5060 two.example.com"));
    rig_init(&rig, 0, 1);
    assert_true(locate(&rig, "sip:part.example", 7));
    rig_poll(&rig);
    answer(&rig, zone);
    assert_false(ahoy_stack_located(rig.stack, &located));
    rig_wait(&rig, rig.now_ms + AHOY_SEARCH_MS);
    assert_true(ahoy_stack_located(rig.stack, &located));
    expect_hosts(&located, (const uint8_t[]){ 12, 12 }, 2);
    rig_fini(&rig);
    sim_zone_free(zone);
}

/* RFC 3263 4.3: whoever failed comes last for a while, and first again behind it. */
static void test_rest(void **state)
{
    (void)state;
    struct rig rig;
    struct ahoy_located located;
    rig_init(&rig, 0, 1);
    struct sim_zone *zone = make_zone();
    struct ahoy_hop hop = { .transport = AHOY_UDP, .remote = rig_ip("192.0.2.11", 5060) };
    static const uint8_t orders[][3] = { { 12, 12, 11 }, { 11, 12, 12 } };
    ahoy_stack_rest(rig.stack, &hop, 30000);
    hop.transport = AHOY_TCP; /* Which says nothing about UDP. */
    hop.remote = rig_ip("192.0.2.12", 5060);
    ahoy_stack_rest(rig.stack, &hop, 30000);
    for (unsigned i = 0; i < 2; i++) {
        rig_forget(&rig);
        assert_true(locate(&rig, "sip:example.com;transport=udp", 1));
        rig_poll(&rig);
        answer(&rig, zone);
        assert_true(ahoy_stack_located(rig.stack, &located));
        expect_hosts(&located, orders[i], 3);
        assert_int_equal(located.fresh, i == 0 ? 2 : 3);
        struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
        rig_wait(&rig, rig.now_ms + 30000);
        rig_step(&rig, &time);
    }
    /* A thousand others: the oldest is forgotten, and nothing grows. */
    for (uint16_t port = 1; port <= 1000; port++) {
        hop.remote.port = port;
        ahoy_stack_rest(rig.stack, &hop, 30000);
        ahoy_stack_rest(rig.stack, &hop, 30000);
    }
    rig_fini(&rig);
    sim_zone_free(zone);
}

/* No more at once than the limit; those that are refused cost nothing, and all end. */
static void test_bound(void **state)
{
    (void)state;
    static struct rig rig;
    struct ahoy_located located;
    struct ahoy_wire_effect effect;
    size_t begun = 0, ended = 0, asked = 0;
    rig_init(&rig, 0, 1);
    while (locate(&rig, "sip:mute.example", begun))
        begun++;
    assert_int_equal(begun, AHOY_SEARCHES_LIMIT);
    while (ahoy_stack_poll(rig.stack, &effect))
        asked++;
    assert_int_equal(asked, begun);
    rig_wait(&rig, rig.now_ms + AHOY_SEARCH_MS);
    while (ahoy_stack_located(rig.stack, &located)) {
        assert_int_equal(located.status, 503);
        ended++;
    }
    assert_int_equal(ended, begun);
    assert_true(locate(&rig, "sip:192.0.2.1", 1));
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),   cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_silence), cmocka_unit_test(test_partly_silent),
        cmocka_unit_test(test_rest),    cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
