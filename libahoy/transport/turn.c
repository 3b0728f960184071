/* What a client of TURN asks of its server, and when: RFC 8656 7 to 12. */
#include "libahoy/transport/turn.h"

#include <assert.h>

#include "libahoy/transport/agent_inside.h"
#include "libahoy/transport/stun_parts.h"

static_assert((int)AHOY_TURN_PEERS_LIMIT == AHOY_ICE_REMOTES_LIMIT + 1, "an agent's, and its way");

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void new_id(struct ahoy_turn *turn, uint8_t id[AHOY_STUN_ID_SIZE])
{
    uint64_t random[2] = { ahoy_rng_next(&turn->rng), ahoy_rng_next(&turn->rng) };
    memcpy(id, random, AHOY_STUN_ID_SIZE);
}

void ahoy_turn_init(struct ahoy_turn *turn, const uint64_t seed[2], struct ahoy_ice_pace *pace)
{
    *turn = (struct ahoy_turn){ .pace = pace, .next_channel = AHOY_TURN_FIRST_CHANNEL };
    ahoy_rng_init(&turn->rng, seed);
}

static void fail(struct ahoy_turn *turn, uint32_t code, bool is_owed)
{
    turn->state = is_owed ? AHOY_TURN_LEAVING : AHOY_TURN_FAILED;
    turn->has_failed = true;
    turn->code = code;
    turn->peer_count = turn->channel_count = 0;
}

void ahoy_turn_open(struct ahoy_turn *turn, const struct ahoy_ip *server, struct span user,
                    struct span password, uint64_t now_ms)
{
    if (turn->state == AHOY_TURN_ASKING || turn->state == AHOY_TURN_THERE)
        return;
    ahoy_stun_login_init(&turn->login, user, password);
    turn->state = AHOY_TURN_ASKING;
    turn->server = *server;
    turn->family = (enum ahoy_family)server->family;
    turn->code = turn->unproved = 0;
    turn->has_failed = turn->is_strange = false;
    turn->ask = (struct ahoy_turn_ask){ .due_ms = now_ms };
    turn->give_up_ms = now_ms + AHOY_ICE_GATHER_MS;
    turn->peer_count = turn->channel_count = 0;
    if (now_ms < turn->pace->relays_ms)
        fail(turn, turn->pace->relays_code, false);
}

/* The server knows of us, or may. */
static bool is_owed(const struct ahoy_turn *turn)
{
    return turn->state == AHOY_TURN_THERE ||
           (turn->state == AHOY_TURN_ASKING && turn->login.is_asked);
}

void ahoy_turn_close(struct ahoy_turn *turn)
{
    if (turn->state == AHOY_TURN_ASKING || turn->state == AHOY_TURN_THERE)
        turn->state = is_owed(turn) ? AHOY_TURN_LEAVING : AHOY_TURN_OFF;
}

const char *ahoy_turn_why(const struct ahoy_turn *turn)
{
    static const struct {
        uint32_t code;
        const char *why;
    } rows[] = {
        { 0, "the server does not answer" },
        { 401, "the server does not take this name and password" },
        { 403, "the server permits none" },
        { 437, "the server has one of somebody else's at this port" },
        { 438, "the server calls all its nonces stale" },
        { 440, "the server has none of this family of addresses" },
        { 441, "the server does not take this name and password" },
        { 486, "the server gives this user no more" },
        { 508, "the server has none left" },
    };
    uint32_t code = turn->code != 0 ? turn->code : turn->unproved;
    if (!turn->has_failed)
        return NULL;
    if (turn->is_strange)
        return "what the server says is of no use here";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code == code)
            return rows[i].why;
    }
    return "the server has refused";
}

static struct ahoy_turn_peer *find_peer(struct ahoy_turn *turn, const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < turn->peer_count; i++) {
        if (ahoy_ip_equal_host(&turn->peers[i].ip, ip))
            return &turn->peers[i];
    }
    return NULL;
}

static bool is_among(const struct ahoy_ip *ip, const struct ahoy_ip *others, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ahoy_ip_equal_host(ip, &others[i]))
            return true;
    }
    return false;
}

