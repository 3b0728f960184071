#include "tests/support/turn_server.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/transport/stun_parts.h"

static const char realm[] = "relay.example";

void turn_server_init(struct turn_server *server, const char *ip)
{
    *server = (struct turn_server){ .user = SPAN("alice"),
                                    .password = SPAN("open sesame"),
                                    .lifetime_s = 600,
                                    .next_port = 50000 };
    assert_true(ahoy_ip_parse(ahoy_span(ip), &server->ip));
    server->ip.port = 3478;
}

void turn_server_reboot(struct turn_server *server)
{
    memset(server->clients, 0, sizeof server->clients);
    server->next_port = (uint16_t)(server->next_port + 100);
}

bool turn_server_is_at(const struct turn_server *server, const struct ahoy_ip *ip)
{
    return ahoy_ip_equal_host(&server->ip, ip);
}

/* A request as it was read. */
struct request {
    uint32_t type, method;
    struct span bytes, user, realm, nonce, algorithm, data;
    struct ahoy_stun_attribute proof;
    bool has_lifetime;
    uint32_t lifetime_s, channel, family, transport;
    struct ahoy_ip peer;
};

static bool read_request(struct span bytes, struct request *request)
{
    struct ahoy_stun_attribute attribute;
    size_t at = 20;
    *request = (struct request){ .bytes = bytes, .type = ahoy_stun_number(bytes, 0, 2) };
    request->method = request->type & 0xf;
    while (ahoy_stun_next(bytes, &at, &attribute)) {
        struct span value = attribute.value;
        uint32_t number = value.size == 4 ? ahoy_stun_number(value, 0, 4) : 0;
        switch (attribute.type) {
        case 0x0006:
            request->user = value;
            break;
        case 0x0014:
            request->realm = value;
            break;
        case 0x0015:
            request->nonce = value;
            break;
        case 0x001d:
            request->algorithm = value;
            break;
        case 0x0008:
        case 0x001c:
            request->proof = attribute;
            break;
        case 0x000c:
            request->channel = number >> 16;
            break;
        case 0x000d:
            request->has_lifetime = true;
            request->lifetime_s = number;
            break;
        case 0x0012:
            assert_true(ahoy_stun_read_address(bytes, value, &request->peer));
            break;
        case 0x0013:
            request->data = value;
            break;
        case 0x0017:
            request->family = number >> 24;
            break;
        case 0x0019:
            request->transport = number >> 24;
            break;
        default:
            assert_true(attribute.type >= 0x8000);
            break;
        }
    }
    assert_int_equal(ahoy_stun_number(bytes, 2, 2), bytes.size - 20);
    return at == bytes.size;
}

static struct turn_client *find_client(struct turn_server *server, const struct ahoy_ip *seen,
                                       uint64_t now_ms)
{
    for (size_t i = 0; i < TURN_CLIENTS; i++) {
        struct turn_client *client = &server->clients[i];
        if (client->seen.family != AHOY_NO_FAMILY && now_ms >= client->until_ms)
            *client = (struct turn_client){ .until_ms = 0 };
        if (ahoy_ip_equal(&client->seen, seen))
            return client;
    }
    return NULL;
}

static struct span key_of(const struct turn_server *server, bool is_sha256,
                          uint8_t key[EVP_MAX_MD_SIZE])
{
    char text[200];
    unsigned size = 0;
    int length = snprintf(text, sizeof text, "%.*s:%s:%.*s", (int)server->user.size,
                          server->user.at, realm, (int)server->password.size, server->password.at);
    EVP_Digest(text, (size_t)length, key, &size, is_sha256 ? EVP_sha256() : EVP_md5(), NULL);
    return (struct span){ (const char *)key, size };
}

static void print_nonce(const struct turn_server *server, char text[32])
{
    /* "gAAA" is bit 0 from the left: password algorithms. */
    snprintf(text, 32, "obMatJos2%s-%u", server->has_sha256 ? "gAAA" : "AAAA", server->nonce);
}

static void put_error(uint32_t code, struct ahoy_buf *buf)
{
    ahoy_stun_put(buf, 0x0009, 2);
    ahoy_stun_put(buf, 4, 2);
    ahoy_stun_put(buf, code / 100 << 8 | code % 100, 4);
}

static void put_challenge(const struct turn_server *server, struct ahoy_buf *buf)
{
    char nonce[32];
    print_nonce(server, nonce);
    ahoy_stun_put_attribute(0x0014, ahoy_span(realm), buf);
    ahoy_stun_put_attribute(0x0015, ahoy_span(nonce), buf);
    if (server->has_sha256 && !server->hides_algorithms)
        ahoy_stun_put_attribute(0x8002, SPAN("\0\1\0\0\0\2\0\0"), buf);
}

