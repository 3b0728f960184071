/* What every request of a user agent has (RFC 3261 8.1.1, table 2), and what a URI makes of one
 * (19.1.5).  A script in bob's place looks at all that comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

/* What is compared of the requests that came. */
enum { SEEN_LIMIT = 32 };
static struct seen {
    enum ahoy_method method;
    uint32_t cseq;
    char call_id[64], from_tag[64], to_tag[64], branch[64];
} seen[SEEN_LIMIT];
static size_t seen_count;

static void copy(struct span text, char to[64])
{
    assert_in_range(text.size, 0, 63);
    if (text.size > 0)
        memcpy(to, text.at, text.size);
    to[text.size] = '\0';
}

static void note(const struct ahoy_message *request, const struct ahoy_routing *routing)
{
    assert_in_range(seen_count, 0, SEEN_LIMIT - 1);
    struct seen *place = &seen[seen_count++];
    place->method = request->method;
    place->cseq = routing->cseq.number;
    copy(routing->call_id, place->call_id);
    copy(routing->from_tag, place->from_tag);
    copy(routing->to_tag, place->to_tag);
    copy(routing->via.branch, place->branch);
}

static size_t count(const struct ahoy_message *request, enum ahoy_header header)
{
    size_t rows = 0;
    const struct ahoy_field *field = ahoy_message_first(request, header);
    for (; field != NULL; field = ahoy_message_next(request, field))
        rows++;
    return rows;
}

static size_t count_values(const struct ahoy_message *request, enum ahoy_header header)
{
    size_t found = 0;
    struct ahoy_values values = ahoy_message_values(request, header);
    struct span value;
    struct ahoy_err err;
    while (ahoy_values_next(&values, &value, &err))
        found++;
    return found;
}

/* R3261-7.1-2, -3: "SIP/2.0", in capitals. */
static void check_line(const struct ahoy_message *request)
{
    const char *end = ahoy_span_end(request->request_uri);
    assert_memory_equal(end, " SIP/2.0\r\n", 10);
}

/* R3261-8.1.1-1, R3261-20-2, R3261-8.1.1.6-1, R3261-8.1.1.5-1, -2. */
static void check_mandatory(const struct ahoy_message *request, const struct ahoy_routing *routing)
{
    static const enum ahoy_header mandatory[] = { AHOY_HEADER_TO,           AHOY_HEADER_FROM,
                                                  AHOY_HEADER_CSEQ,         AHOY_HEADER_CALL_ID,
                                                  AHOY_HEADER_MAX_FORWARDS, AHOY_HEADER_VIA };
    for (size_t i = 0; i < sizeof mandatory / sizeof mandatory[0]; i++)
        assert_int_equal(count(request, mandatory[i]), 1);
    assert_true(ahoy_span_equal(ahoy_message_value(request, AHOY_HEADER_MAX_FORWARDS), SPAN("70")));
    assert_int_equal(routing->cseq.method, request->method);
    assert_in_range(routing->cseq.number, 1, INT32_MAX);
}

/* R3261-8.1.1.7-1, -2, -3, -5, R3261-20.42-1. */
static void check_via(const struct ahoy_message *request, const struct ahoy_routing *routing)
{
    assert_int_equal(count_values(request, AHOY_HEADER_VIA), 1);
    assert_memory_equal(routing->via.text.at, "SIP/2.0/UDP 192.0.2.1:5060;", 27);
    assert_in_range(routing->via.branch.size, 7 + AHOY_TOKEN_SIZE, 63);
    assert_memory_equal(routing->via.branch.at, "z9hG4bK", 7);
}

/* R3261-8.1.1.9-1, -4, R3261-8.2.2.3-5, R3261-20.32-3, R3261-20.37-1: we name the extensions that
 * we know, and need none: R3262-4-1, R3262-4-2; in all requests but ACK, and CANCEL, which is not
 * ours to write: R4028-7.1-1, -2. */
