/* The resolver on a loop of ours, against a name server in this very thread. */
#include "libahoy/io/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "libahoy/io/dns_events.h"
#include "libahoy/io/driver.h"
#include "libahoy/io/socket.h"
#include "libahoy/resolve/records.h"
#include "sim/zone.h"

enum { DNS_KIND = 7, WAIT_MS = 20000, QUESTION = 12 };

struct bench {
    struct ahoy_loop loop;
    struct ahoy_timers timers;
    struct ahoy_dns *dns;
    struct sim_zone *zone;
    int server;
    unsigned asked; /* Questions that came to the server. */
};

static void open_bench(struct bench *bench, const char *anchor)
{
    struct ahoy_ip ip = { .family = AHOY_IPV4, .bytes = { 127, 0, 0, 1 } };
    struct ahoy_dns_options options = { .server_count = 1, .anchor = anchor };
    *bench = (struct bench){ .zone = sim_zone_new() };
    bench->server = ahoy_socket_datagram(&ip, false);
    assert_true(bench->server >= 0 && ahoy_socket_local(bench->server, &options.servers[0]));
    assert_true(ahoy_loop_init(&bench->loop));
    ahoy_timers_init(&bench->timers, ahoy_driver_now());
    bench->dns = ahoy_dns_open(&options, &bench->loop, &bench->timers, DNS_KIND);
    assert_non_null(bench->dns);
}

static void close_bench(struct bench *bench)
{
    ahoy_dns_close(bench->dns);
    ahoy_loop_fini(&bench->loop);
    sim_zone_free(bench->zone);
    close(bench->server);
}

/* Reads the question's name from |query|; returns its type. */
static uint16_t read_question(const unsigned char *query, char name[256])
{
    size_t size = 0;
    const unsigned char *at = query + QUESTION;
    for (; *at != 0; at += 1 + *at) {
        memcpy(name + size, at + 1, *at);
        size += *at;
        name[size++] = '.';
    }
    name[size > 0 ? size - 1 : 0] = '\0';
    return (uint16_t)(at[1] << 8 | at[2]);
}

/* Answers what has come to the server. */
static void serve(struct bench *bench)
{
    unsigned char query[4096];
    char space[4096], name[256];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    while (recvfrom(bench->server, query, sizeof query, 0, (struct sockaddr *)&from, &size) > 0) {
        struct ahoy_buf message = ahoy_buf_over(space, sizeof space);
        uint32_t delay_ms;
        bench->asked++;
        uint16_t type = read_question(query, name);
        if (!sim_zone_answer(bench->zone, ahoy_span(name), type, &message, &delay_ms))
            continue;
        if (message.size == 0) { /* SERVFAIL: the question with another head. */
            ahoy_buf_put(&message, (struct span){ (const char *)query, QUESTION });
            memcpy(space + 2, "\x81\x82\0\0\0\0\0\0\0\0", 10);
        }
        memcpy(space, query, 2);
        assert_true(sendto(bench->server, space, message.size, 0, (struct sockaddr *)&from, size) >
                    0);
    }
}

static void turn(struct bench *bench)
{
    struct ahoy_source *source;
    struct ahoy_timer *timer;
    uint32_t events;
    ahoy_loop_wait(&bench->loop, 5);
    uint64_t now_ms = ahoy_driver_now();
    while ((timer = ahoy_timers_expire(&bench->timers, now_ms)) != NULL)
        ahoy_dns_events_due(timer);
    while ((source = ahoy_loop_next(&bench->loop, &events)) != NULL) {
        assert_int_equal(source->kind, DNS_KIND);
        ahoy_dns_events_ready(source, events);
    }
    serve(bench);
}

/* Waits for the answer to |number|: what it says, and how many records. */
static enum ahoy_dns_verdict wait_for(struct bench *bench, uint64_t number, enum ahoy_dns_type type,
                                      size_t *count)
{
    uint64_t found, end_ms = ahoy_driver_now() + WAIT_MS;
    struct span message;
    struct ahoy_records records;
    struct ahoy_record record;
    while (!ahoy_dns_next(bench->dns, &found, &message)) {
        assert_true(ahoy_driver_now() < end_ms);
        turn(bench);
    }
    assert_int_equal(found, number);
    *count = 0;
    enum ahoy_dns_verdict verdict = ahoy_records_begin(&records, message, type);
    while (verdict == AHOY_DNS_FOUND && ahoy_records_next(&records, &record))
        ++*count;
    return verdict;
}

