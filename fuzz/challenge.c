/* Challenges and credentials. */
#include "fuzz/target.h"
#include "libahoy/syntax/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size };
    struct ahoy_challenge challenge;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_challenge_parse(text, &challenge, &err)) {
        MUST(err.expected != NULL && err.status == 400);
        MUST(ahoy_err_offset(&err, text) <= size);
        return 0;
    }
    MUST(challenge.scheme.size > 0);
    const struct span parts[] = { challenge.username,
                                  challenge.realm,
                                  challenge.nonce,
                                  challenge.uri,
                                  challenge.nonce,
                                  challenge.response,
                                  challenge.cnonce,
                                  challenge.opaque,
                                  challenge.qop,
                                  challenge.nc,
                                  challenge.algorithm_text,
                                  challenge.charset,
                                  challenge.username_extended };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        MUST(challenge.is_digest || parts[i].size == 0);
        MUST(parts[i].size == 0 ||
             (parts[i].at >= text.at && ahoy_span_end(parts[i]) <= ahoy_span_end(text)));
    }
    return 0;
}
