/* Which message belongs to which transaction: RFC 3261 17.1.3, 17.2.3, 9.2. */
#include "libahoy/transaction/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct ahoy_hash_key secret = { { 11, 12 } };

/* What a request says; a test changes one thing at a time. */
struct said {
    const char *method, *uri, *via, *from, *to, *call_id, *cseq;
};

static const struct said modern = {
    .method = "INVITE",
    .uri = "sip:bob@example.org",
    .via = "SIP/2.0/UDP client.example.org:5060;branch=z9hG4bKabc",
    .from = "<sip:alice@example.org>;tag=one",
    .to = "<sip:bob@example.org>",
    .call_id = "call@host",
    .cseq = "1",
};

static const struct said old = {
    .method = "INVITE",
    .uri = "sip:bob@example.org",
    .via = "SIP/2.0/UDP client.example.org:5060;branch=1",
    .from = "<sip:alice@example.org>;tag=one",
    .to = "<sip:bob@example.org>",
    .call_id = "call@host",
    .cseq = "1",
};

/* A request as it was received, and its key. */
struct heard {
    char text[16384];
    struct ahoy_message message;
    struct ahoy_routing routing;
    struct ahoy_request_key key;
    uint64_t hash;
};

static struct heard first, second;

static void hear_as(struct heard *heard, const struct said *said, enum ahoy_method method)
{
    int size = snprintf(heard->text, sizeof heard->text,
                        "%s %s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\n"
                        "CSeq: %s %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                        said->method, said->uri, said->via, said->from, said->to, said->call_id,
                        said->cseq, said->method);
    assert_in_range(size, 1, sizeof heard->text - 1);
    struct ahoy_err err;
    struct span bytes = { heard->text, (size_t)size };
    assert_true(ahoy_message_parse(bytes, &heard->message, &err));
    assert_true(ahoy_message_routing(&heard->message, &heard->routing, &err));
    heard->key = ahoy_request_key(&heard->message, &heard->routing, method);
    heard->hash = ahoy_request_key_hash(&heard->key, &secret);
}

static void hear(struct heard *heard, const struct said *said)
{
    hear_as(heard, said, ahoy_method_parse(ahoy_span(said->method)));
}

/* Whether |b| finds the transaction that |a| made.  Equal keys must have equal hashes. */
static bool same(const struct said *a, const struct said *b)
{
    hear(&first, a);
    hear(&second, b);
    bool equal = ahoy_request_key_equal(&first.key, &second.key, false);
    assert_int_equal(equal, ahoy_request_key_equal(&second.key, &first.key, false));
    if (equal)
        assert_int_equal(first.hash, second.hash);
    return equal;
}

static bool same_but_for_via(const struct said *said, const char *via)
{
    struct said other = *said;
    other.via = via;
    return same(said, &other);
}

/* 17.2.3: branch, sent-by and method, and nothing else. */
static void test_with_the_cookie(void **state)
{
    (void)state;
    assert_true(same(&modern, &modern));
    assert_false(
        same_but_for_via(&modern, "SIP/2.0/UDP client.example.org:5060;branch=z9hG4bKabd"));
    assert_false(
        same_but_for_via(&modern, "SIP/2.0/UDP client.example.org:5061;branch=z9hG4bKabc"));
    assert_false(
        same_but_for_via(&modern, "SIP/2.0/UDP clienu.example.org:5060;branch=z9hG4bKabc"));
    assert_false(same_but_for_via(&modern, "SIP/2.0/UDP client.example.org;branch=z9hG4bKabc"));
    /* Other parameters, other transports and lower Via values do not count. */
    assert_true(same_but_for_via(
        &modern, "SIP/2.0/TCP client.example.org:5060;rport;branch=z9hG4bKabc;x=y, SIP/2.0/UDP b"));
    /* Hosts and tokens have no case (7.3.1, 25.1). */
    assert_true(same_but_for_via(&modern, "SIP/2.0/UDP CLIENT.example.ORG:5060;branch=z9hG4bKABC"));
    struct said other = modern;
    other.method = "OPTIONS";
    assert_false(same(&modern, &other));
    other = modern;
    other.uri = "sip:carol@example.org";
    other.from = "<sip:dave@example.org>;tag=two";
    other.to = "<sip:bob@example.org>;tag=three";
    other.call_id = "another";
    other.cseq = "2";
    assert_true(same(&modern, &other));
}

