/* What is asked of a client, and what it is told when it has answered (RFC 7616 3.3, 3.5).  Nothing
 * here depends on who it says it is: the same for a user who is there and one who is not. */
#include "ahoyd/answer.h"
#include "ahoyd/authenticate.h"
#include "ahoyd/phones.h"

static void put_challenge(struct ahoyd_server *server, const struct ahoyd_domain *domain,
                          enum ahoy_digest_algorithm algorithm, bool is_stale, uint64_t now_ms,
                          struct ahoy_buf *rows)
{
    char nonce[AHOY_NONCE_SIZE];
    ahoy_nonce_make(&server->nonce_key, domain->name, ahoy_rng_next(&server->rng), now_ms, nonce);
    ahoy_buf_put(rows, SPAN(": Digest realm=\""));
    ahoy_buf_put(rows, domain->name);
    ahoy_buf_put(rows, SPAN("\", nonce=\""));
    ahoy_buf_put(rows, (struct span){ nonce, sizeof nonce });
    ahoy_buf_put(rows, SPAN("\", algorithm="));
    ahoy_buf_put(rows, ahoy_digest_name(algorithm));
    ahoy_buf_put(rows, SPAN(", qop=\"")); /* R3261-22.4-5, R8760-2.6-5 */
    ahoy_buf_put(rows, domain->takes_auth ? SPAN("auth") : SPAN(""));
    ahoy_buf_put(rows, domain->takes_auth && domain->takes_auth_int ? SPAN(",") : SPAN(""));
    ahoy_buf_put(rows, domain->takes_auth_int ? SPAN("auth-int\"") : SPAN("\""));
    if (domain->userhash)
        ahoy_buf_put(rows, SPAN(", charset=UTF-8, userhash=true"));
    if (is_stale)
        ahoy_buf_put(rows, SPAN(", stale=true"));
    ahoy_buf_put(rows, SPAN("\r\n"));
}

/* The algorithms that are offered.  One that some user of the domain has no HA1 by is not, as long
 * as there is another: phones take the first that they know, and his would fail for ever
 * (docs/decisions/0076). */
static void choose(const struct ahoyd_server *server, const struct ahoy_event *event,
                   const struct ahoyd_domain *domain, bool offered[AHOY_DIGEST_COUNT])
{
    bool only_md5 =
        domain->algorithms[AHOY_DIGEST_MD5] && ahoyd_phone_knows_only_md5(event->message);
    bool is_any = false;
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        enum ahoy_digest_algorithm algorithm = (enum ahoy_digest_algorithm)i;
        offered[i] = domain->algorithms[i] && (!only_md5 || i == AHOY_DIGEST_MD5) &&
                     !ahoyd_store_lacks(server->options.store, domain->name, algorithm);
        is_any = is_any || offered[i];
    }
    if (!is_any)
        memcpy(offered, domain->algorithms, sizeof domain->algorithms);
}

void ahoyd_challenge(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_domain *domain, unsigned status, bool is_stale,
                     uint64_t now_ms)
{
    char space[2048];
    bool offered[AHOY_DIGEST_COUNT];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    struct span name = ahoy_header_name(status == 401 ? AHOY_HEADER_WWW_AUTHENTICATE
                                                      : AHOY_HEADER_PROXY_AUTHENTICATE);
    choose(server, event, domain, offered);
    /* The stronger first: R8760-2.3-2, R7616-3.7-2. */
    for (unsigned i = AHOY_DIGEST_COUNT - 1; i > AHOY_DIGEST_OTHER; i--) {
        if (!offered[i])
            continue;
        ahoy_buf_put(&rows, name);
        put_challenge(server, domain, (enum ahoy_digest_algorithm)i, is_stale, now_ms, &rows);
    }
    ahoyd_answer_with(server, event, status, ahoy_buf_text(&rows));
}

/* R7616-3.5-2 to -5 */
void ahoyd_print_rspauth(const struct ahoyd_domain *domain, const struct ahoyd_proof *proof,
                         struct ahoy_buf *rows)
{
    const struct ahoy_challenge *credentials = &proof->credentials;
    if (!domain->rspauth || credentials->qop.size == 0)
        return;
    ahoy_buf_put(rows, SPAN("Authentication-Info: qop="));
    ahoy_buf_put(rows, credentials->qop);
    ahoy_buf_put(rows, SPAN(", rspauth=\""));
    ahoy_buf_put(rows, (struct span){ proof->rspauth.text, proof->rspauth.size });
    ahoy_buf_put(rows, SPAN("\", cnonce=\""));
    ahoy_buf_put(rows, credentials->cnonce);
    ahoy_buf_put(rows, SPAN("\", nc="));
    ahoy_buf_put(rows, credentials->nc);
    ahoy_buf_put(rows, SPAN("\r\n"));
}
