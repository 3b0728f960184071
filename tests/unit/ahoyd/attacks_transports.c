/* Attacks 1 to 3, 36, 44, 45, 49 and 55 on every transport that they can reach, through the whole
 * server: who attacks over TLS or in a WebSocket gets no further than by UDP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/transport/websocket.h"
#include "tests/support/exchange.h"
#include "tests/support/frames.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "listen \"tcp:192.0.2.100:5060\"\n"
    "listen(\"tls:192.0.2.100:5061\", { certificate = \"a.pem\", key = \"a.key\" })\n"
    "listen \"ws:192.0.2.100:80\"\n"
    "listen(\"wss:192.0.2.100:443\", { certificate = \"a.pem\", key = \"a.key\" })\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "domain(\"atlanta.example\", { auth = \"digest\" })\n"
    "store \"memory:\"\n";

/* By the number of its listener; and what an attack comes to there. */
enum kind { DATAGRAM, STREAM, WEBSOCKET, KINDS };

struct way {
    const char *name;
    enum ahoy_transport transport;
    enum kind kind;
};

static const struct way ways[] = {
    { "UDP", AHOY_UDP, DATAGRAM }, { "TCP", AHOY_TCP, STREAM },    { "TLS", AHOY_TLS, STREAM },
    { "WS", AHOY_WS, WEBSOCKET },  { "WSS", AHOY_WSS, WEBSOCKET },
};

enum { WAYS = sizeof ways / sizeof ways[0] };

#define BOB  "192.0.2.2:5060"
#define HEAD "REGISTER sip:open.example SIP/2.0\r\n"
#define REST                                                                                       \
    "From: <sip:bob@open.example>;tag=a\r\nTo: <sip:bob@open.example>\r\nCall-ID: attack\r\n"      \
    "CSeq: 1 REGISTER\r\nContact: <sip:evil@198.51.100.7>\r\n"
#define SMUGGLED                                                                                   \
    HEAD "Via: SIP/2.0/TCP 198.51.100.7;branch=z9hG4bKb\r\n" REST "Content-Length: 0\r\n\r\n"
#define VIA "Via: SIP/2.0/%s 198.51.100.7;branch=z9hG4bKa\r\n"

struct end {
    struct exchange *exchange;
    const struct way *way;
    struct ahoy_wire_event event; /* The connection, or the source of datagrams. */
};

static void give(struct end *end, struct span bytes)
{
    end->event.kind = end->way->kind == DATAGRAM ? AHOY_WIRE_DATAGRAM : AHOY_WIRE_BYTES;
    end->event.bytes = bytes;
    exchange_step(end->exchange, &end->event);
}

/* A server with Bob in it, and a stranger who has come by |way|. */
static struct end begin(const struct way *way)
{
    struct end end = { .exchange = exchange_new(config, 0), .way = way };
    exchange_bind(end.exchange, "bob@open.example", "sip:bob@192.0.2.2:5060", BOB);
    end.event = (struct ahoy_wire_event){ .kind = AHOY_WIRE_ACCEPTED,
                                          .hop = { .transport = (uint8_t)way->transport,
                                                   .listener = (uint8_t)(way - ways),
                                                   .remote = exchange_ip("198.51.100.7:5060") } };
    if (way->kind != DATAGRAM)
        exchange_step(end.exchange, &end.event);
    if (way->kind == WEBSOCKET)
        give(&end, sim_frames_request());
    return end;
}

/* |format| has a %s for the name of the transport, and one for |more|. */
static void say(struct end *end, const char *format, const char *more)
{
    static char text[4096], framed[8192];
    int size = snprintf(text, sizeof text, format, end->way->name, more);
    assert_in_range(size, 1, sizeof text - 1);
    struct span bytes = { text, (size_t)size };
    struct ahoy_buf buf = ahoy_buf_over(framed, sizeof framed);
    if (end->way->kind == WEBSOCKET) {
        sim_frames_put(&buf, SIM_FRAME_FIN | AHOY_TEXT_FRAME, bytes);
        bytes = ahoy_buf_text(&buf);
    }
    give(end, bytes);
}

/* The status of the one answer; 0 for silence. */
static unsigned answered(const struct end *end)
{
    unsigned status = 0;
    for (size_t i = 0; i < end->exchange->count; i++) {
        struct span bytes = end->exchange->sent[i].bytes;
        const char *line = memmem(bytes.at, bytes.size, "SIP/2.0 ", 8);
        if (line == NULL || line > bytes.at + AHOY_FRAME_HEAD_LIMIT)
            continue;
        assert_int_equal(status, 0);
        status = (unsigned)strtoul(line + 8, NULL, 10);
    }
    return status;
}

static void finish(struct end *end)
{
    assert_int_equal(exchange_bindings(end->exchange, "bob@open.example"), 1);
    exchange_free(end->exchange);
}

struct lie {
    unsigned row;
    const char *length;
    unsigned status[KINDS]; /* On a stream, which then ends. */
};

