/* One datagram, one message (RFC 3261 18.3): what is answered, where to, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stack_rig.h"

#define REST                                                                                       \
    "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1@a.example\r\n"          \
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
#define VIA     "Via: SIP/2.0/UDP pc.example:5070;branch=z9hG4bK1\r\n"
#define OPTIONS "OPTIONS sip:b@b.example SIP/2.0\r\n"

static bool holds(const struct ahoy_wire_effect *effect, const char *text)
{
    return strstr(effect->bytes.at, text) != NULL;
}

/* 18.2.1, 18.2.2, R3581-4-4: the answer leaves from where the request came to, as Via says. */
static void answered_by_the_way_it_came(void **state)
{
    struct rig *rig = *state;
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), SPAN(OPTIONS VIA REST "\r\n"));
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_wire_effect *sent = rig_sent(rig, 0);
    assert_int_equal(rig_status(sent), 200);
    assert_int_equal(sent->hop.listener, RIG_UDP4);
    struct ahoy_ip remote = rig_ip("198.51.100.7", 5070);
    assert_true(ahoy_ip_equal(&sent->hop.remote, &remote));
    assert_true(holds(sent, ";received=198.51.100.7")); /* R3261-18.2.1-3, -4 */

    rig_forget(rig);
    rig_datagram(rig, RIG_UDP6, rig_ip("2001:db8::7", 1024),
                 SPAN(OPTIONS "Via: SIP/2.0/UDP [2001:db8::7];rport;branch=z9hG4bK2\r\n" REST
                              "l: 0\r\n\r\nsurplus")); /* R3261-18.3-1 */
    sent = rig_sent(rig, 0);
    assert_int_equal(rig_status(sent), 200);
    assert_int_equal(sent->hop.listener, RIG_UDP6);
    remote = rig_ip("2001:db8::7", 1024);
    assert_true(ahoy_ip_equal(&sent->hop.remote, &remote));
    assert_int_equal(rig->counters->messages_in, 2);
    assert_int_equal(rig->counters->messages_out, 2);
}

static void keepalives_are_dropped(void **state)
{
    struct rig *rig = *state;
    const struct span keepalives[] = { SPAN("\r\n"), SPAN("\r\n\r\n"), SPAN("\0\0\0\0"), SPAN("\0"),
                                       SPAN("\0") };
    for (size_t i = 0; i < 5; i++)
        rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), keepalives[i]);
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), (struct span){ "", 0 });
    assert_int_equal(rig->counters->keepalives, 6);
    assert_int_equal(rig->counters->messages_in, 0);
    assert_int_equal(rig->effect_count, 0);
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), SPAN("\0\0\0\0\0"));
    assert_int_equal(rig->counters->malformed_dropped, 1);
}

/* R5626-5.4-1, R5626-6-12, R5626-8-2: STUN is answered on the port of SIP, by the way it came. */
static void stun_is_answered(void **state)
{
    struct rig *rig = *state;
    const struct span request = SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42"
                                     "123456789012");
    const struct span bad = SPAN("\x00\x01\x00\x08\x21\x12\xa4\x42"
                                 "123456789012");
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), request);
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_wire_effect *sent = rig_sent(rig, 0);
    assert_int_equal(sent->bytes.size, 32);
    assert_memory_equal(sent->bytes.at, "\x01\x01", 2);
    assert_int_equal(sent->hop.listener, RIG_UDP4);
    assert_int_equal(sent->hop.remote.port, 1024);
    rig_forget(rig);
    rig_datagram(rig, RIG_UDP6, rig_ip("2001:db8::7", 1024), request);
    sent = rig_sent(rig, 0);
    assert_int_equal(sent->bytes.size, 44);
    assert_int_equal(sent->hop.listener, RIG_UDP6);
    assert_int_equal(rig->counters->keepalives, 2);
    rig_forget(rig);
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), bad); /* Attack 36. */
    assert_int_equal(rig->effect_count, 0);
    assert_int_equal(rig->counters->malformed_dropped, 1);
    assert_int_equal(rig->counters->messages_in, 0);
}

