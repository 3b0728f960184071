/* Two ends of TLS back to back in memory: what is agreed on, what is refused, and what it takes to
 * be believed (RFC 5922, RFC 3261 26.2, attacks 47 and 48). */
#include "libahoy/io/tls.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/support/certificates.h"
#include "tests/support/tls_end.h"

static struct certificate_folder folder;
static struct certificate authority, stranger;

static const struct ahoy_ip loopback = { .family = AHOY_IPV4, .bytes = { 127, 0, 0, 1 } };

static const char *path(const char *name)
{
    return certificate_path(&folder, name);
}

static struct ahoy_tls_context *open_context(const struct ahoy_tls_entry *entries, size_t count)
{
    struct ahoy_tls_fault fault;
    struct ahoy_tls_context *context = ahoy_tls_context_new(entries, count, &fault);
    if (context == NULL)
        fail_msg("entry %zu: %s", fault.entry, fault.what);
    return context;
}

static void start(struct end *client, struct end *server, struct ahoy_tls_context *context,
                  const char *domain, size_t piece)
{
    client->tls = ahoy_tls_connect(context, ahoy_span(domain), &loopback);
    server->tls = ahoy_tls_accept(context, 0);
    assert_non_null(client->tls);
    assert_non_null(server->tls);
    end_take(client, SPAN(""));
    end_talk(client, server, piece);
}

static struct ahoy_tls_entry listener(const char *name)
{
    char file[64];
    struct ahoy_tls_entry entry = { .use = AHOY_TLS_LISTENER };
    snprintf(file, sizeof file, "%s.pem", name);
    entry.certificate = path(file);
    snprintf(file, sizeof file, "%s.key", name);
    entry.key = path(file);
    return entry;
}

static struct ahoy_tls_entry outward(void)
{
    return (struct ahoy_tls_entry){ .use = AHOY_TLS_OUTWARD,
                                    .verify = AHOY_TLS_VERIFY_REQUIRED,
                                    .authorities = path("authority.pem") };
}

/* Bytes both ways, however they are cut. */
static void both_ends_understand_each_other(void **state)
{
    (void)state;
    const struct ahoy_tls_entry entries[] = { listener("a"), outward() };
    struct ahoy_tls_context *context = open_context(entries, 2);
    static const size_t cuts[] = { 1, 7, 1000, 100000 };
    static struct end client, server;
    static char large[40000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 31);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        start(&client, &server, context, "a.example", cuts[i]);
        assert_int_equal(ahoy_tls_state(client.tls), AHOY_TLS_STANDING);
        assert_int_equal(ahoy_tls_state(server.tls), AHOY_TLS_STANDING);
        end_put(&client, SPAN("REGISTER"));
        end_put(&client, SPAN(" sip:a.example"));
        end_talk(&client, &server, cuts[i]);
        end_expect(&server, SPAN("REGISTER sip:a.example"));
        end_put(&server, (struct span){ large, sizeof large });
        end_talk(&client, &server, cuts[i]);
        end_expect(&client, (struct span){ large, sizeof large });
        struct ahoy_tls_way way = end_way_of(&server);
        ahoy_tls_end(server.tls, &way);
        end_talk(&client, &server, cuts[i]);
        assert_int_equal(ahoy_tls_state(client.tls), AHOY_TLS_ENDED);
        end_free(&client);
        end_free(&server);
    }
    ahoy_tls_context_free(context);
}

/* What comes right behind the handshake is not lost. */
static void a_client_may_speak_at_once(void **state)
{
    (void)state;
    const struct ahoy_tls_entry entries[] = { listener("a"), outward() };
    struct ahoy_tls_context *context = open_context(entries, 2);
    static struct end client, server;
    client.tls = ahoy_tls_connect(context, SPAN("a.example"), &loopback);
    server.tls = ahoy_tls_accept(context, 0);
    end_take(&client, SPAN(""));
    assert_true(end_carry(&client, &server, 100000));
    assert_true(end_carry(&server, &client, 100000));
    assert_int_equal(ahoy_tls_state(client.tls), AHOY_TLS_STANDING);
    assert_int_equal(ahoy_tls_state(server.tls), AHOY_TLS_SHAKING);
    end_put(&client, SPAN("OPTIONS"));
    assert_true(end_carry(&client, &server, 100000));
    end_expect(&server, SPAN("OPTIONS"));
    end_free(&client);
    end_free(&server);
    ahoy_tls_context_free(context);
}

