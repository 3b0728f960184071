/* Digest challenges and credentials (RFC 3261 20.7, 22, 25.1; RFC 8760). */
#include "libahoy/syntax/challenge.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

static const struct {
    struct span name;
    size_t size;
} digests[] = {
#define ENTRY(id, text, digits) [AHOY_DIGEST_##id] = { SPAN_INIT(text), digits },
    AHOY_DIGESTS(ENTRY)
#undef ENTRY
};

struct span ahoy_digest_name(enum ahoy_digest_algorithm algorithm)
{
    return digests[algorithm].name;
}

size_t ahoy_digest_size(enum ahoy_digest_algorithm algorithm)
{
    return digests[algorithm].size;
}

/* What is not known is told apart in one way only: it is another one. */
static void read_algorithm(struct ahoy_challenge *challenge)
{
    static const struct span session = SPAN_INIT("-sess");
    struct span name = challenge->algorithm_text;
    struct span tail = SPAN("");
    if (name.size > session.size)
        tail = ahoy_span_after(name, name.size - session.size);
    challenge->is_session = ahoy_span_equal_nocase(tail, session);
    if (challenge->is_session)
        name.size -= session.size;
    if (name.at == NULL)
        name = digests[AHOY_DIGEST_MD5].name;
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        if (ahoy_span_equal_nocase(name, digests[i].name))
            challenge->algorithm = (enum ahoy_digest_algorithm)i;
    }
}

/* Those whose value is true or something else. */
struct flags {
    struct span stale, userhash;
};

static bool take_pair(struct ahoy_challenge *challenge, struct flags *flags,
                      const struct ahoy_param *pair, struct ahoy_err *err)
{
    const struct {
        struct span name;
        struct span *value;
    } known[] = {
        { SPAN("username"), &challenge->username },
        { SPAN("realm"), &challenge->realm },
        { SPAN("nonce"), &challenge->nonce },
        { SPAN("uri"), &challenge->uri },
        { SPAN("response"), &challenge->response },
        { SPAN("cnonce"), &challenge->cnonce },
        { SPAN("opaque"), &challenge->opaque },
        { SPAN("qop"), &challenge->qop },
        { SPAN("nc"), &challenge->nc },
        { SPAN("algorithm"), &challenge->algorithm_text },
        { SPAN("charset"), &challenge->charset },
        { SPAN("username*"), &challenge->username_extended },
        { SPAN("stale"), &flags->stale },
        { SPAN("userhash"), &flags->userhash },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!ahoy_span_equal_nocase(pair->name, known[i].name))
            continue;
        if (known[i].value->at != NULL)
            return ahoy_fail(err, 400, pair->name.at, "each parameter once");
        *known[i].value = ahoy_unquote(pair->value);
        return true;
    }
    return true;
}

static bool parse_digest(struct ahoy_challenge *challenge, struct span rest, struct ahoy_err *err)
{
    struct flags flags = { .stale = { NULL, 0 } };
    struct ahoy_param pair;
    struct ahoy_err fault;
    if (rest.size == 0)
        return ahoy_fail(err, 400, rest.at, "a parameter's name and \"=\"");
    while (ahoy_pair_next(&rest, &pair, &fault)) {
        if (!take_pair(challenge, &flags, &pair, err))
            return false;
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, 400, fault.at, fault.expected);
    if (challenge->username.at != NULL && challenge->username_extended.at != NULL)
        return ahoy_fail(err, 400, challenge->username_extended.at,
                         "one username"); /* R7616-3.4-1 */
    challenge->stale = ahoy_span_equal_nocase(flags.stale, SPAN("true"));
    challenge->userhash = ahoy_span_equal_nocase(flags.userhash, SPAN("true"));
    read_algorithm(challenge);
    return true;
}

bool ahoy_challenge_parse(struct span text, struct ahoy_challenge *challenge, struct ahoy_err *err)
{
    *challenge = (struct ahoy_challenge){ .is_digest = false };
    if (text.size == 0)
        return ahoy_fail(err, 400, text.at, "a scheme");
    const char *end = ahoy_span_end(text);
    const char *stop = ahoy_skip(text.at, end, AHOY_TOKEN);
    const char *at = ahoy_skip(stop, end, AHOY_LWS);
    if (stop == text.at || (at == stop && at < end))
        return ahoy_fail(err, 400, stop, "a scheme and white space");
    challenge->scheme = ahoy_span_between(text.at, stop);
    challenge->is_digest = ahoy_span_equal_nocase(challenge->scheme, SPAN("Digest"));
    return !challenge->is_digest || parse_digest(challenge, ahoy_span_between(at, end), err);
}

void ahoy_put_unescaped(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '\\' && i + 1 < text.size)
            i++;
        ahoy_buf_put_byte(buf, text.at[i]);
    }
}

void ahoy_put_escaped(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '\\' || text.at[i] == '"')
            ahoy_buf_put_byte(buf, '\\');
        ahoy_buf_put_byte(buf, text.at[i]);
    }
}

/* RFC 5987 3.2.1: charset, language and octets, a quote behind each of the first two. */
static bool put_extended(struct ahoy_buf *buf, struct span text)
{
    size_t charset = ahoy_span_find(text, '\'');
    if (charset == text.size ||
        !ahoy_span_equal_nocase((struct span){ text.at, charset }, SPAN("UTF-8")))
        return false;
    text = ahoy_span_after(text, charset + 1);
    size_t language = ahoy_span_find(text, '\'');
    if (language == text.size)
        return false;
    text = ahoy_span_after(text, language + 1);
    const char *end = ahoy_span_end(text);
    for (const char *at = text.at; at < end; at++) {
        if (*at != '%') {
            ahoy_buf_put_byte(buf, *at);
        } else if (end - at >= 3 && ahoy_is(at[1], AHOY_HEX) && ahoy_is(at[2], AHOY_HEX)) {
            ahoy_buf_put_byte(buf, ahoy_unescape(at));
            at += 2;
        } else {
            return false;
        }
    }
    return true;
}

bool ahoy_challenge_print_user(const struct ahoy_challenge *credentials, struct ahoy_buf *buf)
{
    if (credentials->username_extended.at == NULL)
        ahoy_put_unescaped(buf, credentials->username);
    else if (!put_extended(buf, credentials->username_extended))
        return false;
    return ahoy_buf_text(buf).size > 0;
}