static void check_extensions(const struct ahoy_message *request)
{
    bool shows = request->method != AHOY_METHOD_ACK && request->method != AHOY_METHOD_CANCEL;
    assert_int_equal(count_values(request, AHOY_HEADER_SUPPORTED), shows ? 3 : 0);
    if (shows)
        assert_true(ahoy_span_equal(ahoy_message_value(request, AHOY_HEADER_SUPPORTED),
                                    SPAN("100rel, timer, replaces")));
    assert_int_equal(count(request, AHOY_HEADER_REQUIRE), 0);
    assert_int_equal(count(request, AHOY_HEADER_PROXY_REQUIRE), 0);
}

/* R3261-7.4.1-1, -2, R3261-20.14-2, R3261-20.15-1. */
static void check_body(const struct ahoy_message *request)
{
    uint64_t size;
    bool has_body = request->body.size > 0;
    assert_true(ahoy_span_number(ahoy_message_value(request, AHOY_HEADER_CONTENT_LENGTH),
                                 AHOY_MESSAGE_LIMIT, &size));
    assert_int_equal(size, request->body.size);
    assert_int_equal(count(request, AHOY_HEADER_CONTENT_TYPE), has_body);
    assert_int_equal(count(request, AHOY_HEADER_CONTENT_ENCODING), 0);
    assert_int_equal(has_body, request->method == AHOY_METHOD_INVITE);
}

/* R3261-20-4: of what we might send, only what table 2 allows in a request of this method. */
static void check_applicable(const struct ahoy_message *request)
{
    static const struct {
        enum ahoy_header header;
        const char *methods; /* A, B, C, I, R: ACK, BYE, CANCEL, INVITE, REGISTER */
    } allowed[] = {
        { AHOY_HEADER_VIA, "ABCIR" },
        { AHOY_HEADER_MAX_FORWARDS, "ABCIR" },
        { AHOY_HEADER_FROM, "ABCIR" },
        { AHOY_HEADER_TO, "ABCIR" },
        { AHOY_HEADER_CALL_ID, "ABCIR" },
        { AHOY_HEADER_CSEQ, "ABCIR" },
        { AHOY_HEADER_ROUTE, "ABCIR" },
        { AHOY_HEADER_USER_AGENT, "ABCIR" },
        { AHOY_HEADER_AUTHORIZATION, "ABCIR" },
        { AHOY_HEADER_PROXY_AUTHORIZATION, "ABIR" },
        { AHOY_HEADER_CONTENT_LENGTH, "ABCIR" },
        { AHOY_HEADER_CONTENT_TYPE, "ABIR" },
        { AHOY_HEADER_CONTACT, "AIR" },
        { AHOY_HEADER_EXPIRES, "IR" },
        { AHOY_HEADER_ACCEPT, "BIR" },
        { AHOY_HEADER_ALLOW, "BIR" },
        { AHOY_HEADER_SUPPORTED, "BCIR" },
        { AHOY_HEADER_RECV_INFO, "I" }, /* RFC 6086 7.1 */
    };
    for (size_t i = 0; i < request->field_count; i++) {
        size_t row = 0;
        while (allowed[row].header != request->fields[i].header) {
            if (++row == sizeof allowed / sizeof allowed[0])
                fail_msg("%.*s", (int)request->fields[i].name.size, request->fields[i].name.at);
        }
        if (strchr(allowed[row].methods, request->method_text.at[0]) == NULL)
            fail_msg("%.*s", (int)request->fields[i].name.size, request->fields[i].name.at);
    }
}

/* Looks at a request, and answers as somebody does who is called, or registered with. */
static void script(struct pair *world, const struct ahoy_message *request)
{
    static struct ahoy_routing routing;
    static struct ahoy_message invite;
    static char invite_text[AHOY_MESSAGE_LIMIT];
    assert_true(ahoy_message_routing(request, &routing, NULL));
    check_line(request);
    check_mandatory(request, &routing);
    check_via(request, &routing);
    check_extensions(request);
    check_body(request);
    check_applicable(request);
    note(request, &routing);
    static const char rows[] = "Contact: <sip:bob@192.0.2.2>\r\n" PAIR_SDP_TYPE;
    switch (request->method) {
    case AHOY_METHOD_INVITE: /* One outside of a dialog: R3261-8.1.1.8-1. */
        assert_int_equal(count_values(request, AHOY_HEADER_CONTACT), 1);
        memcpy(invite_text, request->bytes.at, request->bytes.size);
        assert_true(
            ahoy_message_parse((struct span){ invite_text, request->bytes.size }, &invite, NULL));
        pair_reply(world, request, 180, "b", "Contact: <sip:bob@192.0.2.2>\r\n", "");
        if (routing.to.uri.user.at[0] == 'b')
            pair_reply(world, request, 200, "b", rows, PAIR_SDP("sendrecv"));
        return;
    case AHOY_METHOD_CANCEL:
        pair_reply(world, request, 200, "b", "", "");
        pair_reply(world, &invite, 487, "b", "", "");
        return;
    case AHOY_METHOD_ACK:
        return;
    default:
        pair_reply(world, request, 200, "b", "", "");
        return;
    }
}

