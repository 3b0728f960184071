/* A user who does not exist is checked as one whose password is not known, so that neither the
 * answer nor its time tells them apart (attack 25). */
#include "ahoyd/authenticate.h"

#include "ahoyd/answer.h"
#include "ahoyd/refusals.h"
#include "ahoyd/why.h"
#include "libahoy/auth/replay.h"
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

/* Attack 19: what the domain does not offer it does not take, either. */
static bool is_offered(const struct ahoyd_domain *domain, const struct ahoy_challenge *credentials)
{
    bool is_whole = ahoy_span_equal_nocase(credentials->qop, SPAN("auth-int"));
    return domain->algorithms[credentials->algorithm] &&
           credentials->algorithm != AHOY_DIGEST_OTHER &&
           (is_whole ? domain->takes_auth_int : domain->takes_auth);
}

/* The row that credentials for a domain stand in; NULL where there are none. */
struct found {
    const struct ahoy_field *field;
    enum ahoy_nonce_verdict nonce;
};

/* The first credentials for |domain| that it takes.  Several proxies may have one realm (22.3):
 * those that answer a nonce of ours come before all others.  False where something cannot be
 * read. */
static bool find_credentials(const struct ahoyd_server *server, const struct ahoy_event *event,
                             enum ahoy_header header, const struct ahoyd_domain *domain,
                             uint64_t now_ms, struct found *found,
                             struct ahoy_challenge *credentials, struct ahoy_err *err)
{
    const struct ahoy_field *field = ahoy_message_first(event->message, header);
    struct ahoy_challenge read;
    *found = (struct found){ .nonce = AHOY_NONCE_FORGED };
    for (; field != NULL && found->nonce == AHOY_NONCE_FORGED;
         field = ahoy_message_next(event->message, field)) {
        if (!ahoy_challenge_parse(field->value, &read, err))
            return false;
        if (!read.is_digest || !ahoy_span_equal(read.realm, domain->name) ||
            !is_offered(domain, &read))
            continue;
        enum ahoy_nonce_verdict nonce =
            ahoy_nonce_check(&server->nonce_key, domain->name, read.nonce, now_ms);
        if (found->field == NULL || nonce != AHOY_NONCE_FORGED) {
            *found = (struct found){ field, nonce };
            *credentials = read;
        }
    }
    return true;
}

/* R7616-3.5-6 */
static bool read_count(struct span text, uint32_t *count)
{
    *count = 0;
    if (text.size != 8)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = memchr(digits, text.at[i] | 0x20, 16);
        if (digit == NULL)
            return false;
        *count = *count << 4 | (uint32_t)(digit - digits);
    }
    return true;
}

/* What the scheme needs (RFC 7616 3.4); with a qop also the client's share.  Clients of RFC 2069
 * know neither qop nor any algorithm but MD5: R3261-22.4-1, R3261-22.4-7. */
static bool is_complete(const struct ahoy_challenge *credentials, uint32_t *count)
{
    bool has_share = read_count(credentials->nc, count) && credentials->cnonce.size > 0;
    bool is_old = credentials->qop.size == 0 && credentials->algorithm == AHOY_DIGEST_MD5 &&
                  !credentials->is_session;
    if (is_old)
        *count = AHOY_REPLAY_NO_COUNT;
    return credentials->username.size + credentials->username_extended.size > 0 &&
           credentials->nonce.size > 0 && credentials->uri.size > 0 &&
           credentials->response.size > 0 && (is_old || (has_share && credentials->qop.size > 0));
}

/* Prints whose credentials these say they are; empty where that is nobody. */
static void name_user(struct ahoyd_server *server, const struct ahoyd_domain *domain,
                      struct ahoyd_proof *proof)
{
    const struct ahoy_challenge *credentials = &proof->credentials;
    struct ahoy_buf name = ahoy_buf_over(proof->space, sizeof proof->space);
    bool found = credentials->userhash
                     ? ahoyd_store_unhash(server->options.store, credentials->algorithm,
                                          credentials->username, domain->name, &name)
                     : ahoy_challenge_print_user(credentials, &name);
    proof->user = found ? ahoy_buf_text(&name) : SPAN("");
}

