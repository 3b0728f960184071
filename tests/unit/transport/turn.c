/* A client of TURN and its server: RFC 8656 7 to 12, RFC 8489 9.2. */
#include "libahoy/transport/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/turn_server.h"

static const struct span data_in = SPAN_INIT("\x80 heard"), data_out = SPAN_INIT("\x80 said, odd");
static struct turn_server server;
static struct ahoy_ice_pace pace;
static struct ahoy_turn turn;
static struct ahoy_ip own, peer, other;
static struct turn_datagram last; /* What came to a peer. */
static unsigned to_peers, sent, heard;
static bool is_cut, is_one_way; /* Nothing gets there, or back. */
static uint64_t now_ms;

static struct ahoy_ip ip_of(const char *text, uint16_t port)
{
    struct ahoy_ip ip;
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    ip.port = port;
    return ip;
}

static void start(const char *server_ip)
{
    static const uint64_t seed[2] = { 1, 2 };
    turn_server_init(&server, server_ip);
    bool is_v6 = server.ip.family == AHOY_IPV6;
    own = ip_of(is_v6 ? "2001:db8::2" : "192.0.2.2", 4000);
    peer = ip_of(is_v6 ? "2001:db8::7" : "203.0.113.7", 9000);
    other = ip_of(is_v6 ? "2001:db8::8" : "203.0.113.8", 9000);
    pace = (struct ahoy_ice_pace){ 0 };
    to_peers = sent = heard = 0;
    is_cut = is_one_way = false;
    now_ms = 1000;
    ahoy_turn_init(&turn, seed, &pace);
}

static int begin(void **state)
{
    (void)state;
    start("198.51.100.9");
    return 0;
}

static void hear(struct span bytes)
{
    struct ahoy_ip from;
    struct span data;
    if (ahoy_turn_step(&turn, bytes, now_ms, &from, &data) != AHOY_TURN_HEARD)
        return;
    assert_true(ahoy_ip_equal(&from, &peer));
    assert_true(ahoy_span_equal(data, data_in));
    heard++;
}

/* A datagram is brought where it goes, and what comes of it, too. */
static void carry(const struct ahoy_ip *from, const struct ahoy_ip *to, struct span bytes)
{
    struct turn_datagram out;
    if (is_cut || !turn_server_step(&server, from, to, bytes, now_ms, &out))
        return;
    if (!ahoy_ip_equal(&out.to, &own)) {
        last = out;
        to_peers++;
    } else if (!is_one_way) {
        hear((struct span){ out.bytes, out.size });
    }
}

static void run(uint64_t ms)
{
    struct span datagram;
    uint64_t until_ms = now_ms + ms;
    for (unsigned turns = 0; now_ms < until_ms; turns++) {
        while (ahoy_turn_poll(&turn, now_ms, &datagram)) {
            sent++;
            carry(&own, &server.ip, datagram);
        }
        uint64_t deadline_ms = ahoy_turn_deadline(&turn);
        assert_true(deadline_ms > now_ms); /* It was polled until there was nothing. */
        assert_true(turns < 10000);
        now_ms = deadline_ms < until_ms ? deadline_ms : until_ms;
    }
}

static void open_it(void)
{
    ahoy_turn_open(&turn, &server.ip, server.user, server.password, now_ms);
    run(100);
}

static bool say(const struct ahoy_ip *to)
{
    char space[200];
    struct ahoy_buf room = ahoy_buf_over(space, data_out.size + AHOY_TURN_WRAP_SIZE);
    if (!ahoy_turn_wrap(&turn, to, data_out, now_ms, &room))
        return false;
    unsigned before = to_peers;
    carry(&own, &server.ip, ahoy_buf_text(&room));
    assert_int_equal(to_peers, before + 1);
    assert_true(ahoy_ip_equal(&last.to, to) && ahoy_ip_equal(&last.from, &turn.relayed));
    assert_true(ahoy_span_equal((struct span){ last.bytes, last.size }, data_out));
    return true;
}

