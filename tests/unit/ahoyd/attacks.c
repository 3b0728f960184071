/* What strangers send, byte by byte, and what must happen: the malformed messages of attacks 4 to
 * 14, through the whole server.  Nothing may be forwarded, and no binding may change. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const char config[] = "listen \"udp:192.0.2.100:5060\"\n"
                             "listen \"tcp:192.0.2.100:5060\"\n"
                             "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                             "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                             "store \"memory:\"\n";

#define BOB  "192.0.2.2:5060"
#define PEER "198.51.100.7:5060"

static int setup(void **state)
{
    struct exchange *exchange = exchange_new(config, 0);
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2:5060", BOB);
    *state = exchange;
    return 0;
}

/* A sound REGISTER; a row of the table replaces one of its lines, or is added. */
#define LINE      "REGISTER sip:open.example SIP/2.0\r\n"
#define VIA       "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa7\r\n"
#define FROM      "From: <sip:bob@open.example>;tag=a\r\n"
#define TO        "To: <sip:bob@open.example>\r\n"
#define CALL_ID   "Call-ID: attack\r\n"
#define CSEQ      "CSeq: 1 REGISTER\r\n"
#define CONTACT   "Contact: <sip:evil@198.51.100.7>\r\n"
#define END       "Content-Length: 0\r\n\r\n"
#define REST      CALL_ID CSEQ CONTACT END
#define INVITE    "INVITE sip:bob@open.example SIP/2.0\r\n"
#define CALL_CSEQ "CSeq: 1 INVITE\r\n"

struct attack {
    unsigned row;    /* In the list of attacks. */
    unsigned status; /* 0: silence. */
    struct span bytes;
};

#define ATTACK(row, status, text)                                                                  \
    {                                                                                              \
        row, status,                                                                               \
        {                                                                                          \
            "" text, sizeof(text) - 1                                                              \
        }                                                                                          \
    }
#define FORTY "1111111111222222222233333333334444444444"

