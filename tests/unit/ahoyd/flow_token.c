/* Flow tokens (RFC 5626 5.2): what goes in comes out, and nobody else writes one. */
#include "ahoyd/flow_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct ahoy_hash_key key = { { 1, 2 } };

static struct ahoy_hop hop_of(const char *address)
{
    struct ahoy_hop hop = { .transport = AHOY_TCP,
                            .listener = 3,
                            .worker = 0x1234,
                            .connection = { 0x89abcdef, 0xfedcba98 } };
    assert_true(ahoy_ip_parse(ahoy_span(address), &hop.remote));
    hop.remote.port = 65535;
    hop.remote.scope = hop.remote.family == AHOY_IPV6 ? 7 : 0;
    return hop;
}

static char space[AHOYD_FLOW_TOKEN_LIMIT];

static struct span print(enum ahoyd_flow_kind kind, const struct ahoy_hop *hop)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoyd_flow_print(&key, kind, hop, SPAN("call"), &buf);
    return ahoy_buf_text(&buf);
}

static enum ahoyd_flow_verdict read_for(struct span token, const char *call_id)
{
    enum ahoyd_flow_kind kind;
    struct ahoy_hop hop;
    return ahoyd_flow_read(&key, token, ahoy_span(call_id), &kind, &hop);
}

/* R5626-5.1-3 */
static void all_of_a_flow_is_in_it(void **state)
{
    (void)state;
    static const char *const addresses[] = { "192.0.2.1", "fe80::1:2:3:4" };
    for (size_t i = 0; i < 2; i++) {
        const struct ahoy_hop hop = hop_of(addresses[i]);
        struct ahoy_hop back;
        enum ahoyd_flow_kind kind;
        struct span token = print(AHOYD_FLOW_OF_PHONE, &hop);
        assert_int_equal(token.size, i == 0 ? 52 : AHOYD_FLOW_TOKEN_LIMIT);
        assert_int_equal(ahoyd_flow_read(&key, token, SPAN("any"), &kind, &back), AHOYD_FLOW_SOUND);
        assert_int_equal(kind, AHOYD_FLOW_OF_PHONE);
        assert_true(ahoy_hop_leads_where(&hop, &back));
        assert_true(ahoy_handle_equal(hop.connection, back.connection));
        assert_int_equal(back.listener, 3);
        assert_int_equal(back.worker, 0x1234);
        assert_int_equal(back.remote.scope, hop.remote.scope);
    }
}

static void no_character_may_be_another(void **state)
{
    (void)state;
    const struct ahoy_hop hop = hop_of("192.0.2.1");
    for (size_t i = 0; i < 52; i++) {
        struct span token = print(AHOYD_FLOW_OF_CALL, &hop);
        space[i] = space[i] == '0' ? '1' : '0';
        assert_int_not_equal(read_for(token, "call"), AHOYD_FLOW_SOUND);
    }
}

static void a_token_is_for_its_call(void **state)
{
    (void)state;
    const struct ahoy_hop hop = hop_of("192.0.2.1");
    struct span token = print(AHOYD_FLOW_OF_CALL, &hop);
    assert_int_equal(read_for(token, "call"), AHOYD_FLOW_SOUND);
    assert_int_equal(read_for(token, "another"), AHOYD_FLOW_FORGED);
    const struct ahoy_hash_key other = { { 1, 3 } };
    enum ahoyd_flow_kind kind;
    struct ahoy_hop back;
    assert_int_equal(ahoyd_flow_read(&other, token, SPAN("call"), &kind, &back), AHOYD_FLOW_FORGED);
}

/* What stands in a store is for no call, and so of no use in a Route. */
static void a_token_between_nodes_is_for_its_call(void **state)
{
    (void)state;
    const struct ahoy_hop hop = hop_of("192.0.2.1");
    struct span token = print(AHOYD_FLOW_OF_NODE, &hop);
    assert_int_equal(read_for(token, "call"), AHOYD_FLOW_SOUND);
    assert_int_equal(read_for(token, "another"), AHOYD_FLOW_FORGED);
    assert_int_equal(read_for(token, ""), AHOYD_FLOW_FORGED);
}

static void what_is_no_token(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "bob", "0123456789abc", "00000000000000000000000000",
                                         "000000000000000000000000000000000000000000000000000z" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(read_for(ahoy_span(texts[i]), "call"), AHOYD_FLOW_NONE);
    assert_int_equal(read_for(SPAN("0000000000000000000000000000000000000000000000000000"), "call"),
                     AHOYD_FLOW_FORGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_a_flow_is_in_it),
        cmocka_unit_test(no_character_may_be_another),
        cmocka_unit_test(a_token_is_for_its_call),
        cmocka_unit_test(a_token_between_nodes_is_for_its_call),
        cmocka_unit_test(what_is_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
