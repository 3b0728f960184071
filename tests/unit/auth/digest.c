/* The digest arithmetic against the examples of RFC 2617 3.5 and RFC 7616 3.9.1, and against
 * SIP-shaped values that were computed apart from this code.
 *
 * RFC 7616 3.9.2 prints another response and another hash of the name: those are of SHA-512, cut to
 * 256 bits.  SHA-512/256 begins with other numbers (FIPS 180-4 5.3.6), and is what stands here. */
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

#define SDP            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
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
    { "RFC 7616 3.9.2", AHOY_DIGEST_SHA512_256, "J\xc3\xa4s\xc3\xb8n Doe", "api@example.org",
      "Secret, or not?", "GET", "/doe.json", "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
      "00000001", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", "auth",
      "2d3d9f12c9f3d30011259dc5fecee005ae24de40e3e1f61806d03e65f1e6024f",
      "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5" },
    { "with qop", AHOY_DIGEST_SHA256, "alice", "example.com", "secret",
      "REGISTER", "sip:example.com", "f84f1cec41e6cbe5aea9c8e88d359", "00000001", "0a4f113b",
      "auth",
      "ed8925b20f9a77b8f8f8d5f8e4467fe32b866f7208ab9e4b20595e9821a0fdee",
      "85ccd2798d7188aed329d3b1af90c1586b1bd3faf0b253d1b6c82b73deea88be" },
};

/* One request and one password, by each algorithm, with and without a session, and by each qop. */
static const struct {
    enum ahoy_digest_algorithm algorithm;
    bool is_session;
    const char *method, *qop, *body, *response;
} variants[] = {
    { AHOY_DIGEST_MD5, false, "REGISTER", "", "",
      "cc98ab83a89d767944fdd1004da74e6e" },
    { AHOY_DIGEST_MD5, false, "REGISTER", "auth", "",
      "551fbb6dc6e2cf46450163e76923fba3" },
    { AHOY_DIGEST_MD5, false, "REGISTER", "auth-int", "",
      "90783d8afeab33c7add8c297eab9e9da" },
    { AHOY_DIGEST_MD5, false, "INVITE", "auth-int", SDP,
      "11190a6228fce711e545ed04147ec2a0" },
    { AHOY_DIGEST_MD5, true, "REGISTER", "auth", "",
      "ca34e0a8501eb78a6f80c702f1e3aa3d" },
    { AHOY_DIGEST_MD5, true, "REGISTER", "auth-int", "",
      "2d1627710c8f4de02abf519752dde5f2" },
    { AHOY_DIGEST_MD5, true, "INVITE", "auth-int", SDP,
      "d15126010dd374f2590a8e70d69376d0" },
    { AHOY_DIGEST_SHA256, false, "REGISTER", "", "",
      "df46c18080b443c9dd1e9a391d1e390c5fc7cb7097dd7312e2450c6e0d532b1e" },
    { AHOY_DIGEST_SHA256, false, "REGISTER", "auth", "",
      "85ccd2798d7188aed329d3b1af90c1586b1bd3faf0b253d1b6c82b73deea88be" },
    { AHOY_DIGEST_SHA256, false, "REGISTER", "auth-int", "",
      "211b1e3c2057bf3c97d80618047658383e8095353e7536522ee977d64bc5a843" },
    { AHOY_DIGEST_SHA256, false, "INVITE", "auth-int", SDP,
      "3ceabb1c5c7751eccb73d1f5b33bb0ae0cae996fdc1cceaf13b945938ba91a1b" },
    { AHOY_DIGEST_SHA256, true, "REGISTER", "auth", "",
      "8d5d13d05396fb319f4f9abc45a3f0a226a727125a58f0f556428224a84c6d12" },
    { AHOY_DIGEST_SHA256, true, "REGISTER", "auth-int", "",
      "ca20d54622b40d551cfad0407f1850c94be40b35efc17d1ab003fc9a17385d2b" },
    { AHOY_DIGEST_SHA256, true, "INVITE", "auth-int", SDP,
      "5e849c8f93923b6150197abe16c8eb84837cc1c71244a646ca6f62389f32abf3" },
    { AHOY_DIGEST_SHA512_256, false, "REGISTER", "", "",
      "92bdd1c35922cb103844c0b35945f64348143ef2d1914206e759c30d1216cb73" },
    { AHOY_DIGEST_SHA512_256, false, "REGISTER", "auth", "",
      "9cc3acc85315d54a22e81e6f79a2612177fcfeffff6a79e342ac80597787239e" },
    { AHOY_DIGEST_SHA512_256, false, "REGISTER", "auth-int", "",
      "0bbd5f592803529b4ffacc110f34ae019382e56208076a7112cb11fc32f500ae" },
    { AHOY_DIGEST_SHA512_256, false, "INVITE", "auth-int", SDP,
      "32a9ee40d335a2cdb35de892898bf3984b7707acfb98e26c3b1403852259d446" },
    { AHOY_DIGEST_SHA512_256, true, "REGISTER", "auth", "",
      "ee32f84744816600a3390ced7219bfe4ef89d30275a6ef9d4ff8e20f91bb29d6" },
    { AHOY_DIGEST_SHA512_256, true, "REGISTER", "auth-int", "",
      "52cf6f974b59ae47e4e4c9af057081a12286d001471208735edffa35a7440f6d" },
    { AHOY_DIGEST_SHA512_256, true, "INVITE", "auth-int", SDP,
      "6cfb96252e6bbc840ed0190e10eea55a3d5fe3625148c0db3ba7dc14ad7471bb" },
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

static const struct ahoy_digested registers = { .method = SPAN_INIT("REGISTER") };

static struct ahoy_digested request(const char *method)
{
    return (struct ahoy_digested){ .method = ahoy_span(method) };
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
        struct ahoy_digested digested = request(vector->method);
        assert_true(ahoy_digest_response(&credentials, &ha1, &digested, &response));
        assert_hex(&response, vector->response);
        assert_true(ahoy_digest_verify(&credentials, &ha1, &digested));
    }
}

