/* Names of certificates: RFC 5922 7.1 (which are found) and 7.2 (how they are compared).  Attack
 * 47. */
#include "libahoy/io/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/support/certificates.h"

static struct certificate authority;

struct row {
    const char *what;
    struct span common_name;
    size_t count; /* 0: no subjectAltName. */
    struct certificate_name names[4];
    const char *found; /* The names with a comma behind each. */
};

static const char v4[4] = { 10, 0, 0, 1 };
static const char v6[16] = { 0x20, 0x01, 0x0d, (char)0xb8, [15] = 7 };

#define CN(text) SPAN_INIT(text)
#define DNS(text)                                                                                  \
    {                                                                                              \
        GEN_DNS, SPAN_INIT(text)                                                                   \
    }
#define URI(text)                                                                                  \
    {                                                                                              \
        GEN_URI, SPAN_INIT(text)                                                                   \
    }

static const struct row rows[] = {
    { "a sip URI", CN(""), 1, { URI("sip:atlanta.example") }, "atlanta.example," },
    { "its scheme in any case", CN(""), 1, { URI("SIP:atlanta.example") }, "atlanta.example," },
    { "its port and parameters",
      CN(""),
      2,
      { URI("sip:a.example:5061"), URI("sip:b.example;transport=tls") },
      "a.example,b.example," },
    { "URIs before DNS names",
      CN("cn.example"),
      3,
      { DNS("dns.example"), URI("sip:a.example"), DNS("www.example") },
      "a.example," },
    { "a user is no domain", CN(""), 1, { URI("sip:alice@a.example") }, "" },
    { "other schemes",
      CN(""),
      3,
      { URI("sips:a.example"), URI("https://b.example"), URI("sip.example") },
      "" },
    { "DNS names where no URI counts",
      CN(""),
      3,
      { URI("https://b.example"), DNS("a.example"), DNS("c.example") },
      "a.example,c.example," },
    { "the common name where there is nothing else",
      CN("a.example"),
      0,
      { { 0, { NULL, 0 } } },
      "a.example," },
    { "no common name beside subjectAltName",
      CN("a.example"),
      1,
      { { GEN_EMAIL, SPAN_INIT("x@y.example") } },
      "" },
    { "a common name that is none", CN("Atlanta Inc."), 0, { { 0, { NULL, 0 } } }, "" },
    { "a wildcard as common name", CN("*.example"), 0, { { 0, { NULL, 0 } } }, "" },
    { "NUL in a common name", CN("a.example\0.evil.example"), 0, { { 0, { NULL, 0 } } }, "" },
    { "NUL in a DNS name",
      CN(""),
      2,
      { DNS("a.example\0.evil.example"), DNS("b.example") },
      "b.example," },
    { "NUL in a URI", CN(""), 1, { URI("sip:a.example\0.evil.example") }, "" },
    { "no name at all in a URI", CN(""), 2, { URI("sip:"), URI("sip:;lr") }, "" },
    { "addresses",
      CN(""),
      3,
      { DNS("a.example"), { GEN_IPADD, { v4, 4 } }, { GEN_IPADD, { v6, 16 } } },
      "a.example,10.0.0.1,2001:db8::7," },
    { "an address of five bytes", CN(""), 1, { { GEN_IPADD, SPAN_INIT("12345") } }, "" },
};

static void read_row(const struct row *row, struct ahoy_identity *identity)
{
    const struct certificate_wish wish = { .common_name = row->common_name,
                                           .names = row->count > 0 ? row->names : NULL,
                                           .count = row->count };
    struct certificate made = certificate_make(&authority, &wish);
    ahoy_identity_read(identity, made.x509);
    certificate_free(&made);
}

/* R5922-7.1-3 to -7, R5922-7.2-1 */
static void names_are_found_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct ahoy_identity identity;
        char found[512] = "";
        size_t size = 0;
        read_row(&rows[i], &identity);
        for (size_t j = 0; j < identity.peer.count; j++)
            size += (size_t)snprintf(found + size, sizeof found - size, "%.*s,",
                                     (int)identity.peer.names[j].size, identity.peer.names[j].at);
        if (strcmp(found, rows[i].found) != 0)
            fail_msg("%s: found %s", rows[i].what, found);
    }
}

