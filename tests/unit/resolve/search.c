/* Locating servers by name: RFC 3263 4.1 and 4.2, RFC 2782, RFC 7984.  A case is a URI, what the
 * DNS has, and the servers in the order in which they are to be tried. */
#include "libahoy/resolve/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/zone.h"

enum {
    UDP = 1 << AHOY_UDP,
    TCP = 1 << AHOY_TCP,
    TLS = 1 << AHOY_TLS,
    ALL = UDP | TCP | TLS,
    TEXT_LIMIT = 4096,
    LINES_LIMIT = 12
};

struct place {
    const char *uri;
    struct ahoy_means means;
    const char *zone[LINES_LIMIT];
    const char *asked;   /* NULL: not looked at. */
    const char *servers; /* "udp 192.0.2.1:5060, tcp ..."; "416" and the like for a refusal. */
};

/* A whole domain, as the example of 4.1 has it. */
#define EXAMPLE                                                                                    \
    "example.com NAPTR 50 50 s SIPS+D2T _sips._tcp.example.com",                                   \
        "example.com NAPTR 90 50 s SIP+D2T _sip._tcp.example.com",                                 \
        "example.com NAPTR 100 50 s SIP+D2U _sip._udp.example.com",                                \
        "_sips._tcp.example.com SRV 0 1 5061 one.example.com",                                     \
        "_sip._tcp.example.com SRV 0 1 5070 one.example.com",                                      \
        "_sip._udp.example.com SRV 0 1 5080 one.example.com", "one.example.com A 192.0.2.1"

