/* A WebSocket from its first byte on: the request, then frames, whole and byte by byte; the same
 * must come of both, no message may exceed the limit, and what is kept between messages is
 * nothing. */
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/base/siphash.h"
#include "libahoy/transport/upgrade.h"
#include "libahoy/transport/websocket.h"

enum { LIMIT = 4096 };

struct outcome {
    uint64_t hash; /* Of all that came. */
    size_t message_size;
    unsigned closed; /* The code, and one. */
};

static void note(struct outcome *outcome, unsigned what, struct span bytes)
{
    static const struct ahoy_hash_key key = { { 1, 2 } };
    for (size_t i = 0; i < bytes.size; i++) {
        const struct span parts[] = { { (const char *)&outcome->hash, sizeof outcome->hash },
                                      { (const char *)&what, sizeof what },
                                      { bytes.at + i, 1 } };
        outcome->hash = ahoy_siphash_parts(&key, parts, 3);
    }
}

static void take(struct ahoy_websocket *websocket, struct span input, struct outcome *outcome)
{
    struct ahoy_websocket_part part;
    while (outcome->closed == 0) {
        enum ahoy_websocket_verdict verdict = ahoy_websocket_next(websocket, LIMIT, &input, &part);
        if (verdict == AHOY_WEBSOCKET_MORE) {
            MUST(input.size == 0);
            return;
        }
        if (verdict == AHOY_WEBSOCKET_CLOSE) {
            outcome->closed = part.code + 1;
            return;
        }
        bool is_ping = verdict == AHOY_WEBSOCKET_PING;
        note(outcome, is_ping, part.bytes);
        if (is_ping)
            continue;
        outcome->message_size += part.bytes.size;
        MUST(outcome->message_size <= LIMIT);
        if (verdict == AHOY_WEBSOCKET_LAST) {
            note(outcome, 2 + part.is_text, SPAN("|"));
            outcome->message_size = 0;
        }
    }
}

static struct outcome play(struct span input, size_t step, bool is_client)
{
    struct outcome outcome = { .hash = 0 };
    struct ahoy_websocket *websocket = ahoy_websocket_new(is_client);
    MUST(websocket != NULL);
    ahoy_websocket_open(websocket);
    for (size_t at = 0; at < input.size && outcome.closed == 0; at += step) {
        size_t size = input.size - at < step ? input.size - at : step;
        char *copy = malloc(size);
        MUST(copy != NULL);
        memcpy(copy, input.at + at, size);
        take(websocket, (struct span){ copy, size }, &outcome);
        free(copy);
    }
    ahoy_websocket_free(websocket);
    return outcome;
}

/* The request that |input| begins with; what is behind it. */
static struct span upgrade(struct span input)
{
    char space[1024];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    size_t size = ahoy_upgrade_size(input, 0);
    for (size_t seen = 0; seen < size; seen++)
        MUST(ahoy_upgrade_size(input, seen) == size);
    if (size == 0)
        return input;
    unsigned status =
        ahoy_upgrade_answer((struct span){ input.at, size }, SPAN("https://a.example"), &answer);
    MUST(!answer.overflow && status >= 101 && status <= 431);
    const uint64_t key[2] = { 1, 2 };
    MUST(!ahoy_upgrade_is_granted((struct span){ input.at, size }, key)); /* Nobody guesses it. */
    return ahoy_span_after(input, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span frames = upgrade((struct span){ (const char *)data, size });
    for (int is_client = 0; is_client < 2; is_client++) {
        struct outcome whole = play(frames, frames.size + 1, is_client);
        struct outcome bytes = play(frames, 1, is_client);
        MUST(whole.hash == bytes.hash && whole.closed == bytes.closed);
    }
    return 0;
}
