/* TLS through the driver, on real sockets: what the stack is told and when, who is let in, and how
 * it ends.  Attacks 44, 45, 47 and 48. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libahoy/io/tls_context.h"
#include "tests/support/certificates.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/loopback.h"
#include "tests/support/tls_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const both[] = { "tls", "tls6" };

static struct certificate_folder folder;
static struct ahoy_tls_entry entries[3];
static struct ahoy_tls_context *context; /* Listener 0 asks for no certificate, listener 1 does. */

static struct ahoy_hop outward(const struct ahoy_ip *remote)
{
    struct ahoy_hop hop = { .transport = AHOY_TLS, .listener = AHOY_ANY_LISTENER };
    hop.connection = (struct ahoy_handle){ 5, 7 };
    hop.remote = *remote;
    return hop;
}

/* Turns of both until |at| has noted |count| events. */
static const struct ahoy_wire_event *event_of(struct loopback *at, struct loopback *other,
                                              size_t count)
{
    uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
    while (at->event_count < count && ahoy_driver_now() < end) {
        loopback_turn(other, 1);
        loopback_turn(at, 1);
    }
    return loopback_event(at, count);
}

static void bytes_of(struct loopback *at, struct loopback *other, size_t size)
{
    uint64_t end = ahoy_driver_now() + LOOPBACK_PATIENCE_MS;
    while (at->size < size && ahoy_driver_now() < end) {
        loopback_turn(other, 1);
        loopback_turn(at, 1);
    }
    assert_int_equal(at->size, size);
}

struct pair {
    struct loopback server, client;
    struct ahoy_hop accepted, opened;
};

static void open_pair(struct pair *pair, uint8_t listener, const char *domain)
{
    loopback_open_tls(&pair->server, both, 2, context);
    loopback_open_tls(&pair->client, both, 2, context);
    pair->opened = outward(&pair->server.listeners[listener].local);
    loopback_connect_tls(&pair->client, &pair->opened, domain);
    const struct ahoy_wire_event *event = event_of(&pair->server, &pair->client, 1);
    assert_int_equal(event->kind, AHOY_WIRE_ACCEPTED); /* Before any handshake. */
    assert_int_equal(event->hop.transport, AHOY_TLS);
    assert_int_equal(event->hop.listener, listener);
    pair->accepted = event->hop;
}

static void close_pair(struct pair *pair)
{
    loopback_close(&pair->server);
    loopback_close(&pair->client);
}

static void bytes_pass_both_ways(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    char *large = malloc(SIZE);
    assert_non_null(large);
    for (size_t i = 0; i < SIZE; i++)
        large[i] = (char)(i * 31 + i / 257);
    for (uint8_t i = 0; i < 2; i++) {
        struct pair pair;
        open_pair(&pair, i, "a.example");
        assert_int_equal(event_of(&pair.client, &pair.server, 1)->kind, AHOY_WIRE_CONNECTED);
        assert_string_equal(pair.client.proved, "a.example,");
        loopback_send(&pair.client, &pair.opened, SPAN("REGISTER"));
        bytes_of(&pair.server, &pair.client, 8);
        assert_memory_equal(pair.server.bytes, "REGISTER", 8);
        assert_true(ahoy_handle_equal(pair.server.last_hop.connection, pair.accepted.connection));
        loopback_send(&pair.server, &pair.accepted, (struct span){ large, SIZE });
        bytes_of(&pair.client, &pair.server, SIZE);
        assert_memory_equal(pair.client.bytes, large, SIZE);
        /* What is sent before the end arrives before the end. */
        loopback_send(&pair.server, &pair.accepted, SPAN("BYE"));
        loopback_hang_up(&pair.server, &pair.accepted);
        bytes_of(&pair.client, &pair.server, SIZE + 3);
        assert_int_equal(event_of(&pair.client, &pair.server, 2)->kind, AHOY_WIRE_CLOSED);
        assert_int_equal(ahoy_driver_counters(pair.server.driver)->secured, 1);
        assert_int_equal(ahoy_driver_counters(pair.client.driver)->opened, 1);
        close_pair(&pair);
    }
    free(large);
}

