/* Calls that fail, each for one true cause: that is what the first line of `ahoyctl explain` names,
 * whatever else has happened to the call. */
#include "ahoyd/command_why.h"
#include "ahoyd/roll.h"
#include "ahoyd/mask.h"
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "listen \"tcp:192.0.2.100:5060\"\n"
    "listen(\"tls:192.0.2.100:5061\", { certificate = \"a.pem\", key = \"a.key\" })\n"
    "domain(\"atlanta.example\", { auth = \"digest\" })\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "store \"memory:\"\n"
    "trunk(\"named\", { \"sip:carrier.example\" })\n"
    "trunk(\"down\", { \"sip:203.0.113.5:5070;transport=tcp\" })\n"
    "trunk(\"secure\", { \"sips:203.0.113.6\" })\n"
    "trunk(\"costly\", { \"sip:203.0.113.7\" })\n"
    "route { domain = \"named.example\", to = \"named\", from = \"anyone\" }\n"
    "route { domain = \"down.example\", to = \"down\", from = \"anyone\" }\n"
    "route { domain = \"secure.example\", to = \"secure\", from = \"anyone\" }\n"
    "route { domain = \"costly.example\", to = \"costly\", from = \"users\" }\n";

#define ALICE "192.0.2.1:5060"
#define BOB   "192.0.2.2:5060"
#define OFFER                                                                                      \
    "v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"                    \
    "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n"

/* What Bob's phone got last. */
struct kept {
    char text[8192];
    size_t size;
};

static void keep(struct exchange *exchange, struct kept *kept)
{
    const struct ahoy_message *message = exchange_sent_to(exchange, BOB);
    assert_non_null(message);
    assert_true(message->bytes.size < sizeof kept->text);
    kept->size = message->bytes.size;
    memcpy(kept->text, message->bytes.at, kept->size);
}

static void bob_says(struct exchange *exchange, const struct kept *kept, unsigned status)
{
    char text[4096];
    static struct ahoy_message message;
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    const struct ahoy_response response = { .status = status, .to_tag = SPAN("theirs") };
    assert_true(ahoy_message_parse((struct span){ kept->text, kept->size }, &message, NULL));
    ahoy_compose_response(&buf, &message, &response);
    exchange_datagram(exchange, BOB, ahoy_buf_text(&buf));
}

static struct ask call_of(const char *uri)
{
    return (struct ask){ .method = "INVITE",
                         .uri = uri,
                         .from = "sip:alice@atlanta.example",
                         .user = "alice",
                         .password = "wonderland",
                         .call_id = "why",
                         .rows = "Content-Type: application/sdp\r\n",
                         .body = OFFER };
}

static void stranger_calls(struct exchange *exchange, const char *uri)
{
    struct ask ask = call_of(uri);
    ask.from = "sip:mallory@far.example";
    (void)exchange_ask(exchange, &ask);
}

static void alice_calls(struct exchange *exchange, const char *uri)
{
    const struct ask ask = call_of(uri);
    (void)exchange_ask_as(exchange, &ask);
}

static void bob_refuses(struct exchange *exchange, unsigned status)
{
    struct kept invite;
    alice_calls(exchange, "sip:bob@atlanta.example");
    keep(exchange, &invite);
    exchange->now_ms += 1500;
    bob_says(exchange, &invite, 180);
    bob_says(exchange, &invite, status);
}

static void unknown_user(struct exchange *exchange)
{
    alice_calls(exchange, "sip:nobody@atlanta.example");
}

/* A password in a URI is nobody's business, and a long name no hiding place. */
static void secret_in_uri(struct exchange *exchange)
{
    char uri[512];
    snprintf(uri, sizeof uri, "sip:nobody:secret@atlanta.example;x=%0200d", 0);
    alice_calls(exchange, uri);
}

static void not_registered(struct exchange *exchange)
{
    alice_calls(exchange, "sip:alice@atlanta.example");
}

static void wrong_password(struct exchange *exchange)
{
    struct ask ask = call_of("sip:bob@atlanta.example");
    ask.password = "wonderwall";
    (void)exchange_ask_as(exchange, &ask);
}

static void no_password(struct exchange *exchange)
{
    const struct ask ask = call_of("sip:bob@atlanta.example");
    (void)exchange_ask(exchange, &ask);
}

static void no_codec(struct exchange *exchange)
{
    bob_refuses(exchange, 488);
}

static void busy(struct exchange *exchange)
{
    bob_refuses(exchange, 486);
}

static void dns_failure(struct exchange *exchange)
{
    stranger_calls(exchange, "sip:1@named.example");
    exchange_wait(exchange, 60000);
}