void ahoy_turn_permit(struct ahoy_turn *turn, const struct ahoy_ip *peers, size_t count)
{
    size_t kept = 0;
    if (turn->state != AHOY_TURN_THERE)
        return;
    for (size_t i = 0; i < turn->peer_count; i++) {
        if (is_among(&turn->peers[i].ip, peers, count))
            turn->peers[kept++] = turn->peers[i];
    }
    turn->peer_count = kept;
    for (size_t i = 0; i < count && turn->peer_count < AHOY_TURN_PEERS_LIMIT; i++) {
        if (peers[i].family == turn->family && find_peer(turn, &peers[i]) == NULL)
            turn->peers[turn->peer_count++] = (struct ahoy_turn_peer){ .ip = peers[i] };
    }
}

/* The channel that is last is the wanted one, and renewed; others stay ours until they lapse, so
 * that neither their numbers nor their peers are bound anew before they may be (12). */
void ahoy_turn_bind(struct ahoy_turn *turn, const struct ahoy_ip *peer)
{
    struct ahoy_turn_channel channel = { .peer = *peer, .number = turn->next_channel };
    size_t at = 0;
    if (turn->state != AHOY_TURN_THERE || peer->family != turn->family)
        return;
    while (at < turn->channel_count && !ahoy_ip_equal(&turn->channels[at].peer, peer))
        at++;
    if (at < turn->channel_count && at + 1 == turn->channel_count)
        return;
    if (at == turn->channel_count) {
        if (turn->next_channel > AHOY_TURN_LAST_CHANNEL)
            return; /* Indications do it, too. */
        turn->next_channel++;
        at = turn->channel_count < AHOY_TURN_CHANNELS_LIMIT ? turn->channel_count++ : 0;
    } else {
        channel = turn->channels[at];
        channel.ask.due_ms = 0;
    }
    size_t last = turn->channel_count - 1;
    memmove(&turn->channels[at], &turn->channels[at + 1], (last - at) * sizeof channel);
    turn->channels[last] = channel;
}

/* All that is asked, in order: the relay itself, permissions, and the channel that is wanted. */
static size_t ask_count(const struct ahoy_turn *turn)
{
    if (turn->state == AHOY_TURN_ASKING)
        return 1;
    return turn->state == AHOY_TURN_THERE ? 1 + turn->peer_count + (turn->channel_count > 0) : 0;
}

static struct ahoy_turn_channel *wanted(struct ahoy_turn *turn)
{
    return &turn->channels[turn->channel_count - 1];
}

static struct ahoy_turn_ask *ask_at(struct ahoy_turn *turn, size_t i)
{
    if (i == 0)
        return &turn->ask;
    return i <= turn->peer_count ? &turn->peers[i - 1].ask : &wanted(turn)->ask;
}

static struct ahoy_turn_request request_at(struct ahoy_turn *turn, size_t i)
{
    struct ahoy_turn_request request = { .method = AHOY_TURN_REFRESH };
    if (i == 0 && turn->state == AHOY_TURN_ASKING) {
        request.method = AHOY_TURN_ALLOCATE;
        request.family = turn->family;
    } else if (i > turn->peer_count) {
        request.method = AHOY_TURN_CHANNEL_BIND;
        request.peer = wanted(turn)->peer;
        request.channel = wanted(turn)->number;
    } else if (i > 0) {
        request.method = AHOY_TURN_CREATE_PERMISSION;
        request.peer = turn->peers[i - 1].ip;
    }
    return request;
}

static struct span compose(struct ahoy_turn *turn, const uint8_t id[AHOY_STUN_ID_SIZE],
                           const struct ahoy_turn_request *request)
{
    struct ahoy_buf buf = ahoy_buf_over(turn->request, sizeof turn->request);
    ahoy_turn_put_request(id, request, &turn->login, &buf);
    return ahoy_buf_text(&buf);
}

static struct span send_ask(struct ahoy_turn *turn, size_t i)
{
    const struct ahoy_turn_request request = request_at(turn, i);
    return compose(turn, ask_at(turn, i)->transaction.id, &request);
}