/* 7: without credentials first, with them then; what it says is kept. */
static void test_allocate(void **state)
{
    static const char *const servers[] = { "198.51.100.9", "2001:db8::9" };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        start(servers[i]);
        open_it();
        assert_int_equal(turn.state, AHOY_TURN_THERE);
        assert_null(ahoy_turn_why(&turn));
        assert_int_equal(sent, 2);
        assert_true(ahoy_ip_equal(&turn.mapped, &own));
        assert_true(ahoy_ip_equal(&turn.relayed, &server.clients[0].relayed));
    }
}

/* RFC 8489 9.2.5: by SHA-256 where it is offered. */
static void test_sha256(void **state)
{
    (void)state;
    server.has_sha256 = true;
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_THERE);
    ahoy_turn_permit(&turn, &peer, 1);
    run(100);
    assert_int_equal(server.counts[AHOY_TURN_CREATE_PERMISSION], 1);
}

/* RFC 8489 9.2.1: somebody would have us use the weaker one. */
static void test_bid_down(void **state)
{
    (void)state;
    server.has_sha256 = server.hides_algorithms = true;
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_int_equal(sent, 1);
}

static void test_no_credentials(void **state)
{
    (void)state;
    server.is_open = true;
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_THERE);
    assert_int_equal(sent, 1);
}

/* RFC 8489 9.2.5: a password that was not taken is not said again. */
static void test_wrong_password(void **state)
{
    (void)state;
    ahoy_turn_open(&turn, &server.ip, server.user, SPAN("open barley"), now_ms);
    run(5000);
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_int_equal(sent, 2);
    assert_string_equal(ahoy_turn_why(&turn), "the server does not take this name and password");
}

/* RFC 8489 9.2.5: what does not prove that it is the server's is as if it had not come. */
static void test_liar(void **state)
{
    (void)state;
    server.is_liar = true;
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_ASKING);
    run(AHOY_ICE_GATHER_MS);
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
}

/* 9: nobody is sent to who has no permission; it is renewed while he is wanted. */
static void test_permissions(void **state)
{
    const struct ahoy_ip peers[] = { peer, other };
    (void)state;
    open_it();
    assert_false(say(&peer));
    ahoy_turn_permit(&turn, peers, 2);
    assert_false(say(&peer));
    run(100);
    assert_true(say(&peer) && say(&other));
    carry(&peer, &turn.relayed, data_in);
    assert_int_equal(heard, 1);
    for (int i = 0; i < 40; i++) {
        run(20000);
        assert_true(say(&peer));
    }
    assert_in_range(server.counts[AHOY_TURN_CREATE_PERMISSION], 8, 14);
    ahoy_turn_permit(&turn, peers, 1);
    run(10);
    assert_false(say(&other));
    assert_true(say(&peer));
}

/* 11.4: what comes of somebody else is not heard, whoever has had the server send it. */
static void test_stranger(void **state)
{
    char space[100];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_ip from;
    struct span data;
    static const uint8_t id[AHOY_STUN_ID_SIZE];
    (void)state;
    open_it();
    ahoy_turn_permit(&turn, &peer, 1);
    run(100);
    ahoy_turn_put_send(id, &other, data_in, &buf);
    space[1] = 0x17;
    assert_int_equal(ahoy_turn_step(&turn, ahoy_buf_text(&buf), now_ms, &from, &data),
                     AHOY_TURN_TAKEN);
    buf = ahoy_buf_over(space, sizeof space);
    ahoy_turn_put_channel(0x4000, data_in, &buf);
    assert_int_equal(ahoy_turn_step(&turn, ahoy_buf_text(&buf), now_ms, &from, &data),
                     AHOY_TURN_TAKEN);
}

/* 12: a head of four bytes as soon as the channel is bound, and indications before. */
static void test_channel(void **state)
{
    (void)state;
    open_it();
    ahoy_turn_permit(&turn, &peer, 1);
    run(100);
    ahoy_turn_bind(&turn, &peer);
    assert_true(say(&peer));
    assert_int_equal(server.sends, 1);
    run(100);
    assert_true(say(&peer));
    assert_int_equal(server.sends, 1);
    assert_int_equal(server.channel_data, 1);
    assert_int_equal(last.size, data_out.size);
    carry(&peer, &turn.relayed, data_in);
    assert_int_equal(heard, 1);
    for (int i = 0; i < 100; i++) {
        run(20000);
        ahoy_turn_bind(&turn, &peer);
        assert_true(say(&peer));
    }
    assert_int_equal(server.channel_data, 101);
    assert_in_range(server.counts[AHOY_TURN_CHANNEL_BIND], 5, 9);
}

