/* Digest challenges and credentials (RFC 3261 20.7, 22, 25.1; RFC 8760). */
#include "libahoy/syntax/challenge.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

static enum ahoy_digest_algorithm algorithm_of(struct span text)
{
    if (ahoy_span_equal_nocase(text, SPAN("MD5")))
        return AHOY_DIGEST_MD5;
    if (ahoy_span_equal_nocase(text, SPAN("SHA-256")))
        return AHOY_DIGEST_SHA256;
    return AHOY_DIGEST_OTHER;
}

static bool take_pair(struct ahoy_challenge *challenge, struct span *stale,
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
        { SPAN("stale"), stale },
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
    struct span stale = { NULL, 0 };
    struct ahoy_param pair;
    struct ahoy_err fault;
    if (rest.size == 0)
        return ahoy_fail(err, 400, rest.at, "a parameter's name and \"=\"");
    while (ahoy_pair_next(&rest, &pair, &fault)) {
        if (!take_pair(challenge, &stale, &pair, err))
            return false;
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, 400, fault.at, fault.expected);
    challenge->stale = ahoy_span_equal_nocase(stale, SPAN("true"));
    if (challenge->algorithm_text.at != NULL)
        challenge->algorithm = algorithm_of(challenge->algorithm_text);
    else
        challenge->algorithm = AHOY_DIGEST_MD5;
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