/* Nobody has answered.  What the server may have granted is still to be told that it is over. */
static void expire(struct ahoy_turn *turn, size_t i, uint64_t now_ms)
{
    struct ahoy_turn_ask *ask = ask_at(turn, i);
    ask->due_ms = now_ms + AHOY_TURN_AGAIN_MS;
    if (turn->state == AHOY_TURN_ASKING)
        fail(turn, 0, is_owed(turn));
}

/* The next request that is due; its |span| is empty where there is none. */
static struct span next_request(struct ahoy_turn *turn, uint64_t now_ms)
{
    for (size_t i = 0; i < ask_count(turn); i++) {
        struct ahoy_turn_ask *ask = ask_at(turn, i);
        struct ahoy_ice_transaction *transaction = &ask->transaction;
        if (transaction->sent > 0 && now_ms >= transaction->next_ms) {
            if (ahoy_ice_wait(transaction, now_ms))
                return send_ask(turn, i);
            expire(turn, i, now_ms);
        }
        if (transaction->sent > 0 || now_ms < ask->due_ms || now_ms < turn->pace->next_ms)
            continue;
        turn->pace->next_ms = now_ms + AHOY_ICE_SHARED_PACE_MS; /* R8445-14.2-3 */
        *transaction = (struct ahoy_ice_transaction){ .sent = 1,
                                                      .wait_ms = AHOY_ICE_RTO_MS,
                                                      .next_ms = now_ms + AHOY_ICE_RTO_MS };
        new_id(turn, transaction->id);
        return send_ask(turn, i);
    }
    return SPAN("");
}

static struct span say_goodbye(struct ahoy_turn *turn)
{
    const struct ahoy_turn_request request = { .method = AHOY_TURN_REFRESH, .deletes = true };
    uint8_t id[AHOY_STUN_ID_SIZE];
    new_id(turn, id);
    turn->state = turn->has_failed ? AHOY_TURN_FAILED : AHOY_TURN_OFF;
    return compose(turn, id, &request);
}

static struct span keep_open(struct ahoy_turn *turn)
{
    struct ahoy_buf buf = ahoy_buf_over(turn->request, sizeof turn->request);
    uint8_t id[AHOY_STUN_ID_SIZE];
    new_id(turn, id);
    ahoy_turn_put_keep(id, &buf);
    return ahoy_buf_text(&buf);
}

bool ahoy_turn_poll(struct ahoy_turn *turn, uint64_t now_ms, struct span *datagram)
{
    if (turn->state == AHOY_TURN_ASKING && now_ms >= turn->give_up_ms)
        fail(turn, 0, is_owed(turn));
    if (turn->state == AHOY_TURN_THERE && now_ms >= turn->until_ms)
        fail(turn, 0, false);
    *datagram = turn->state == AHOY_TURN_LEAVING ? say_goodbye(turn) : next_request(turn, now_ms);
    if (datagram->size == 0 && turn->state == AHOY_TURN_THERE && now_ms >= turn->keep_ms)
        *datagram = keep_open(turn);
    if (datagram->size > 0)
        turn->keep_ms = now_ms + AHOY_ICE_KEEP_MS; /* RFC 8656 9, RFC 8445 5.1.1.4 */
    return datagram->size > 0;
}

static uint64_t ask_deadline(const struct ahoy_turn *turn, const struct ahoy_turn_ask *ask)
{
    return ask->transaction.sent > 0 ? ask->transaction.next_ms
                                     : later(ask->due_ms, turn->pace->next_ms);
}

uint64_t ahoy_turn_deadline(const struct ahoy_turn *turn)
{
    if (turn->state == AHOY_TURN_LEAVING)
        return 0;
    if (turn->state != AHOY_TURN_ASKING && turn->state != AHOY_TURN_THERE)
        return UINT64_MAX;
    uint64_t deadline_ms = ask_deadline(turn, &turn->ask);
    if (turn->state == AHOY_TURN_ASKING)
        return earlier(deadline_ms, turn->give_up_ms);
    deadline_ms = earlier(deadline_ms, earlier(turn->until_ms, turn->keep_ms));
    for (size_t i = 0; i < turn->peer_count; i++)
        deadline_ms = earlier(deadline_ms, ask_deadline(turn, &turn->peers[i].ask));
    if (turn->channel_count > 0)
        deadline_ms =
            earlier(deadline_ms, ask_deadline(turn, &turn->channels[turn->channel_count - 1].ask));
    return deadline_ms;
}

