/* SipHash-2-4 against the vectors of its authors, and whole texts against parts of them. */
#include "libahoy/base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* The published vectors: the key is the bytes 0 to 15, the text the bytes 0 to n - 1, and each
 * line holds the eight bytes of the result, the lowest first. */
/* clang-format off */
static const char *const vectors[64] = {
    "310e0edd47db6f72", "fd67dc93c539f874", "5a4fa9d909806c0d", "2d7efbd796666785",
    "b7877127e09427cf", "8da699cd64557618", "cee3fe586e46c9cb", "37d1018bf50002ab",
    "6224939a79f5f593", "b0e4a90bdf82009e", "f3b9dd94c5bb5d7a", "a7ad6b22462fb3f4",
    "fbe50e86bc8f1e75", "903d84c02756ea14", "eef27a8e90ca23f7", "e545be4961ca29a1",
    "db9bc2577fcc2a3f", "9447be2cf5e99a69", "9cd38d96f0b3c14b", "bd6179a71dc96dbb",
    "98eea21af25cd6be", "c7673b2eb0cbf2d0", "883ea3e395675393", "c8ce5ccd8c030ca8",
    "94af49f6c650adb8", "eab8858ade92e1bc", "f315bb5bb835d817", "adcf6b0763612e2f",
    "a5c91da7acaa4dde", "716595876650a2a6", "28ef495c53a387ad", "42c341d8fa92d832",
    "ce7cf2722f512771", "e37859f94623f3a7", "381205bb1ab0e012", "ae97a10fd434e015",
    "b4a31508beff4d31", "81396229f0907902", "4d0cf49ee5d4dcca", "5c73336a76d8bf9a",
    "d0a704536ba93e0e", "925958fcd6420cad", "a915c29bc8067318", "952b79f3bc0aa6d4",
    "f21df2e41d4535f9", "87577519048f53a9", "10a56cf5dfcd9adb", "eb75095ccd986cd0",
    "51a9cb9ecba312e6", "96afadfc2ce666c7", "72fe52975a4364ee", "5a1645b276d592a1",
    "b274cb8ebf87870a", "6f9bb4203de7b381", "eaecb2a30b22a87f", "9924a43cc1315724",
    "bd838d3aafbf8db7", "0b1a2a3265d51aea", "135079a3231ce660", "932b2846e4d70666",
    "e1915f5cb1eca46c", "f325965ca16d629f", "575ff28e60381be5", "724506eb4c328a95",
};
/* clang-format on */

static const struct ahoy_hash_key key = { { UINT64_C(0x0706050403020100),
                                            UINT64_C(0x0f0e0d0c0b0a0908) } };

static void fill(char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)i;
}

static void test_published_vectors(void **state)
{
    (void)state;
    char text[64];
    fill(text, sizeof text);
    for (size_t size = 0; size < 64; size++) {
        uint64_t hash = ahoy_siphash(&key, (struct span){ text, size });
        char shown[17];
        for (int i = 0; i < 8; i++)
            snprintf(shown + 2 * i, 3, "%02x", (unsigned)(hash >> 8 * i & 0xff));
        assert_string_equal(shown, vectors[size]);
    }
}

/* Where a text is cut makes no difference, nor do empty parts. */
static void test_parts_are_one_text(void **state)
{
    (void)state;
    char text[40];
    fill(text, sizeof text);
    for (size_t size = 0; size <= sizeof text; size++) {
        uint64_t whole = ahoy_siphash(&key, (struct span){ text, size });
        for (size_t first = 0; first <= size; first++) {
            for (size_t second = first; second <= size; second++) {
                struct span parts[] = {
                    { text, first },
                    { NULL, 0 },
                    { text + first, second - first },
                    { text + second, size - second },
                };
                assert_true(ahoy_siphash_parts(&key, parts, 4) == whole);
            }
        }
    }
    assert_true(ahoy_siphash_parts(&key, NULL, 0) == ahoy_siphash(&key, SPAN("")));
}

