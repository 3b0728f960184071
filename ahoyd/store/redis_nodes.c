/* Who the masters are is asked again and again, of each node that we have a link to in turn: a
 * failover is noticed whoever dies, within a tenth of a second of the cluster's own decision. */
#include "ahoyd/store/redis_inside.h"

enum {
    MAP_MS = 1000,          /* How often the map is asked for, ... */
    MAP_UNSETTLED_MS = 100, /* ... and while a master is away. */
    GRACE_MS = 1000         /* How long a link to nobody's master is kept. */
};

static bool is_used(const struct redis_link *link)
{
    return link->address.port != 0;
}

static struct redis_link *find_link(struct redis *redis, const struct redis_address *address)
{
    for (size_t i = 0; i < redis->link_count; i++) {
        if (is_used(&redis->links[i]) && redis_address_equal(&redis->links[i].address, address))
            return &redis->links[i];
    }
    return NULL;
}

/* The link to |address|, closed where there was none; NULL where there are too many. */
static struct redis_link *make_link(struct redis *redis, const struct redis_address *address)
{
    struct redis_link *link = find_link(redis, address);
    size_t i = 0;
    if (link != NULL)
        return link;
    while (i < redis->link_count && is_used(&redis->links[i]))
        i++;
    if (i == REDIS_LINKS_LIMIT)
        return NULL;
    if (i == redis->link_count)
        redis->link_count++;
    redis->links[i] = (struct redis_link){ .address = *address };
    return &redis->links[i];
}

struct redis_link *redis_nodes_of_slot(struct redis *redis, uint16_t slot)
{
    uint8_t master = redis->map.master_of[slot];
    if (redis->map.master_count == 0 || master == REDIS_NO_MASTER ||
        redis->link_of[master] >= redis->link_count)
        return NULL;
    return &redis->links[redis->link_of[master]];
}

struct redis_link *redis_nodes_link(struct redis *redis, const struct redis_request *request)
{
    struct redis_link *link = request->is_asked ? make_link(redis, &request->elsewhere)
                                                : redis_nodes_of_slot(redis, request->slot);
    if (link != NULL && link->state == REDIS_LINK_CLOSED && link->retry_ms <= redis->now_ms)
        (void)redis_link_open(link, &redis->url, redis->now_ms); /* Else it is tried again. */
    return link != NULL && link->state == REDIS_LINK_UP ? link : NULL;
}

bool redis_nodes_are_up(const struct redis *redis)
{
    for (size_t i = 0; i < redis->map.master_count; i++) {
        if (redis->link_of[i] >= redis->link_count ||
            redis->links[redis->link_of[i]].state != REDIS_LINK_UP)
            return false;
    }
    return redis->map.master_count > 0;
}

void redis_nodes_close(struct redis *redis, struct redis_link *link, const char *why)
{
    struct shared_requests left;
    if (link->failures == 0)
        ahoy_log_line(redis->log, AHOY_LOG_WARNING, "redis %s:%u: %s", link->address.host,
                      link->address.port, why);
    shared_requests_init(&left);
    redis_link_close(link, &left, redis->now_ms);
    if (link->is_mapped) {
        redis_reading_abandon(redis);
        redis->map_ms = redis->now_ms;
    }
    struct redis_request *request;
    while ((request = shared_requests_take(&left)) != NULL) {
        /* Rows are all read again once there is a watch again. */
        if (request->task == REDIS_TASK_SWAP && !request->base.is_dropped)
            shared_requests_put(&redis->waiting, &request->base);
        else
            redis_forget_request(redis, request);
    }
}

void redis_nodes_take_map(struct redis *redis, const struct redis_link *link,
                          const redisReply *reply)
{
    if (!redis_map_read(&redis->fresh, reply, &link->address))
        return; /* As from a node that does not know the others yet. */
    redis->map = redis->fresh;
    for (size_t i = 0; i < redis->link_count; i++)
        redis->links[i].is_mapped = false;
    for (size_t i = 0; i < redis->map.master_count; i++) {
        struct redis_link *master = make_link(redis, &redis->map.masters[i]);
        redis->link_of[i] = REDIS_NO_MASTER;
        if (master == NULL)
            continue;
        master->is_mapped = true;
        master->replicas = redis->map.replicas[i];
        redis->link_of[i] = (uint8_t)(master - redis->links);
    }
}

static bool is_any_up(const struct redis *redis)
{
    for (size_t i = 0; i < redis->link_count; i++) {
        if (redis->links[i].state == REDIS_LINK_UP)
            return true;
    }
    return false;
}

/* Any node will do to learn of the others. */
static void try_any_node(struct redis *redis)
{
    size_t seeds = redis->url.seed_count;
    size_t place = redis->next_node++ % (seeds + redis->map.node_count);
    struct redis_link *link = make_link(redis, place < seeds ? &redis->url.seeds[place]
                                                             : &redis->map.nodes[place - seeds]);
    if (link != NULL && link->state == REDIS_LINK_CLOSED && link->retry_ms <= redis->now_ms)
        (void)redis_link_open(link, &redis->url, redis->now_ms); /* Else another is tried. */
}

static void ask_map(struct redis *redis)
{
    if (redis->now_ms < redis->map_ms)
        return;
    redis->map_ms = redis->now_ms + (redis_nodes_are_up(redis) ? MAP_MS : MAP_UNSETTLED_MS);
    if (!is_any_up(redis))
        try_any_node(redis);
    for (size_t i = 0; i < redis->link_count; i++) {
        struct redis_link *link = &redis->links[redis->next_asked++ % redis->link_count];
        if (link->state != REDIS_LINK_CLOSED) {
            (void)redis_link_tell(link, REDIS_TASK_MAP, redis->now_ms); /* Or the next time. */
            return;
        }
    }
}

/* Masters are linked to, and those that are none any more, or never were, are let go. */
static void mend(struct redis *redis, struct redis_link *link)
{
    if (!is_used(link))
        return;
    if (link->is_mapped && link->state == REDIS_LINK_CLOSED && redis->now_ms >= link->retry_ms)
        (void)redis_link_open(link, &redis->url, redis->now_ms); /* Else it is tried again. */
    if (link->is_mapped || redis->map.master_count == 0 ||
        redis->now_ms < link->opened_ms + GRACE_MS)
        return;
    link->failures++; /* Nobody needs to know. */
    if (link->state != REDIS_LINK_CLOSED)
        redis_nodes_close(redis, link, "");
    link->address.port = 0;
}

void redis_nodes_step(struct redis *redis, const struct pollfd *fds, size_t count)
{
    for (size_t i = 0; i < redis->link_count && 2 * i + 1 < count; i++) {
        struct redis_link *link = &redis->links[i];
        if (link->state != REDIS_LINK_CLOSED && !redis_link_step(link, &fds[2 * i], redis->now_ms))
            redis_nodes_close(redis, link, "the connection broke, or nothing was answered");
    }
    for (size_t i = 0; i < redis->link_count; i++)
        mend(redis, &redis->links[i]);
    ask_map(redis);
}