/* What the server wants to be asked by: RFC 8489 9.2.5.  False where that is no use. */
static bool take_challenge(struct ahoy_turn *turn, struct ahoy_turn_ask *ask,
                           const struct ahoy_turn_message *message)
{
    bool is_refused =
        message->code == 401 && ahoy_stun_login_is_at(&turn->login, message->challenge.realm);
    if (is_refused || ++ask->stale > AHOY_TURN_STALE_LIMIT ||
        !ahoy_stun_login_take(&turn->login, &message->challenge))
        return false;
    ask->transaction.sent = 0;
    ask->due_ms = 0;
    return true;
}

/* 7.4: how long no server is asked for another. */
static uint64_t rest_of(uint32_t code)
{
    if (code == 486 || code == 508)
        return AHOY_TURN_REST_MS;
    return code == 437 ? AHOY_TURN_LONG_REST_MS : 0;
}

static void take_error(struct ahoy_turn *turn, size_t i, uint32_t code, uint64_t now_ms)
{
    struct ahoy_turn_ask *ask = ask_at(turn, i);
    ask->transaction.sent = 0;
    if (turn->state == AHOY_TURN_ASKING) {
        if (rest_of(code) > 0) {
            turn->pace->relays_ms = now_ms + rest_of(code);
            turn->pace->relays_code = code;
        }
        fail(turn, code, false);
    } else if (code == 437) { /* RFC 8656 5: it is there no longer. */
        fail(turn, code, false);
    } else { /* He may not be sent to; a relay that is not renewed is there still. */
        ask->due_ms = i == 0 ? now_ms + AHOY_TURN_AGAIN_MS : UINT64_MAX;
    }
}

static uint64_t lifetime_of(const struct ahoy_turn_message *message)
{
    uint64_t lifetime_s = message->lifetime_s;
    return 1000 * earlier(lifetime_s, AHOY_TURN_LIFETIME_MOST_S);
}

/* R8656-7.3-1: an address that is of no use is given back. */
static void take_relay(struct ahoy_turn *turn, const struct ahoy_turn_message *message)
{
    turn->relayed = message->relayed;
    turn->mapped = message->mapped;
    turn->is_strange = message->is_strange || message->lifetime_s == 0 ||
                       message->relayed.family != turn->family || message->relayed.port == 0 ||
                       ahoy_ip_is_wildcard(&message->relayed) ||
                       message->mapped.family != turn->server.family;
    if (turn->is_strange)
        fail(turn, 0, true);
    else
        turn->state = AHOY_TURN_THERE;
}

static void take_success(struct ahoy_turn *turn, size_t i, const struct ahoy_turn_message *message,
                         uint64_t now_ms)
{
    struct ahoy_turn_ask *ask = ask_at(turn, i);
    uint64_t lifetime_ms = lifetime_of(message);
    ask->transaction.sent = 0;
    ask->stale = 0;
    if (i == 0 && turn->state == AHOY_TURN_ASKING)
        take_relay(turn, message);
    if (i == 0 && lifetime_ms > 0)
        turn->until_ms = now_ms + lifetime_ms;
    if (i > turn->peer_count) {
        lifetime_ms = AHOY_TURN_CHANNEL_MS;
        wanted(turn)->until_ms = now_ms + lifetime_ms;
    } else if (i > 0) {
        lifetime_ms = AHOY_TURN_PERMISSION_MS;
        turn->peers[i - 1].is_new |= turn->peers[i - 1].until_ms == 0;
        turn->peers[i - 1].until_ms = now_ms + lifetime_ms;
    }
    ask->due_ms = now_ms + (lifetime_ms > 0 ? lifetime_ms / 2 : AHOY_TURN_AGAIN_MS);
}

/* Until the server has asked who we are, it cannot prove who it is; then it has to (RFC 8489
 * 9.2.5), but for asking. */
