/* The digest arithmetic against the examples of RFC 2617 3.5 and RFC 7616 3.9.1, and against
 * SIP-shaped values that were computed apart from this code. */
#include "libahoy/auth/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct vector {
    const char *from;
    enum ahoy_digest_algorithm algorithm;
    const char *user, *realm, *password, *method, *uri, *nonce, *nc, *cnonce, *qop, *ha1, *response;
};

#define RFC7616_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define RFC7616_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

/* clang-format off */
static const struct vector vectors[] = {
    { "RFC 2617 3.5", AHOY_DIGEST_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life",
      "GET", "/dir/index.html", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b",
      "auth",
      "939e7578ed9e3c518a452acee763bce9", "6629fae49393a05397450978507c4ef1" },
    { "RFC 7616 3.9.1", AHOY_DIGEST_MD5, "Mufasa", "http-auth@example.org", "Circle of Life",
      "GET", "/dir/index.html", RFC7616_NONCE, "00000001", RFC7616_CNONCE, "auth",
      "3d78807defe7de2157e2b0b6573a855f", "8ca523f5e9506fed4657c9700eebdbec" },
    { "RFC 7616 3.9.1", AHOY_DIGEST_SHA256, "Mufasa", "http-auth@example.org", "Circle of Life",
      "GET", "/dir/index.html", RFC7616_NONCE, "00000001", RFC7616_CNONCE, "auth",
      "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
    { "without qop", AHOY_DIGEST_MD5, "alice", "example.com", "secret",
      "REGISTER", "sip:example.com", "f84f1cec41e6cbe5aea9c8e88d359", "", "", "",
      "b1726872c344b6dc8365b774f8fd6412", "cc98ab83a89d767944fdd1004da74e6e" },
    { "with qop", AHOY_DIGEST_MD5, "alice", "example.com", "secret",
      "REGISTER", "sip:example.com", "f84f1cec41e6cbe5aea9c8e88d359", "00000001", "0a4f113b",
      "auth",
      "b1726872c344b6dc8365b774f8fd6412", "551fbb6dc6e2cf46450163e76923fba3" },
    { "without qop", AHOY_DIGEST_SHA256, "alice", "example.com", "secret",
      "REGISTER", "sip:example.com", "f84f1cec41e6cbe5aea9c8e88d359", "", "", "",
      "ed8925b20f9a77b8f8f8d5f8e4467fe32b866f7208ab9e4b20595e9821a0fdee",
      "df46c18080b443c9dd1e9a391d1e390c5fc7cb7097dd7312e2450c6e0d532b1e" },
    { "with qop", AHOY_DIGEST_SHA256, "alice", "example.com", "secret",
      "REGISTER", "sip:example.com", "f84f1cec41e6cbe5aea9c8e88d359", "00000001", "0a4f113b",
      "auth",
      "ed8925b20f9a77b8f8f8d5f8e4467fe32b866f7208ab9e4b20595e9821a0fdee",
      "85ccd2798d7188aed329d3b1af90c1586b1bd3faf0b253d1b6c82b73deea88be" },
};
/* clang-format on */

static struct ahoy_challenge credentials_of(const struct vector *vector)
{
    return (struct ahoy_challenge){
        .is_digest = true,
        .algorithm = vector->algorithm,
        .username = ahoy_span(vector->user),
        .realm = ahoy_span(vector->realm),
        .nonce = ahoy_span(vector->nonce),
        .uri = ahoy_span(vector->uri),
        .nc = ahoy_span(vector->nc),
        .cnonce = ahoy_span(vector->cnonce),
        .qop = ahoy_span(vector->qop),
        .response = ahoy_span(vector->response),
    };
}

static void assert_hex(const struct ahoy_digest_hex *hex, const char *right)
{
    assert_int_equal(hex->size, strlen(right));
    assert_memory_equal(hex->text, right, hex->size);
}

static void ha1_of(const struct vector *vector, struct ahoy_digest_hex *ha1)
{
    assert_true(ahoy_digest_ha1(vector->algorithm, ahoy_span(vector->user),
                                ahoy_span(vector->realm), ahoy_span(vector->password), ha1));
}

static void vectors_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *vector = &vectors[i];
        struct ahoy_challenge credentials = credentials_of(vector);
        struct ahoy_digest_hex ha1;
        struct ahoy_digest_hex response;
        ha1_of(vector, &ha1);
        assert_hex(&ha1, vector->ha1);
        assert_true(ahoy_digest_response(&credentials, &ha1, ahoy_span(vector->method), &response));
        assert_hex(&response, vector->response);
        assert_true(ahoy_digest_verify(&credentials, &ha1, ahoy_span(vector->method)));
    }
}