/* RFC 5922 7.4: who shows a certificate is known by it. */
static void a_client_with_a_certificate_is_known(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, 1, "a.example");
    const struct ahoy_wire_event *event = event_of(&pair.server, &pair.client, 2);
    assert_int_equal(event->kind, AHOY_WIRE_PROVED);
    assert_true(ahoy_handle_equal(event->hop.connection, pair.accepted.connection));
    assert_string_equal(pair.server.proved, "client.example,");
    close_pair(&pair);
}

/* Writes what has left |end| to |fd|. */
static void end_write(struct end *end, int fd)
{
    struct iovec pieces[AHOY_PAGES_A_WRITE];
    int count = ahoy_outgoing_pieces(&end->outgoing, pieces);
    for (int i = 0; i < count; i++)
        assert_int_equal(send(fd, pieces[i].iov_base, pieces[i].iov_len, MSG_NOSIGNAL),
                         pieces[i].iov_len);
    ahoy_outgoing_clear(&end->outgoing, &end_pages);
}

/* How many whole records |sealed| is. */
static unsigned count_records(struct span sealed)
{
    unsigned count = 0;
    while (sealed.size >= 5) {
        const unsigned char *header = (const unsigned char *)sealed.at;
        size_t size = 5 + ((size_t)header[3] << 8 | header[4]);
        assert_true(size <= sealed.size);
        sealed = ahoy_span_after(sealed, size);
        count++;
    }
    assert_int_equal(sealed.size, 0);
    return count;
}

/* What is sent in a turn is sealed together: a record costs more than its bytes do. */
static void the_messages_of_a_turn_make_one_record(void **state)
{
    (void)state;
    static char sealed[65536];
    static struct end client;
    struct loopback at;
    loopback_open_tls(&at, both, 1, context);
    int fd = loopback_call(&at.listeners[0].local);
    client.tls = ahoy_tls_connect(context, SPAN("a.example"), &at.listeners[0].local);
    end_take(&client, SPAN(""));
    while (ahoy_tls_state(client.tls) == AHOY_TLS_SHAKING) {
        end_write(&client, fd);
        loopback_turn(&at, 100);
        ssize_t size = recv(fd, sealed, sizeof sealed, MSG_DONTWAIT);
        if (size > 0)
            end_take(&client, (struct span){ sealed, (size_t)size });
    }
    end_write(&client, fd);
    while (ahoy_driver_counters(at.driver)->secured == 0)
        loopback_turn(&at, 100);
    ssize_t size = recv(fd, sealed, sizeof sealed, MSG_DONTWAIT);
    if (size > 0)
        end_take(&client, (struct span){ sealed, (size_t)size }); /* A ticket. */
    for (int i = 0; i < 10; i++)
        loopback_send(&at, &at.events[0].hop, SPAN("NOTIFY "));
    assert_int_equal(recv(fd, sealed, sizeof sealed, MSG_DONTWAIT), -1);
    loopback_turn(&at, 0);
    size = recv(fd, sealed, sizeof sealed, 0);
    assert_true(size > 70 && size <= 70 + AHOY_TLS_OVERHEAD);
    assert_int_equal(count_records((struct span){ sealed, (size_t)size }), 1);
    end_take(&client, (struct span){ sealed, (size_t)size });
    assert_int_equal(client.size, 70);
    close(fd);
    end_free(&client);
    loopback_close(&at);
}

static void say_at_once(struct loopback *at, const struct ahoy_wire_event *event)
{
    if (event->kind == AHOY_WIRE_CONNECTED)
        loopback_send(at, &event->hop, SPAN("secret"));
}

static void hang_up_at_once(struct loopback *at, const struct ahoy_wire_event *event)
{
    if (event->kind == AHOY_WIRE_PROVED)
        loopback_hang_up(at, &event->hop);
}

/* What came along with the end of the handshake is told after that; where its connection is closed
 * in between, it is nobody's. */