static void call(const char *uri)
{
    struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 1 } };
    pair.ends[ALICE].session =
        ahoy_ua_call(pair.ends[ALICE].ua, ahoy_span(uri), &media, pair.now_ms);
}

static void begin(void)
{
    seen_count = 0;
    pair_init(&pair);
    pair.script = script;
}

/* A registration, three calls that are answered and ended, and one that is cancelled. */
static void live(void)
{
    begin();
    ahoy_ua_register(pair.ends[ALICE].ua, 3600, pair.now_ms);
    pair_run(&pair, 100);
    for (uint64_t i = 0; i < 4; i++) {
        call(i < 3 ? "sip:bob@192.0.2.2" : "sip:silent@192.0.2.2");
        pair_run(&pair, 200 + 200 * i);
        pair_hangup(&pair, ALICE);
        pair_run(&pair, 300 + 200 * i);
    }
    pair_fini(&pair);
}

static const enum ahoy_method expected[] = {
    AHOY_METHOD_REGISTER, AHOY_METHOD_INVITE,  AHOY_METHOD_ACK,    AHOY_METHOD_BYE,
    AHOY_METHOD_INVITE,   AHOY_METHOD_ACK,     AHOY_METHOD_BYE,    AHOY_METHOD_INVITE,
    AHOY_METHOD_ACK,      AHOY_METHOD_BYE,     AHOY_METHOD_INVITE, AHOY_METHOD_CANCEL,
    AHOY_METHOD_ACK,      AHOY_METHOD_REGISTER
};
enum { EXPECTED = sizeof expected / sizeof expected[0] };

/* The checks are the script's. */
static void test_every_request(void **state)
{
    (void)state;
    live();
    assert_int_equal(seen_count, EXPECTED);
    for (size_t i = 0; i < EXPECTED; i++)
        assert_int_equal(seen[i].method, expected[i]);
}

/* The requests of one call: from its INVITE to the one before the next. */
static bool begins_a_call(size_t i)
{
    return seen[i].method == AHOY_METHOD_INVITE || seen[i].method == AHOY_METHOD_REGISTER;
}

/* R3261-8.1.1.2-3, R3261-8.1.1.4-1: outside of a dialog To has no tag, inside all have one
 * Call-ID. */
static void test_dialogs(void **state)
{
    (void)state;
    live();
    for (size_t i = 0; i < seen_count; i++) {
        bool outside = begins_a_call(i) || seen[i].method == AHOY_METHOD_CANCEL;
        assert_string_equal(seen[i].to_tag, outside ? "" : "b");
        if (!begins_a_call(i)) {
            assert_string_equal(seen[i].call_id, seen[i - 1].call_id);
            assert_string_equal(seen[i].from_tag, seen[i - 1].from_tag);
        }
    }
}

/* R3261-8.1.1.3-1, R3261-8.1.1.4-2: each call has a Call-ID and a tag of its own.  R3261-19.3-1: a
 * tag is a token, of 64 random bits. */
static void test_calls_are_told_apart(void **state)
{
    (void)state;
    live();
    for (size_t i = 0; i < seen_count; i++) {
        uint64_t bits;
        assert_true(ahoy_token_parse(ahoy_span(seen[i].from_tag), &bits));
        for (size_t k = 0; k < i; k++) {
            bool registers = seen[i].method == AHOY_METHOD_REGISTER; /* One Call-ID: 10.2.4. */
            if (!begins_a_call(i) || registers)
                continue;
            assert_string_not_equal(seen[i].call_id, seen[k].call_id);
            assert_string_not_equal(seen[i].from_tag, seen[k].from_tag);
        }
    }
}