struct belief {
    const char *listener, *domain;
    bool believed;
};

/* R5922-7.1-1, R5922-7.3-1 to -3, R3261-26.3.1-2, R3261-26.3.2.1-2 */
static void a_client_believes_the_right_peer_only(void **state)
{
    (void)state;
    static const struct belief beliefs[] = {
        { "a", "a.example", true },
        { "a", "A.Example", true },
        { "a", "b.example", false },
        { "a", "sub.a.example", false },
        { "a", "", false },
        { "wild", "foo.example", false },
        { "address", "", true },
        { "address", "a.example", false },
        { "stranger", "a.example", false },
        { "ended", "a.example", false },
        { "client", "a.example", false },
    };
    static struct end client, server;
    for (size_t i = 0; i < sizeof beliefs / sizeof *beliefs; i++) {
        const struct belief *belief = &beliefs[i];
        const struct ahoy_tls_entry entries[] = { listener(belief->listener), outward() };
        struct ahoy_tls_context *context = open_context(entries, 2);
        start(&client, &server, context, belief->domain, 100000);
        if ((ahoy_tls_state(client.tls) == AHOY_TLS_STANDING) != belief->believed)
            fail_msg("%s for %s", belief->listener, belief->domain);
        if (!belief->believed)
            assert_int_not_equal(ahoy_tls_state(server.tls), AHOY_TLS_STANDING);
        end_free(&client);
        end_free(&server);
        ahoy_tls_context_free(context);
    }
}

static void who_need_not_be_believed_is_not_asked(void **state)
{
    (void)state;
    struct ahoy_tls_entry entries[] = { listener("stranger"), { .use = AHOY_TLS_OUTWARD } };
    struct ahoy_tls_context *context = open_context(entries, 2);
    static struct end client, server;
    start(&client, &server, context, "a.example", 100000);
    assert_int_equal(ahoy_tls_state(client.tls), AHOY_TLS_STANDING);
    static struct ahoy_identity identity;
    assert_false(ahoy_tls_identify(client.tls, &identity));
    end_free(&client);
    end_free(&server);
    ahoy_tls_context_free(context);
}

/* R3261-26.3.2.1-1: the domain that is asked for decides which certificate is shown (SNI). */
static void a_domain_has_its_certificate(void **state)
{
    (void)state;
    struct ahoy_tls_entry domain = listener("b");
    domain.use = AHOY_TLS_DOMAIN;
    domain.domain = SPAN("b.example");
    const struct ahoy_tls_entry entries[] = { listener("a"), domain, outward() };
    struct ahoy_tls_context *context = open_context(entries, 3);
    static struct end client, server;
    static const char *const domains[] = { "a.example", "b.example", "B.Example" };
    for (int i = 0; i < 3; i++) {
        start(&client, &server, context, domains[i], 100000);
        assert_int_equal(ahoy_tls_state(client.tls), AHOY_TLS_STANDING);
        end_free(&client);
        end_free(&server);
    }
    ahoy_tls_context_free(context);
}

struct mutual {
    enum ahoy_tls_verify verify;
    const char *shown; /* The client's certificate, or NULL. */
    bool accepted;
    const char *proved;
};

