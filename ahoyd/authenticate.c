/* A user who does not exist is checked as one whose password is not known, so that neither the
 * answer nor its time tells them apart (attack 25). */
#include "ahoyd/authenticate.h"

#include "ahoyd/answer.h"
#include "ahoyd/phones.h"
#include "libahoy/auth/nonce.h"
#include "libahoy/syntax/params.h"

enum { PARAMS_LIMIT = 1024 };

/* The parameters of |uri| but for the transport: whoever chose a server by one may write it into
 * the digest's uri and leave it out of the request, or the other way round. */
static bool without_transport(struct ahoy_uri *uri, char space[PARAMS_LIMIT])
{
    struct ahoy_buf buf = ahoy_buf_over(space, PARAMS_LIMIT);
    struct span rest = uri->params;
    while (rest.size > 0) {
        size_t size = 1 + ahoy_span_find(ahoy_span_after(rest, 1), ';');
        struct span param = { rest.at, size };
        if (!ahoy_span_starts_nocase(param, SPAN(";transport=")))
            ahoy_buf_put(&buf, param);
        rest = ahoy_span_after(rest, size);
    }
    uri->params = ahoy_buf_text(&buf);
    return !buf.overflow;
}

/* Attack 17: credentials that were overheard serve for no other address than they were made for. */
static bool is_same_uri(const struct ahoy_uri *request_uri, struct span digest_uri)
{
    char request_space[PARAMS_LIMIT];
    char digest_space[PARAMS_LIMIT];
    struct ahoy_uri asked = *request_uri;
    struct ahoy_uri digested;
    return ahoy_uri_parse(digest_uri, &digested, NULL) &&
           without_transport(&asked, request_space) && without_transport(&digested, digest_space) &&
           ahoy_uri_equal(&asked, &digested);
}

/* Credentials for a domain, and the row that they stand in; NULL where there are none. */
struct found {
    const struct ahoy_field *field;
    struct ahoy_challenge credentials;
    enum ahoy_nonce_verdict nonce;
};

/* The first credentials for |domain| whose algorithm is ours.  Several proxies may have one realm
 * (22.3): those that answer a nonce of ours come before all others.  False where something cannot
 * be read. */
static bool find_credentials(const struct ahoyd_server *server, const struct ahoy_event *event,
                             enum ahoy_header header, const struct ahoyd_domain *domain,
                             uint64_t now_ms, struct found *found, struct ahoy_err *err)
{
    const struct ahoy_field *field = ahoy_message_first(event->message, header);
    struct ahoy_challenge read;
    *found = (struct found){ .nonce = AHOY_NONCE_FORGED };
    for (; field != NULL && found->nonce == AHOY_NONCE_FORGED;
         field = ahoy_message_next(event->message, field)) {
        if (!ahoy_challenge_parse(field->value, &read, err))
            return false;
        if (!read.is_digest || read.algorithm == AHOY_DIGEST_OTHER ||
            !ahoy_span_equal(read.realm, domain->name))
            continue;
        enum ahoy_nonce_verdict nonce =
            ahoy_nonce_check(&server->nonce_key, domain->name, read.nonce, now_ms);
        if (found->field == NULL || nonce != AHOY_NONCE_FORGED)
            *found = (struct found){ field, read, nonce };
    }
    return true;
}

/* What the scheme needs (RFC 7616 3.4); with a qop also the client's share. */
static bool is_complete(const struct ahoy_challenge *credentials)
{
    bool has_share = credentials->nc.size == 8 && credentials->cnonce.size > 0;
    return credentials->username.size > 0 && credentials->nonce.size > 0 &&
           credentials->uri.size > 0 && credentials->response.size > 0 &&
           (credentials->qop.size == 0 || has_share);
}

/* Nobody's: as long as a real one, and right for no password. */
static void nobodys_ha1(enum ahoy_digest_algorithm algorithm, struct ahoy_digest_hex *ha1)
{
    memset(ha1->text, '!', sizeof ha1->text);
    ha1->size = algorithm == AHOY_DIGEST_MD5 ? 32 : 64;
}