static void test_answers(void **state)
{
    (void)state;
    struct bench bench;
    size_t count;
    open_bench(&bench, NULL);
    assert_true(sim_zone_add(bench.zone, "_sip._udp.example.com SRV 1 2 5060 one.example.com"));
    assert_true(sim_zone_add(bench.zone, "_sip._udp.example.com SRV 1 3 5060 two.example.com"));
    assert_true(sim_zone_add(bench.zone, "example.com NAPTR 1 2 s SIP+D2U _sip._udp.example.com"));
    assert_true(sim_zone_add(bench.zone, "broken.example.com FAIL"));
    ahoy_dns_ask(bench.dns, 1, AHOY_DNS_SRV, SPAN("_sip._udp.example.com"));
    assert_int_equal(wait_for(&bench, 1, AHOY_DNS_SRV, &count), AHOY_DNS_FOUND);
    assert_int_equal(count, 2);
    ahoy_dns_ask(bench.dns, 2, AHOY_DNS_NAPTR, SPAN("example.com"));
    assert_int_equal(wait_for(&bench, 2, AHOY_DNS_NAPTR, &count), AHOY_DNS_FOUND);
    assert_int_equal(count, 1);
    ahoy_dns_ask(bench.dns, 3, AHOY_DNS_A, SPAN("nobody.example.com"));
    assert_int_equal(wait_for(&bench, 3, AHOY_DNS_A, &count), AHOY_DNS_NONE);
    ahoy_dns_ask(bench.dns, 4, AHOY_DNS_A, SPAN("broken.example.com"));
    assert_int_equal(wait_for(&bench, 4, AHOY_DNS_A, &count), AHOY_DNS_FAILED);
    close_bench(&bench);
}

/* A second time nobody is asked, and the answer is there at once. */
static void test_cache(void **state)
{
    (void)state;
    struct bench bench;
    size_t count;
    open_bench(&bench, NULL);
    assert_true(sim_zone_add(bench.zone, "one.example.com A 192.0.2.1"));
    ahoy_dns_ask(bench.dns, 1, AHOY_DNS_A, SPAN("one.example.com"));
    assert_false(ahoy_dns_has_next(bench.dns));
    assert_int_equal(wait_for(&bench, 1, AHOY_DNS_A, &count), AHOY_DNS_FOUND);
    unsigned asked = bench.asked;
    for (uint64_t number = 2; number < 100; number++)
        ahoy_dns_ask(bench.dns, number, AHOY_DNS_A, SPAN("ONE.example.com"));
    assert_true(ahoy_dns_has_next(bench.dns));
    for (uint64_t number = 2; number < 100; number++) {
        assert_int_equal(wait_for(&bench, number, AHOY_DNS_A, &count), AHOY_DNS_FOUND);
        assert_int_equal(count, 1);
    }
    assert_int_equal(bench.asked, asked);
    close_bench(&bench);
}

/* A name server that says nothing: each question fails in the end, none is lost, and more than the
 * limit fail at once. */
static void test_silence(void **state)
{
    (void)state;
    struct bench bench;
    size_t count;
    char name[64];
    open_bench(&bench, NULL);
    assert_true(sim_zone_add(bench.zone, "mute.example.com SILENT"));
    ahoy_dns_ask(bench.dns, 1, AHOY_DNS_A, SPAN("mute.example.com"));
    assert_int_equal(wait_for(&bench, 1, AHOY_DNS_A, &count), AHOY_DNS_FAILED);
    ahoy_dns_ask(bench.dns, 2, AHOY_DNS_A, SPAN(""));
    ahoy_dns_ask(bench.dns, 3, AHOY_DNS_A, SPAN("a..b"));
    turn(&bench);
    for (uint64_t number = 4; number < 4 + AHOY_DNS_LOOKUPS_LIMIT + 10; number++) {
        snprintf(name, sizeof name, "m%llu.mute.example.com", (unsigned long long)number);
        ahoy_dns_ask(bench.dns, number, AHOY_DNS_A, ahoy_span(name));
    }
    assert_true(ahoy_dns_has_next(bench.dns));
    close_bench(&bench); /* With thousands under way. */
}

/* An answer that should be signed and is not is none (RFC 4035 4.3). */
static void test_bogus(void **state)
{
    (void)state;
    struct bench bench;
    size_t count;
    char path[] = "/tmp/ahoy-anchor-XXXXXX";
    static const char anchor[] =
        "example.com. IN DS 12345 8 2 "
        "1111111111111111111111111111111111111111111111111111111111111111\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, anchor, sizeof anchor - 1) == (ssize_t)sizeof anchor - 1);
    close(fd);
    open_bench(&bench, path);
    assert_true(sim_zone_add(bench.zone, "one.example.com A 192.0.2.1"));
    assert_true(sim_zone_add(bench.zone, "one.example.net A 192.0.2.1"));
    ahoy_dns_ask(bench.dns, 1, AHOY_DNS_A, SPAN("one.example.com"));
    assert_int_equal(wait_for(&bench, 1, AHOY_DNS_A, &count), AHOY_DNS_FAILED);
    ahoy_dns_ask(bench.dns, 2, AHOY_DNS_A, SPAN("one.example.net"));
    assert_int_equal(wait_for(&bench, 2, AHOY_DNS_A, &count), AHOY_DNS_FOUND);
    close_bench(&bench);
    unlink(path);
    struct ahoy_dns_options options = { .anchor = path }; /* It is no more. */
    assert_true(ahoy_loop_init(&bench.loop));
    assert_null(ahoy_dns_open(&options, &bench.loop, &bench.timers, DNS_KIND));
    ahoy_loop_fini(&bench.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_bogus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