/* What is wrong with it; 0 for nothing. */
static uint32_t judge(struct turn_server *server, const struct request *request)
{
    char nonce[32];
    uint8_t key[EVP_MAX_MD_SIZE];
    print_nonce(server, nonce);
    if (server->is_open)
        return 0;
    if (request->proof.type == 0)
        return 401;
    assert_true(ahoy_span_equal(request->realm, ahoy_span(realm)));
    if (!ahoy_span_equal(request->nonce, ahoy_span(nonce)))
        return 438;
    assert_int_equal(request->proof.type, server->has_sha256 ? 0x001c : 0x0008);
    assert_int_equal(request->algorithm.size, server->has_sha256 ? 4 : 0);
    if (!ahoy_span_equal(request->user, server->user) ||
        !ahoy_stun_is_whole(request->bytes, &request->proof,
                            key_of(server, server->has_sha256, key)))
        return 401;
    if (server->nonce_uses > 0 && ++server->used == server->nonce_uses) {
        server->nonce++;
        server->used = 0;
    }
    return 0;
}

static struct turn_grant *grant(struct turn_grant *grants, size_t *count,
                                const struct ahoy_ip *peer, uint32_t number)
{
    size_t i = 0;
    while (i < *count && !(number == 0 ? ahoy_ip_equal_host(&grants[i].peer, peer)
                                       : ahoy_ip_equal(&grants[i].peer, peer)))
        i++;
    assert_true(i < TURN_GRANTS);
    *count += i == *count;
    grants[i].peer = *peer;
    return &grants[i];
}

static uint32_t allocate(struct turn_server *server, const struct request *request,
                         const struct ahoy_ip *from, uint64_t now_ms, struct turn_client **client)
{
    assert_int_equal(request->transport, 17);
    assert_int_equal(request->family, from->family == AHOY_IPV6 ? 2 : 0);
    if (server->refuses != 0)
        return server->refuses;
    for (size_t i = 0; *client == NULL && i < TURN_CLIENTS; i++) {
        if (server->clients[i].seen.family == AHOY_NO_FAMILY)
            *client = &server->clients[i];
    }
    if (*client == NULL)
        return 486;
    **client = (struct turn_client){ .seen = *from,
                                     .relayed = server->ip,
                                     .until_ms = now_ms + 1000 * (uint64_t)server->lifetime_s };
    (*client)->relayed.port = server->next_port++;
    return 0;
}

/* Does it; 0, or an error. */
static uint32_t obey(struct turn_server *server, const struct request *request,
                     const struct ahoy_ip *from, uint64_t now_ms, struct turn_client **client)
{
    *client = find_client(server, from, now_ms);
    if (request->method == AHOY_TURN_ALLOCATE)
        return *client != NULL ? 437 : allocate(server, request, from, now_ms, client);
    if (*client == NULL)
        return 437;
    if (request->method == AHOY_TURN_REFRESH) {
        bool is_end = request->has_lifetime && request->lifetime_s == 0;
        server->deleted += is_end;
        (*client)->until_ms = is_end ? 0 : now_ms + 1000 * (uint64_t)server->lifetime_s;
        return 0;
    }
    assert_int_not_equal(request->peer.family, AHOY_NO_FAMILY);
    if (request->method == AHOY_TURN_CHANNEL_BIND && server->refuses_channel != 0)
        return server->refuses_channel;
    if (request->method == AHOY_TURN_CREATE_PERMISSION && server->refuses_permission != 0)
        return server->refuses_permission;
    grant((*client)->permissions, &(*client)->permission_count, &request->peer, 0)->until_ms =
        now_ms + 300000;
    if (request->method == AHOY_TURN_CHANNEL_BIND) {
        assert_in_range(request->channel, 0x4000, 0x4fff);
        struct turn_grant *channel =
            grant((*client)->channels, &(*client)->channel_count, &request->peer, 1);
        if (now_ms < channel->until_ms && channel->number != request->channel)
            return 400;
        channel->number = request->channel;
        channel->until_ms = now_ms + 600000;
    }
    return 0;
}

static void put_success(struct turn_server *server, const struct request *request,
                        const struct turn_client *client, struct ahoy_buf *buf)
{
    struct ahoy_ip relayed = client->relayed;
    if (request->method == AHOY_TURN_ALLOCATE) {
        relayed.port = server->gives_port_zero ? 0 : relayed.port;
        ahoy_stun_put_address(request->bytes, 0x0016, &relayed, buf);
        ahoy_stun_put_address(request->bytes, 0x0020, &client->seen, buf);
    }
    if (request->method == AHOY_TURN_ALLOCATE || request->method == AHOY_TURN_REFRESH) {
        ahoy_stun_put(buf, 0x000d, 2);
        ahoy_stun_put(buf, 4, 2);
        ahoy_stun_put(buf, client->until_ms == 0 ? 0 : server->lifetime_s, 4);
    }
}