static void take_answer(struct ahoy_turn *turn, struct span datagram,
                        const struct ahoy_turn_message *message, uint64_t now_ms)
{
    size_t i = 0, count = ask_count(turn);
    while (i < count &&
           (ask_at(turn, i)->transaction.sent == 0 ||
            memcmp(ask_at(turn, i)->transaction.id, message->id, AHOY_STUN_ID_SIZE) != 0))
        i++;
    if (i == count || request_at(turn, i).method != message->method)
        return;
    if (message->is_error && (message->code == 401 || message->code == 438)) {
        if (!take_challenge(turn, ask_at(turn, i), message))
            take_error(turn, i, message->code, now_ms);
    } else if (turn->login.is_asked && (datagram.size > AHOY_STUN_REQUEST_LIMIT ||
                                        !ahoy_stun_login_proves(&turn->login, datagram))) {
        turn->unproved = message->code;
    } else if (message->is_error) {
        take_error(turn, i, message->code, now_ms);
    } else {
        take_success(turn, i, message, now_ms);
    }
}

static bool is_permitted(struct ahoy_turn *turn, const struct ahoy_ip *ip, uint64_t now_ms)
{
    const struct ahoy_turn_peer *peer = find_peer(turn, ip);
    return peer != NULL && now_ms < peer->until_ms;
}

/* Whose data has come; false where it is nobody's that we have permitted to send (11.4, 12.6).  A
 * channel may be used before it is known to be bound. */
static bool find_sender(struct ahoy_turn *turn, const struct ahoy_turn_message *message,
                        uint64_t now_ms, struct ahoy_ip *peer)
{
    *peer = message->peer;
    if (turn->state != AHOY_TURN_THERE || message->is_strange || !message->has_data)
        return false;
    if (message->channel == 0)
        return is_permitted(turn, peer, now_ms);
    for (size_t i = 0; i < turn->channel_count; i++) {
        if (turn->channels[i].number == message->channel) {
            *peer = turn->channels[i].peer;
            return true;
        }
    }
    return false;
}

enum ahoy_turn_heard ahoy_turn_step(struct ahoy_turn *turn, struct span datagram, uint64_t now_ms,
                                    struct ahoy_ip *peer, struct span *data)
{
    struct ahoy_turn_message message;
    if (turn->state == AHOY_TURN_OFF || !ahoy_turn_read(datagram, &message))
        return AHOY_TURN_NOTHING;
    *data = message.data;
    if (message.method == AHOY_TURN_DATA)
        return find_sender(turn, &message, now_ms, peer) ? AHOY_TURN_HEARD : AHOY_TURN_TAKEN;
    take_answer(turn, datagram, &message, now_ms);
    return AHOY_TURN_TAKEN;
}

/* The number by which |peer| is sent to; 0 where he has none that is bound. */
static uint32_t channel_of(const struct ahoy_turn *turn, const struct ahoy_ip *peer,
                           uint64_t now_ms)
{
    for (size_t i = 0; i < turn->channel_count; i++) {
        const struct ahoy_turn_channel *channel = &turn->channels[i];
        if (now_ms < channel->until_ms && ahoy_ip_equal(&channel->peer, peer))
            return channel->number;
    }
    return 0;
}

bool ahoy_turn_wrap(struct ahoy_turn *turn, const struct ahoy_ip *peer, struct span data,
                    uint64_t now_ms, struct ahoy_buf *room)
{
    uint8_t id[AHOY_STUN_ID_SIZE];
    if (turn->state != AHOY_TURN_THERE || data.size > UINT16_MAX - AHOY_TURN_WRAP_SIZE)
        return false;
    uint32_t channel = channel_of(turn, peer, now_ms);
    if (channel == 0 && !is_permitted(turn, peer, now_ms)) /* R8656-11.1-1 */
        return false;
    new_id(turn, id);
    if (channel != 0)
        ahoy_turn_put_channel(channel, data, room);
    else
        ahoy_turn_put_send(id, peer, data, room);
    turn->keep_ms = now_ms + AHOY_ICE_KEEP_MS;
    return !room->overflow;
}