static void the_words_of_one_are_not_another_s(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, 1, "a.example");
    pair.client.step = say_at_once;
    pair.server.step = hang_up_at_once;
    assert_int_equal(event_of(&pair.server, &pair.client, 2)->kind, AHOY_WIRE_PROVED);
    int fd = loopback_call(&pair.server.listeners[0].local);
    assert_int_equal(event_of(&pair.server, &pair.client, 3)->kind, AHOY_WIRE_ACCEPTED);
    assert_int_equal(send(fd, "\x16", 1, MSG_NOSIGNAL), 1);
    for (int i = 0; i < 20; i++)
        loopback_turn(&pair.server, 1);
    assert_int_equal(pair.server.size, 0);
    close(fd);
    close_pair(&pair);
}

/* R5922-7.3-3: the connection is closed, and was never one. */
static void the_wrong_peer_is_left(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, 0, "b.example");
    assert_int_equal(event_of(&pair.client, &pair.server, 1)->kind, AHOY_WIRE_CLOSED);
    assert_int_equal(event_of(&pair.server, &pair.client, 2)->kind, AHOY_WIRE_CLOSED);
    assert_int_equal(pair.server.size, 0);
    assert_int_equal(ahoy_driver_counters(pair.client.driver)->not_opened, 1);
    assert_int_equal(ahoy_driver_counters(pair.client.driver)->opened, 0);
    close_pair(&pair);
}

static void nothing_leaves_before_hands_are_shaken(void **state)
{
    (void)state;
    struct pair pair;
    open_pair(&pair, 0, "a.example");
    loopback_send(&pair.server, &pair.accepted, SPAN("secret"));
    loopback_send(&pair.client, &pair.opened, SPAN("secret"));
    assert_int_equal(event_of(&pair.client, &pair.server, 1)->kind, AHOY_WIRE_CONNECTED);
    loopback_send(&pair.client, &pair.opened, SPAN("INVITE"));
    bytes_of(&pair.server, &pair.client, 6);
    assert_memory_equal(pair.server.bytes, "INVITE", 6);
    assert_int_equal(pair.client.size, 0);
    close_pair(&pair);
}

/* A plain client of a TLS port is sent away. */
static void plain_text_is_refused(void **state)
{
    (void)state;
    struct loopback at;
    loopback_open_tls(&at, both, 1, context);
    int fd = loopback_call(&at.listeners[0].local);
    struct span text = SPAN("OPTIONS sip:a.example SIP/2.0\r\n\r\n");
    assert_int_equal(send(fd, text.at, text.size, MSG_NOSIGNAL), text.size);
    assert_int_equal(loopback_event(&at, 2)->kind, AHOY_WIRE_CLOSED);
    assert_int_equal(at.size, 0);
    char byte;
    assert_int_equal(loopback_read(fd, &byte, 1), 0);
    assert_int_equal(ahoy_driver_counters(at.driver)->not_secured, 1);
    close(fd);
    loopback_close(&at);
}