/* clang-format off */
static const struct place places[] = {
    /* An address: no question at all. */
    { "sip:bob@192.0.2.4", { UDP, 0 }, { NULL }, "", "udp 192.0.2.4:5060" },
    { "sip:192.0.2.4:5080;transport=tcp", { ALL, 0 }, { NULL }, "", "tcp 192.0.2.4:5080" },
    { "sip:bob@example.com;maddr=192.0.2.9", { UDP, 0 }, { NULL }, "", "udp 192.0.2.9:5060" },
    { "sips:bob@192.0.2.4", { ALL, 0 }, { NULL }, "", "tls 192.0.2.4:5061" },
    { "sips:bob@192.0.2.4;transport=tcp", { ALL, 0 }, { NULL }, "", "tls 192.0.2.4:5061" },
    { "sip:bob@192.0.2.4;transport=tls", { ALL, 0 }, { NULL }, "", "tls 192.0.2.4:5061" },
    { "sip:bob@[2001:db8::4]", { UDP, UDP }, { NULL }, "", "udp [2001:db8::4]:5060" },
    { "sip:bob@[2001:db8::4]", { UDP, 0 }, { NULL }, "", "503" },
    { "sips:bob@192.0.2.4", { UDP | TCP, 0 }, { NULL }, "", "416" },
    { "tel:+1", { ALL, 0 }, { NULL }, "", "416" },
    { "sip:bob@192.0.2.4;transport=sctp", { ALL, 0 }, { NULL }, "", "503" },
    { "sip:bob@192.0.2.4;transport=tls", { UDP | TCP, 0 }, { NULL }, "", "503" },
    { "sips:bob@example.com;transport=udp", { ALL, 0 }, { NULL }, "", "503" },

    /* A port: its addresses alone. */
    { "sip:example.com:5090", { ALL, 0 }, { EXAMPLE, "example.com A 192.0.2.2" },
      "A example.com", "udp 192.0.2.2:5090" },
    { "sips:example.com:5090", { ALL, 0 }, { "example.com A 192.0.2.2" },
      "A example.com", "tls 192.0.2.2:5090" },
    { "sip:example.com:5060;transport=tcp", { ALL, 0 }, { "example.com A 192.0.2.2" },
      "A example.com", "tcp 192.0.2.2:5060" },

    /* R3261-8.1.2-1.  A transport: its SRV records, else the addresses. */
    { "sip:example.com;transport=udp", { ALL, 0 }, { EXAMPLE },
      "SRV _sip._udp.example.com, A one.example.com", "udp 192.0.2.1:5080" },
    { "sip:example.com;transport=tls", { ALL, 0 }, { EXAMPLE },
      "SRV _sips._tcp.example.com, A one.example.com", "tls 192.0.2.1:5061" },
    { "sips:example.com;transport=tcp", { ALL, 0 }, { EXAMPLE },
      "SRV _sips._tcp.example.com, A one.example.com", "tls 192.0.2.1:5061" },
    { "sip:example.com;transport=tcp", { ALL, 0 }, { "example.com A 192.0.2.2" },
      "SRV _sip._tcp.example.com, A example.com", "tcp 192.0.2.2:5060" },

    /* Neither: NAPTR; the most liked of those that we have. */
    { "sip:example.com", { ALL, 0 }, { EXAMPLE },
      "NAPTR example.com, SRV _sips._tcp.example.com, A one.example.com", "tls 192.0.2.1:5061" },
    { "sip:example.com", { UDP | TCP, 0 }, { EXAMPLE }, NULL, "tcp 192.0.2.1:5070" },
    { "sip:example.com", { UDP, 0 }, { EXAMPLE }, NULL, "udp 192.0.2.1:5080" },
    { "sips:example.com", { ALL, 0 }, { EXAMPLE }, NULL, "tls 192.0.2.1:5061" },
    { "sip:user@EXAMPLE.com.", { UDP, 0 }, { EXAMPLE }, NULL, "udp 192.0.2.1:5080" },
    { "sip:bob@192.0.2.7;maddr=example.com", { UDP, 0 }, { EXAMPLE }, NULL, "udp 192.0.2.1:5080" },
    /* R3263-4.1-1: no SIPS, then no sips by NAPTR; but SRV is asked. */
    { "sips:example.com", { ALL, 0 },
      { "example.com NAPTR 1 1 s SIP+D2T _sip._tcp.example.com",
        "_sip._tcp.example.com SRV 0 1 5070 one.example.com", "one.example.com A 192.0.2.1" },
      "NAPTR example.com, SRV _sips._tcp.example.com, A example.com", "" },
    /* R3263-4.1-2: what is no SIP+D2X of ours, no lead to SRV, or rewritten, is passed over. */
    { "sip:example.com", { UDP | TCP, 0 },
      { "example.com NAPTR 1 1 s SIP+D2S _sip._sctp.example.com",
        "example.com NAPTR 2 1 u E2U+sip _sip._udp.example.com",
        "example.com NAPTR 3 1 a SIP+D2T one.example.com",
        "example.com NAPTR 3 2 s SIP+D2U one.example.com !^.*$!x!",
        "example.com NAPTR 4 1 s SIP+D2U else.example.net",
        "else.example.net SRV 0 1 5088 one.example.com", "one.example.com A 192.0.2.1" },
      "NAPTR example.com, SRV else.example.net, A one.example.com", "udp 192.0.2.1:5088" },
    /* The order counts before the preference. */
    { "sip:example.com", { UDP | TCP, 0 },
      { "example.com NAPTR 2 1 s SIP+D2U _sip._udp.example.com",
        "example.com NAPTR 1 9 s sip+d2t _sip._tcp.example.com",
        "example.com NAPTR 1 10 S SIP+D2U _sip._udp.example.com",
        "_sip._tcp.example.com SRV 0 1 5070 one.example.com", "one.example.com A 192.0.2.1" },
      "NAPTR example.com, SRV _sip._tcp.example.com, A one.example.com", "tcp 192.0.2.1:5070" },
    /* A lead to nothing: the next one. */
    { "sip:example.com", { UDP | TCP, 0 },
      { "example.com NAPTR 1 1 s SIP+D2T _sip._tcp.example.com",
        "example.com NAPTR 2 1 s SIP+D2U _sip._udp.example.com",
        "_sip._udp.example.com SRV 0 1 5080 one.example.com", "one.example.com A 192.0.2.1" },
      NULL, "udp 192.0.2.1:5080" },
    /* None of them leads anywhere: the addresses, by the transport that was liked best. */
    { "sip:example.com", { UDP | TCP, 0 },
      { "example.com NAPTR 1 1 s SIP+D2T _sip._tcp.example.com", "example.com A 192.0.2.2" },
      "NAPTR example.com, SRV _sip._tcp.example.com, A example.com", "tcp 192.0.2.2:5060" },
    /* No NAPTR: SRV for each transport that we have. */
    { "sip:example.com", { ALL, 0 },
      { "_sip._tcp.example.com SRV 0 1 5070 one.example.com", "one.example.com A 192.0.2.1" },
      "NAPTR example.com, SRV _sip._udp.example.com, SRV _sip._tcp.example.com, A one.example.com",
      "tcp 192.0.2.1:5070" },
    /* No SRV either: UDP for sip, TLS for sips. */
    { "sip:example.com", { ALL, 0 }, { "example.com A 192.0.2.2", "example.com A 192.0.2.3" },
      NULL, "udp 192.0.2.2:5060, udp 192.0.2.3:5060" },
    { "sips:example.com", { ALL, 0 }, { "example.com A 192.0.2.2" }, NULL, "tls 192.0.2.2:5061" },
    { "sip:example.com", { ALL, 0 }, { NULL }, NULL, "" },

    /* A name server that knows no NAPTR; one that fails for SRV says nothing about addresses. */
    { "sip:example.com", { UDP, 0 }, { "example.com FAIL",
      "_sip._udp.example.com SRV 0 1 5080 one.example.com", "one.example.com A 192.0.2.1" },
      NULL, "udp 192.0.2.1:5080" },
    { "sip:example.com", { UDP, 0 }, { "_sip._udp.example.com FAIL", "example.com A 192.0.2.2" },
      "NAPTR example.com, SRV _sip._udp.example.com", "" },
    /* RFC 2782: no such service here. */
    { "sip:example.com;transport=udp", { UDP, 0 },
      { "_sip._udp.example.com SRV 0 0 0 .", "example.com A 192.0.2.2" },
      "SRV _sip._udp.example.com", "" },

    /* SRV: by priority; a host that has no address is passed over. */
    { "sip:example.com;transport=udp", { UDP, 0 },
      { "_sip._udp.example.com SRV 30 1 5063 three.example.com",
        "_sip._udp.example.com SRV 10 1 5061 one.example.com",
        "_sip._udp.example.com SRV 20 1 5062 two.example.com",
        "one.example.com A 192.0.2.1", "three.example.com A 192.0.2.3",
        "three.example.com A 192.0.2.4" },
      NULL, "udp 192.0.2.1:5061, udp 192.0.2.3:5063, udp 192.0.2.4:5063" },
    /* RFC 7984 4: hosts are not mixed; IPv6 first, but not what is local or tunnelled. */
    { "sip:example.com;transport=udp", { UDP, UDP },
      { "_sip._udp.example.com SRV 10 1 5060 one.example.com",
        "_sip._udp.example.com SRV 20 1 5060 two.example.com",
        "one.example.com A 192.0.2.1", "one.example.com AAAA 2001:db8::1",
        "two.example.com AAAA 2001::2", "two.example.com AAAA fd00::2",
        "two.example.com A 192.0.2.2", "two.example.com AAAA 2002:c000:204::2",
        "two.example.com AAAA 2001:db8::2" },
      NULL, "udp [2001:db8::1]:5060, udp 192.0.2.1:5060, udp [2001:db8::2]:5060, "
      "udp 192.0.2.2:5060, udp [2002:c000:204::2]:5060, udp [2001::2]:5060, udp [fd00::2]:5060" },
    /* RFC 7984 3.1: only the families that we have are asked for. */
    { "sip:example.com:5060", { 0, UDP },
      { "example.com A 192.0.2.1", "example.com AAAA 2001:db8::1" },
      "AAAA example.com", "udp [2001:db8::1]:5060" },
    { "sip:example.com:5060", { 0, TCP }, { "example.com A 192.0.2.1" }, "", "" },
    /* The same server twice is one server. */
    { "sip:example.com;transport=udp", { UDP, 0 },
      { "_sip._udp.example.com SRV 10 1 5060 one.example.com",
        "_sip._udp.example.com SRV 20 1 5060 two.example.com",
        "one.example.com A 192.0.2.1", "two.example.com A 192.0.2.1" },
      NULL, "udp 192.0.2.1:5060" },
    /* A name of the DNS may not have everything that a host of SIP may. */
    { "sip:bob@a234567890z234567890b234567890c234567890d234567890e234567890f234567890", { UDP, 0 },
      { NULL }, "", "503" },
};
/* clang-format on */