/* Nobody's: as long as a real one, and right for no password. */
static void nobodys_ha1(enum ahoy_digest_algorithm algorithm, struct ahoy_digest_hex *ha1)
{
    memset(ha1->text, '!', sizeof ha1->text);
    ha1->size = ahoy_digest_size(algorithm);
}

/* What is wrong with the credentials, in the words of the log. */
static const char *words_of(enum ahoy_cause fault)
{
    return fault == AHOY_CAUSE_UNKNOWN_LOGIN    ? "unknown user"
           : fault == AHOY_CAUSE_WRONG_PASSWORD ? "wrong password"
                                                : "no password by that algorithm";
}

/* The same; AHOY_CAUSE_COUNT where he knows the password. */
static enum ahoy_cause find_fault(struct ahoyd_server *server, const struct ahoy_event *event,
                                  const struct ahoyd_domain *domain, struct ahoyd_proof *proof)
{
    const struct ahoy_challenge *credentials = &proof->credentials;
    const struct ahoy_digested request = { event->message->method_text, event->message->body };
    const struct ahoy_digested response = { SPAN(""), SPAN("") };
    struct ahoyd_user user;
    struct ahoy_digest_hex ha1;
    enum ahoy_cause fault = AHOY_CAUSE_UNKNOWN_LOGIN;
    bool known = ahoyd_store_user(server->options.store, proof->user, domain->name, &user);
    if (known) {
        ha1 = user.ha1[credentials->algorithm];
        known = ha1.size > 0;
        fault = known ? AHOY_CAUSE_WRONG_PASSWORD : AHOY_CAUSE_NO_HASH;
    }
    if (!known)
        nobodys_ha1(credentials->algorithm, &ha1);
    bool right = ahoy_digest_verify(credentials, &ha1, &request);
    if (known && right && domain->rspauth)
        right = ahoy_digest_response(credentials, &ha1, &response, &proof->rspauth);
    explicit_bzero(&user, sizeof user);
    explicit_bzero(&ha1, sizeof ha1);
    return known && right ? AHOY_CAUSE_COUNT : fault;
}

/* Whether the user has a binding that was made from where |event| comes from: there he is left to
 * himself, whatever others try elsewhere. */
static bool is_at_home(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_domain *domain, struct span user, uint64_t now_ms)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    struct ahoy_bindings *bindings = &server->bindings;
    ahoy_buf_put(&aor, user);
    ahoy_buf_put_byte(&aor, '@');
    ahoy_buf_put(&aor, domain->name);
    if (!ahoyd_store_find(server->options.store, ahoy_buf_text(&aor), now_ms, bindings))
        return false;
    for (size_t i = 0; i < bindings->count; i++) {
        if (ahoy_ip_equal_host(&bindings->list[i].hop.remote, &event->hop->remote))
            return true;
    }
    return false;
}

/* How long whoever sends these credentials has to wait, before they are looked at. */
static uint64_t wait_ms(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_domain *domain, const struct ahoyd_attempt *attempt,
                        uint64_t now_ms)
{
    uint64_t wait = ahoyd_guard_wait_ms(server->guard, attempt, false, now_ms);
    if (wait > 0 && is_at_home(server, event, domain, attempt->user, now_ms))
        wait = ahoyd_guard_wait_ms(server->guard, attempt, true, now_ms);
    return wait;
}

