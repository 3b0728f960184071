/* The user part of a temporary GRUU (RFC 5627 5.1, 5.4): only we write one, and it tells
 * nothing. */
#include "ahoyd/gruu_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct ahoy_hash_key key = { { 1, 2 } };

static struct ahoyd_gruu_target target_of(const char *name)
{
    return (struct ahoyd_gruu_target){
        .name = ahoy_span(name), .domain = SPAN("b.example"), .instance = SPAN("<x>"), .era_ms = 5
    };
}

static struct span print(const struct ahoyd_gruu_target *target, uint64_t unique, char *space)
{
    struct ahoy_buf buf = ahoy_buf_over(space, AHOYD_GRUU_TOKEN_SIZE);
    assert_true(ahoyd_gruu_token_print(&key, unique, target, &buf));
    return ahoy_buf_text(&buf);
}

/* R5627-5.4-1: user and instance are found again. */
static void it_stands_for_one_instance(void **state)
{
    (void)state;
    static const char *const names[] = { "b", "bob", "0123456789012345678901234567890123456789" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char space[AHOYD_GRUU_TOKEN_SIZE], shown[AHOYD_GRUU_NAME_LIMIT];
        struct ahoy_buf name = ahoy_buf_over(shown, sizeof shown);
        const struct ahoyd_gruu_target target = target_of(names[i]);
        struct span token = print(&target, 7, space);
        assert_int_equal(token.size, AHOYD_GRUU_TOKEN_SIZE);
        assert_true(ahoyd_gruu_token_open(&key, token, &name));
        assert_true(ahoy_span_equal(ahoy_buf_text(&name), target.name));
        assert_true(ahoyd_gruu_token_fits(&key, token, &target));
    }
}

/* What phones were given before this Ahoy was installed is what it would give them. */
static void it_is_what_it_always_was(void **state)
{
    (void)state;
    char space[AHOYD_GRUU_TOKEN_SIZE];
    const struct ahoyd_gruu_target target = target_of("bob");
    struct span token = print(&target, 7, space);
    static const char right[] = "7000000000000se6md6ti644d44cko5q5u5412382kne6qu005p1"
                                "4649ip2i9s0c2njbdut1k47safqs6e663vir3tf";
    assert_int_equal(token.size, sizeof right - 1);
    assert_memory_equal(token.at, right, token.size);
}

/* R5627-5.4-4: as long as nothing of that changes, and no longer. */
static void it_stands_for_nothing_else(void **state)
{
    (void)state;
    char space[AHOYD_GRUU_TOKEN_SIZE];
    const struct ahoyd_gruu_target target = target_of("bob");
    struct ahoyd_gruu_target others[] = { target, target, target, target, target };
    others[0].name = SPAN("boc");
    others[1].domain = SPAN("b.exampld");
    others[2].instance = SPAN("<y>");
    others[3].era_ms = 6;
    others[4].domain = SPAN("b.example<");
    others[4].instance = SPAN("x>");
    struct span token = print(&target, 7, space);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(ahoyd_gruu_token_fits(&key, token, &others[i]));
    const struct ahoy_hash_key other = { { 1, 3 } };
    assert_false(ahoyd_gruu_token_fits(&other, token, &target));
}

static void no_character_may_be_another(void **state)
{
    (void)state;
    char space[AHOYD_GRUU_TOKEN_SIZE];
    const struct ahoyd_gruu_target target = target_of("bob");
    for (size_t i = 0; i < AHOYD_GRUU_TOKEN_SIZE; i++) {
        struct span token = print(&target, 7, space);
        space[i] = space[i] == '0' ? '1' : '0';
        assert_false(ahoyd_gruu_token_fits(&key, token, &target));
    }
}

/* How many characters two tokens have at the same place. */
static unsigned alike(struct span a, struct span b)
{
    unsigned count = 0;
    for (size_t i = 0; i < a.size; i++)
        count += a.at[i] == b.at[i];
    return count;
}

/* R5627-5.1-7, -8, -9: two of one instance have no more in common than two of different ones, the
 * length apart, which all share. */
static void two_of_one_look_like_two(void **state)
{
    (void)state;
    const struct ahoyd_gruu_target bob = target_of("bob");
    const struct ahoyd_gruu_target clara = target_of("clara");
    enum { TOKENS = 200, BY_CHANCE = TOKENS * AHOYD_GRUU_TOKEN_SIZE / 32 };
    unsigned same = 0, other = 0;
    for (uint64_t i = 0; i < TOKENS; i++) {
        char first[AHOYD_GRUU_TOKEN_SIZE], second[AHOYD_GRUU_TOKEN_SIZE];
        char third[AHOYD_GRUU_TOKEN_SIZE];
        /* What the random numbers share is not the token's doing. */
        uint64_t unique = i * UINT64_C(0x9e3779b97f4a7c15);
        struct span a = print(&bob, unique, first);
        struct span b = print(&bob, ~unique, second);
        struct span c = print(&clara, ~unique, third);
        assert_int_equal(a.size, c.size);
        assert_false(ahoy_span_equal(a, b));
        same += alike(a, b);
        other += alike(a, c);
    }
    assert_in_range(same, 0, BY_CHANCE * 3 / 2);
    assert_in_range(same, 0, other + other / 4);
    assert_in_range(other, 0, same + same / 4);
}

static void what_is_no_token(void **state)
{
    (void)state;
    char space[AHOYD_GRUU_TOKEN_SIZE], shown[AHOYD_GRUU_NAME_LIMIT];
    struct ahoyd_gruu_target target = target_of("01234567890123456789012345678901234567890");
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    assert_false(ahoyd_gruu_token_print(&key, 7, &target, &buf));
    target.name = SPAN("");
    assert_false(ahoyd_gruu_token_print(&key, 7, &target, &buf));
    assert_int_equal(buf.size, 0);
    target = target_of("bob");
    struct span token = print(&target, 7, space);
    for (size_t size = 0; size < token.size; size++) {
        struct ahoy_buf name = ahoy_buf_over(shown, sizeof shown);
        assert_false(ahoyd_gruu_token_open(&key, (struct span){ token.at, size }, &name));
    }
    space[3] = 'z';
    struct ahoy_buf name = ahoy_buf_over(shown, sizeof shown);
    assert_false(ahoyd_gruu_token_open(&key, token, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stands_for_one_instance), cmocka_unit_test(it_is_what_it_always_was),
        cmocka_unit_test(it_stands_for_nothing_else), cmocka_unit_test(no_character_may_be_another),
        cmocka_unit_test(two_of_one_look_like_two),   cmocka_unit_test(what_is_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