/* R7616-3.6-1, R8760-2.6-4: a session of RFC 7616 3.4.2, and the body that auth-int digests, which
 * may be empty (RFC 8760 2.6). */
static void variants_hold(void **state)
{
    (void)state;
    struct ahoy_digest_hex ha1[AHOY_DIGEST_COUNT];
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        assert_true(ahoy_digest_ha1((enum ahoy_digest_algorithm)i, SPAN("alice"),
                                    SPAN("example.com"), SPAN("secret"), &ha1[i]));
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        const struct ahoy_challenge credentials = {
            .algorithm = variants[i].algorithm,
            .is_session = variants[i].is_session,
            .nonce = SPAN("f84f1cec41e6cbe5aea9c8e88d359"),
            .uri = SPAN("sip:example.com"),
            .nc = SPAN("00000001"),
            .cnonce = SPAN("0a4f113b"),
            .qop = ahoy_span(variants[i].qop),
            .response = ahoy_span(variants[i].response),
        };
        struct ahoy_digested digested = request(variants[i].method);
        digested.body = ahoy_span(variants[i].body);
        assert_true(ahoy_digest_verify(&credentials, &ha1[credentials.algorithm], &digested));
        /* Another body is another response, but where nobody looks at it. */
        digested.body = SPAN("v=1");
        assert_int_equal(ahoy_digest_verify(&credentials, &ha1[credentials.algorithm], &digested),
                         strcmp(variants[i].qop, "auth-int") != 0);
    }
}

/* RFC 7616 3.5: what a response of the server holds. */
static void responses_have_no_method(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[7];
    const struct ahoy_challenge credentials = credentials_of(vector);
    const struct ahoy_digested response = { .method = SPAN("") };
    struct ahoy_digest_hex ha1;
    struct ahoy_digest_hex rspauth;
    ha1_of(vector, &ha1);
    assert_true(ahoy_digest_response(&credentials, &ha1, &response, &rspauth));
    assert_hex(&rspauth, "1cb401eeac700c0145c91df3d3bf4ed767179cafedd811b684718b1c49d3c4ff");
}

