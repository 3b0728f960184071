/* The long-term credentials of STUN (RFC 8489 9.2), with the bytes of RFC 5769 2.4 and what holds
 * of RFC 8489 B.1: its message is shorter than it says, its hash of a name is right. */
#include "libahoy/transport/stun_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/transport/stun_parts.h"

#define MATRIX "\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9"
#define NONCE  "f//499k954d6OL34oL9FSTvy64sA"

static const uint8_t id[] = {
    0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29, 0xda, 0x41, 0x2e
};

static struct ahoy_stun_login login;

static bool take(struct span nonce, struct span algorithms)
{
    const struct ahoy_stun_challenge challenge = { SPAN("example.org"), nonce, algorithms };
    ahoy_stun_login_init(&login, SPAN(MATRIX), SPAN("TheMatrIX"));
    return ahoy_stun_login_take(&login, &challenge);
}

static char space[400];

static struct span request(void)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_stun_ask(id, &buf);
    ahoy_stun_login_put(&login, &buf);
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

/* RFC 5769 2.4; the soft hyphen and others of its password are prepared already. */
static void test_bytes(void **state)
{
    const struct span expected = SPAN(
        "\x00\x01\x00\x60\x21\x12\xa4\x42\x78\xad\x34\x33\xc6\xad\x72\xc0\x29\xda\x41\x2e"
        "\x00\x06\x00\x12" MATRIX "\x00\x00"
        "\x00\x15\x00\x1c" NONCE "\x00\x14\x00\x0b"
        "example.org\x00"
        "\x00\x08\x00\x14\xf6\x70\x24\x65\x6d\xd6\x4a\x3e\x02\xb8\xe0\x71\x2e\x85\xc9\xa2\x8c\xa8"
        "\x96\x66");
    (void)state;
    assert_true(take(SPAN(NONCE), SPAN("")));
    assert_true(ahoy_span_equal(request(), expected));
    assert_true(ahoy_stun_login_proves(&login, expected));
    assert_true(ahoy_stun_login_is_at(&login, SPAN("example.org")));
    assert_false(ahoy_stun_login_is_at(&login, SPAN("example.com")));
    memcpy(space, expected.at, expected.size);
    space[30] ^= 1;
    assert_false(ahoy_stun_login_proves(&login, (struct span){ space, expected.size }));
}

/* Nothing is said to who has not asked. */
static void test_unasked(void **state)
{
    (void)state;
    ahoy_stun_login_init(&login, SPAN(MATRIX), SPAN("TheMatrIX"));
    assert_int_equal(request().size, AHOY_STUN_HEAD_SIZE);
    assert_false(ahoy_stun_login_proves(&login, request()));
}

/* 14.4, and the hash of RFC 8489 B.1, whose bits are counted from the right. */
static void test_anonymous(void **state)
{
    static const char *const nonces[] = { "obMatJos2AAAC" NONCE, "obMatJos2QAAA" NONCE };
    const struct span hash = SPAN(
        "\x00\x1e\x00\x20\x4a\x3c\xf3\x8f\xef\x69\x92\xbd\xa9\x52\xc6\x78\x04\x17\xda\x0f\x24\x81"
        "\x94\x15\x56\x9e\x60\xb2\x05\xc4\x6e\x41\x40\x7f\x17\x04");
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(take(ahoy_span(nonces[i]), SPAN("")));
        struct span text = request();
        assert_memory_equal(text.at + AHOY_STUN_HEAD_SIZE, hash.at, hash.size);
    }
}

/* 9.2.5: both algorithms are known, and all that the server says of them is said back. */
static void test_algorithms(void **state)
{
    static const struct {
        struct span list;
        int algorithm;
    } rows[] = {
        { SPAN_INIT("\0\1\0\0\0\2\0\0"), 2 },
        { SPAN_INIT("\0\2\0\0"), 2 },
        { SPAN_INIT("\0\7\0\3abc \0\1\0\0"), 1 },
        { SPAN_INIT("\0\7\0\0"), 0 },
        { SPAN_INIT("\0\2"), 0 },
        { SPAN_INIT("\0\2\xff\xff"), 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_taken = take(SPAN("obMatJos2gAAA" NONCE), rows[i].list);
        assert_int_equal(is_taken, rows[i].algorithm != 0);
        if (!is_taken)
            continue;
        struct span text = request();
        const char chosen[] = { 0, 0x1d, 0, 4, 0, (char)rows[i].algorithm, 0, 0 };
        size_t at = text.size - 4 - AHOY_STUN_PROOF_SIZE - sizeof chosen;
        assert_memory_equal(text.at + at, chosen, sizeof chosen);
        assert_memory_equal(text.at + at - rows[i].list.size, rows[i].list.at, rows[i].list.size);
        assert_memory_equal(text.at + at + sizeof chosen, "\x00\x1c\x00\x20", 4);
        assert_true(ahoy_stun_login_proves(&login, text));
    }
}

/* 9.2.5: the list was taken out on the way; words that are missing, or longer than may be. */
static void test_refused(void **state)
{
    static char long_text[AHOY_STUN_WORD_LIMIT + 1];
    memset(long_text, 'n', sizeof long_text);
    (void)state;
    assert_false(take(SPAN("obMatJos2gAAA" NONCE), SPAN("")));
    assert_false(take(SPAN(""), SPAN("")));
    assert_true(take((struct span){ long_text, sizeof long_text - 1 }, SPAN("")));
    assert_false(take((struct span){ long_text, sizeof long_text }, SPAN("")));
    assert_false(take(SPAN(NONCE), (struct span){ long_text, AHOY_STUN_ALGORITHMS_LIMIT + 1 }));
    assert_true(take(SPAN("obMatJos2"), SPAN(""))); /* That is no cookie. */
    assert_true(take(SPAN("obMatJos2????"), SPAN("")));
}

/* A proof of no size proves nothing, nor does one that is longer than any is. */
static void test_sizes(void **state)
{
    static char long_value[600];
    const size_t sizes[] = { 0, 4, 19, 32, sizeof long_value };
    (void)state;
    assert_true(take(SPAN(NONCE), SPAN("")));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char room[700];
        struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
        ahoy_stun_ask(id, &buf);
        ahoy_stun_put_attribute(AHOY_STUN_MESSAGE_INTEGRITY, (struct span){ long_value, sizes[i] },
                                &buf);
        ahoy_stun_put_size(&buf, 0);
        assert_false(ahoy_stun_login_proves(&login, ahoy_buf_text(&buf)));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),     cmocka_unit_test(test_unasked),
        cmocka_unit_test(test_anonymous), cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
