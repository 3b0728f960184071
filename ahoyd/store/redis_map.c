/* Slots are CRC16 (XMODEM) of the key: Redis Cluster Specification, "Key distribution model". */
#include "ahoyd/store/redis_map.h"

#include <string.h>
#include <strings.h>

static uint16_t crc16(struct span text)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < text.size; i++) {
        crc ^= (uint16_t)((unsigned char)text.at[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

uint16_t redis_slot(struct span key)
{
    size_t open = ahoy_span_find(key, '{');
    if (open < key.size) {
        struct span tag = ahoy_span_after(key, open + 1);
        size_t end = ahoy_span_find(tag, '}');
        if (end > 0 && end < tag.size)
            key = (struct span){ tag.at, end };
    }
    return crc16(key) % REDIS_SLOTS;
}

bool redis_address_equal(const struct redis_address *a, const struct redis_address *b)
{
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

bool redis_address_set(struct redis_address *address, struct span host, long long port)
{
    if (host.size == 0 || host.size > REDIS_HOST_LIMIT || port <= 0 || port > UINT16_MAX ||
        memchr(host.at, '\0', host.size) != NULL)
        return false;
    memcpy(address->host, host.at, host.size);
    address->host[host.size] = '\0';
    address->port = (uint16_t)port;
    return true;
}

/* [host, port, ...]; without a host it is the one that was asked. */
static bool read_node(const redisReply *node, const struct redis_address *asked,
                      struct redis_address *address)
{
    if (node->type != REDIS_REPLY_ARRAY || node->elements < 2 ||
        node->element[1]->type != REDIS_REPLY_INTEGER)
        return false;
    const redisReply *host = node->element[0];
    struct span name = ahoy_span(asked->host);
    if (host->type == REDIS_REPLY_STRING && host->len > 0)
        name = (struct span){ host->str, host->len };
    else if (host->type != REDIS_REPLY_STRING && host->type != REDIS_REPLY_NIL)
        return false;
    return redis_address_set(address, name, node->element[1]->integer);
}

/* The place of |address| in a list to which it is added where it is not there; |limit| where it is
 * full. */
static size_t place_of(struct redis_address *list, size_t *count, size_t limit,
                       const struct redis_address *address)
{
    for (size_t i = 0; i < *count; i++) {
        if (redis_address_equal(&list[i], address))
            return i;
    }
    if (*count == limit)
        return limit;
    list[*count] = *address;
    return (*count)++;
}

/* [first, last, master, replica ...] */
static bool read_range(struct redis_map *map, const redisReply *range,
                       const struct redis_address *asked)
{
    struct redis_address address;
    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 ||
        range->element[0]->type != REDIS_REPLY_INTEGER ||
        range->element[1]->type != REDIS_REPLY_INTEGER)
        return false;
    long long first = range->element[0]->integer, last = range->element[1]->integer;
    if (first < 0 || last < first || last >= REDIS_SLOTS ||
        !read_node(range->element[2], asked, &address))
        return false;
    size_t master = place_of(map->masters, &map->master_count, REDIS_MASTERS_LIMIT, &address);
    if (master == REDIS_MASTERS_LIMIT)
        return false;
    memset(map->master_of + first, (int)master, (size_t)(last - first) + 1);
    for (size_t i = 2; i < range->elements; i++) {
        if (read_node(range->element[i], asked, &address))
            (void)place_of(map->nodes, &map->node_count, REDIS_NODES_LIMIT, &address); /* As far
                                                                                          as fit. */
    }
    return true;
}

bool redis_map_read(struct redis_map *map, const redisReply *reply,
                    const struct redis_address *asked)
{
    memset(map, 0, sizeof *map);
    memset(map->master_of, REDIS_NO_MASTER, sizeof map->master_of);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements == 0)
        return false;
    for (size_t i = 0; i < reply->elements; i++) {
        if (!read_range(map, reply->element[i], asked))
            return false;
    }
    return true;
}