static bool answer(struct turn_server *server, const struct request *request,
                   const struct ahoy_ip *from, uint64_t now_ms, struct turn_datagram *out)
{
    struct ahoy_buf buf = ahoy_buf_over(out->bytes, sizeof out->bytes);
    struct turn_client *client = NULL;
    uint8_t key[EVP_MAX_MD_SIZE];
    uint32_t code = judge(server, request);
    bool is_known = code == 0 && !server->is_open;
    if (code == 0)
        code = obey(server, request, from, now_ms, &client);
    ahoy_stun_put(&buf, request->method | (code == 0 ? 0x0100 : 0x0110), 2);
    ahoy_stun_put(&buf, 0, 2);
    ahoy_buf_put(&buf, (struct span){ request->bytes.at + 4, 16 });
    if (code != 0)
        put_error(code, &buf);
    else
        put_success(server, request, client, &buf);
    if (code == 401 || code == 438)
        put_challenge(server, &buf);
    server->counts[request->method] += code == 0;
    ahoy_stun_put_size(&buf, 0);
    if (is_known)
        ahoy_stun_prove(server->has_sha256 ? 0x001c : 0x0008,
                        server->is_liar ? SPAN("?") : key_of(server, server->has_sha256, key),
                        &buf);
    assert_false(buf.overflow);
    out->from = server->ip;
    out->to = *from;
    out->size = buf.size;
    return true;
}

static bool is_permitted(const struct turn_client *client, const struct ahoy_ip *peer,
                         uint64_t now_ms)
{
    for (size_t i = 0; i < client->permission_count; i++) {
        if (ahoy_ip_equal_host(&client->permissions[i].peer, peer))
            return now_ms < client->permissions[i].until_ms;
    }
    return false;
}

/* From a client to a peer. */
static bool hand_out(const struct turn_client *client, const struct ahoy_ip *peer, struct span data,
                     uint64_t now_ms, struct turn_datagram *out)
{
    if (!is_permitted(client, peer, now_ms))
        return false;
    out->from = client->relayed;
    out->to = *peer;
    out->size = data.size;
    assert_true(data.size <= sizeof out->bytes);
    memcpy(out->bytes, data.at, data.size);
    return true;
}

static bool take_channel(struct turn_server *server, const struct turn_client *client,
                         struct span bytes, uint64_t now_ms, struct turn_datagram *out)
{
    const struct span data = { bytes.at + 4, ahoy_stun_number(bytes, 2, 2) };
    assert_true(data.size + 4 <= bytes.size);
    for (size_t i = 0; i < client->channel_count; i++) {
        if (client->channels[i].number == ahoy_stun_number(bytes, 0, 2) &&
            now_ms < client->channels[i].until_ms) {
            server->channel_data++;
            return hand_out(client, &client->channels[i].peer, data, now_ms, out);
        }
    }
    return false;
}

/* From a peer to a client. */
static bool hand_in(const struct turn_server *server, const struct turn_client *client,
                    const struct ahoy_ip *peer, struct span data, uint64_t now_ms,
                    struct turn_datagram *out)
{
    struct ahoy_buf buf = ahoy_buf_over(out->bytes, sizeof out->bytes);
    uint32_t channel = 0;
    if (!is_permitted(client, peer, now_ms))
        return false;
    for (size_t i = 0; i < client->channel_count; i++) {
        if (now_ms < client->channels[i].until_ms && ahoy_ip_equal(&client->channels[i].peer, peer))
            channel = client->channels[i].number;
    }
    if (channel != 0) {
        ahoy_turn_put_channel(channel, data, &buf);
    } else {
        ahoy_stun_put(&buf, 0x0017, 2);
        ahoy_stun_put(&buf, 0, 2);
        ahoy_buf_put(&buf, SPAN("\x21\x12\xa4\x42"
                                "twelve bytes"));
        ahoy_stun_put_address((struct span){ buf.at, 20 }, 0x0012, peer, &buf);
        ahoy_stun_put_attribute(0x0013, data, &buf);
        ahoy_stun_put_size(&buf, 0);
    }
    out->from = server->ip;
    out->to = client->seen;
    out->size = buf.size;
    return !buf.overflow;
}

bool turn_server_step(struct turn_server *server, const struct ahoy_ip *from,
                      const struct ahoy_ip *to, struct span bytes, uint64_t now_ms,
                      struct turn_datagram *out)
{
    struct request request;
    struct turn_client *client = find_client(server, from, now_ms);
    for (size_t i = 0; i < TURN_CLIENTS; i++) {
        if (ahoy_ip_equal(&server->clients[i].relayed, to))
            return now_ms < server->clients[i].until_ms &&
                   hand_in(server, &server->clients[i], from, bytes, now_ms, out);
    }
    if (!ahoy_ip_equal(&server->ip, to))
        return false;
    if (bytes.size >= 4 && (unsigned char)bytes.at[0] >> 6 == 1)
        return client != NULL && take_channel(server, client, bytes, now_ms, out);
    if (!ahoy_stun_is(bytes) || !read_request(bytes, &request))
        return false;
    server->keeps += request.type == 0x0011;
    if (request.type == 0x0016) {
        server->sends++;
        return client != NULL && hand_out(client, &request.peer, request.data, now_ms, out);
    }
    return (request.type & 0x0110) == 0 && request.method != 1 &&
           answer(server, &request, from, now_ms, out);
}
