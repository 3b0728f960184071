/* Checks of ICE, and an agent that has a peer: who does not know the words gets no answer, an
 * answer is sound and gets none, and no bytes move an agent that are not proved; nor do
 * descriptions, of which each fills no more than there is room for. */
#include "fuzz/target.h"
#include "libahoy/sdp/ice.h"
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

/* The bytes as a description, which is heard again; or begins anew. */
static void describe(struct ahoy_ice_agent *agent, struct span bytes, const struct ahoy_ip *source,
                     uint64_t now_ms)
{
    static struct ahoy_sdp sdp;
    static const struct ahoy_ice_secret other = { SPAN_INIT("evtk"),
                                                  SPAN_INIT("VOkJxbRl1RmTxUk/WvJxBu") };
    char room[AHOY_ICE_LINES_SIZE];
    struct ahoy_buf lines = ahoy_buf_over(room, sizeof room);
    struct ahoy_ice_peer peer;
    if (!ahoy_sdp_parse(bytes, &sdp, NULL))
        return;
    ahoy_sdp_copy_ice(&sdp, &lines);
    if (!ahoy_sdp_read_ice(ahoy_buf_text(&lines), &peer))
        return;
    ahoy_ice_hear_more(agent, &peer, source, now_ms);
    if (bytes.size % 4 < 2)
        ahoy_ice_say(agent, &other);
    if (bytes.size % 4 == 1)
        ahoy_ice_begin(agent, &peer, false, now_ms);
    MUST(agent->remote_count <= AHOY_ICE_REMOTES_LIMIT &&
         agent->pair_count <= AHOY_ICE_PAIRS_LIMIT);
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
    for (uint16_t i = 0; i < AHOY_ICE_BASES_LIMIT; i++) {
        struct ahoy_ip base_ip = *source;
        base_ip.port = (uint16_t)(base_ip.port + i);
        MUST(ahoy_ice_add_base(&agent, &base_ip));
    }
    ahoy_ice_step(&agent, 0, source, bytes, 0);
    ahoy_ice_begin(&agent, &peer, bytes.size % 3 == 0, 0);
    for (uint64_t now_ms = 0; now_ms < 3000; now_ms += 500) {
        while (ahoy_ice_poll(&agent, now_ms, &datagram))
            MUST(datagram.bytes.size > 0);
        ahoy_ice_step(&agent, now_ms / 500 % AHOY_ICE_BASES_LIMIT, source, bytes, now_ms);
        if (now_ms == 1000)
            describe(&agent, bytes, source, now_ms);
        if (now_ms == 2000)
            ahoy_ice_drop_base(&agent, bytes.size % AHOY_ICE_BASES_LIMIT);
    }
    struct ahoy_ice_settled settled;
    MUST(!ahoy_ice_settled(&agent, &settled));
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