static void trunk_down(struct exchange *exchange)
{
    exchange->fate = AHOY_FATE_REFUSED;
    stranger_calls(exchange, "sip:1@down.example");
}

static void tls_mismatch(struct exchange *exchange)
{
    exchange->fate = AHOY_FATE_UNPROVED;
    stranger_calls(exchange, "sip:1@secure.example");
}

/* What left for one phone comes back for the address that was called first. */
static void loop(struct exchange *exchange)
{
    static const char called[] = "INVITE sip:team@open.example";
    struct kept invite;
    char text[8192];
    exchange_bind(exchange, "team@open.example", "sip:b@192.0.2.2", BOB);
    exchange_bind(exchange, "team@open.example", "sip:c@192.0.2.3", "192.0.2.3:5060");
    stranger_calls(exchange, "sip:team@open.example");
    keep(exchange, &invite);
    size_t line = ahoy_span_find((struct span){ invite.text, invite.size }, '\r');
    int size = snprintf(text, sizeof text, "%s SIP/2.0%.*s", called, (int)(invite.size - line),
                        invite.text + line);
    assert_true(size > 0 && (size_t)size < sizeof text);
    exchange_datagram(exchange, BOB, (struct span){ text, (size_t)size });
}

static void silence(struct exchange *exchange)
{
    alice_calls(exchange, "sip:bob@atlanta.example");
    exchange_wait(exchange, 40000);
}

static void cancelled(struct exchange *exchange)
{
    struct kept invite;
    struct ask cancel = call_of("sip:bob@open.example");
    exchange_bind(exchange, "bob@open.example", "sip:bob@192.0.2.2", BOB);
    stranger_calls(exchange, "sip:bob@open.example");
    keep(exchange, &invite);
    bob_says(exchange, &invite, 180);
    exchange->now_ms += 12300;
    cancel.method = "CANCEL";
    cancel.from = "sip:mallory@far.example";
    cancel.rows = cancel.body = NULL;
    exchange->branches--; /* That of the INVITE: RFC 3261 9.1. */
    assert_int_equal(exchange_ask(exchange, &cancel), 200);
    bob_says(exchange, &invite, 487);
}

static void overload(struct exchange *exchange)
{
    const struct ask ask = { .peer = "192.0.2.66:5060",
                             .method = "OPTIONS",
                             .uri = "sip:open.example",
                             .from = "sip:mallory@evil.example" };
    exchange->waited_us = 300000;
    for (unsigned i = 0; i < 4000; i++, exchange->now_ms++)
        (void)exchange_ask(exchange, &ask);
    while (exchange_ask(exchange, &ask) != 503)
        continue;
    stranger_calls(exchange, "sip:bob@atlanta.example");
}

static void toll_fraud(struct exchange *exchange)
{
    stranger_calls(exchange, "sip:900123@costly.example");
}

static const struct failure {
    void (*happens)(struct exchange *exchange);
    const char *says;
} failures[] = {
    { unknown_user, "404 Not Found: there is no such user: sip:nobody@atlanta.example, "
                    "udp 192.0.2.1:5060 (RFC 3261 16.5)" },
    { secret_in_uri, "404 Not Found: there is no such user: sip:nobody:***@atlanta.example;x="
                     "000000000000000000000000000000000000000000000000000000000000, "
                     "udp 192.0.2.1:5060 (RFC 3261 16.5)" },
    { not_registered, "480 Temporarily Unavailable: the user has no phone that is registered and "
                      "can be reached: sip:alice@atlanta.example, udp 192.0.2.1:5060 "
                      "(RFC 3261 16.5)" },
    { wrong_password, "407 Proxy Authentication Required: the password is wrong: alice, "
                      "udp 192.0.2.1:5060 (RFC 3261 22.1)" },
    { no_password, "407 Proxy Authentication Required: a password is asked for, and none came: "
                   "atlanta.example, udp 192.0.2.1:5060 (RFC 3261 22.3)" },
    { no_codec, "488 Not Acceptable Here: udp 192.0.2.2:5060 says 488: no codec in common; the "
                "caller offers PCMU, opus (RFC 3264 6)" },
    { busy, "486 Busy Here: udp 192.0.2.2:5060 says 486: the callee is busy at this phone "
            "(RFC 3261 21.4.24)" },
    { dns_failure, "500 Server Internal Error: the DNS has no server for the name: "
                   "sip:carrier.example (RFC 3263 4)" },
    { trunk_down, "500 Server Internal Error: nobody listens there, tcp 203.0.113.5:5070 "
                  "(RFC 3261 16.9)" },
    { tls_mismatch, "500 Server Internal Error: the certificate is for other names than the one "
                    "that is called, tls 203.0.113.6:5061 (RFC 5922 7.3)" },
    { loop, "482 Loop Detected: a loop: the request has come back to where it was, "
            "udp 192.0.2.2:5060 (RFC 5393 4.2)" },
    { silence, "408 Request Timeout: no answer came in time: timer B or F, udp 192.0.2.2:5060 "
               "(RFC 3261 17.1.1.2)" },
    { cancelled, "487 Request Terminated: the caller hung up after 12.3 s, before anybody "
                 "answered (RFC 3261 9)" },
    { overload, "503 Service Unavailable: overload: this server has more to do than it can, "
                "udp 192.0.2.1:5060 (RFC 7339 5.10.2)" },
    { toll_fraud, "403 Forbidden: the caller may not use the trunk: the guard against toll fraud: "
                  "costly, udp 192.0.2.1:5060 (decision 20)" },
};