/* R5922-7.4-1, -2, R3261-26.3.1-1 */
static void a_server_may_ask_for_a_certificate(void **state)
{
    (void)state;
    static const struct mutual rows[] = {
        { AHOY_TLS_VERIFY_NONE, "b", true, NULL },
        { AHOY_TLS_VERIFY_OPTIONAL, NULL, true, NULL },
        { AHOY_TLS_VERIFY_OPTIONAL, "b", true, "b.example" },
        { AHOY_TLS_VERIFY_OPTIONAL, "stranger", false, NULL },
        { AHOY_TLS_VERIFY_REQUIRED, NULL, false, NULL },
        { AHOY_TLS_VERIFY_REQUIRED, "b", true, "b.example" },
        { AHOY_TLS_VERIFY_REQUIRED, "stranger", false, NULL },
        { AHOY_TLS_VERIFY_REQUIRED, "ended", false, NULL },
        { AHOY_TLS_VERIFY_REQUIRED, "server", false, NULL }, /* For servers only: R5922-7.1-2. */
    };
    static struct end client, server;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ahoy_tls_entry entries[] = { listener("a"), outward() };
        entries[0].verify = rows[i].verify;
        entries[0].authorities =
            rows[i].verify == AHOY_TLS_VERIFY_NONE ? NULL : path("authority.pem");
        if (rows[i].shown != NULL) {
            entries[1].certificate = listener(rows[i].shown).certificate;
            entries[1].key = listener(rows[i].shown).key;
        }
        struct ahoy_tls_context *context = open_context(entries, 2);
        start(&client, &server, context, "a.example", 100000);
        if ((ahoy_tls_state(server.tls) == AHOY_TLS_STANDING) != rows[i].accepted)
            fail_msg("row %zu", i);
        static struct ahoy_identity identity;
        bool known = rows[i].accepted && ahoy_tls_identify(server.tls, &identity);
        assert_int_equal(known, rows[i].proved != NULL);
        if (known)
            assert_true(ahoy_peer_is(&identity.peer, ahoy_span(rows[i].proved)));
        end_free(&client);
        end_free(&server);
        ahoy_tls_context_free(context);
    }
}

/* A client of the test's own, which may want what ours never would. */
struct other {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
};

static void other_open(struct other *other, int least, int most)
{
    other->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(other->context, 0);
    SSL_CTX_set_min_proto_version(other->context, least);
    SSL_CTX_set_max_proto_version(other->context, most);
}

static void other_begin(struct other *other)
{
    other->ssl = SSL_new(other->context);
    other->in = BIO_new(BIO_s_mem());
    other->out = BIO_new(BIO_s_mem());
    SSL_set_bio(other->ssl, other->in, other->out);
    SSL_set_connect_state(other->ssl);
}

/* Lets both speak until they are silent. */
static void other_talk(struct other *other, struct end *server)
{
    for (int i = 0; i < 8; i++) {
        char byte[16];
        char *sealed = NULL;
        (void)SSL_read(other->ssl, byte, sizeof byte); /* Shakes hands where that is due. */
        long size = BIO_get_mem_data(other->out, &sealed);
        if (size > 0)
            end_take(server, (struct span){ sealed, (size_t)size });
        BIO_reset(other->out);
        struct iovec pieces[AHOY_PAGES_A_WRITE];
        if (ahoy_outgoing_pieces(&server->outgoing, pieces) > 0) {
            BIO_write(other->in, pieces[0].iov_base, (int)pieces[0].iov_len);
            ahoy_outgoing_take(&server->outgoing, &end_pages, pieces[0].iov_len);
        }
    }
    ERR_clear_error();
}