static bool knows_password(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_domain *domain,
                           const struct ahoy_challenge *credentials)
{
    struct ahoyd_user user;
    struct ahoy_digest_hex ha1;
    bool is_md5 = credentials->algorithm == AHOY_DIGEST_MD5;
    bool known =
        ahoyd_store_user(server->options.store, credentials->username, domain->name, &user);
    if (known)
        ha1 = is_md5 ? user.md5 : user.sha256;
    if (!known || ha1.size == 0) {
        known = false;
        nobodys_ha1(credentials->algorithm, &ha1);
    }
    bool right = ahoy_digest_verify(credentials, &ha1, event->message->method_text);
    explicit_bzero(&user, sizeof user);
    explicit_bzero(&ha1, sizeof ha1);
    return known && right;
}

enum ahoyd_verdict ahoyd_authenticate(struct ahoyd_server *server, const struct ahoy_event *event,
                                      const struct ahoyd_domain *domain, enum ahoy_header header,
                                      uint64_t now_ms, struct ahoyd_proof *proof,
                                      struct ahoy_err *err)
{
    struct found found;
    const struct ahoy_challenge *credentials = &found.credentials;
    if (!find_credentials(server, event, header, domain, now_ms, &found, err))
        return AHOYD_UNREADABLE;
    if (found.field == NULL)
        return AHOYD_UNKNOWN;
    if (!is_complete(credentials)) {
        ahoy_fail(err, 400, credentials->realm.at, "all parameters of a digest");
        return AHOYD_UNREADABLE;
    }
    if (!is_same_uri(&event->routing->request_uri, credentials->uri)) {
        ahoy_fail(err, 400, credentials->uri.at, "the Request-URI");
        return AHOYD_UNREADABLE;
    }
    if (found.nonce == AHOY_NONCE_FORGED || !knows_password(server, event, domain, credentials))
        return AHOYD_UNKNOWN;
    *proof = (struct ahoyd_proof){ .user = credentials->username, .row = found.field->row };
    return found.nonce == AHOY_NONCE_GOOD ? AHOYD_AUTHENTIC : AHOYD_STALE;
}

static void put_challenge(struct ahoyd_server *server, const struct ahoyd_domain *domain,
                          struct span name, struct span algorithm, bool is_stale, uint64_t now_ms,
                          struct ahoy_buf *rows)
{
    char nonce[AHOY_NONCE_SIZE];
    ahoy_nonce_make(&server->nonce_key, domain->name, ahoy_rng_next(&server->rng), now_ms, nonce);
    ahoy_buf_put(rows, name);
    ahoy_buf_put(rows, SPAN(": Digest realm=\""));
    ahoy_buf_put(rows, domain->name);
    ahoy_buf_put(rows, SPAN("\", nonce=\""));
    ahoy_buf_put(rows, (struct span){ nonce, sizeof nonce });
    ahoy_buf_put(rows, SPAN("\", algorithm="));
    ahoy_buf_put(rows, algorithm);
    ahoy_buf_put(rows, SPAN(", qop=\"auth\"")); /* R3261-22.4-5 */
    if (is_stale)
        ahoy_buf_put(rows, SPAN(", stale=true"));
    ahoy_buf_put(rows, SPAN("\r\n"));
}

void ahoyd_challenge(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_domain *domain, unsigned status, bool is_stale,
                     uint64_t now_ms)
{
    char space[2048];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    struct span name = ahoy_header_name(status == 401 ? AHOY_HEADER_WWW_AUTHENTICATE
                                                      : AHOY_HEADER_PROXY_AUTHENTICATE);
    /* The stronger first: phones take the first that they know (RFC 8760 2.4). */
    if (!ahoyd_phone_knows_only_md5(event->message))
        put_challenge(server, domain, name, SPAN("SHA-256"), is_stale, now_ms, &rows);
    put_challenge(server, domain, name, SPAN("MD5"), is_stale, now_ms, &rows);
    ahoyd_answer_with(server, event, status, ahoy_buf_text(&rows));
}

bool ahoyd_print_aor(const struct ahoy_uri *uri, const struct ahoyd_domain *domain,
                     struct ahoy_buf *buf)
{
    struct ahoy_uri canonical = *uri;
    canonical.host = domain->name;
    ahoy_uri_print_aor(&canonical, buf);
    return uri->has_user && uri->user.size > 0 && !buf->overflow;
}

bool ahoyd_is_aor_of(struct span aor, struct span user, const struct ahoyd_domain *domain)
{
    return aor.size == user.size + 1 + domain->name.size && aor.at[user.size] == '@' &&
           memcmp(aor.at, user.at, user.size) == 0;
}