/* The method part: a method that has no number of its own is told apart by its name, case and
 * all. */
static void test_unknown_methods(void **state)
{
    (void)state;
    struct said frob = modern, frobs = modern, lower = modern;
    frob.method = "FROB";
    frobs.method = "FROBS";
    lower.method = "Frob";
    assert_true(same(&frob, &frob));
    assert_false(same(&frob, &frobs));
    assert_false(same(&frob, &lower));
    assert_false(same(&frob, &modern));
}

/* An ACK finds the INVITE, a CANCEL what it cancels (9.2). */
static void test_ack_and_cancel(void **state)
{
    (void)state;
    static const struct said *const peers[] = { &modern, &old };
    for (size_t i = 0; i < 2; i++) {
        struct said ack = *peers[i], cancel = *peers[i];
        ack.method = "ACK";
        ack.to = "<sip:bob@example.org>;tag=theirs";
        cancel.method = "CANCEL";
        hear(&first, peers[i]);
        hear_as(&second, &ack, AHOY_METHOD_INVITE);
        assert_int_equal(first.hash, second.hash);
        assert_true(ahoy_request_key_equal(&first.key, &second.key, true));
        hear_as(&second, &cancel, AHOY_METHOD_INVITE);
        assert_int_equal(first.hash, second.hash);
        assert_true(ahoy_request_key_equal(&first.key, &second.key, false));
        /* By itself a CANCEL is a transaction of its own. */
        hear(&second, &cancel);
        assert_false(ahoy_request_key_equal(&first.key, &second.key, false));
    }
}

/* 17.2.3 without the cookie: every part counts. */
static void test_rfc_2543(void **state)
{
    (void)state;
    assert_true(same(&old, &old));
    struct said other = old;
    other.uri = "sip:carol@example.org";
    assert_false(same(&old, &other));
    other = old;
    other.to = "<sip:bob@example.org>;tag=any";
    assert_false(same(&old, &other));
    other = old;
    other.from = "<sip:alice@example.org>;tag=two";
    assert_false(same(&old, &other));
    other = old;
    other.from = "<sip:alice@example.org>";
    assert_false(same(&old, &other));
    other = old;
    other.call_id = "CALL@host"; /* Compared byte by byte (20.8). */
    assert_false(same(&old, &other));
    other = old;
    other.cseq = "2";
    assert_false(same(&old, &other));
    other = old;
    other.method = "OPTIONS";
    assert_false(same(&old, &other));
    assert_false(same_but_for_via(&old, "SIP/2.0/UDP client.example.org:5060;branch=2"));
    assert_false(same_but_for_via(&old, "SIP/2.0/UDP client.example.org:5060"));
    assert_false(same_but_for_via(&old, "SIP/2.0/TCP client.example.org:5060;branch=1"));
    assert_false(same_but_for_via(&old, "SIP/2.0/UDP other.example.org:5060;branch=1"));
    /* With the cookie it would be another peer. */
    assert_false(same(&old, &modern));
}

/* "Matching is done based on the matching rules defined for each of those header fields." */
static void test_rfc_2543_rules_of_fields(void **state)
{
    (void)state;
    struct said other = old;
    other.uri = "SIP:bob@EXAMPLE.org";
    assert_true(same(&old, &other));
    other.uri = "sip:%62ob@example.org";
    assert_true(same(&old, &other));
    other.uri = "sip:Bob@example.org";
    assert_false(same(&old, &other));
    other = old;
    other.from = "\"Alice\" <sip:other@example.org>;tag=ONE";
    assert_true(same(&old, &other));
    other = old;
    other.via = "SIP/2.0/udp CLIENT.example.org:5060;BRANCH=1";
    assert_true(same(&old, &other));
}