/* R3261-8.1.1.7-4: no branch serves twice, but for CANCEL and the ACK to a failure (R3261-9.1-2,
 * R3261-17.1.1.3-4). */
static void test_branches(void **state)
{
    (void)state;
    live();
    for (size_t i = 0; i < seen_count; i++) {
        for (size_t k = 0; k < i; k++) {
            bool same = k >= 10 && k < 12 && i > k && i < 13; /* The call that was cancelled. */
            assert_int_equal(strcmp(seen[i].branch, seen[k].branch) == 0, same);
        }
    }
}

/* R3261-8.1.1.8-2, R3261-12.1.2-1: our Contact is good outside of the dialog too, and after it. */
static void test_contact(void **state)
{
    (void)state;
    char text[1024];
    pair_init(&pair);
    pair_call(&pair);
    pair_run(&pair, 100);
    struct span contact = ahoy_message_value(pair_received(&pair, BOB), AHOY_HEADER_CONTACT);
    struct ahoy_address address;
    assert_true(ahoy_address_parse(contact, &address, NULL));
    assert_int_equal(address.uri.scheme, AHOY_SCHEME_SIP); /* R3261-8.1.1.8-1 */
    int size = snprintf(text, sizeof text,
                        "INVITE %.*s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKc\r\n"
                        "Max-Forwards: 70\r\nFrom: <sip:carol@192.0.2.2>;tag=c\r\n"
                        "To: <sip:alice@192.0.2.1>\r\nCall-ID: another\r\nCSeq: 1 INVITE\r\n"
                        "Contact: <sip:carol@192.0.2.2>\r\n\r\n",
                        (int)address.uri.text.size, address.uri.text.at);
    pair_hangup(&pair, ALICE);
    pair_run(&pair, 1000);
    pair_forget(&pair);
    pair_inject(&pair, ALICE, (struct span){ text, (size_t)size });
    pair_run(&pair, 1010);
    pair_expect(&pair, "1000 bob > alice INVITE\n"
                       "1010 alice: incoming\n"
                       "1010 alice > bob 100 INVITE\n");
    ahoy_ua_reject(pair.ends[ALICE].ua, pair.ends[ALICE].session, 486, pair.now_ms);
    pair_fini(&pair);
}

/* R3261-19.1.5-1, -3, -4: all parameters go into the Request-URI, but for the method. */
static void test_a_uri_with_parameters(void **state)
{
    (void)state;
    pair_init(&pair);
    call("sip:bob@192.0.2.2;transport=udp;method=INVITE;maddr=192.0.2.2;ttl=1;user=ip;x=y;z");
    pair_run(&pair, 100);
    pair_received(&pair, BOB);
    struct span uri = pair.routing.request_uri.text;
    static const char rest[] =
        "sip:bob@192.0.2.2;transport=udp;maddr=192.0.2.2;ttl=1;user=ip;x=y;z";
    assert_true(ahoy_span_equal(uri, ahoy_span(rest)));
    pair_hangup(&pair, ALICE);
    pair_fini(&pair);
}

/* R3261-19.1.5-2, -5, -6: what asks for another method, or for headers, is no call. */
static void test_a_uri_for_something_else(void **state)
{
    (void)state;
    static const char *const uris[] = {
        "sip:bob@192.0.2.2;method=REGISTER", "sip:bob@192.0.2.2;method=invite",
        "sip:bob@192.0.2.2;Method=BREW;x",   "sip:bob@192.0.2.2?Require=100rel",
        "sip:bob@192.0.2.2?CSeq=x",          "sip:bob@192.0.2.2;method=BYE?Subject=x"
    };
    pair_init(&pair);
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        call(uris[i]);
        assert_int_equal(pair.ends[ALICE].session.generation, 0);
    }
    pair_run(&pair, 100);
    pair_expect(&pair, "");
    pair_fini(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_request),
        cmocka_unit_test(test_dialogs),
        cmocka_unit_test(test_calls_are_told_apart),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_contact),
        cmocka_unit_test(test_a_uri_with_parameters),
        cmocka_unit_test(test_a_uri_for_something_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