static size_t copy(void *context, unsigned worker, uint64_t *from, char *to, size_t room)
{
    const struct exchange *exchange = context;
    assert_int_equal(worker, 0);
    return ahoy_ring_copy(ahoyd_server_ring(exchange->server), from, to, room);
}

static struct ahoy_ip local(void *context, uint8_t listener)
{
    const struct exchange *exchange = context;
    struct ahoy_ip nowhere = { .family = AHOY_NO_FAMILY }; /* Of what no listener brought. */
    return listener < exchange->config->listen_count ? exchange->listeners->at[listener].local
                                                     : nowhere;
}

static struct ahoyd_command_means means_of(struct exchange *exchange)
{
    return (struct ahoyd_command_means){
        .store = exchange->store, .notes = copy, .workers = 1, .local = local, .context = exchange
    };
}

static struct exchange *atlanta(void)
{
    struct exchange *exchange = exchange_of_atlanta(config);
    exchange_bind(exchange, "bob@atlanta.example", "sip:bob@192.0.2.2", BOB);
    return exchange;
}

static json_t *explain(struct exchange *exchange)
{
    const struct ahoyd_command_means means = means_of(exchange);
    json_t *request = json_pack("{s:s}", "call_id", "why");
    json_t *answer = ahoyd_command_explain(&means, request);
    json_decref(request);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    return answer;
}

static void the_first_line_names_the_true_cause(void **state)
{
    bool all = true;
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct exchange *exchange = atlanta();
        failures[i].happens(exchange);
        json_t *answer = explain(exchange);
        const char *says = json_string_value(json_object_get(answer, "cause"));
        bool same = strcmp(says, failures[i].says) == 0;
        if (!same)
            print_error("it says:    %s\ninstead of: %s\n", says, failures[i].says);
        all = all && same;
        json_decref(answer);
        exchange_free(exchange);
    }
    assert_true(all);
}