struct run {
    struct ahoy_search search;
    struct sim_zone *zone;
    struct ahoy_rng rng;
    char asked_space[TEXT_LIMIT];
    struct ahoy_buf asked;
    bool backward; /* The answers come in the opposite order. */
};

static const char *type_name(enum ahoy_dns_type type)
{
    return type == AHOY_DNS_NAPTR  ? "NAPTR "
           : type == AHOY_DNS_SRV  ? "SRV "
           : type == AHOY_DNS_AAAA ? "AAAA "
                                   : "A ";
}

static void answer(struct run *run, const struct ahoy_question *question)
{
    static char space[65535];
    struct ahoy_buf message = ahoy_buf_over(space, sizeof space);
    uint32_t delay_ms;
    assert_true(sim_zone_answer(run->zone, ahoy_dns_name_text(question->name),
                                (uint16_t)question->type, &message, &delay_ms));
    ahoy_search_step(&run->search, question->number, ahoy_buf_text(&message), &run->rng);
}

/* Asks and answers until the search is done. */
static void finish(struct run *run)
{
    for (unsigned round = 0; !run->search.done; round++) {
        struct ahoy_question questions[2 * AHOY_SERVERS_LIMIT];
        size_t count = 0;
        while (ahoy_search_poll(&run->search, &questions[count])) {
            if (run->asked.size > 0)
                ahoy_buf_put(&run->asked, SPAN(", "));
            ahoy_buf_put(&run->asked, ahoy_span(type_name(questions[count].type)));
            ahoy_buf_put(&run->asked, ahoy_dns_name_text(questions[count].name));
            count++;
        }
        assert_true(count > 0 && round < 2 + AHOY_LEADS_LIMIT);
        for (size_t i = 0; i < count; i++)
            answer(run, &questions[run->backward ? count - 1 - i : i]);
    }
}