/* The beginning of a ClientHello, and the peer is gone. */
static void aborted_handshakes_are_told(void **state)
{
    (void)state;
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    struct loopback at;
    loopback_open_tls(&at, both, 1, context);
    for (size_t i = 0; i < 30; i++) {
        int fd = loopback_call(&at.listeners[0].local);
        size_t size = i % (sizeof hello - 1);
        assert_int_equal(send(fd, hello, size, MSG_NOSIGNAL), size);
        loopback_event(&at, 2 * i + 1);
        struct linger at_once = { .l_onoff = 1 };
        if (i % 2 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(fd);
        assert_int_equal(loopback_event(&at, 2 * i + 2)->kind, AHOY_WIRE_CLOSED);
    }
    loopback_close(&at);
}

/* Attack 45: who neither answers a handshake nor ends a record is given up.  The test takes as long
 * as AHOY_CONNECT_MS says. */
static void what_does_not_go_on_is_given_up(void **state)
{
    (void)state;
    struct pair pair;
    uint16_t port;
    int silent = loopback_socket(AHOY_IPV4, SOCK_STREAM, &port);
    assert_int_equal(listen(silent, 8), 0);
    open_pair(&pair, 0, "a.example");
    assert_int_equal(event_of(&pair.client, &pair.server, 1)->kind, AHOY_WIRE_CONNECTED);
    struct ahoy_ip ip = loopback_ip(AHOY_IPV4, port);
    struct ahoy_hop never = outward(&ip);
    never.connection.slot = 6;
    uint64_t start_ms = ahoy_driver_now();
    loopback_connect_tls(&pair.client, &never, "a.example");
    assert_int_equal(event_of(&pair.client, &pair.server, 2)->kind, AHOY_WIRE_CLOSED);
    assert_true(ahoy_driver_now() - start_ms >= AHOY_CONNECT_MS - 100);
    assert_int_equal(ahoy_driver_counters(pair.client.driver)->not_opened, 1);
    assert_int_equal(pair.server.event_count, 1); /* The other, which is idle, stays. */
    close(silent);
    close_pair(&pair);
}

static void without_certificates_there_is_no_tls(void **state)
{
    (void)state;
    static const char *const tcp[] = { "tcp" };
    struct loopback at;
    loopback_open(&at, tcp, 1);
    struct ahoy_hop hop = outward(&at.listeners[0].local);
    loopback_connect_tls(&at, &hop, "a.example");
    assert_int_equal(loopback_event(&at, 1)->kind, AHOY_WIRE_CLOSED);
    loopback_close(&at);
}

/* Whichever allocation of ours is refused, each end is told its CLOSED or works. */
static void without_memory_connections_end(void **state)
{
    (void)state;
    for (size_t count = 0; count < 40; count++) {
        struct pair pair;
        open_pair(&pair, 0, "a.example");
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        for (int i = 0; i < 20; i++) {
            loopback_turn(&pair.client, 0);
            loopback_turn(&pair.server, 0);
        }
        (void)failing_alloc_end(); /* OpenSSL's own allocations come and go with its version. */
        assert_true(event_of(&pair.client, &pair.server, 1)->kind == AHOY_WIRE_CONNECTED ||
                    pair.client.events[0].kind == AHOY_WIRE_CLOSED);
        close_pair(&pair);
    }
}

static void write_for(const struct certificate *authority, const char *domain, const char *name)
{
    struct certificate made = certificate_for(authority, domain);
    certificate_write(&folder, &made, name);
    certificate_free(&made);
}

static int prepare(void **state)
{
    (void)state;
    struct ahoy_tls_fault fault;
    struct certificate authority = certificate_authority("authority");
    certificate_folder_make(&folder);
    certificate_write(&folder, &authority, "authority");
    write_for(&authority, "a.example", "a");
    write_for(&authority, "client.example", "client");
    certificate_free(&authority);
    const char *authorities = certificate_path(&folder, "authority.pem");
    for (uint8_t i = 0; i < 2; i++)
        entries[i] = (struct ahoy_tls_entry){ .use = AHOY_TLS_LISTENER,
                                              .listener = i,
                                              .certificate = certificate_path(&folder, "a.pem"),
                                              .key = certificate_path(&folder, "a.key") };
    entries[1].verify = AHOY_TLS_VERIFY_REQUIRED;
    entries[1].authorities = authorities;
    entries[2] = (struct ahoy_tls_entry){ .use = AHOY_TLS_OUTWARD,
                                          .verify = AHOY_TLS_VERIFY_REQUIRED,
                                          .certificate = certificate_path(&folder, "client.pem"),
                                          .key = certificate_path(&folder, "client.key"),
                                          .authorities = authorities };
    context = ahoy_tls_context_new(entries, 3, &fault);
    assert_non_null(context);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    ahoy_tls_context_free(context);
    certificate_folder_remove(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_pass_both_ways),
        cmocka_unit_test(the_messages_of_a_turn_make_one_record),
        cmocka_unit_test(a_client_with_a_certificate_is_known),
        cmocka_unit_test(the_words_of_one_are_not_another_s),
        cmocka_unit_test(the_wrong_peer_is_left),
        cmocka_unit_test(nothing_leaves_before_hands_are_shaken),
        cmocka_unit_test(plain_text_is_refused),
        cmocka_unit_test(aborted_handshakes_are_told),
        cmocka_unit_test(what_does_not_go_on_is_given_up),
        cmocka_unit_test(without_certificates_there_is_no_tls),
        cmocka_unit_test(without_memory_connections_end),
    };
    return cmocka_run_group_tests(tests, prepare, clear);
}