/* The To tag of an ACK is that of the response, so it is not compared here; of all else it is. */
static void test_rfc_2543_to_tags(void **state)
{
    (void)state;
    struct said ack = old;
    ack.method = "ACK";
    ack.to = "<sip:bob@example.org>;tag=theirs";
    hear(&first, &old);
    hear_as(&second, &ack, AHOY_METHOD_INVITE);
    assert_true(ahoy_request_key_equal(&first.key, &second.key, true));
    assert_false(ahoy_request_key_equal(&first.key, &second.key, false));
    ack.cseq = "2";
    hear_as(&second, &ack, AHOY_METHOD_INVITE);
    assert_false(ahoy_request_key_equal(&first.key, &second.key, true));
}

/* RFC 4475 3.2.1: the cookie and nothing behind it is no transaction identifier. */
static void test_cookie_alone(void **state)
{
    (void)state;
    struct said bare = modern, other = modern;
    bare.via = "SIP/2.0/UDP client.example.org:5060;branch=z9hG4bK";
    hear(&first, &bare);
    assert_false(first.key.has_cookie);
    other.via = bare.via;
    other.call_id = "another";
    assert_false(same(&bare, &other));
}

static void check_packing(const struct said *said)
{
    hear(&first, said);
    size_t size = ahoy_request_key_size(&first.key);
    char *packed = malloc(size);
    assert_non_null(packed);
    ahoy_request_key_pack(&first.key, packed);
    memset(first.text, 'x', sizeof first.text); /* Nothing may point there any longer. */
    struct ahoy_request_key key = ahoy_request_key_unpack(packed);
    hear(&second, said);
    assert_true(ahoy_request_key_equal(&key, &second.key, false));
    assert_int_equal(ahoy_request_key_size(&key), size);
    assert_int_equal(ahoy_request_key_hash(&key, &secret), second.hash);
    free(packed);
}

static void test_packing(void **state)
{
    (void)state;
    check_packing(&modern);
    check_packing(&old);
    struct said frob = modern;
    frob.method = "FROB";
    check_packing(&frob);
    frob.via = "SIP/2.0/UDP client.example.org";
    frob.from = "<sip:alice@example.org>";
    check_packing(&frob);
}

/* Long branches: each character counts as much as the first, in the hash too.  Which size is too
 * long for a branch is layer 1's to say. */
static void test_every_character_counts(void **state)
{
    (void)state;
    static const char host[] = "SIP/2.0/UDP host;branch=z9hG4bK";
    enum { LONGEST = 200 };
    char one[sizeof host + LONGEST], two[sizeof host + LONGEST];
    struct said a = modern, b = modern;
    a.via = one;
    b.via = two;
    for (size_t size = 1; size <= LONGEST; size++) {
        memcpy(one, host, sizeof host - 1);
        memset(one + sizeof host - 1, 'a', size);
        one[sizeof host - 1 + size] = '\0';
        for (size_t i = 0; i < size; i += 1 + size / 20) {
            memcpy(two, one, sizeof one);
            two[sizeof host - 1 + i] = 'b';
            assert_false(same(&a, &b));
            assert_int_not_equal(first.hash, second.hash);
            two[sizeof host - 1 + i] = 'A';
            assert_true(same(&a, &b));
        }
    }
}

/* What one part ends with, the next cannot begin with. */
static void test_parts_do_not_run_into_each_other(void **state)
{
    (void)state;
    struct said a = modern, b = modern;
    a.via = "SIP/2.0/UDP bhost;branch=z9hG4bKa";
    b.via = "SIP/2.0/UDP host;branch=z9hG4bKab";
    assert_false(same(&a, &b));
    assert_int_not_equal(first.hash, second.hash);
}

/* Whoever does not know the secret cannot tell what will meet in the table. */
static void test_hash_depends_on_the_secret(void **state)
{
    (void)state;
    const struct ahoy_hash_key other = { { 11, 13 } };
    hear(&first, &modern);
    assert_int_not_equal(first.hash, ahoy_request_key_hash(&first.key, &other));
    hear(&first, &old);
    assert_int_not_equal(first.hash, ahoy_request_key_hash(&first.key, &other));
}