/* 12: another peer has another number, and who was left keeps his. */
static void test_channels(void **state)
{
    const struct ahoy_ip peers[] = { peer, other };
    (void)state;
    open_it();
    ahoy_turn_permit(&turn, peers, 2);
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 2; k++) {
            ahoy_turn_bind(&turn, &peers[k]);
            run(100);
            assert_true(say(&peers[k]));
        }
    }
    assert_int_equal(server.channel_data, 4);
    assert_int_equal(server.clients[0].channels[0].number, 0x4000);
    assert_int_equal(server.clients[0].channels[1].number, 0x4001);
    for (uint16_t i = 0; i < 2 * AHOY_TURN_CHANNELS_LIMIT; i++) {
        struct ahoy_ip next = peer;
        next.port = (uint16_t)(10000 + i);
        ahoy_turn_bind(&turn, &next);
        run(50);
        assert_true(say(&next));
    }
    assert_int_equal(turn.channel_count, AHOY_TURN_CHANNELS_LIMIT);
}

/* A server that has no channels is one all the same. */
static void test_no_channel(void **state)
{
    (void)state;
    server.refuses_channel = 508;
    open_it();
    ahoy_turn_permit(&turn, &peer, 1);
    ahoy_turn_bind(&turn, &peer);
    run(60000);
    assert_true(say(&peer));
    assert_int_equal(server.sends, 1);
}

/* One who may not be sent to is asked for once; others may. */
static void test_forbidden(void **state)
{
    (void)state;
    server.refuses_permission = 403;
    open_it();
    ahoy_turn_permit(&turn, &peer, 1);
    run(60000);
    assert_false(say(&peer));
    assert_true(sent < 3 + 60000 / AHOY_ICE_KEEP_MS + 2);
    server.refuses_permission = 0;
    ahoy_turn_permit(&turn, (const struct ahoy_ip[]){ peer, other }, 2);
    run(100);
    assert_true(say(&other));
}

/* 8: it is renewed at half of its time, and NATs are kept open; a nonce that has become stale is
 * replaced. */
static void test_refresh(void **state)
{
    (void)state;
    server.nonce_uses = 2;
    open_it();
    run(1500000);
    assert_int_equal(turn.state, AHOY_TURN_THERE);
    assert_int_equal(server.counts[AHOY_TURN_REFRESH], 5);
    assert_true(server.nonce >= 3);
    assert_in_range(server.keeps, 1500000 / AHOY_ICE_KEEP_MS - 12, 1500000 / AHOY_ICE_KEEP_MS);
}

/* All nonces are stale: that ends. */
static void test_always_stale(void **state)
{
    struct span datagram;
    struct turn_datagram out;
    (void)state;
    ahoy_turn_open(&turn, &server.ip, server.user, server.password, now_ms);
    for (int i = 0; i < 20; i++) {
        now_ms += AHOY_ICE_SHARED_PACE_MS;
        server.nonce++;
        if (ahoy_turn_poll(&turn, now_ms, &datagram) &&
            turn_server_step(&server, &own, &server.ip, datagram, now_ms, &out))
            hear((struct span){ out.bytes, out.size });
    }
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_string_equal(ahoy_turn_why(&turn), "the server calls all its nonces stale");
}

