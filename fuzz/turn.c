/* What a server of TURN says, byte by byte: nothing is heard but of who was permitted, whatever it
 * claims, and data stays within its datagram. */
#include "fuzz/target.h"
#include "libahoy/transport/stun_parts.h"
#include "libahoy/transport/turn.h"

enum { SIZE_LIMIT = 1500 };

static const struct ahoy_ip server = { AHOY_IPV4, 3478, 0, { 192, 0, 2, 9 } };
static const struct ahoy_ip peers[] = { { AHOY_IPV4, 7000, 0, { 192, 0, 2, 7 } },
                                        { AHOY_IPV4, 7000, 0, { 192, 0, 2, 8 } } };

static struct ahoy_turn turn;

static void hear(struct span bytes, uint64_t now_ms)
{
    struct ahoy_ip peer;
    struct span data;
    if (ahoy_turn_step(&turn, bytes, now_ms, &peer, &data) == AHOY_TURN_HEARD) {
        MUST(turn.state == AHOY_TURN_THERE);
        MUST(ahoy_ip_equal_host(&peer, &peers[0]) || ahoy_ip_equal_host(&peer, &peers[1]));
        MUST(data.at >= bytes.at && ahoy_span_end(data) <= ahoy_span_end(bytes));
    }
    MUST(turn.peer_count <= AHOY_TURN_PEERS_LIMIT);
    MUST(turn.channel_count <= AHOY_TURN_CHANNELS_LIMIT);
}

/* The bytes as the answer to what was asked last. */
static void answer(struct span request, struct span bytes, uint64_t now_ms)
{
    static char copy[SIZE_LIMIT];
    if (bytes.size < AHOY_STUN_HEAD_SIZE || bytes.size > sizeof copy)
        return;
    memcpy(copy, bytes.at, bytes.size);
    memcpy(copy + 4, request.at + 4, AHOY_STUN_HEAD_SIZE - 4);
    hear((struct span){ copy, bytes.size }, now_ms);
}

/* An answer that asks for nothing: there is a relay. */
static void grant(struct span request, uint64_t now_ms)
{
    char space[100];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_stun_put(&buf, 0x0100U | ahoy_stun_number(request, 0, 2), 2);
    ahoy_stun_put(&buf, 0, 2);
    ahoy_buf_put(&buf, (struct span){ request.at + 4, 16 });
    ahoy_stun_put_address(request, 0x0016, &server, &buf);
    ahoy_stun_put_address(request, AHOY_STUN_XOR_MAPPED_ADDRESS, &server, &buf);
    ahoy_stun_put(&buf, 0x000d0004, 4);
    ahoy_stun_put(&buf, 600, 4);
    ahoy_stun_put_size(&buf, 0);
    hear(ahoy_buf_text(&buf), now_ms);
}

/* |is_granted|: there is a relay, and a channel, before the bytes come. */
static void run(struct span bytes, bool is_granted)
{
    static const uint64_t seed[2] = { 1, 2 };
    struct ahoy_ice_pace pace = { 0 };
    struct span request;
    ahoy_turn_init(&turn, seed, &pace);
    ahoy_turn_open(&turn, &server, SPAN("alice"), SPAN("sesame"), 0);
    for (uint64_t now_ms = 0; now_ms < 2000; now_ms += 20) {
        ahoy_turn_permit(&turn, peers, 2);
        if (now_ms >= 100)
            ahoy_turn_bind(&turn, &peers[0]);
        hear(bytes, now_ms);
        if (!ahoy_turn_poll(&turn, now_ms, &request))
            continue;
        MUST(request.size > 0 && request.size <= AHOY_STUN_REQUEST_LIMIT);
        if (is_granted && now_ms < 1000)
            grant(request, now_ms);
        else
            answer(request, bytes, now_ms);
    }
    (void)ahoy_turn_why(&turn); /* Both for what they read. */
    (void)ahoy_turn_deadline(&turn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span bytes = { (const char *)data, size };
    run(bytes, false);
    run(bytes, true);
    return 0;
}