/* RFC 7616 3.4.5: what is digested is without the backslashes of its quotes. */
static void escapes_are_undone(void **state)
{
    (void)state;
    const struct ahoy_challenge credentials = {
        .algorithm = AHOY_DIGEST_SHA256,
        .nonce = SPAN("n\\\"o\\\\nce"),
        .uri = SPAN("sip:example.com"),
        .nc = SPAN("00000001"),
        .cnonce = SPAN("\\c\\\"n"),
        .qop = SPAN("auth"),
    };
    struct ahoy_digest_hex ha1;
    struct ahoy_digest_hex hex;
    assert_true(
        ahoy_digest_ha1(AHOY_DIGEST_SHA256, SPAN("al\"ice"), SPAN("r\"ealm\\x"), SPAN("p"), &ha1));
    assert_hex(&ha1, "4f5a8ddf83b32ef3006e2c483153e3844d1230bad362194aecdf48ec026254db");
    assert_true(ahoy_digest_response(&credentials, &ha1, &registers, &hex));
    assert_hex(&hex, "82626d3e69f1836cc15747ee7f99773327ca0b2533d8ccbf9427962848276d81");
}

/* RFC 7616 3.4.4, of the name in 3.9.2. */
static void names_are_hashed(void **state)
{
    (void)state;
    struct ahoy_digest_hex hash;
    assert_true(ahoy_digest_userhash(AHOY_DIGEST_SHA512_256, ahoy_span(vectors[6].user),
                                     ahoy_span(vectors[6].realm), &hash));
    assert_hex(&hash, "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
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
    struct ahoy_digested subscribes = request("SUBSCRIBE");
    assert_true(ahoy_digest_response(&credentials, &ha1, &subscribes, &response));
    assert_hex(&response, "a757cb6da9495f9f8c9d4d915c947f43902b1d9cac703c9f4f7a97178296d81a");
}

/* Each part of the request that the response covers. */
static void anything_else_is_refused(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[7];
    struct ahoy_digest_hex ha1;
    ha1_of(vector, &ha1);
    struct ahoy_digested method = request(vector->method);
    struct ahoy_digested invites = request("INVITE");
    struct ahoy_challenge right = credentials_of(vector);
    assert_true(ahoy_digest_verify(&right, &ha1, &method));
    assert_false(ahoy_digest_verify(&right, &ha1, &invites));

    struct ahoy_challenge wrong = right;
    wrong.uri = SPAN("sip:example.org");
    assert_false(ahoy_digest_verify(&wrong, &ha1, &method));
    wrong = right;
    wrong.nonce = SPAN("f84f1cec41e6cbe5aea9c8e88d358");
    assert_false(ahoy_digest_verify(&wrong, &ha1, &method));
    wrong = right;
    wrong.nc = SPAN("00000002");
    assert_false(ahoy_digest_verify(&wrong, &ha1, &method));
    wrong = right;
    wrong.cnonce = SPAN("0a4f113c");
    assert_false(ahoy_digest_verify(&wrong, &ha1, &method));
    wrong = right;
    wrong.response.size--; /* A prefix of the right one is not the right one. */
    assert_false(ahoy_digest_verify(&wrong, &ha1, &method));
    wrong.response.size = 0;
    assert_false(ahoy_digest_verify(&wrong, &ha1, &method));
    ha1.text[63] ^= 1;
    assert_false(ahoy_digest_verify(&right, &ha1, &method));
}

static void what_is_not_ours_is_refused(void **state)
{
    (void)state;
    const struct vector *vector = &vectors[7];
    struct ahoy_digest_hex ha1;
    struct ahoy_digest_hex response;
    ha1_of(vector, &ha1);
    struct ahoy_challenge credentials = credentials_of(vector);
    credentials.qop = SPAN("auth-conf");
    assert_false(ahoy_digest_response(&credentials, &ha1, &registers, &response));
    credentials = credentials_of(vector);
    credentials.algorithm = AHOY_DIGEST_OTHER;
    assert_false(ahoy_digest_response(&credentials, &ha1, &registers, &response));
    assert_false(ahoy_digest_verify(&credentials, &ha1, &registers));
    assert_false(ahoy_digest_ha1(AHOY_DIGEST_OTHER, SPAN("a"), SPAN("b"), SPAN("c"), &ha1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold),
        cmocka_unit_test(variants_hold),
        cmocka_unit_test(responses_have_no_method),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(names_are_hashed),
        cmocka_unit_test(long_values_hold),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(what_is_not_ours_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
