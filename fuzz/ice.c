/* Checks of ICE, and an agent that has a peer: who does not know the words gets no answer, an
 * answer is sound and gets none, and no bytes move an agent that are not proved. */
#include "fuzz/target.h"
#include "libahoy/transport/agent.h"

static const struct ahoy_ice_secret secret = { SPAN_INIT("evtj"),
                                               SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBt") };

static void read_one(struct span request, const struct ahoy_ip *source)
{
    char space[AHOY_ICE_ANSWER_SIZE], second[AHOY_ICE_ANSWER_SIZE];
    static const uint8_t id[AHOY_STUN_ID_SIZE];
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf conflict = ahoy_buf_over(second, sizeof second);
    struct ahoy_ice_check check;
    struct ahoy_ip mapped;
    (void)ahoy_ice_hear(request, id, secret.word, &mapped); /* For what it reads. */
    if (!ahoy_ice_read(request, &secret, &check))
        return;
    MUST(ahoy_port_use(request) == AHOY_PORT_STUN);
    ahoy_ice_put_answer(request, source, secret.word, &answer);
    ahoy_ice_put_conflict(request, secret.word, &conflict);
    MUST(!answer.overflow && !conflict.overflow);
    const uint8_t *asked = (const uint8_t *)request.at + 8;
    MUST(ahoy_ice_hear(ahoy_buf_text(&answer), asked, secret.word, &mapped) == AHOY_ICE_SEEN);
    MUST(ahoy_ip_equal(&mapped, source));
    MUST(ahoy_ice_hear(ahoy_buf_text(&conflict), asked, secret.word, &mapped) == AHOY_ICE_CONFLICT);
    MUST(!ahoy_ice_read(ahoy_buf_text(&answer), &secret, &check));
}

/* The bytes come from where the peer would be, and are no answer: no check of ours is known. */
static void step_agent(struct span bytes, const struct ahoy_ip *source)
{
    static const uint64_t seed[2] = { 1, 2 };
    struct ahoy_ice_pace pace = { 0 };
    struct ahoy_ice_datagram datagram;
    struct ahoy_ice_agent agent;
    struct ahoy_ice_peer peer = { .user_size = 4, .word_size = 22, .count = 1 };
    struct ahoy_ip remote;
    size_t base;
    memcpy(peer.user, "h6vY", 4);
    memset(peer.word, 'w', 22);
    peer.candidates[0] = (struct ahoy_candidate){ .ip = *source, .priority = 1 };
    ahoy_ice_init(&agent, seed, &pace);
    ahoy_ice_say(&agent, &secret);
    MUST(ahoy_ice_add_base(&agent, source));
    ahoy_ice_step(&agent, 0, source, bytes, 0);
    ahoy_ice_begin(&agent, &peer, bytes.size % 3 == 0, 0);
    for (uint64_t now_ms = 0; now_ms < 3000; now_ms += 500) {
        while (ahoy_ice_poll(&agent, now_ms, &datagram))
            MUST(datagram.bytes.size > 0);
        ahoy_ice_step(&agent, 0, source, bytes, now_ms);
    }
    MUST(!ahoy_ice_way(&agent, &base, &remote));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = { (const char *)data, size };
    struct ahoy_ip source = { .family = size % 2 == 0 ? AHOY_IPV4 : AHOY_IPV6, .port = 5060 };
    source.bytes[0] = 192;
    read_one(bytes, &source);
    step_agent(bytes, &source);
    return 0;
}