/* R5922-7.1-5: users are kept apart, as they stand, where nothing in them can be misread. */
static void users_are_no_domains(void **state)
{
    static const struct certificate_name names[] = {
        URI("sip:alice@a.example"),
        URI("SIP:%62ob@A.example;lr"),
        URI("sips:carol@a.example"),
        URI("sip:dave@a.example\0.evil.example"),
        URI("sip:eve@a.example\r\nX: y"),
        URI("sip:erin@a.example "),
        URI("sip:fr\xc3\xa4nk@a.example"),
        URI("mailto:grace@a.example"),
        { GEN_EMAIL, SPAN_INIT("h@a.example") },
        DNS("a.example"),
    };
    (void)state;
    static struct ahoy_identity identity;
    const struct certificate_wish wish = { .common_name = SPAN_INIT("sip:x@a.example"),
                                           .names = names,
                                           .count = sizeof names / sizeof *names };
    struct certificate made = certificate_make(&authority, &wish);
    ahoy_identity_read(&identity, made.x509);
    certificate_free(&made);
    assert_int_equal(identity.peer.user_count, 2);
    assert_true(ahoy_span_equal(identity.peer.users[0], SPAN("sip:alice@a.example")));
    assert_true(ahoy_span_equal(identity.peer.users[1], SPAN("SIP:%62ob@A.example;lr")));
    assert_int_equal(identity.peer.count, 1);
    assert_true(ahoy_peer_is(&identity.peer, SPAN("a.example")));
    assert_false(ahoy_peer_is(&identity.peer, SPAN("sip:alice@a.example")));
}

/* R5922-7.2-2 to -6 */
static void names_are_compared_whole(void **state)
{
    (void)state;
    const struct ahoy_peer peer = { .count = 4,
                                    .names = { SPAN("example.com"), SPAN("*.example.net"),
                                               SPAN(".example.org"),
                                               SPAN("xn--bcher-kva.example") } };
    static const char *const same[] = { "example.com", "EXAMPLE.com", "*.example.net",
                                        "XN--Bcher-KVA.example" };
    static const char *const others[] = { "foo.example.com",
                                          "xample.com",
                                          "example.co",
                                          "foo.example.net",
                                          "foo.example.org",
                                          "example.org",
                                          "example.com.",
                                          "b\xc3\xbc"
                                          "cher.example",
                                          "" };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_true(ahoy_peer_is(&peer, ahoy_span(same[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(ahoy_peer_is(&peer, ahoy_span(others[i])));
}

/* More names, and longer ones, than are kept: those that fit are. */
static void names_have_limits(void **state)
{
    (void)state;
    static char texts[100][200];
    static struct certificate_name names[100];
    for (size_t i = 0; i < 100; i++) {
        memset(texts[i], 'a', sizeof texts[i]);
        names[i] = (struct certificate_name){ GEN_DNS, { texts[i], i < 50 ? 190 : 3 } };
    }
    const struct certificate_wish wish = { .names = names, .count = 100 };
    struct certificate made = certificate_make(&authority, &wish);
    static struct ahoy_identity identity;
    ahoy_identity_read(&identity, made.x509);
    certificate_free(&made);
    assert_int_equal(identity.peer.count, AHOY_PEER_NAMES_LIMIT);
    assert_true(identity.used + identity.peer.count <= AHOY_PEER_TEXT_LIMIT);
}

static int make_authority(void **state)
{
    (void)state;
    authority = certificate_authority("test");
    return 0;
}

static int free_authority(void **state)
{
    (void)state;
    certificate_free(&authority);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_order),
        cmocka_unit_test(users_are_no_domains),
        cmocka_unit_test(names_are_compared_whole),
        cmocka_unit_test(names_have_limits),
    };
    return cmocka_run_group_tests(tests, make_authority, free_authority);
}