struct fault {
    const char *what;
    const char *bytes;
    unsigned status; /* 0: not answered. */
};

static const struct fault faults[] = {
    { "row 3: Content-Length above what came", OPTIONS VIA REST "Content-Length: 9\r\n\r\nbody",
      400 },
    { "row 3: Content-Length negative", OPTIONS VIA REST "Content-Length: -1\r\n\r\n", 400 },
    { "row 4: a control byte in a name", OPTIONS VIA REST "Contact\x01: <sip:a@a>\r\n\r\n", 400 },
    { "row 6: From twice", OPTIONS VIA REST "f: <sip:x@x.example>;tag=2\r\n\r\n", 400 },
    { "row 10: another method in CSeq", "INFO sip:b@b.example SIP/2.0\r\n" VIA REST "\r\n", 400 },
    { "no From", OPTIONS VIA "To: <sip:b@b.example>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n",
      400 },
    { "no Call-ID",
      OPTIONS VIA "f: <sip:a@a.example>;tag=1\r\nt: <sip:b@b.example>\r\n"
                  "CSeq: 1 OPTIONS\r\n\r\n",
      400 },
    { "another version", "OPTIONS sip:b@b.example SIP/7.0\r\n" VIA REST "\r\n", 505 },
    { "row 9: an empty branch", OPTIONS "Via: SIP/2.0/UDP pc.example:5070;branch=\r\n" REST "\r\n",
      400 },
    { "row 8: Via garbage", OPTIONS "Via: garbage\r\n" REST "\r\n", 0 },
    { "no Via", OPTIONS REST "\r\n", 0 },
    { "ACK", "ACK sip:b@b.example SIP/2.0\r\n" VIA REST "\r\n", 0 },
    { "ACK cut short", "ACK sip:b@b.example SIP/2.0\r\n" VIA "Content-Length: 5\r\n\r\n", 0 },
    { "R3261-18.3-2: a response cut short",
      "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n" REST "l: 7\r\n\r\n",
      0 },
    { "a response with another version",
      "SIP/7.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n" REST "\r\n", 0 },
    { "no start line", "Hello\r\n" VIA REST "\r\n", 0 },
    { "nothing of SIP", "\x16\x03\x01\x02", 0 },
};

/* R1 */
static void malformed_is_answered_or_dropped(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct ahoy_stack_counters before = *rig->counters;
        rig_forget(rig);
        rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), ahoy_span(faults[i].bytes));
        size_t answers = faults[i].status != 0;
        if (rig->effect_count != answers || rig->seen_count != 0 ||
            (answers == 1 && rig_status(rig_sent(rig, 0)) != faults[i].status))
            fail_msg("%s: %zu effects: %s", faults[i].what, rig->effect_count,
                     rig->effect_count > 0 ? rig->effects[0].bytes.at : "");
        assert_int_equal(rig->counters->malformed_answered, before.malformed_answered + answers);
        assert_int_equal(rig->counters->malformed_dropped, before.malformed_dropped + !answers);
    }
}

/* A refusal goes where a response goes, and its ACK can be told by its tag (8.2.6.2). */
static void what_a_refusal_looks_like(void **state)
{
    struct rig *rig = *state;
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024),
                 SPAN(OPTIONS VIA REST "Content-Length: 9\r\n\r\n"));
    const struct ahoy_wire_effect *sent = rig_sent(rig, 0);
    const struct ahoy_ip remote = rig_ip("198.51.100.7", 5070);
    assert_true(ahoy_ip_equal(&sent->hop.remote, &remote));
    assert_int_equal(sent->hop.listener, RIG_UDP4);
    assert_true(holds(sent, ";received=198.51.100.7"));
    assert_true(holds(sent, "To: <sip:b@b.example>;tag="));
    assert_true(holds(sent, "Call-ID: c1@a.example\r\n"));
    assert_true(holds(sent, "Content-Length: 0\r\n\r\n"));
}