/* The credentials can be read and are for this request. */
static enum ahoyd_verdict verify(struct ahoyd_server *server, const struct ahoy_event *event,
                                 const struct ahoyd_domain *domain, const struct found *found,
                                 uint32_t count, uint64_t now_ms, struct ahoyd_proof *proof)
{
    if (found->nonce == AHOY_NONCE_FORGED)
        return AHOYD_UNKNOWN;
    name_user(server, domain, proof);
    const struct ahoyd_attempt attempt = { proof->user, domain->name, event->hop->remote };
    proof->wait_ms = wait_ms(server, event, domain, &attempt, now_ms);
    if (proof->wait_ms > 0)
        return AHOYD_TIRED;
    enum ahoy_cause fault = find_fault(server, event, domain, proof);
    if (fault != AHOY_CAUSE_COUNT) {
        server->counters.failed_logins++;
        const struct ahoyd_refusal refusal = { "failed login", words_of(fault), domain->name,
                                               proof->user, event->hop };
        ahoyd_why(server, event, fault, proof->user);
        ahoyd_refusal_tell(server, &refusal, now_ms);
        ahoyd_guard_failed(server->guard, &attempt, now_ms);
        return AHOYD_UNKNOWN;
    }
    struct ahoy_nonce nonce = ahoy_nonce_read(proof->credentials.nonce);
    bool fresh = found->nonce == AHOY_NONCE_GOOD &&
                 ahoyd_guard_take(server->guard, &nonce, count, now_ms); /* Attack 18. */
    if (!fresh)
        return AHOYD_STALE;
    ahoy_transaction_keep_answer(server->transactions, event);
    return AHOYD_AUTHENTIC;
}

enum ahoyd_verdict ahoyd_authenticate(struct ahoyd_server *server, const struct ahoy_event *event,
                                      const struct ahoyd_domain *domain, enum ahoy_header header,
                                      uint64_t now_ms, struct ahoyd_proof *proof,
                                      struct ahoy_err *err)
{
    uint32_t count;
    struct found found;
    struct ahoy_challenge *credentials = &proof->credentials;
    if (!find_credentials(server, event, header, domain, now_ms, &found, credentials, err))
        return AHOYD_UNREADABLE;
    if (found.field == NULL)
        return AHOYD_UNKNOWN;
    proof->row = found.field->row;
    if (!is_complete(credentials, &count)) {
        ahoy_fail(err, 400, credentials->realm.at, "all parameters of a digest");
        return AHOYD_UNREADABLE;
    }
    if (!is_same_uri(&event->routing->request_uri, credentials->uri)) { /* R7616-3.4.6-3 */
        ahoy_fail(err, 400, credentials->uri.at, "the Request-URI");
        return AHOYD_UNREADABLE;
    }
    return verify(server, event, domain, &found, count, now_ms, proof);
}

/* A wrong password is not told from a right one: neither is looked at. */
static void answer_tired(struct ahoyd_server *server, const struct ahoy_event *event,
                         uint64_t wait_ms)
{
    char space[48];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    server->counters.slowed_logins++;
    ahoy_buf_put(&rows, SPAN("Retry-After: "));
    ahoy_buf_put_number(&rows, (wait_ms + 999) / 1000);
    ahoy_buf_put(&rows, SPAN("\r\n"));
    ahoyd_answer_with(server, event, 503, ahoy_buf_text(&rows));
}

bool ahoyd_demand(struct ahoyd_server *server, const struct ahoy_event *event,
                  const struct ahoyd_domain *domain, unsigned status, uint64_t now_ms,
                  struct ahoyd_proof *proof)
{
    struct ahoy_err err;
    enum ahoy_header header =
        status == 401 ? AHOY_HEADER_AUTHORIZATION : AHOY_HEADER_PROXY_AUTHORIZATION;
    if (domain->takes_certificates && ahoyd_certified(server, event, domain, proof))
        return true;
    switch (ahoyd_authenticate(server, event, domain, header, now_ms, proof, &err)) {
    case AHOYD_AUTHENTIC:
        return true;
    case AHOYD_UNREADABLE:
        ahoyd_refuse(server, event, err.status, AHOY_CAUSE_BAD_PROOF, domain->name);
        return false;
    case AHOYD_TIRED:
        ahoyd_why(server, event, AHOY_CAUSE_LOGIN_SLOWED, proof->user);
        answer_tired(server, event, proof->wait_ms);
        return false;
    case AHOYD_UNKNOWN:
        ahoyd_why(server, event, AHOY_CAUSE_CHALLENGED, domain->name);
        ahoyd_challenge(server, event, domain, status, false, now_ms);
        return false;
    case AHOYD_STALE:
        ahoyd_why(server, event, AHOY_CAUSE_STALE, proof->user);
        ahoyd_challenge(server, event, domain, status, true, now_ms);
        return false;
    }
    return false;
}