static bool begin(struct run *run, const char *text, struct ahoy_means means, struct ahoy_err *err)
{
    struct ahoy_uri uri;
    const struct ahoy_search_options options = { .means = means };
    const uint64_t seed[2] = { 1, 2 };
    assert_true(ahoy_uri_parse(ahoy_span(text), &uri, NULL));
    ahoy_rng_init(&run->rng, seed);
    run->asked = ahoy_buf_over(run->asked_space, sizeof run->asked_space);
    return ahoy_search_begin(&run->search, &uri, &options, err);
}

static void print_servers(const struct ahoy_search *search, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < search->count; i++) {
        ahoy_buf_put(buf, i == 0 ? SPAN("") : SPAN(", "));
        ahoy_buf_put(buf, ahoy_transport_uri_name(search->servers[i].transport));
        ahoy_buf_put_byte(buf, ' ');
        ahoy_ip_print(&search->servers[i].ip, buf);
    }
}

static void check_place(const struct place *place, bool backward)
{
    static struct run run;
    struct ahoy_err err = { 0 };
    char space[TEXT_LIMIT];
    struct ahoy_buf servers = ahoy_buf_over(space, sizeof space);
    run = (struct run){ .zone = sim_zone_new(), .backward = backward };
    assert_non_null(run.zone);
    for (size_t i = 0; i < LINES_LIMIT && place->zone[i] != NULL; i++)
        assert_true(sim_zone_add(run.zone, place->zone[i]));
    if (begin(&run, place->uri, place->means, &err)) {
        finish(&run);
        print_servers(&run.search, &servers);
    } else {
        ahoy_buf_put_number(&servers, err.status);
    }
    if (!ahoy_span_equal(ahoy_buf_text(&servers), ahoy_span(place->servers)))
        fail_msg("%s: %.*s", place->uri, (int)servers.size, servers.at);
    if (place->asked != NULL &&
        !ahoy_span_equal(ahoy_buf_text(&run.asked), ahoy_span(place->asked)))
        fail_msg("%s asked %.*s", place->uri, (int)run.asked.size, run.asked.at);
    sim_zone_free(run.zone);
}

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        check_place(&places[i], false);
        check_place(&places[i], true); /* Whichever answer comes first. */
    }
}