/* A message that says |length| has another one behind it, which nobody may see. */
static const struct lie lies[] = {
    { 1, "4294967328", { 400, 413, 400 } }, { 1, "18446744073709551648", { 400, 413, 400 } },
    { 2, "2147483648", { 400, 413, 400 } }, { 2, "70000", { 400, 413, 400 } },
    { 3, "-1", { 400, 400, 400 } },         { 3, "0\r\nContent-Length: 99", { 400, 400, 400 } },
    { 3, "9x", { 400, 400, 400 } },         { 3, "", { 400, 400, 400 } },
};

static void lengths_that_lie(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0] * WAYS; i++) {
        const struct lie *lie = &lies[i / WAYS];
        struct end end = begin(&ways[i % WAYS]);
        say(&end, HEAD VIA REST "Content-Length: %s\r\n\r\n0123456789" SMUGGLED, lie->length);
        if (answered(&end) != lie->status[end.way->kind])
            fail_msg("row %u, %s by %s: %u", lie->row, lie->length, end.way->name, answered(&end));
        assert_int_equal(end.exchange->closed, end.way->kind == STREAM);
        finish(&end);
    }
}

/* Attack 36: STUN is for UDP alone; elsewhere it is no SIP, and of no use. */
static void stun_is_no_sip(void **state)
{
    (void)state;
    static const char short_attribute[] = "\x00\x01\x00\x08\x21\x12\xa4\x42"
                                          "abcdefghijkl"
                                          "\x00\x06\x00\x09"
                                          "abcd";
    for (size_t i = 0; i < WAYS; i++) {
        struct end end = begin(&ways[i]);
        give(&end, (struct span){ short_attribute, sizeof short_attribute - 1 });
        assert_int_equal(answered(&end), 0);
        exchange_wait(end.exchange, 11000);
        assert_int_equal(end.exchange->closed, end.way->kind != DATAGRAM);
        finish(&end);
    }
}

#define CALL                                                                                       \
    "INVITE sip:bob@open.example SIP/2.0\r\n" VIA                                                  \
    "From: <sip:y@far.example>;tag=a\r\nTo: <sip:bob@open.example>\r\nCall-ID: call\r\n"           \
    "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:y@198.51.100.7>\r\n"                      \
    "Content-Length: 0\r\n\r\n"

/* Attack 44: a peer that vanishes while his call rings; nothing is left of it in the end. */
static void the_peer_vanishes(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        struct end end = begin(&ways[i]);
        say(&end, CALL, "");
        assert_int_equal(answered(&end), 100);
        assert_true(ahoyd_server_transactions(end.exchange->server) > 0);
        if (end.way->kind != DATAGRAM) {
            end.event.kind = AHOY_WIRE_CLOSED;
            exchange_step(end.exchange, &end.event);
        }
        exchange_wait(end.exchange, 400000);
        assert_int_equal(ahoyd_server_transactions(end.exchange->server), 0);
        finish(&end);
    }
}

/* Attack 45: a stranger has ten seconds for his first message, whatever he fills them with. */
static void a_byte_a_second(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        struct end end = begin(&ways[i]);
        unsigned seconds = 0;
        while (end.way->kind != DATAGRAM && end.exchange->closed == 0 && seconds < 60) {
            give(&end, (struct span){ &"\x81\xfe\x10REGISTER sip:open.example SIP/2.0"
                                          [end.way->kind == STREAM ? 3 + seconds : seconds],
                                      1 });
            exchange_wait(end.exchange, 1000);
            seconds++;
        }
        assert_int_equal(seconds, end.way->kind == DATAGRAM ? 0 : 10);
        finish(&end);
    }
}

/* Attacks 49 and 55: each unauthenticated request has one answer, sent once, and leaves nothing. */
static void floods_leave_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        struct end end = begin(&ways[i]);
        for (unsigned j = 0; j < 100; j++) {
            char rows[64];
            (void)snprintf(rows, sizeof rows, "Call-ID: flood-%u\r\n", j);
            say(&end,
                "INVITE sip:bob@open.example SIP/2.0\r\n" VIA
                "From: <sip:alice@atlanta.example>;tag=a\r\nTo: <sip:bob@open.example>\r\n%s"
                "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:y@198.51.100.7>\r\n"
                "Content-Length: 0\r\n\r\n",
                rows);
            assert_int_equal(answered(&end), 407);
            assert_int_equal(end.exchange->count, 1);
        }
        assert_int_equal(ahoyd_server_transactions(end.exchange->server), 0);
        finish(&end);
    }
}

/* R7118-9.2-1: what is sips came by TLS, below a WebSocket too; who is there is another matter. */
static void sips_comes_by_tls(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        struct end end = begin(&ways[i]);
        say(&end,
            "OPTIONS sips:bob@open.example SIP/2.0\r\n" VIA
            "From: <sip:y@far.example>;tag=a\r\nTo: <sip:bob@open.example>\r\nCall-ID: call\r\n"
            "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            "");
        assert_int_equal(answered(&end), ahoy_transport_is_secure(ways[i].transport) ? 404 : 403);
        finish(&end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_that_lie),     cmocka_unit_test(stun_is_no_sip),
        cmocka_unit_test(the_peer_vanishes),    cmocka_unit_test(a_byte_a_second),
        cmocka_unit_test(floods_leave_nothing), cmocka_unit_test(sips_comes_by_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