static bool equal_branches(const struct ahoy_branch *a, const struct ahoy_branch *b)
{
    return ahoy_branch_is(a, b->token, (struct span){ b->tail, b->tail_size });
}

/* 17.1.3: our own branches, as they come back in responses. */
static void test_our_branches(void **state)
{
    (void)state;
    char token[AHOY_TOKEN_SIZE + 1] = "";
    char text[128];
    struct ahoy_branch branch;
    ahoy_token_print(UINT64_C(0x123456789abcdef0), token);
    static const char *const tails[] = { "", ".", "-0123456789abcdef0123456789abcde" };
    for (size_t i = 0; i < 3; i++) {
        struct ahoy_branch ours =
            ahoy_branch_make(UINT64_C(0x123456789abcdef0), ahoy_span(tails[i]));
        snprintf(text, sizeof text, "z9hG4bK%s%s", token, tails[i]);
        assert_true(ahoy_branch_parse(ahoy_span(text), &branch));
        assert_true(equal_branches(&branch, &ours));
        for (size_t j = 0; j < 3; j++) {
            struct ahoy_branch other = ahoy_branch_make(ours.token, ahoy_span(tails[j]));
            assert_int_equal(equal_branches(&other, &ours), i == j);
        }
        struct ahoy_branch other = ahoy_branch_make(ours.token ^ 1, ahoy_span(tails[i]));
        assert_false(equal_branches(&other, &ours));
    }
}

/* Whoever answers may write the letters of a token large or small: 7.3.1, "Tokens are always
 * case-insensitive." */
static void test_a_branch_has_no_case(void **state)
{
    (void)state;
    struct ahoy_branch ours;
    struct ahoy_branch branch;
    assert_true(ahoy_branch_parse(SPAN("z9hG4bKissfgv7unvtt4kp7dc99mnddld"), &ours));
    static const char *const same[] = {
        "z9hG4bKissfgv7unvtt4kP7dc99mnddld",
        "z9hG4bKISsfgv7uNVtT4kp7dc99mnddlD",
        "Z9HG4BKISSFGV7UNVTT4KP7DC99MNDDLD",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_true(ahoy_branch_parse(ahoy_span(same[i]), &branch));
        assert_int_equal(branch.token, ours.token);
        assert_true(equal_branches(&branch, &ours));
    }
    assert_true(ahoy_branch_parse(SPAN("z9hG4bKissfgv7unvtt4kp7dc99mnddle"), &branch));
    assert_false(equal_branches(&branch, &ours));
}

static void test_branches_of_others(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "z9hG4bK",
        "z9hG4bK000000000000",
        "z9hG4cK0000000000000",
        "z9hG4bK000000000000z",
        "z9hG4bK000000000000v",
        "1",
        /* A tail that is longer than any of ours. */
        "z9hG4bK0000000000000123456789012345678901234567890123",
    };
    struct ahoy_branch branch;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(ahoy_branch_parse(ahoy_span(others[i]), &branch));
    assert_true(ahoy_branch_parse(SPAN("z9hG4bK0000000000000"), &branch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_the_cookie),
        cmocka_unit_test(test_unknown_methods),
        cmocka_unit_test(test_ack_and_cancel),
        cmocka_unit_test(test_rfc_2543),
        cmocka_unit_test(test_rfc_2543_rules_of_fields),
        cmocka_unit_test(test_rfc_2543_to_tags),
        cmocka_unit_test(test_cookie_alone),
        cmocka_unit_test(test_packing),
        cmocka_unit_test(test_every_character_counts),
        cmocka_unit_test(test_parts_do_not_run_into_each_other),
        cmocka_unit_test(test_hash_depends_on_the_secret),
        cmocka_unit_test(test_our_branches),
        cmocka_unit_test(test_a_branch_has_no_case),
        cmocka_unit_test(test_branches_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