/* clang-format off */
static const struct attack attacks[] = {
    ATTACK(3, 400, LINE VIA FROM TO CALL_ID CSEQ CONTACT "Content-Length: 10\r\n\r\n"),
    ATTACK(3, 400, LINE VIA FROM TO CALL_ID CSEQ CONTACT "Content-Length: -1\r\n\r\n"),
    ATTACK(3, 400, LINE VIA FROM TO CALL_ID CSEQ CONTACT "Content-Length: 0\r\n" END),
    ATTACK(4, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact\x01: <sip:evil@198.51.100.7>\r\n" END),
    ATTACK(4, 400, LINE VIA FROM TO CALL_ID CSEQ "Con tact: <sip:evil@198.51.100.7>\r\n" END),
    ATTACK(5, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: <sip:evil\0@198.51.100.7>\r\n" END),
    ATTACK(5, 400, LINE VIA FROM TO CALL_ID CSEQ CONTACT "Subject: \0\r\n" END),
    ATTACK(6, 400, LINE VIA FROM FROM TO REST),
    ATTACK(6, 400, LINE VIA FROM TO CSEQ REST),
    ATTACK(6, 400, LINE VIA FROM TO "i: other\r\n" REST),
    ATTACK(6, 400, LINE VIA FROM TO "t: <sip:x@open.example>\r\n" REST),
    ATTACK(8, 0, LINE "Via: garbage\r\n" FROM TO REST),
    ATTACK(8, 0, LINE "Via: SIP/2.0/UDP\r\n" FROM TO REST),
    ATTACK(8, 0, LINE FROM TO REST),
    ATTACK(9, 400, LINE "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=\r\n" FROM TO REST),
    ATTACK(9, 400, LINE VIA "From: <sip:bob@open.example>;tag=\r\n" TO REST),
    ATTACK(9, 400, LINE VIA "From: <sip:bob@open.example>\r\n" TO REST),
    ATTACK(10, 400, LINE VIA FROM TO CALL_ID "CSeq: " FORTY " REGISTER\r\n" CONTACT END),
    ATTACK(10, 400, LINE VIA FROM TO CALL_ID "CSeq: 4294967296 REGISTER\r\n" CONTACT END),
    ATTACK(10, 400, LINE VIA FROM TO CALL_ID "CSeq: 1 INVITE\r\n" CONTACT END),
    ATTACK(10, 400, LINE VIA FROM TO CALL_ID "CSeq: REGISTER\r\n" CONTACT END),
    ATTACK(11, 400, "REGISTER sip:% SIP/2.0\r\n" VIA FROM TO REST),
    ATTACK(11, 400, "REGISTER sip:open.example:99999 SIP/2.0\r\n" VIA FROM TO REST),
    ATTACK(11, 400, "REGISTER sip: SIP/2.0\r\n" VIA FROM TO REST),
    ATTACK(12, 400, LINE VIA "From: \"bob <sip:bob@open.example>;tag=a\r\n" TO REST),
    ATTACK(12, 400, LINE VIA FROM "To: \"bob <sip:bob@open.example>\r\n" REST),
    ATTACK(12, 400, LINE VIA "From: <sip:bob@open.example>;tag=a;x=\"open\r\n" TO REST),
    ATTACK(13, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: sip:evil@198.51.100.7>\r\n" END),
    ATTACK(13, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: <sip:evil@198.51.100.7\r\n" END),
    ATTACK(13, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: <>\r\n" END),
    ATTACK(13, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: ,\r\n" END),
    ATTACK(13, 400, LINE VIA FROM TO "Record-Route: <sip:x>, <\r\n" REST),
    ATTACK(13, 400, LINE VIA FROM TO "Path: sip:x\r\n" REST),
    ATTACK(14, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: *\r\n" END),
    ATTACK(14, 400, LINE VIA FROM TO CALL_ID CSEQ "Contact: *\r\nExpires: 60\r\n" END),
    ATTACK(14, 400, LINE VIA FROM TO CALL_ID CSEQ "Expires: 0\r\nContact: *\r\n" CONTACT END),
    ATTACK(14, 400, LINE VIA FROM TO CALL_ID CSEQ "Expires: 0\r\nContact: *, *\r\n" END),
    /* The same in a call to Bob. */
    ATTACK(4, 400, INVITE VIA FROM TO CALL_ID CALL_CSEQ "Sub\x01ject: x\r\n" END),
    ATTACK(6, 400, INVITE VIA FROM TO TO CALL_ID CALL_CSEQ END),
    ATTACK(8, 0, INVITE "Via: SIP/2.0/UDP 198.51.100.7:x\r\n" FROM TO CALL_ID CALL_CSEQ END),
    ATTACK(10, 400, INVITE VIA FROM TO CALL_ID "CSeq: 1 BYE\r\n" END),
    ATTACK(11, 400, "INVITE sip:bob@open.example?X=1 SIP/2.0\r\n" VIA FROM TO CALL_ID CALL_CSEQ
           END),
    ATTACK(11, 400, INVITE VIA FROM TO "Route: <sip:%;lr>\r\n" CALL_ID CALL_CSEQ END),
    ATTACK(12, 400, INVITE VIA FROM "To: <sip:bob@open.example>;x=\"open\r\n" CALL_ID CALL_CSEQ
           END),
    /* An ACK and a response are never answered, however broken. */
    ATTACK(6, 0, "ACK sip:bob@open.example SIP/2.0\r\n" VIA FROM FROM TO CALL_ID "CSeq: 1 ACK\r\n"
           END),
    ATTACK(10, 0, "ACK sip:bob@open.example SIP/2.0\r\n" VIA FROM TO CALL_ID CALL_CSEQ END),
    ATTACK(10, 0, "SIP/2.0 200 OK\r\n" VIA FROM TO CALL_ID "CSeq: x\r\n" END),
    ATTACK(8, 0, "SIP/2.0 200 OK\r\n" VIA FROM TO CALL_ID CALL_CSEQ END),
};
/* clang-format on */

/* |bytes| came from the peer: he alone is answered, with |status|, and Bob stays where he is. */
static void expect(struct exchange *exchange, struct span bytes, unsigned status)
{
    exchange_datagram(exchange, PEER, bytes);
    assert_int_equal(exchange->count, status == 0 ? 0 : 1);
    if (status != 0)
        assert_int_equal(exchange_sent_to(exchange, PEER)->status, status);
    assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 1);
    assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
}

static void malformed_messages_do_nothing(void **state)
{
    struct exchange *exchange = *state;
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        if (getenv("AHOY_VERBOSE") != NULL)
            print_message("attack %u, line %zu of the table\n", attacks[i].row, i);
        expect(exchange, attacks[i].bytes, attacks[i].status);
    }
}

/* What all of them were made from. */
static void the_sound_ones_are_taken(void **state)
{
    struct exchange *exchange = *state;
    exchange_datagram(exchange, PEER, SPAN(LINE VIA FROM TO REST));
    assert_int_equal(exchange_sent_to(exchange, PEER)->status, 200);
    assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 2);
    exchange_datagram(exchange, PEER,
                      SPAN(INVITE "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKa8\r\n" FROM TO
                               CALL_ID CALL_CSEQ END));
    assert_int_equal(exchange_sent_to(exchange, PEER)->status, 100);
    assert_non_null(exchange_sent_to(exchange, BOB));
}

/* |before|, |count| times |filler|, |behind|. */
static struct span stuffed(const char *before, const char *filler, size_t count, const char *behind)
{
    static char space[AHOY_MESSAGE_LIMIT + 65536];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&buf, ahoy_span(before));
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&buf, ahoy_span(filler));
    ahoy_buf_put(&buf, ahoy_span(behind));
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

/* Attack 7. */
static void headers_are_counted(void **state)
{
    struct exchange *exchange = *state;
    expect(exchange, stuffed(LINE VIA FROM TO, "X: 1\r\n", 10000, REST), 400);
    expect(exchange, stuffed(LINE VIA FROM TO, "X: 1\r\n", AHOY_HEADERS_LIMIT, REST), 400);
    exchange_datagram(exchange, PEER,
                      stuffed(LINE VIA FROM TO, "Accept: text/plain\r\n", 50, REST));
    assert_int_equal(exchange_sent(exchange, 0)->status, 200);
}

/* Attacks 9, 11 and 13, too long; 59, long anywhere. */
static void sizes_are_bounded(void **state)
{
    struct exchange *exchange = *state;
    const char *x = "xxxxxxxxxxxxxxxx";
    expect(exchange, stuffed("REGISTER sip:", x, 320, ".example SIP/2.0\r\n" VIA FROM TO REST),
           414);
    expect(exchange, stuffed(LINE VIA "From: <sip:bob@open.example>;tag=", x, 256, "\r\n" TO REST),
           400);
    expect(exchange,
           stuffed(LINE "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK", x, 256,
                   "\r\n" FROM TO REST),
           400);
    expect(exchange,
           stuffed(LINE VIA FROM TO CALL_ID CSEQ "Contact: <sip:", x, 65, "@x.example>\r\n" END),
           400);
    expect(exchange,
           stuffed(LINE VIA FROM TO CALL_ID CSEQ "Contact: <sip:", x, 500, "@x.example>\r\n" END),
           400);
    expect(exchange, stuffed(LINE VIA FROM TO "Call-ID: ", x, 64, "\r\n" CSEQ CONTACT END), 400);
    expect(exchange, stuffed(LINE VIA FROM TO "Subject: ", x, 600, "\r\n" REST), 400);
}

/* Users longer than any that can be known are unknown, not a fault. */
static void long_names_are_unknown(void **state)
{
    struct exchange *exchange = *state;
    const char *x = "xxxxxxxxxxxxxxxx";
    expect(exchange, stuffed(LINE VIA FROM "To: <sip:", x, 100, "@open.example>\r\n" REST), 404);
    expect(exchange,
           stuffed("INVITE sip:", x, 100,
                   "@open.example SIP/2.0\r\n" VIA FROM TO CALL_ID CALL_CSEQ END),
           404);
}

/* Attacks 1 and 2 on a stream: the framing is lost, so the connection goes. */
static void a_stream_without_an_end_is_closed(void **state)
{
    struct exchange *exchange = *state;
    static const struct {
        const char *length;
        unsigned status;
    } table[] = { { "4294967328", 413 }, { "2147483648", 413 }, { "-1", 400 }, { "70000", 413 } };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char bytes[1024];
        struct ahoy_wire_event event = {
            .kind = AHOY_WIRE_ACCEPTED,
            .hop = { .transport = AHOY_TCP, .listener = 1, .remote = exchange_ip(PEER) }
        };
        exchange_step(exchange, &event);
        int size = snprintf(bytes, sizeof bytes,
                            LINE VIA FROM TO CALL_ID CSEQ CONTACT
                            "Content-Length: %s\r\n\r\n"
                            "0123456789012345678901234567890\n" LINE VIA FROM TO REST,
                            table[i].length);
        event.kind = AHOY_WIRE_BYTES;
        event.bytes = (struct span){ bytes, (size_t)size };
        exchange_step(exchange, &event);
        assert_int_equal(exchange->count, 1);
        assert_int_equal(exchange_sent(exchange, 0)->status, table[i].status);
        assert_int_equal(exchange->closed, i + 1);
        event.kind = AHOY_WIRE_CLOSED;
        exchange_step(exchange, &event);
        assert_int_equal(exchange_bindings(exchange, "bob@open.example"), 1);
    }
}

/* Attack 55: strangers and liars cost nothing that is kept; calls cost what the limit allows. */
static void a_flood_is_kept_small(void **state)
{
    (void)state;
    enum { LIMIT = 64 };
    struct exchange *exchange = exchange_new(config, LIMIT);
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2:5060", BOB);
    char call_id[32];
    unsigned refused = 0;
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(call_id, sizeof call_id, "flood-%u", i);
        struct ask liar = { .method = "INVITE",
                            .uri = "sip:bob@open.example",
                            .from = "sip:alice@atlanta.example",
                            .call_id = call_id };
        assert_int_equal(exchange_ask(exchange, &liar), 407);
        struct ask relay = { .method = "INVITE",
                             .uri = "sip:x@far.example",
                             .from = "sip:y@far.example",
                             .call_id = call_id };
        assert_int_equal(exchange_ask(exchange, &relay), 403);
    }
    assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(call_id, sizeof call_id, "call-%u", i);
        struct ask ask = { .method = "INVITE",
                           .uri = "sip:bob@open.example",
                           .from = "sip:y@far.example",
                           .call_id = call_id };
        unsigned status = exchange_ask(exchange, &ask);
        assert_true(status == 100 || status == 503);
        refused += status == 503;
        assert_true(ahoyd_server_transactions(exchange->server) <= LIMIT);
    }
    assert_true(refused >= 2000 - LIMIT);
    exchange_wait(exchange, 400000);
    assert_int_equal(ahoyd_server_transactions(exchange->server), 0);
    struct ask ask = { .method = "INVITE",
                       .uri = "sip:bob@open.example",
                       .from = "sip:y@far.example" };
    assert_int_equal(exchange_ask(exchange, &ask), 100);
    exchange_free(exchange);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(malformed_messages_do_nothing),
        RULE(the_sound_ones_are_taken),
        RULE(headers_are_counted),
        RULE(sizes_are_bounded),
        RULE(long_names_are_unknown),
        RULE(a_stream_without_an_end_is_closed),
        cmocka_unit_test(a_flood_is_kept_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
