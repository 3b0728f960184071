/* Digest credentials of a client: RFC 3261 22, RFC 7616, RFC 8760 2.4. */
#include "libahoy/tu/account.h"

#include "libahoy/syntax/scan.h"

void ahoy_credentials_put(const struct ahoy_credentials *credentials, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < 2; i++) {
        const struct ahoy_proof *proof = &credentials->proofs[i];
        ahoy_buf_put(buf, (struct span){ proof->row, proof->size });
    }
}

/* Whether |text| may stand between quotes in a row of ours: the peer's line ends must not. */
static bool is_one_line(struct span text)
{
    return text.size == 0 || ahoy_scan_control(text.at, ahoy_span_end(text)) == ahoy_span_end(text);
}

/* Whether the list of qop, "auth,auth-int", names |wanted|; others do not matter: R7616-3.3-4. */
static bool offers(struct span qop, struct span wanted)
{
    while (qop.size > 0) {
        size_t comma = ahoy_span_find(qop, ',');
        struct span item = ahoy_span_trim((struct span){ qop.at, comma });
        if (ahoy_span_equal_nocase(item, wanted))
            return true;
        qop = ahoy_span_after(qop, comma < qop.size ? comma + 1 : comma);
    }
    return false;
}

/* Picks the qop that we answer: auth where it will do, for it needs no second look at the body.
 * None is what RFC 2069 has.  False where it is all strange to us. */
static bool pick_qop(struct ahoy_challenge *challenge)
{
    static const struct span known[] = { SPAN_INIT("auth"), SPAN_INIT("auth-int") };
    if (challenge->qop.size == 0)
        return !challenge->is_session; /* A session begins with a cnonce. */
    for (size_t i = 0; i < 2; i++) {
        if (offers(challenge->qop, known[i])) {
            challenge->qop = known[i];
            return true;
        }
    }
    return false;
}

/* Whether it is for us; then |challenge| has the qop that we answer. */
static bool is_for_us(struct ahoy_challenge *challenge, const struct ahoy_account *account)
{
    return challenge->is_digest && challenge->algorithm != AHOY_DIGEST_OTHER &&
           ahoy_span_equal_nocase(challenge->realm, account->realm) && challenge->nonce.size > 0 &&
           is_one_line(challenge->realm) && is_one_line(challenge->nonce) &&
           is_one_line(challenge->opaque) && pick_qop(challenge);
}

/* The first challenge that is for us; those that we do not understand are passed over: R8760-2.4-1,
 * R7616-3.3-1. */
static bool choose(const struct ahoy_message *response, const struct ahoy_account *account,
                   struct ahoy_challenge *chosen)
{
    enum ahoy_header header =
        response->status == 401 ? AHOY_HEADER_WWW_AUTHENTICATE : AHOY_HEADER_PROXY_AUTHENTICATE;
    const struct ahoy_field *field = ahoy_message_first(response, header);
    for (; field != NULL; field = ahoy_message_next(response, field)) {
        if (ahoy_challenge_parse(field->value, chosen, NULL) && is_for_us(chosen, account))
            return true;
    }
    return false;
}

static void put_quoted(struct ahoy_buf *buf, const char *name, struct span value)
{
    ahoy_buf_put(buf, ahoy_span(name));
    ahoy_buf_put(buf, SPAN("=\""));
    ahoy_buf_put(buf, value);
    ahoy_buf_put_byte(buf, '"');
}

/* What goes into a row: a challenge with our part filled in, and the name, hashed or not. */
struct answer {
    struct ahoy_challenge challenge;
    struct ahoy_digest_hex userhash, response;
    char cnonce[AHOY_TOKEN_SIZE];
};

static void put_name(struct ahoy_buf *buf, const struct answer *answer)
{
    const struct ahoy_challenge *mine = &answer->challenge;
    ahoy_buf_put(buf, SPAN("Digest username=\""));
    if (mine->userhash) /* R7616-3.4.4-1 */
        ahoy_buf_put(buf, (struct span){ answer->userhash.text, answer->userhash.size });
    else
        ahoy_put_escaped(buf, mine->username);
    ahoy_buf_put(buf, mine->userhash ? SPAN("\", userhash=true") : SPAN("\""));
}