/* maddr leads to the other family: the answer leaves from a listener of that. */
static void refused_to_the_other_family(void **state)
{
    struct rig *rig = *state;
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024),
                 SPAN(OPTIONS "Via: SIP/2.0/UDP pc.example;maddr=[2001:db8::9]\r\n" REST
                              "Content-Length: 9\r\n\r\n"));
    assert_int_equal(rig_sent(rig, 0)->hop.listener, RIG_UDP6);
}

/* R3261-18.1.2-1: a response whose Via is not ours is discarded in silence. */
static void foreign_responses_are_dropped(void **state)
{
    struct rig *rig = *state;
    assert_true(rig_request(rig, AHOY_UDP, rig_ip("198.51.100.7", 5060), 77, 0).generation != 0);
    rig_poll(rig);
    const struct ahoy_wire_effect *request = rig_sent(rig, 0);
    struct ahoy_message message;
    assert_true(ahoy_message_parse(request->bytes, &message, NULL));
    struct span ours = ahoy_message_first(&message, AHOY_HEADER_VIA)->row;
    char space[1024];
    for (int foreign = 1; foreign >= 0; foreign--) {
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        ahoy_buf_put(&buf, SPAN("SIP/2.0 200 OK\r\n"));
        ahoy_buf_put(&buf, ours);
        if (foreign)
            *strstr(space, "192.0.2.1") = '2';
        ahoy_buf_put(&buf, SPAN("From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>;tag=2\r\n"
                                "Call-ID: rig-77\r\nCSeq: 1 OPTIONS\r\n\r\n"));
        rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 5060), ahoy_buf_text(&buf));
        assert_int_equal(rig->counters->foreign_responses, 1);
        assert_int_equal(rig_seen_count(rig, AHOY_EVENT_RESPONSE, 77), !foreign);
    }
    assert_int_equal(rig->effect_count, 1);
}

/* 18.4: ICMP names a destination; who has sent there lately is told, once, and nobody else. */
static void unreachable_destinations(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_ip dead = rig_ip("198.51.100.7", 5060);
    const struct ahoy_ip other = rig_ip("198.51.100.7", 5061);
    (void)rig_request(rig, AHOY_UDP, dead, 1, 0);
    (void)rig_request(rig, AHOY_UDP, other, 2, 0);
    (void)rig_request(rig, AHOY_UDP, dead, 3, 0);
    rig_poll(rig);
    rig_wait(rig, rig->now_ms + 1600); /* They have been sent again, at 500 and 1,500 ms. */
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 9);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_UNREACHABLE,
                                     .hop = { .transport = AHOY_UDP, .remote = dead } };
    rig_step(rig, &event);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 1), 1);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 2), 0);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 3), 1);
    rig_step(rig, &event);
    assert_int_equal(rig->counters->send_failures, 2);
    event.hop.remote = other;
    rig_step(rig, &event);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 2), 1);
}

/* An error that comes late is about something else. */
static void unreachable_later(void **state)
{
    struct rig *rig = *state;
    const struct ahoy_ip dead = rig_ip("198.51.100.7", 5060);
    (void)rig_request(rig, AHOY_UDP, dead, 1, 0);
    rig_poll(rig);
    rig_wait(rig, rig->now_ms + 3400); /* Sent at 0, 500 and 1,500; again at 3,500. */
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_UNREACHABLE,
                                     .hop = { .transport = AHOY_UDP, .remote = dead } };
    ahoy_stack_step(rig->stack, &event, rig->now_ms + 3000);
    struct ahoy_event none;
    while (ahoy_stack_event(rig->stack, &none))
        assert_int_not_equal(none.kind, AHOY_EVENT_UNREACHABLE);
    rig_poll(rig);
    assert_int_equal(rig->counters->send_failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(answered_by_the_way_it_came),
        rig_test(keepalives_are_dropped),
        rig_test(stun_is_answered),
        rig_test(malformed_is_answered_or_dropped),
        rig_test(what_a_refusal_looks_like),
        rig_test(refused_to_the_other_family),
        rig_test(foreign_responses_are_dropped),
        rig_test(unreachable_destinations),
        rig_test(unreachable_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
