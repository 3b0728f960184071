/* The ready loop: two phones of one program, each with a pump, talk over the loopback. */
#include "libahoy/io/pump.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libahoy/io/socket.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/tu/ua.h"
#include "tests/support/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { PATIENCE_MS = 20000, REST_MS = 50 };

struct end {
    struct ahoy_pump *pump;
    struct ahoy_ua *ua;
    struct ahoy_ua_news news; /* The last. */
    unsigned sent, received;  /* Messages. */
    char uri[64];
};

static void seen(void *context, bool is_sent, const struct ahoy_hop *hop, struct span bytes)
{
    struct end *end = context;
    assert_true(bytes.size > 0 && hop->transport <= AHOY_TCP);
    *(is_sent ? &end->sent : &end->received) += 1;
}

static void open_pump_as(struct end *end, enum ahoy_transport transport, enum ahoy_family family,
                         bool sends_once)
{
    struct ahoy_pump_fault fault;
    const struct ahoy_pump_options options = {
        .listeners = { { .transport = transport, .local = loopback_ip(family, 0) } },
        .listener_count = 1,
        .sends_once = sends_once,
        .seen = seen,
        .context = end,
    };
    memset(end, 0, sizeof *end);
    end->pump = ahoy_pump_open(&options, &fault);
    assert_non_null(end->pump);
}

static void open_pump(struct end *end, enum ahoy_transport transport, enum ahoy_family family)
{
    open_pump_as(end, transport, family, false);
}

static void open_ua(struct end *end, const char *user, const struct ahoy_ip *server)
{
    const struct ahoy_listener *listener = ahoy_pump_listener(end->pump, 0);
    snprintf(end->uri, sizeof end->uri, "sip:%s@%.*s", user, (int)listener->sent_by.size,
             listener->sent_by.at);
    const struct ahoy_ua_options options = {
        .transactions = ahoy_pump_transactions(end->pump),
        .account = { .uri = { end->uri, strlen(end->uri) },
                     .user = { user, strlen(user) },
                     .domain = SPAN("atlanta.example"),
                     .realm = SPAN("atlanta.example") },
        .server = { .transport = (uint8_t)listener->transport,
                    .listener = AHOY_ANY_LISTENER,
                    .remote = *server },
        .locate = ahoy_locate,
        .t1_ms = 500,
        .t2_ms = 4000,
        .seed = { 1, 2 },
    };
    end->ua = ahoy_ua_new(&options);
    assert_non_null(end->ua);
}

static void turn(struct end *end, uint64_t wait_ms)
{
    struct ahoy_event event;
    uint64_t begun_us = ahoy_driver_now_us();
    ahoy_pump_wait(end->pump, ahoy_driver_now() + wait_ms);
    while (ahoy_pump_next(end->pump, &event)) {
        uint64_t now_us = ahoy_pump_now_us(end->pump);
        assert_true(now_us >= begun_us && now_us <= ahoy_driver_now_us());
        ahoy_ua_step(end->ua, &event, now_us / 1000);
    }
    ahoy_ua_expire(end->ua, ahoy_driver_now());
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(end->ua, &news))
        end->news = news;
}

/* Turns both until |end| has heard |kind|. */
static void await(struct end ends[2], const struct end *end, enum ahoy_ua_news_kind kind)
{
    uint64_t limit_ms = ahoy_driver_now() + PATIENCE_MS;
    while (end->news.kind != kind) {
        assert_true(ahoy_driver_now() < limit_ms);
        turn(&ends[0], 1);
        turn(&ends[1], 1);
    }
}

static void close_end(struct end *end)
{
    ahoy_ua_free(end->ua);
    ahoy_pump_close(end->pump);
}