/* 7.4: it is said why, and the server is left alone for a while. */
static void test_refusals(void **state)
{
    static const struct {
        uint32_t code, rest_s;
    } rows[] = { { 486, 60 }, { 508, 60 }, { 437, 120 }, { 403, 0 }, { 440, 0 }, { 699, 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(state);
        server.refuses = rows[i].code;
        open_it();
        assert_int_equal(turn.state, AHOY_TURN_FAILED);
        assert_int_equal(turn.code, rows[i].code);
        assert_non_null(ahoy_turn_why(&turn));
        server.refuses = 0;
        if (rows[i].rest_s > 0) {
            run(1000 * (uint64_t)rows[i].rest_s - 300);
            open_it();
            assert_int_equal(turn.state, AHOY_TURN_FAILED);
            assert_int_equal(turn.code, rows[i].code);
            assert_int_equal(sent, 2);
            run(400);
        }
        open_it();
        assert_int_equal(turn.state, AHOY_TURN_THERE);
    }
}

static void test_silence(void **state)
{
    (void)state;
    is_cut = true;
    open_it();
    run(1000);
    is_cut = false;
    run(1000);
    assert_int_equal(turn.state, AHOY_TURN_THERE); /* It was asked again. */
    begin(state);
    is_cut = true;
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_ASKING);
    run(AHOY_ICE_GATHER_MS);
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_string_equal(ahoy_turn_why(&turn), "the server does not answer");
    assert_true(ahoy_turn_deadline(&turn) == UINT64_MAX);
}

/* Who has heard no answer may have one all the same: it is given back. */
static void test_too_late(void **state)
{
    (void)state;
    ahoy_turn_open(&turn, &server.ip, server.user, server.password, now_ms);
    run(4);
    is_one_way = true;
    run(AHOY_ICE_GATHER_MS);
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_int_equal(server.deleted, 1);
}

/* R8656-7.3-1 */
static void test_no_address(void **state)
{
    (void)state;
    server.gives_port_zero = true;
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_int_equal(server.deleted, 1);
    assert_string_equal(ahoy_turn_why(&turn), "what the server says is of no use here");
}

/* 8.1, and anew then. */
static void test_release(void **state)
{
    (void)state;
    open_it();
    ahoy_turn_close(&turn);
    run(10);
    assert_int_equal(turn.state, AHOY_TURN_OFF);
    assert_int_equal(server.deleted, 1);
    assert_null(ahoy_turn_why(&turn));
    open_it();
    assert_int_equal(turn.state, AHOY_TURN_THERE);
}

/* RFC 8656 5: a server that was begun anew knows us no more; nor does one that was away so long. */
static void test_gone(void **state)
{
    (void)state;
    open_it();
    turn_server_reboot(&server);
    ahoy_turn_permit(&turn, &peer, 1);
    run(100);
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
    assert_int_equal(turn.code, 437);
    begin(state);
    open_it();
    is_cut = true;
    run(590000);
    assert_int_equal(turn.state, AHOY_TURN_THERE);
    run(20000);
    assert_int_equal(turn.state, AHOY_TURN_FAILED);
}

/* More peers than there is room for are passed over, and those of another family. */
static void test_limits(void **state)
{
    struct ahoy_ip many[AHOY_TURN_PEERS_LIMIT + 5];
    struct ahoy_ip v6 = ip_of("2001:db8::1", 9);
    (void)state;
    for (uint8_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        many[i] = peer;
        many[i].bytes[3] = (uint8_t)(100 + i);
    }
    open_it();
    ahoy_turn_permit(&turn, &v6, 1);
    assert_int_equal(turn.peer_count, 0);
    ahoy_turn_permit(&turn, many, sizeof many / sizeof many[0]);
    assert_int_equal(turn.peer_count, AHOY_TURN_PEERS_LIMIT);
    run(1000);
    assert_int_equal(server.counts[AHOY_TURN_CREATE_PERMISSION], AHOY_TURN_PEERS_LIMIT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_##name, begin)
    static const struct CMUnitTest tests[] = {
        TEST(allocate),       TEST(sha256),     TEST(bid_down),     TEST(no_credentials),
        TEST(wrong_password), TEST(liar),       TEST(permissions),  TEST(stranger),
        TEST(channel),        TEST(channels),   TEST(no_channel),   TEST(forbidden),
        TEST(refresh),        TEST(refusals),   TEST(always_stale), TEST(silence),
        TEST(too_late),       TEST(no_address), TEST(release),      TEST(gone),
        TEST(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