static struct span repeated(const char *text, size_t times, char *at)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < times; i++)
        memcpy(at + i * size, text, size);
    return (struct span){ at, times * size };
}

/* A colon in the password, a backslash and a quote in the realm, and nothing short. */
static void long_values_hold(void **state)
{
    (void)state;
    char user[300], password[120], nonce[200], cnonce[128];
    struct ahoy_challenge credentials = {
        .is_digest = true,
        .algorithm = AHOY_DIGEST_SHA256,
        .username = repeated("a", 300, user),
        .realm = SPAN("r\"ealm\\x"),
        .nonce = repeated("n", 200, nonce),
        .uri = SPAN("sips:bob@example.com;transport=tcp"),
        .nc = SPAN("ffffffff"),
        .cnonce = repeated("c", 128, cnonce),
        .qop = SPAN("auth"),
    };
    struct ahoy_digest_hex ha1;
    struct ahoy_digest_hex response;
    assert_true(ahoy_digest_ha1(AHOY_DIGEST_SHA256, credentials.username, credentials.realm,
                                repeated("p:w", 40, password), &ha1));
    assert_hex(&ha1, "9628a7caf0e3b8e7cccb5def5ff869ee98f06501cbd99614f65bbffe365b7f01");
    assert_true(ahoy_digest_response(&credentials, &ha1, SPAN("SUBSCRIBE"), &response));
    assert_hex(&response, "a757cb6da9495f9f8c9d4d915c947f43902b1d9cac703c9f4f7a97178296d81a");
}

/* Each part of the request that the response covers. */
static void anything_else_is_refused(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[6];
    struct ahoy_digest_hex ha1;
    ha1_of(vector, &ha1);
    struct span method = ahoy_span(vector->method);
    struct ahoy_challenge right = credentials_of(vector);
    assert_true(ahoy_digest_verify(&right, &ha1, method));
    assert_false(ahoy_digest_verify(&right, &ha1, SPAN("INVITE")));

    struct ahoy_challenge wrong = right;
    wrong.uri = SPAN("sip:example.org");
    assert_false(ahoy_digest_verify(&wrong, &ha1, method));
    wrong = right;
    wrong.nonce = SPAN("f84f1cec41e6cbe5aea9c8e88d358");
    assert_false(ahoy_digest_verify(&wrong, &ha1, method));
    wrong = right;
    wrong.nc = SPAN("00000002");
    assert_false(ahoy_digest_verify(&wrong, &ha1, method));
    wrong = right;
    wrong.cnonce = SPAN("0a4f113c");
    assert_false(ahoy_digest_verify(&wrong, &ha1, method));
    wrong = right;
    wrong.response.size--; /* A prefix of the right one is not the right one. */
    assert_false(ahoy_digest_verify(&wrong, &ha1, method));
    wrong.response.size = 0;
    assert_false(ahoy_digest_verify(&wrong, &ha1, method));
    ha1.text[63] ^= 1;
    assert_false(ahoy_digest_verify(&right, &ha1, method));
}

static void what_is_not_ours_is_refused(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[6];
    struct ahoy_digest_hex ha1;
    struct ahoy_digest_hex response;
    ha1_of(vector, &ha1);
    struct ahoy_challenge credentials = credentials_of(vector);
    credentials.qop = SPAN("auth-int");
    assert_false(ahoy_digest_response(&credentials, &ha1, SPAN("REGISTER"), &response));
    credentials = credentials_of(vector);
    credentials.algorithm = AHOY_DIGEST_OTHER;
    assert_false(ahoy_digest_response(&credentials, &ha1, SPAN("REGISTER"), &response));
    assert_false(ahoy_digest_verify(&credentials, &ha1, SPAN("REGISTER")));
    assert_false(ahoy_digest_ha1(AHOY_DIGEST_OTHER, SPAN("a"), SPAN("b"), SPAN("c"), &ha1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(long_values_hold),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(what_is_not_ours_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