static void call(enum ahoy_transport transport, enum ahoy_family family)
{
    struct end ends[2], *alice = &ends[0], *bob = &ends[1];
    const struct ahoy_ip media = loopback_ip(AHOY_IPV4, 4000);
    for (int i = 0; i < 2; i++)
        open_pump(&ends[i], transport, family);
    open_ua(alice, "alice", &ahoy_pump_listener(bob->pump, 0)->local);
    open_ua(bob, "bob", &ahoy_pump_listener(alice->pump, 0)->local);
    struct ahoy_handle session = ahoy_ua_call(
        alice->ua, (struct span){ bob->uri, strlen(bob->uri) }, &media, ahoy_driver_now());
    assert_int_not_equal(session.generation, 0);
    await(ends, bob, AHOY_NEWS_INCOMING);
    ahoy_ua_answer(bob->ua, bob->news.session, &media, ahoy_driver_now());
    await(ends, alice, AHOY_NEWS_ANSWERED);
    await(ends, bob, AHOY_NEWS_ANSWERED);
    ahoy_ua_hangup(alice->ua, session, ahoy_driver_now());
    await(ends, bob, AHOY_NEWS_ENDED);
    await(ends, alice, AHOY_NEWS_ENDED);
    assert_true(alice->sent >= 3 && alice->received >= 2); /* INVITE, ACK, BYE; their answers. */
    close_end(alice);
    close_end(bob);
}

static void phones_talk(void **state)
{
    (void)state;
    call(AHOY_UDP, AHOY_IPV4);
    call(AHOY_UDP, AHOY_IPV6);
    call(AHOY_TCP, AHOY_IPV4);
}

/* Who wants that sends once a turn: what the end of one would send waits. */
static void one_may_send_once(void **state)
{
    struct end ends[2], *alice = &ends[0], *bob = &ends[1];
    const struct ahoy_ip media = loopback_ip(AHOY_IPV4, 4000);
    struct ahoy_event event;
    (void)state;
    for (int sends_once = 1; sends_once >= 0; sends_once--) {
        open_pump_as(alice, AHOY_UDP, AHOY_IPV4, sends_once == 1);
        open_pump(bob, AHOY_UDP, AHOY_IPV4);
        open_ua(alice, "alice", &ahoy_pump_listener(bob->pump, 0)->local);
        open_ua(bob, "bob", &ahoy_pump_listener(alice->pump, 0)->local);
        (void)ahoy_ua_call(alice->ua, (struct span){ bob->uri, strlen(bob->uri) }, &media,
                           ahoy_driver_now()); /* What came of it is seen. */
        while (ahoy_pump_next(alice->pump, &event))
            ahoy_ua_step(alice->ua, &event, ahoy_driver_now());
        assert_int_equal(alice->sent, 1);
        if (sends_once == 1) {
            turn(bob, 0);
            assert_int_equal(bob->received, 0);
            ahoy_pump_flush(alice->pump);
        }
        uint64_t limit_ms = ahoy_driver_now() + PATIENCE_MS;
        while (bob->received == 0) { /* Alice does nothing any more. */
            assert_true(ahoy_driver_now() < limit_ms);
            turn(bob, 1);
        }
        close_end(alice);
        close_end(bob);
    }
}

static void an_address_in_use_is_named(void **state)
{
    (void)state;
    struct end end;
    struct ahoy_pump_fault fault;
    open_pump(&end, AHOY_UDP, AHOY_IPV4);
    const struct ahoy_listener *listener = ahoy_pump_listener(end.pump, 0);
    const struct ahoy_pump_options options = {
        .listeners = { { .transport = AHOY_UDP, .local = listener->local } }, .listener_count = 1
    };
    assert_null(ahoy_pump_open(&options, &fault));
    char expected[200];
    snprintf(expected, sizeof expected, "cannot open %.*s: Address already in use",
             (int)listener->sent_by.size, listener->sent_by.at);
    assert_string_equal(fault.text, expected);
    ahoy_pump_close(end.pump);
    const struct ahoy_pump_options many = { .listener_count = AHOY_PUMP_LISTENERS_LIMIT + 1 };
    assert_null(ahoy_pump_open(&many, &fault));
    assert_string_equal(fault.text, "too many listeners: Invalid argument");
}

/* Where all addresses are listened on, one is named by which others find it; what the owner says
 * stays. */