/* In quotes or not as R7616-3.4-5 and -6 say. */
static void put_row(struct ahoy_proof *proof, unsigned status, const struct answer *answer)
{
    const struct ahoy_challenge *mine = &answer->challenge;
    struct ahoy_buf buf = ahoy_buf_over(proof->row, sizeof proof->row);
    ahoy_buf_put(&buf, status == 401 ? SPAN("Authorization: ") : SPAN("Proxy-Authorization: "));
    put_name(&buf, answer);
    put_quoted(&buf, ", realm", mine->realm);
    put_quoted(&buf, ", nonce", mine->nonce);
    proof->nonce_size = mine->nonce.size;
    proof->nonce_at = buf.size - 1 - mine->nonce.size;
    put_quoted(&buf, ", uri", mine->uri); /* R3261-22.4-3 */
    put_quoted(&buf, ", response", (struct span){ answer->response.text, answer->response.size });
    if (mine->algorithm_text.size > 0) {
        ahoy_buf_put(&buf, SPAN(", algorithm="));
        ahoy_buf_put(&buf, ahoy_digest_name(mine->algorithm));
        ahoy_buf_put(&buf, mine->is_session ? SPAN("-sess") : SPAN(""));
    }
    if (mine->opaque.size > 0)
        put_quoted(&buf, ", opaque", mine->opaque);
    if (mine->qop.size > 0) { /* R3261-22.4-4, R3261-22.4-6 */
        put_quoted(&buf, ", cnonce", mine->cnonce);
        ahoy_buf_put(&buf, SPAN(", qop="));
        ahoy_buf_put(&buf, mine->qop);
        ahoy_buf_put(&buf, SPAN(", nc="));
        ahoy_buf_put(&buf, mine->nc);
    }
    ahoy_buf_put(&buf, SPAN("\r\n"));
    proof->size = ahoy_buf_text(&buf).size;
}

static bool compute(struct answer *answer, const struct ahoy_account *account,
                    const struct ahoy_digested *request)
{
    const struct ahoy_challenge *mine = &answer->challenge;
    char space[AHOY_CREDENTIALS_LIMIT];
    struct ahoy_buf realm = ahoy_buf_over(space, sizeof space);
    struct ahoy_digest_hex ha1;
    ahoy_put_unescaped(&realm, mine->realm);
    return !realm.overflow &&
           ahoy_digest_ha1(mine->algorithm, mine->username, ahoy_buf_text(&realm),
                           account->password, &ha1) &&
           ahoy_digest_response(mine, &ha1, request, &answer->response) &&
           ahoy_digest_userhash(mine->algorithm, mine->username, ahoy_buf_text(&realm),
                                &answer->userhash);
}

/* What was refused is not sent again: only a stale nonce has earned another one. */
static bool may_try(const struct ahoy_proof *proof, const struct ahoy_challenge *challenge)
{
    const struct span before = { proof->row + proof->nonce_at, proof->nonce_size };
    return proof->tries == 0 || (proof->tries < AHOY_CREDENTIALS_TRIES && challenge->stale &&
                                 !ahoy_span_equal(before, challenge->nonce));
}

bool ahoy_credentials_answer(struct ahoy_credentials *credentials,
                             const struct ahoy_account *account,
                             const struct ahoy_message *response,
                             const struct ahoy_digested *request, struct span uri,
                             struct ahoy_rng *rng)
{
    struct ahoy_proof *proof = &credentials->proofs[response->status == 401 ? 0 : 1];
    struct answer answer;
    struct ahoy_challenge *mine = &answer.challenge;
    proof->size = 0;
    if (account->password.size == 0 || !choose(response, account, mine) || !may_try(proof, mine))
        return false;
    proof->tries++;
    ahoy_rng_token(rng, answer.cnonce);
    mine->username = account->user;
    mine->uri = uri;
    mine->cnonce = (struct span){ answer.cnonce, sizeof answer.cnonce };
    mine->nc = SPAN("00000001");
    if (!compute(&answer, account, request))
        return false;
    put_row(proof, response->status, &answer);
    return proof->size > 0;
}
