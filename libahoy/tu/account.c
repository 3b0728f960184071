/* Digest credentials of a client: RFC 3261 22, RFC 7616, RFC 8760 2.4. */
#include "libahoy/tu/account.h"

#include "libahoy/auth/digest.h"
#include "libahoy/base/buf.h"
#include "libahoy/syntax/scan.h"

struct span ahoy_credentials_row(const struct ahoy_credentials *credentials)
{
    return (struct span){ credentials->row, credentials->size };
}

/* Whether |text| may stand between quotes in a row of ours: the peer's line ends must not. */
static bool is_one_line(struct span text)
{
    return text.size == 0 || ahoy_scan_control(text.at, ahoy_span_end(text)) == ahoy_span_end(text);
}

/* Whether the list of qop, "auth,auth-int", names auth; an absent one does not matter. */
static bool offers_auth(struct span qop)
{
    while (qop.size > 0) {
        size_t comma = ahoy_span_find(qop, ',');
        struct span item = ahoy_span_trim((struct span){ qop.at, comma });
        if (ahoy_span_equal_nocase(item, SPAN("auth")))
            return true;
        qop = ahoy_span_after(qop, comma < qop.size ? comma + 1 : comma);
    }
    return false;
}

static bool is_for_us(const struct ahoy_challenge *challenge, const struct ahoy_account *account)
{
    return challenge->is_digest && challenge->algorithm != AHOY_DIGEST_OTHER &&
           ahoy_span_equal_nocase(challenge->realm, account->realm) && challenge->nonce.size > 0 &&
           is_one_line(challenge->realm) && is_one_line(challenge->nonce) &&
           is_one_line(challenge->opaque) &&
           (challenge->qop.size == 0 || offers_auth(challenge->qop));
}

/* The strongest challenge that is for us: SHA-256 before MD5, whatever their order. */
static bool choose(const struct ahoy_message *response, const struct ahoy_account *account,
                   struct ahoy_challenge *chosen)
{
    enum ahoy_header header = response->status == 401 ? AHOY_HEADER_WWW_AUTHENTICATE
                                                      : AHOY_HEADER_PROXY_AUTHENTICATE;
    const struct ahoy_field *field = ahoy_message_first(response, header);
    bool found = false;
    for (; field != NULL; field = ahoy_message_next(response, field)) {
        struct ahoy_challenge challenge;
        if (!ahoy_challenge_parse(field->value, &challenge, NULL) ||
            !is_for_us(&challenge, account))
            continue;
        if (!found || (chosen->algorithm == AHOY_DIGEST_MD5 &&
                       challenge.algorithm == AHOY_DIGEST_SHA256))
            *chosen = challenge;
        found = true;
    }
    return found;
}

static void put_quoted(struct ahoy_buf *buf, const char *name, struct span value)
{
    ahoy_buf_put(buf, ahoy_span(name));
    ahoy_buf_put(buf, SPAN("=\""));
    ahoy_buf_put(buf, value);
    ahoy_buf_put_byte(buf, '"');
}

static void put_row(struct ahoy_buf *buf, unsigned status, const struct ahoy_challenge *mine)
{
    ahoy_buf_put(buf, status == 401 ? SPAN("Authorization: ") : SPAN("Proxy-Authorization: "));
    put_quoted(buf, "Digest username", mine->username);
    put_quoted(buf, ", realm", mine->realm);
    put_quoted(buf, ", nonce", mine->nonce);
    put_quoted(buf, ", uri", mine->uri);
    put_quoted(buf, ", response", mine->response);
    if (mine->algorithm_text.size > 0) {
        ahoy_buf_put(buf, SPAN(", algorithm="));
        ahoy_buf_put(buf, mine->algorithm_text);
    }
    if (mine->opaque.size > 0)
        put_quoted(buf, ", opaque", mine->opaque);
    if (mine->qop.size > 0) {
        put_quoted(buf, ", cnonce", mine->cnonce);
        ahoy_buf_put(buf, SPAN(", qop=auth, nc="));
        ahoy_buf_put(buf, mine->nc);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static bool compute(struct ahoy_challenge *mine, const struct ahoy_account *account,
                    struct span method, struct ahoy_digest_hex *response)
{
    struct ahoy_digest_hex ha1;
    if (!ahoy_digest_ha1(mine->algorithm, mine->username, mine->realm, account->password, &ha1) ||
        !ahoy_digest_response(mine, &ha1, method, response))
        return false;
    mine->response = (struct span){ response->text, response->size };
    return true;
}

bool ahoy_credentials_answer(struct ahoy_credentials *credentials,
                             const struct ahoy_account *account,
                             const struct ahoy_message *response, struct span method,
                             struct span uri, struct ahoy_rng *rng)
{
    struct ahoy_challenge mine;
    struct ahoy_digest_hex hex;
    char cnonce[AHOY_TOKEN_SIZE];
    credentials->size = 0;
    if (account->password.size == 0 || credentials->tries == AHOY_CREDENTIALS_TRIES ||
        !choose(response, account, &mine) || (credentials->tries > 0 && !mine.stale))
        return false;
    credentials->tries++;
    ahoy_rng_token(rng, cnonce);
    mine.username = account->user;
    mine.uri = uri;
    mine.cnonce = (struct span){ cnonce, sizeof cnonce };
    mine.nc = SPAN("00000001");
    if (mine.qop.size > 0)
        mine.qop = SPAN("auth");
    if (!compute(&mine, account, method, &hex))
        return false;
    struct ahoy_buf buf = ahoy_buf_over(credentials->row, sizeof credentials->row);
    put_row(&buf, response->status, &mine);
    credentials->size = ahoy_buf_text(&buf).size;
    return credentials->size > 0;
}