/* Letters count alike in both cases, and where a part ends counts. */
static void test_case_is_nothing_and_ends_are(void **state)
{
    (void)state;
    const struct span small[] = { SPAN("z9hg4bk-abcdefgh"), SPAN("host.example") };
    const struct span mixed[] = { SPAN("Z9hG4bK-ABCDEFgh"), SPAN("HOST.example") };
    const struct span other[] = { SPAN("z9hg4bk-abcdefghh"), SPAN("ost.example") };
    const struct span near[] = { SPAN("z9hg4bk-abcdefgh"), SPAN("host.examplf") };
    const struct span empty[] = { SPAN("z9hg4bk-abcdefgh"), SPAN("host.example"), { NULL, 0 } };
    uint64_t hash = ahoy_siphash_nocase(&key, small, 2, 7);
    assert_true(ahoy_siphash_nocase(&key, mixed, 2, 7) == hash);
    assert_true(ahoy_siphash_apart(&key, small, 2, 7) == hash);
    assert_true(ahoy_siphash_apart(&key, mixed, 2, 7) != hash);
    assert_true(ahoy_siphash_nocase(&key, other, 2, 7) != hash);
    assert_true(ahoy_siphash_nocase(&key, near, 2, 7) != hash);
    assert_true(ahoy_siphash_nocase(&key, empty, 3, 7) != hash);
    assert_true(ahoy_siphash_nocase(&key, small, 2, UINT64_C(7) << 32) != hash);
    struct ahoy_hash_key second = { { key.half[0], key.half[1] ^ 1 } };
    assert_true(ahoy_siphash_nocase(&second, small, 2, 7) != hash);
    assert_true(ahoy_siphash_nocase(&key, (struct span[]){ { "a", 1 } }, 1, 0) !=
                ahoy_siphash_nocase(&key, (struct span[]){ { "a\0", 2 } }, 1, 0));
    /* What is no letter is nothing but itself. */
    assert_true(ahoy_siphash_nocase(&key, (struct span[]){ SPAN("@") }, 1, 0) !=
                ahoy_siphash_nocase(&key, (struct span[]){ SPAN("`") }, 1, 0));
}

static void test_counted(void **state)
{
    (void)state;
    char text[40];
    uint64_t hashes[5];
    for (size_t size = 0; size <= sizeof text - sizeof *hashes; size++) {
        fill(text, size);
        ahoy_siphash_counted(&key, (struct span){ text, size }, hashes, 5);
        for (uint64_t i = 0; i < 5; i++) {
            memcpy(text + size, &i, sizeof i);
            assert_true(hashes[i] == ahoy_siphash(&key, (struct span){ text, size + sizeof i }));
        }
    }
}

static void test_each_half_of_the_key_counts(void **state)
{
    (void)state;
    struct ahoy_hash_key other = key;
    other.half[0] ^= 1;
    assert_true(ahoy_siphash(&other, SPAN("a")) != ahoy_siphash(&key, SPAN("a")));
    other = key;
    other.half[1] ^= 1;
    assert_true(ahoy_siphash(&other, SPAN("a")) != ahoy_siphash(&key, SPAN("a")));
}

/* Nothing before the text and nothing after it is read. */
static void test_unaligned(void **state)
{
    (void)state;
    char text[32];
    fill(text, sizeof text);
    for (size_t shift = 1; shift < 16; shift++) {
        char moved[64];
        memset(moved, 0x5a, sizeof moved);
        memcpy(moved + shift, text, 21);
        assert_true(ahoy_siphash(&key, (struct span){ moved + shift, 21 }) ==
                    ahoy_siphash(&key, (struct span){ text, 21 }));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_parts_are_one_text),
        cmocka_unit_test(test_case_is_nothing_and_ends_are),
        cmocka_unit_test(test_counted),
        cmocka_unit_test(test_each_half_of_the_key_counts),
        cmocka_unit_test(test_unaligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