/* RFC 3261 16.6 step 7: a sips Request-URI makes a sip Route value be looked up as sips. */
static void test_secure(void **state)
{
    (void)state;
    struct ahoy_uri uri;
    struct ahoy_search search;
    struct ahoy_search_options options = { .means = { ALL, 0 }, .is_secure = true };
    assert_true(ahoy_uri_parse(SPAN("sip:192.0.2.1"), &uri, NULL));
    assert_true(ahoy_search_begin(&search, &uri, &options, NULL));
    assert_int_equal(search.servers[0].transport, AHOY_TLS);
    options.means.v4 = UDP | TCP;
    struct ahoy_err err = { 0 };
    assert_false(ahoy_search_begin(&search, &uri, &options, &err));
    assert_int_equal(err.status, 416);
}

/* Attack 43: a thousand records, and no end. */
static void test_too_many(void **state)
{
    (void)state;
    static struct run run;
    char line[128];
    run = (struct run){ .zone = sim_zone_new() };
    for (unsigned i = 0; i < 1500; i++) {
        snprintf(line, sizeof line, "_sip._udp.example.com SRV %u 1 5060 h%u.example.com", i, i);
        assert_true(sim_zone_add(run.zone, line));
    }
    for (unsigned i = 0; i < 50; i++) {
        snprintf(line, sizeof line, "h0.example.com A 192.0.2.%u", i);
        assert_true(sim_zone_add(run.zone, line));
        snprintf(line, sizeof line, "example.com NAPTR 1 %u s SIP+D2T no%u.example.com", i, i);
        assert_true(sim_zone_add(run.zone, line));
    }
    assert_true(begin(&run, "sip:example.com;transport=udp", (struct ahoy_means){ UDP, 0 }, NULL));
    finish(&run);
    assert_int_equal(run.search.host_count, AHOY_SERVERS_LIMIT);
    assert_int_equal(run.search.count, AHOY_SERVERS_LIMIT);
    assert_true(begin(&run, "sip:example.com", (struct ahoy_means){ TCP, 0 }, NULL));
    finish(&run);
    assert_int_equal(run.search.lead, AHOY_LEADS_LIMIT);
    sim_zone_free(run.zone);
}

/* Answers that nobody asked for, or that come twice, change nothing; nor does one that is late. */
static void test_stray_answers(void **state)
{
    (void)state;
    static struct run run;
    struct ahoy_question question;
    run = (struct run){ .zone = sim_zone_new() };
    assert_true(sim_zone_add(run.zone, "example.com A 192.0.2.1"));
    assert_true(begin(&run, "sip:example.com:5060", (struct ahoy_means){ UDP, UDP }, NULL));
    for (unsigned number = 0; number < 256; number++)
        ahoy_search_step(&run.search, (uint8_t)number, SPAN(""), &run.rng);
    assert_false(run.search.done);
    assert_true(ahoy_search_poll(&run.search, &question));
    answer(&run, &question);
    answer(&run, &question);
    assert_false(run.search.done);
    assert_true(ahoy_search_poll(&run.search, &question));
    ahoy_search_end(&run.search);
    assert_int_equal(run.search.count, 0);
    answer(&run, &question);
    assert_int_equal(run.search.count, 0);
    assert_false(ahoy_search_poll(&run.search, &question));
    sim_zone_free(run.zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_secure),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_stray_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
