/* Digest credentials of a client: RFC 3261 22, RFC 7616, RFC 8760 2.4. */
#include "libahoy/tu/account.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

void ahoy_credentials_put(const struct ahoy_credentials *credentials, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < 2 && credentials != NULL; i++) {
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

/* Fills in our part of |answer|'s challenge, and writes the row. */
static bool answer_it(struct ahoy_proof *proof, unsigned status, const struct ahoy_account *account,
                      const struct ahoy_digested *request, struct span uri, struct ahoy_rng *rng,
                      struct answer *answer)
{
    struct ahoy_challenge *mine = &answer->challenge;
    ahoy_rng_token(rng, answer->cnonce);
    mine->username = account->user;
    mine->uri = uri;
    mine->cnonce = (struct span){ answer->cnonce, sizeof answer->cnonce };
    mine->nc = SPAN("00000001");
    if (!compute(answer, account, request))
        return false;
    put_row(proof, status, answer);
    return proof->size > 0;
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
    return answer_it(proof, response->status, account, request, uri, rng, &answer);
}

/* Authentication-Info (RFC 7616 3.5); what is absent is empty. */
struct info {
    struct span rspauth, nextnonce, cnonce, nc, qop;
};

static struct info read_info(const struct ahoy_message *response)
{
    struct info info = { .qop = SPAN("") };
    const struct {
        struct span name;
        struct span *value;
    } known[] = { { SPAN("rspauth"), &info.rspauth },
                  { SPAN("nextnonce"), &info.nextnonce },
                  { SPAN("cnonce"), &info.cnonce },
                  { SPAN("nc"), &info.nc },
                  { SPAN("qop"), &info.qop } };
    struct span rest = ahoy_message_value(response, AHOY_HEADER_AUTHENTICATION_INFO);
    struct ahoy_param pair;
    while (ahoy_pair_next(&rest, &pair, NULL)) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (ahoy_span_equal_nocase(pair.name, known[i].name))
                *known[i].value = ahoy_unquote(pair.value);
        }
    }
    return info;
}

/* The credentials that stand in a row of ours; false where there is none. */
static bool read_row(const struct ahoy_proof *proof, struct ahoy_challenge *credentials)
{
    const struct span row = { proof->row, proof->size };
    size_t colon = ahoy_span_find(row, ':');
    return proof->size > 0 &&
           ahoy_challenge_parse(ahoy_span_trim(ahoy_span_after(row, colon + 1)), credentials, NULL);
}

/* Whether |told| is missing, or what we sent. */
static bool is_ours(struct span told, struct span sent)
{
    return told.size == 0 || ahoy_span_equal(told, sent);
}

bool ahoy_credentials_confirm(const struct ahoy_credentials *credentials,
                              const struct ahoy_account *account,
                              const struct ahoy_message *response)
{
    const struct info info = read_info(response);
    /* R7616-3.5-2: the body is that of the response, and no method is part of it. */
    const struct ahoy_digested digested = { SPAN(""), response->body };
    struct answer answer;
    struct ahoy_challenge *mine = &answer.challenge;
    if (info.rspauth.size == 0 || !read_row(&credentials->proofs[0], mine))
        return true;
    mine->username = account->user;
    if (info.qop.size > 0)
        mine->qop = info.qop;
    return is_ours(info.cnonce, mine->cnonce) && is_ours(info.nc, mine->nc) &&
           compute(&answer, account, &digested) &&
           ahoy_span_equal(info.rspauth,
                           (struct span){ answer.response.text, answer.response.size });
}

bool ahoy_credentials_renew(struct ahoy_credentials *credentials,
                            const struct ahoy_account *account, const struct ahoy_message *response,
                            const struct ahoy_digested *request, struct span uri,
                            struct ahoy_rng *rng)
{
    const struct ahoy_proof before = credentials->proofs[0];
    const struct info info = read_info(response);
    struct answer answer;
    *credentials = (struct ahoy_credentials){ .proofs[0].tries = 0 };
    if (info.nextnonce.size == 0 || !is_one_line(info.nextnonce) ||
        !read_row(&before, &answer.challenge))
        return false;
    answer.challenge.nonce = info.nextnonce;
    return answer_it(&credentials->proofs[0], 401, account, request, uri, rng, &answer);
}