static void listeners_have_names(void **state)
{
    (void)state;
    struct ahoy_pump_fault fault;
    const struct ahoy_pump_options options = {
        .listeners = { { .transport = AHOY_UDP, .local = { .family = AHOY_IPV4 } },
                       { .transport = AHOY_TCP,
                         .local = { .family = AHOY_IPV4 },
                         .sent_by = SPAN_INIT("sip.example:5070") } },
        .listener_count = 2
    };
    struct ahoy_pump *pump = ahoy_pump_open(&options, &fault);
    assert_non_null(pump);
    struct ahoy_ip own;
    const struct ahoy_listener *first = ahoy_pump_listener(pump, 0);
    if (ahoy_driver_own_address(AHOY_IPV4, &own))
        assert_false(ahoy_span_starts_nocase(first->sent_by, SPAN("0.0.0.0")));
    assert_true(ahoy_span_starts_nocase(first->uri, SPAN("sip:")));
    assert_true(ahoy_span_equal(ahoy_pump_listener(pump, 1)->uri,
                                SPAN("sip:sip.example:5070;transport=tcp")));
    ahoy_pump_close(pump);
}

/* When the next message came, by how long it had waited when its event did. */
static uint64_t came_us(struct ahoy_pump *pump)
{
    struct ahoy_event event;
    uint64_t limit_ms = ahoy_driver_now() + PATIENCE_MS;
    while (!ahoy_pump_next(pump, &event)) {
        assert_true(ahoy_driver_now() < limit_ms);
        ahoy_pump_wait(pump, limit_ms);
    }
    return ahoy_pump_now_us(pump) - ahoy_pump_waited_us(pump);
}

static void send_options(int fd, const struct ahoy_ip *to, const char *branch)
{
    char text[256];
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(to, &name);
    int length = snprintf(text, sizeof text,
                          "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK%s\r\n"
                          "From: <sip:b>;tag=1\r\nTo: <sip:a>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
                          "Content-Length: 0\r\n\r\n",
                          branch, branch);
    assert_int_equal(sendto(fd, text, (size_t)length, 0, &name.any, size), length);
}

/* Where each datagram's own time counts, what is done with the first of two that were read
 * together is no time that the second took to come.  A machine may be slow between the two, and the
 * kernel begins to note times some time after it was asked. */
static void the_user_takes_time(void **state)
{
    (void)state;
    struct ahoy_pump_fault fault;
    uint16_t port;
    const struct ahoy_pump_options options = { .listeners = { { .transport = AHOY_UDP,
                                                                .local = loopback_ip(AHOY_IPV4,
                                                                                     0) } },
                                               .listener_count = 1,
                                               .is_exact = true };
    struct ahoy_pump *pump = ahoy_pump_open(&options, &fault);
    assert_non_null(pump);
    const struct ahoy_ip to = ahoy_pump_listener(pump, 0)->local;
    int peer = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    const struct timespec rest = { .tv_nsec = REST_MS * 1000000L };
    int64_t least_us = INT64_MAX;
    for (int tries = 100; tries > 0 && least_us > REST_MS * 1000 / 2; tries--) {
        send_options(peer, &to, "one");
        send_options(peer, &to, "two");
        nanosleep(&rest, NULL);
        uint64_t sent_us = ahoy_driver_now_us() - REST_MS * 1000;
        uint64_t first_us = came_us(pump);
        nanosleep(&rest, NULL);
        uint64_t second_us = came_us(pump);
        int64_t apart_us = (int64_t)(second_us - first_us);
        if (first_us <= sent_us && apart_us < least_us)
            least_us = apart_us;
    }
    assert_in_range(least_us, 0, REST_MS * 1000 / 2);
    close(peer);
    ahoy_pump_close(pump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phones_talk),
        cmocka_unit_test(one_may_send_once),
        cmocka_unit_test(an_address_in_use_is_named),
        cmocka_unit_test(listeners_have_names),
        cmocka_unit_test(the_user_takes_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