static void old_versions_and_bad_ciphers_are_refused(void **state)
{
    (void)state;
    const struct ahoy_tls_entry entries[] = { listener("a") };
    struct ahoy_tls_context *context = open_context(entries, 1);
    struct {
        int version;
        const char *ciphers;
        bool accepted;
    } rows[] = {
        { TLS1_VERSION, "ALL", false },
        { TLS1_1_VERSION, "ALL", false },
        { TLS1_2_VERSION, "ALL:eNULL", true },
        { TLS1_2_VERSION, "eNULL:aNULL", false },
        { TLS1_2_VERSION, "kRSA", false },
        { TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", false },
        { TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", true },
        { TLS1_3_VERSION, "ALL", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct other other;
        static struct end server;
        other_open(&other, rows[i].version, rows[i].version);
        assert_int_equal(SSL_CTX_set_cipher_list(other.context, rows[i].ciphers), 1);
        other_begin(&other);
        server.tls = ahoy_tls_accept(context, 0);
        other_talk(&other, &server);
        if ((ahoy_tls_state(server.tls) == AHOY_TLS_STANDING) != rows[i].accepted)
            fail_msg("version %x with %s", (unsigned)rows[i].version, rows[i].ciphers);
        if (rows[i].accepted)
            assert_null(SSL_get_current_compression(other.ssl));
        SSL_free(other.ssl);
        SSL_CTX_free(other.context);
        end_free(&server);
    }
    ahoy_tls_context_free(context);
}

/* Attack 48: who wants to shake hands again is not heard. */
static void renegotiation_is_refused(void **state)
{
    (void)state;
    const struct ahoy_tls_entry entries[] = { listener("a") };
    struct ahoy_tls_context *context = open_context(entries, 1);
    struct other other;
    static struct end server;
    other_open(&other, TLS1_2_VERSION, TLS1_2_VERSION);
    other_begin(&other);
    server.tls = ahoy_tls_accept(context, 0);
    other_talk(&other, &server);
    assert_int_equal(ahoy_tls_state(server.tls), AHOY_TLS_STANDING);
    assert_int_equal(SSL_renegotiate(other.ssl), 1);
    (void)SSL_do_handshake(other.ssl); /* It sends a new ClientHello, and waits. */
    other_talk(&other, &server);
    assert_false(SSL_is_init_finished(other.ssl));
    SSL_free(other.ssl);
    SSL_CTX_free(other.context);
    end_free(&server);
    ahoy_tls_context_free(context);
}

static SSL_SESSION *kept;

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl; /* There is only one. */
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

/* A ticket serves after the certificates have been read anew, too. */
static void sessions_are_resumed(void **state)
{
    (void)state;
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    const struct ahoy_tls_entry entries[] = { listener("a") };
    struct ahoy_tls_context *context = open_context(entries, 1);
    for (int i = 0; i < 2; i++) {
        struct other other;
        static struct end server;
        other_open(&other, versions[i], versions[i]);
        SSL_CTX_set_session_cache_mode(other.context, SSL_SESS_CACHE_CLIENT);
        SSL_CTX_sess_set_new_cb(other.context, keep_session);
        for (int times = 0; times < 3; times++) {
            other_begin(&other);
            if (kept != NULL)
                assert_int_equal(SSL_set_session(other.ssl, kept), 1);
            server.tls = ahoy_tls_accept(context, 0);
            other_talk(&other, &server);
            assert_int_equal(ahoy_tls_state(server.tls), AHOY_TLS_STANDING);
            assert_int_equal(SSL_session_reused(other.ssl), times > 0);
            SSL_shutdown(other.ssl);
            SSL_free(other.ssl);
            end_free(&server);
            struct ahoy_tls_fault fault;
            assert_true(ahoy_tls_context_reread(context, &fault));
        }
        SSL_SESSION_free(kept);
        kept = NULL;
        SSL_CTX_free(other.context);
    }
    ahoy_tls_context_free(context);
}

/* A connection of ours to |domain|, and its end; whether hands were shaken with what is known. */
static bool call_again(struct ahoy_tls_context *calling, struct ahoy_tls_context *called,
                       const char *domain)
{
    static struct end client, server;
    client.tls = ahoy_tls_connect(calling, ahoy_span(domain), &loopback);
    server.tls = ahoy_tls_accept(called, 0);
    end_take(&client, SPAN(""));
    end_talk(&client, &server, 100000);
    bool stands = ahoy_tls_state(client.tls) == AHOY_TLS_STANDING;
    bool resumed = ahoy_tls_is_resumed(client.tls);
    struct ahoy_identity identity;
    if (stands) {
        assert_int_equal(ahoy_tls_is_resumed(server.tls), resumed);
        /* Who the peer is, is known either way. */
        assert_true(ahoy_tls_identify(client.tls, &identity));
        assert_true(ahoy_peer_is(&identity.peer, ahoy_span(domain)));
        end_put(&client, SPAN("INVITE"));
        end_talk(&client, &server, 100000);
        end_expect(&server, SPAN("INVITE"));
    }
    end_free(&client);
    end_free(&server);
    return stands && resumed;
}

/* We resume too, each destination's own session, until trust is read anew. */
static void a_client_resumes(void **state)
{
    (void)state;
    const struct ahoy_tls_entry server[] = { listener("a") }, client[] = { outward() };
    const struct ahoy_tls_entry others[] = { listener("b") };
    struct ahoy_tls_context *called = open_context(server, 1), *calling = open_context(client, 1);
    struct ahoy_tls_context *other = open_context(others, 1);
    struct ahoy_tls_fault fault;
    assert_false(call_again(calling, called, "a.example"));
    for (int i = 0; i < 3; i++)
        assert_true(call_again(calling, called, "a.example"));
    assert_false(call_again(calling, other, "b.example"));
    assert_true(call_again(calling, other, "b.example"));
    assert_true(call_again(calling, called, "a.example"));
    assert_true(ahoy_tls_context_reread(calling, &fault));
    assert_false(call_again(calling, called, "a.example"));
    /* A peer that was not believed leaves nothing to resume. */
    assert_false(call_again(calling, other, "c.example"));
    assert_false(call_again(calling, called, "c.example"));
    ahoy_tls_context_free(calling);
    ahoy_tls_context_free(called);
    ahoy_tls_context_free(other);
}

/* RFC 9325 3.4: keys of tickets change; a ticket lives for one change, and is renewed then. */
static void keys_of_tickets_change(void **state)
{
    (void)state;
    const struct ahoy_tls_entry server[] = { listener("a") }, client[] = { outward() };
    struct ahoy_tls_context *called = open_context(server, 1), *calling = open_context(client, 1);
    assert_false(call_again(calling, called, "a.example"));
    for (int i = 0; i < 3; i++) {
        assert_true(ahoy_tls_context_rotate(called));
        assert_true(call_again(calling, called, "a.example"));
    }
    assert_true(ahoy_tls_context_rotate(called));
    assert_true(ahoy_tls_context_rotate(called));
    assert_false(call_again(calling, called, "a.example"));
    assert_true(call_again(calling, called, "a.example"));
    ahoy_tls_context_free(calling);
    ahoy_tls_context_free(called);
}

/* Row 42 for TLS: what is no TLS ends it, wherever it comes. */
static void garbage_ends_it(void **state)
{
    (void)state;
    const struct ahoy_tls_entry entries[] = { listener("a"), outward() };
    struct ahoy_tls_context *context = open_context(entries, 2);
    static struct end client, server;
    server.tls = ahoy_tls_accept(context, 0);
    end_take(&server, SPAN("OPTIONS sip:a.example SIP/2.0\r\n\r\n"));
    assert_int_equal(ahoy_tls_state(server.tls), AHOY_TLS_FAILED);
    end_free(&server);
    start(&client, &server, context, "a.example", 100000);
    end_take(&server, SPAN("\x17\x03\x03\x00\x20 this is not what was sealed with."));
    assert_int_equal(ahoy_tls_state(server.tls), AHOY_TLS_FAILED);
    assert_true(server.outgoing.size > 0); /* The peer is told. */
    end_free(&client);
    end_free(&server);
    ahoy_tls_context_free(context);
}

static void an_unfinished_record_is_seen(void **state)
{
    (void)state;
    const struct ahoy_tls_entry entries[] = { listener("a"), outward() };
    struct ahoy_tls_context *context = open_context(entries, 2);
    static struct end client, server;
    start(&client, &server, context, "a.example", 100000);
    end_put(&client, SPAN("INVITE"));
    struct iovec pieces[AHOY_PAGES_A_WRITE];
    assert_int_equal(ahoy_outgoing_pieces(&client.outgoing, pieces), 1);
    const char *sealed = pieces[0].iov_base;
    for (size_t i = 0; i < pieces[0].iov_len; i++) {
        assert_int_equal(ahoy_tls_is_partial(server.tls), i > 0);
        end_take(&server, (struct span){ sealed + i, 1 });
    }
    assert_false(ahoy_tls_is_partial(server.tls));
    end_expect(&server, SPAN("INVITE"));
    end_free(&client);
    end_free(&server);
    ahoy_tls_context_free(context);
}

static void rereading_shows_the_new_certificate(void **state)
{
    (void)state;
    struct certificate first = certificate_for(&authority, "first.example");
    struct certificate second = certificate_for(&authority, "second.example");
    certificate_write(&folder, &first, "changing");
    const struct ahoy_tls_entry entries[] = { listener("changing"), outward() };
    struct ahoy_tls_context *context = open_context(entries, 2);
    static struct end client, server, later, its;
    start(&client, &server, context, "first.example", 100000);
    certificate_write(&folder, &second, "changing");
    struct ahoy_tls_fault fault;
    assert_true(ahoy_tls_context_reread(context, &fault));
    start(&later, &its, context, "second.example", 100000);
    assert_int_equal(ahoy_tls_state(later.tls), AHOY_TLS_STANDING);
    end_put(&client, SPAN("still there")); /* The old connection goes on. */
    end_talk(&client, &server, 100000);
    end_expect(&server, SPAN("still there"));
    FILE *file = fopen(path("changing.pem"), "w");
    assert_non_null(file);
    fclose(file);
    assert_false(ahoy_tls_context_reread(context, &fault));
    end_free(&later);
    end_free(&its);
    start(&later, &its, context, "second.example", 100000);
    assert_int_equal(ahoy_tls_state(later.tls), AHOY_TLS_STANDING);
    end_free(&later);
    end_free(&its);
    end_free(&client);
    end_free(&server);
    ahoy_tls_context_free(context);
    certificate_free(&first);
    certificate_free(&second);
}

static void write_for(const char *domain, const char *name)
{
    struct certificate made = certificate_for(&authority, domain);
    certificate_write(&folder, &made, name);
    certificate_free(&made);
}

static void write_wish(const struct certificate_wish *wish, const char *name)
{
    struct certificate made = certificate_make(&authority, wish);
    certificate_write(&folder, &made, name);
    certificate_free(&made);
}

static int prepare(void **state)
{
    (void)state;
    static const struct certificate_name a = { GEN_DNS, { "a.example", 9 } };
    static const struct certificate_name b = { GEN_DNS, { "b.example", 9 } };
    certificate_folder_make(&folder);
    authority = certificate_authority("authority");
    stranger = certificate_authority("nobody");
    certificate_write(&folder, &authority, "authority");
    write_for("a.example", "a");
    write_for("b.example", "b");
    write_for("*.example", "wild");
    write_for(NULL, "address");
    struct certificate made = certificate_for(&stranger, "a.example");
    certificate_write(&folder, &made, "stranger");
    certificate_free(&made);
    write_wish(&(struct certificate_wish){ .names = &a, .count = 1, .until_s = -60 }, "ended");
    write_wish(&(struct certificate_wish){ .names = &a, .count = 1, .usage = "clientAuth" },
               "client");
    write_wish(&(struct certificate_wish){ .names = &b, .count = 1, .usage = "serverAuth" },
               "server");
    return 0;
}

static int clear(void **state)
{
    (void)state;
    certificate_free(&authority);
    certificate_free(&stranger);
    certificate_folder_remove(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_understand_each_other),
        cmocka_unit_test(a_client_may_speak_at_once),
        cmocka_unit_test(a_client_believes_the_right_peer_only),
        cmocka_unit_test(who_need_not_be_believed_is_not_asked),
        cmocka_unit_test(a_domain_has_its_certificate),
        cmocka_unit_test(a_server_may_ask_for_a_certificate),
        cmocka_unit_test(old_versions_and_bad_ciphers_are_refused),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(a_client_resumes),
        cmocka_unit_test(keys_of_tickets_change),
        cmocka_unit_test(garbage_ends_it),
        cmocka_unit_test(an_unfinished_record_is_seen),
        cmocka_unit_test(rereading_shows_the_new_certificate),
    };
    return cmocka_run_group_tests(tests, prepare, clear);
}