/* Nothing that an answer shows can be used to log in, or to listen. */
static void secrets_are_masked(void **state)
{
    static const struct {
        const char *shown, *masked;
    } rows[] = {
        { "Authorization: Digest username=\"alice\", response=\"0a1b\", opaque=\"x\"\r\n",
          "Authorization: Digest username=\"alice\", response=\"***\", opaque=\"x\"\r\n" },
        { "proxy-authorization : digest RESPONSE = \"0a1b\"\r\n",
          "proxy-authorization : digest RESPONSE = \"***\"\r\n" },
        { "Authorization: Digest username=\"a\",\r\n response=\"0a1b\"\r\n",
          "Authorization: Digest username=\"a\",\r\n ***\r\n" },
        { "Authorization: Basic QWxhZGRpbg==\r\n", "Authorization: Basic ***\r\n" },
        { "INVITE sip:bob:builder@atlanta.example SIP/2.0\r\n",
          "INVITE sip:bob:***@atlanta.example SIP/2.0\r\n" },
        { "To: \"B\" <sips:bob:builder@atlanta.example:5061>\r\n",
          "To: \"B\" <sips:bob:***@atlanta.example:5061>\r\n" },
        { "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n",
          "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n" },
        { "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WnD7c1ksDGs+dIefCEo8|2^20\r\n",
          "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20\r\n" },
        { "k=base64:c2VjcmV0\r\n", "k=base64:***\r\n" },
        { "a=ice-pwd:asd88fgpdd777uzjYhagZg\r\n", "a=ice-pwd:***\r\n" },
        { "{\"password\": \"builder\", \"user\": \"bob\"}",
          "{\"password\": \"***\", \"user\": \"bob\"}" },
        { "user=bob&password=builder&x=1", "user=bob&password=***&x=1" },
        { "<password>builder</password>", "<password>***</password>" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
        ahoyd_mask(ahoy_span(rows[i].shown), &buf);
        text[buf.size] = '\0';
        assert_string_equal(text, rows[i].masked);
    }
}

/* The proof of a password is in the notes, and not in the answer. */
static void an_explanation_shows_no_proof(void **state)
{
    struct exchange *exchange = atlanta();
    (void)state;
    wrong_password(exchange);
    json_t *answer = explain(exchange);
    char *text = json_dumps(answer, JSON_COMPACT);
    const char *proof = strstr(text, "response=");
    assert_non_null(proof);
    for (; proof != NULL; proof = strstr(proof + 1, "response="))
        assert_int_equal(strncmp(proof, "response=\\\"***\\\"", 16), 0);
    free(text);
    json_decref(answer);
    exchange_free(exchange);
}

static json_t *calls(struct exchange *exchange)
{
    struct ahoyd_command_means means = means_of(exchange);
    means.roll = ahoyd_roll_new((struct ahoy_hash_key){ { 1, 2 } }, 1);
    assert_non_null(means.roll);
    json_t *answer = ahoyd_command_calls(&means, NULL);
    ahoyd_roll_free(means.roll);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    return answer;
}

static const char *member(const json_t *answer, size_t index, const char *name)
{
    json_t *rows = json_object_get(answer, "calls");
    assert_true(index < json_array_size(rows));
    return json_string_value(json_object_get(json_array_get(rows, index), name));
}

/* From the INVITE over ringing and talking to the end. */
static void a_call_is_listed_as_it_goes_on(void **state)
{
    static const struct {
        unsigned status;
        const char *state, *cause;
    } steps[] = {
        { 180, "ringing", "it rings" },
        { 200, "answered", "answered after 2.0 s" },
    };
    struct exchange *exchange = atlanta();
    struct kept invite;
    (void)state;
    alice_calls(exchange, "sip:bob@atlanta.example");
    keep(exchange, &invite);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        exchange->now_ms += 1000;
        bob_says(exchange, &invite, steps[i].status);
        json_t *answer = calls(exchange);
        assert_string_equal(member(answer, 0, "state"), steps[i].state);
        assert_string_equal(member(answer, 0, "cause"), steps[i].cause);
        assert_string_equal(member(answer, 0, "from"), "alice@atlanta.example");
        assert_string_equal(member(answer, 0, "to"), "bob@atlanta.example");
        assert_string_equal(member(answer, 0, "call_id"), "why");
        json_decref(answer);
    }
    struct ask bye = call_of("sip:bob@192.0.2.2");
    bye.method = "BYE";
    bye.to_tag = "theirs";
    bye.cseq = 3;
    exchange->now_ms += 61000;
    (void)exchange_ask(exchange, &bye);
    json_t *answer = calls(exchange);
    assert_string_equal(member(answer, 0, "state"), "ended");
    assert_string_equal(member(answer, 0, "cause"),
                        "answered after 2.0 s, ended by the caller after 61.0 s");
    json_decref(answer);
    exchange_free(exchange);
}

static json_t *follow(struct exchange *exchange, json_int_t from)
{
    const struct ahoyd_command_means means = means_of(exchange);
    json_t *request = json_pack("{s:[I]}", "from", from);
    json_t *answer = ahoyd_command_follow(&means, request);
    json_decref(request);
    return answer;
}

/* A reader may begin within a message, and a stranger may have written what looks like a note. */
static void what_looks_like_a_note_is_none(void **state)
{
    (void)state;
    struct exchange *exchange = atlanta();
    struct ahoy_note fake[2] = { { .kind = AHOY_NOTE_OUT, .transport = 200, .size = 16 },
                                 { .kind = 77, .size = 16 } };
    const struct span text = { (const char *)fake, sizeof fake };
    struct ahoy_ring *ring = (struct ahoy_ring *)(uintptr_t)ahoyd_server_ring(exchange->server);
    struct ahoy_note note = { .kind = AHOY_NOTE_IN, .transport = AHOY_UDP };
    json_int_t end = (json_int_t)ring->end;
    ahoy_ring_put(ring, &note, &text, 1);
    for (json_int_t at = end; at < (json_int_t)ring->end; at += 8) {
        json_t *answer = follow(exchange, at);
        const json_t *notes = json_object_get(answer, "notes");
        assert_int_equal(json_array_size(notes), at == end ? 1 : 0);
        json_decref(answer);
    }
    exchange_free(exchange);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_names_the_true_cause),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(an_explanation_shows_no_proof),
        cmocka_unit_test(a_call_is_listed_as_it_goes_on),
        cmocka_unit_test(what_looks_like_a_note_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
