/* A Redis Cluster as the engine of a shared store.  A row is a hash with the fields "version" and
 * "row", changed by one script in one place.  What a change costs where replicas count, and what a
 * failover may lose: docs/cluster.md. */
#include "ahoyd/store/redis_inside.h"
#include "ahoyd/store/shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AGAIN_MS = 20, /* Between two attempts of what could not be done. */
    TICK_MS = 100, /* Between two looks at links that say nothing. */
    PREFIX_SIZE = sizeof REDIS_PREFIX - 1
};

static void *new_redis(const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    const char *why = "memory ran out";
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL || !redis_url_parse(ahoy_span(options->path), &redis->url, &why)) {
        snprintf(fault, fault_size, "the store's URL: %s", why);
        free(redis);
        return NULL;
    }
    redis->log = options->log;
    shared_requests_init(&redis->waiting);
    shared_requests_init(&redis->proved);
    shared_requests_init(&redis->unsafe);
    return redis;
}

void redis_forget_request(struct redis *redis, struct redis_request *request)
{
    if (request->task == REDIS_TASK_ROW)
        redis->looks--;
    shared_request_free(&request->base);
}

static void forget_event(struct redis *redis)
{
    freeReplyObject(redis->reply);
    if (redis->request != NULL)
        redis_forget_request(redis, redis->request);
    redis->reply = NULL;
    redis->request = NULL;
}

static void free_redis(void *engine)
{
    struct redis *redis = engine;
    for (size_t i = 0; i < redis->link_count; i++)
        redis_link_close(&redis->links[i], &redis->waiting, 0);
    shared_requests_free(&redis->waiting);
    shared_requests_free(&redis->proved);
    shared_requests_free(&redis->unsafe);
    forget_event(redis);
    explicit_bzero(&redis->url, sizeof redis->url);
    free(redis);
}

static size_t watch_redis(void *engine, struct pollfd fds[SHARED_FDS_LIMIT])
{
    struct redis *redis = engine;
    for (size_t i = 0; i < redis->link_count; i++) {
        struct redis_link *link = &redis->links[i];
        if (link->state == REDIS_LINK_UP)
            (void)redis_link_wait(link, &redis->url, redis->now_ms); /* Else with the next one. */
        redis_link_watch(link, &fds[2 * i]);
    }
    return 2 * redis->link_count;
}

static uint64_t redis_deadline(void *engine)
{
    const struct redis *redis = engine;
    return redis->now_ms + (redis->waiting.first != NULL ? AGAIN_MS : TICK_MS);
}

static void send_or_wait(struct redis *redis, struct redis_request *request)
{
    struct redis_link *link = redis_nodes_link(redis, request);
    if (link == NULL || !redis_link_send(link, request, redis->now_ms))
        shared_requests_put(&redis->waiting, &request->base);
}

static void try_again(struct redis *redis)
{
    struct shared_requests waiting;
    struct redis_request *request;
    if (redis->now_ms < redis->again_ms)
        return;
    redis->again_ms = redis->now_ms + AGAIN_MS;
    shared_requests_init(&waiting);
    shared_requests_move(&waiting, &redis->waiting);
    while ((request = shared_requests_take(&waiting)) != NULL) {
        if (request->base.is_dropped)
            shared_request_free(&request->base);
        else
            send_or_wait(redis, request);
    }
}

static void step_redis(void *engine, const struct pollfd *fds, size_t count, uint64_t now_ms)
{
    struct redis *redis = engine;
    redis->now_ms = now_ms;
    redis_nodes_step(redis, fds, count);
    try_again(redis);
}

/* The link to the master that has the row of |key|; NULL where there is none. */
static struct redis_link *link_of_key(struct redis *redis, struct span key)
{
    char space[PREFIX_SIZE + SHARED_KEY_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&buf, SPAN(REDIS_PREFIX));
    ahoy_buf_put(&buf, key);
    return redis_nodes_of_slot(redis, redis_slot(ahoy_buf_text(&buf)));
}

static bool ask(struct redis *redis, enum redis_task task, const struct shared_swap *swap)
{
    char space[PREFIX_SIZE + SHARED_KEY_LIMIT];
    struct ahoy_buf key = ahoy_buf_over(space, sizeof space);
    struct shared_swap prefixed = *swap;
    ahoy_buf_put(&key, SPAN(REDIS_PREFIX));
    ahoy_buf_put(&key, swap->row.key);
    prefixed.row.key = ahoy_buf_text(&key);
    struct redis_request *request = redis_request_new(task, &prefixed);
    if (request == NULL)
        return false;
    send_or_wait(redis, request);
    return true;
}

static bool swap_redis(void *engine, const struct shared_swap *swap)
{
    return ask(engine, REDIS_TASK_SWAP, swap);
}

static bool ask_row(struct redis *redis, struct span key)
{
    if (!ask(redis, REDIS_TASK_ROW, &(struct shared_swap){ .row.key = key }))
        return false;
    redis->looks++;
    return true;
}

static bool look_redis(void *engine, struct span key)
{
    struct redis *redis = engine;
    return redis->looks < REDIS_LOOKS_LIMIT && ask_row(redis, key);
}

/* Without a master just now it may be any of them the next moment. */
static void look_or_read_redis(void *engine, struct span key)
{
    struct redis *redis = engine;
    if (look_redis(redis, key))
        return;
    const struct redis_link *link = link_of_key(redis, key);
    for (size_t i = 0; i < redis->link_count; i++)
        redis->links[i].is_unread |= link == NULL || link == &redis->links[i];
}

static void drop_redis(void *engine, uint64_t ticket)
{
    struct redis *redis = engine;
    shared_requests_drop(&redis->waiting, ticket);
    shared_requests_drop(&redis->proved, ticket);
    shared_requests_drop(&redis->unsafe, ticket);
    for (size_t i = 0; i < redis->link_count; i++) {
        if (redis->links[i].state == REDIS_LINK_CLOSED)
            continue;
        shared_requests_drop(&redis->links[i].data.asked, ticket);
        shared_requests_drop(&redis->links[i].unproved, ticket);
    }
}

static bool has_read_redis(void *engine, struct span key)
{
    struct redis *redis = engine;
    const struct redis_link *link = link_of_key(redis, key);
    return link != NULL && link->round == redis->round;
}

/* Reading: one link after the other, as far as their rows may have changed.  Each is read once;
 * what changes there meanwhile, and cannot be asked for, is read the next time. */

void redis_reading_abandon(struct redis *redis)
{
    for (size_t i = 0; redis->read_now != NULL && i < redis->link_count; i++)
        redis->links[i].is_unread |= redis->links[i].round == redis->round;
    redis->read_now = NULL;
}

/* One that was not read in |round|. */
static struct redis_link *find_unread(struct redis *redis, uint64_t round)
{
    for (size_t i = 0; i < redis->link_count; i++) {
        struct redis_link *link = &redis->links[i];
        if (link->is_mapped && link->is_unread && link->round != round)
            return link;
    }
    return NULL;
}

/* Goes on to the next link; false where it was the last. */
static bool read_next(struct redis *redis)
{
    struct redis_link *link = find_unread(redis, redis->round);
    redis->read_now = link;
    if (link == NULL)
        return false;
    link->round = redis->round;
    link->is_unread = false;
    if (!redis_link_scan(link, "0", redis->now_ms))
        redis_nodes_close(redis, link, "memory ran out");
    return true;
}

static bool begin_reading(struct redis *redis)
{
    if (redis->read_now != NULL || !redis_nodes_are_up(redis) ||
        find_unread(redis, redis->round + 1) == NULL)
        return false;
    redis->round++;
    return read_next(redis);
}

/* The key that |text| is for all but Redis; empty where it is none of ours. */
static struct span key_of(struct span text)
{
    bool is_ours = text.size <= PREFIX_SIZE + SHARED_KEY_LIMIT &&
                   ahoy_span_starts_nocase(text, SPAN(REDIS_PREFIX));
    return is_ours ? ahoy_span_after(text, PREFIX_SIZE) : SPAN("");
}

static bool take_scan(struct redis *redis, struct redis_link *link, const redisReply *reply)
{
    char cursor[24];
    const redisReply *keys;
    if (!redis_reply_scan(reply, cursor, &keys))
        return false;
    for (size_t i = 0; i < keys->elements; i++) {
        struct span key = key_of(redis_reply_text(keys->element[i]));
        if (key.size > 0 && !ask_row(redis, key))
            return false;
    }
    if (strcmp(cursor, "0") != 0)
        return redis_link_scan(link, cursor, redis->now_ms);
    return redis_link_tell(link, REDIS_TASK_SCANNED, redis->now_ms);
}

/* Replies. */

static struct shared_row row_of(const struct redis_request *request)
{
    return (struct shared_row){ .key = ahoy_span_after(request->base.swap.row.key, PREFIX_SIZE) };
}

/* What |remedy| asks for.  Takes |request|. */
static void remedy(struct redis *redis, struct redis_request *request, enum redis_remedy remedy,
                   const struct redis_address *elsewhere)
{
    request->is_asked = remedy == REDIS_ASK;
    if (remedy == REDIS_ASK)
        request->elsewhere = *elsewhere;
    if (remedy == REDIS_PLAIN)
        request->is_plain = true;
    if (remedy == REDIS_REROUTE)
        redis->map_ms = redis->now_ms;
    if (remedy == REDIS_HOPELESS && request->task == REDIS_TASK_SWAP)
        shared_requests_put(&redis->unsafe, &request->base);
    else if (remedy == REDIS_HOPELESS)
        redis_forget_request(redis, request);
    else
        shared_requests_put(&redis->waiting, &request->base);
}

/* Whether |request|, whose reply came by |link|, makes an event.  What is not kept is NULL
 * afterwards. */
static bool take_swap(struct redis *redis, struct redis_link *link, struct redis_request **request,
                      const redisReply *reply, struct shared_event *event)
{
    bool done;
    event->ticket = (*request)->base.swap.ticket;
    event->row = row_of(*request);
    if (!redis_reply_swap(reply, &done, &event->row)) {
        shared_requests_put(&redis->unsafe, &(*request)->base);
        *request = NULL;
        return false;
    }
    event->kind = done ? SHARED_SWAPPED : SHARED_OTHER;
    if (!done || redis->url.wait == 0)
        return !(*request)->base.is_dropped;
    shared_requests_put(&link->unproved, &(*request)->base);
    *request = NULL;
    return false;
}

static void take_wait(struct redis *redis, struct redis_link *link, const redisReply *reply)
{
    bool enough = reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 &&
                  (uint64_t)reply->integer >= redis->request->base.swap.expected;
    shared_requests_move(enough ? &redis->proved : &redis->unsafe, &link->unproved);
}

static bool take_row(const struct redis_request *request, const redisReply *reply,
                     struct shared_event *event)
{
    event->kind = SHARED_ROW;
    event->row = row_of(request);
    if (!redis_reply_row(reply, &event->row)) {
        event->row.version = UINT64_MAX; /* There is something, and nobody can read it. */
        event->row.bytes = SPAN("");
    }
    return true;
}

/* All rows of |link| have come; whether that was the last link. */
static bool end_scan(struct redis *redis, struct redis_link *link, struct shared_event *event)
{
    if (redis->read_now != link)
        return false;
    event->kind = SHARED_READ;
    return !read_next(redis);
}

/* Sets |event| where the reply in redis->reply to redis->request makes one. */
static bool take_reply(struct redis *redis, struct redis_link *link, struct shared_event *event)
{
    struct redis_address elsewhere;
    struct redis_request *request = redis->request;
    const redisReply *reply = redis->reply;
    enum redis_remedy needed = redis_reply_remedy(reply, &elsewhere);
    switch (request->task) {
    case REDIS_TASK_SWAP:
    case REDIS_TASK_ROW:
        if (needed != REDIS_NO_ERROR) {
            redis->request = NULL;
            if (needed == REDIS_HOPELESS)
                ahoy_log_line(redis->log, AHOY_LOG_ERROR, "redis %s:%u: %.200s", link->address.host,
                              link->address.port, reply->str);
            remedy(redis, request, needed, &elsewhere);
            return false;
        }
        return request->task == REDIS_TASK_ROW
                   ? take_row(request, reply, event)
                   : take_swap(redis, link, &redis->request, reply, event);
    case REDIS_TASK_WAIT:
        take_wait(redis, link, reply);
        return false;
    case REDIS_TASK_MAP:
        redis_nodes_take_map(redis, link, reply);
        return false;
    case REDIS_TASK_SCAN:
        if (!take_scan(redis, link, reply))
            redis_nodes_close(redis, link, "a scan was not answered");
        return false;
    case REDIS_TASK_SCANNED:
        return end_scan(redis, link, event);
    case REDIS_TASK_PING:
    case REDIS_TASK_ASKING:
        return false;
    default:
        if (!redis_link_rise(link, request->task, reply, redis->now_ms))
            redis_nodes_close(redis, link,
                              needed == REDIS_NO_ERROR ? "not what Redis answers" : reply->str);
        return false;
    }
}

/* Where there are more of them than can be asked for, all is read again. */
static void look_at_changed(struct redis *redis, struct redis_link *link, const redisReply *keys)
{
    link->is_unread |= keys == NULL;
    for (size_t i = 0; keys != NULL && i < keys->elements; i++) {
        struct span key = key_of(redis_reply_text(keys->element[i]));
        if (key.size > 0 && !look_redis(redis, key))
            link->is_unread = true;
    }
}

/* The next reply of |line|, with the request that it answers; false where there is none.  What
 * was not asked for tells which keys have changed. */
static bool next_reply(struct redis *redis, struct redis_link *link, struct redis_line *line)
{
    bool broken;
    const redisReply *keys;
    while (line->context != NULL) {
        forget_event(redis);
        redis->reply = redis_line_reply(line, &broken);
        if (redis->reply == NULL && !broken)
            return false;
        if (broken) {
            redis_nodes_close(redis, link, "not what Redis answers");
            return false;
        }
        if (line == &link->watch && redis_reply_changed(redis->reply, &keys)) {
            look_at_changed(redis, link, keys);
            continue;
        }
        redis->request = shared_requests_take(&line->asked);
        if (redis->request != NULL)
            return true;
        redis_nodes_close(redis, link, "an answer to nothing");
    }
    return false;
}

/* A swap that has ended with its WAIT. */
static bool next_ended(struct redis *redis, struct shared_event *event)
{
    do {
        forget_event(redis);
        event->kind = SHARED_SWAPPED;
        redis->request = shared_requests_take(&redis->proved);
        if (redis->request == NULL) {
            event->kind = SHARED_REFUSED;
            event->why = "the cluster refuses it, or too few replicas have it";
            redis->request = shared_requests_take(&redis->unsafe);
        }
    } while (redis->request != NULL && redis->request->base.is_dropped);
    if (redis->request == NULL)
        return false;
    event->ticket = redis->request->base.swap.ticket;
    return true;
}

static bool redis_event(void *engine, struct shared_event *event)
{
    struct redis *redis = engine;
    if (next_ended(redis, event))
        return true;
    for (size_t i = 0; i < redis->link_count; i++) {
        struct redis_link *link = &redis->links[redis->next_link % redis->link_count];
        while (next_reply(redis, link, &link->data) || next_reply(redis, link, &link->watch)) {
            if (take_reply(redis, link, event))
                return true;
        }
        redis->next_link++;
    }
    if (next_ended(redis, event))
        return true;
    event->kind = SHARED_READING;
    return begin_reading(redis);
}

const struct shared_engine redis_engine = {
    .new = new_redis,
    .free = free_redis,
    .watch = watch_redis,
    .deadline = redis_deadline,
    .step = step_redis,
    .event = redis_event,
    .swap = swap_redis,
    .drop = drop_redis,
    .look = look_redis,
    .look_or_read = look_or_read_redis,
    .has_read = has_read_redis,
};

static bool open_redis(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       char *fault, size_t fault_size)
{
    return shared_open(store, options, &redis_engine, fault, fault_size);
}

const struct backend redis_backend = {
    .kind = AHOYD_STORE_REDIS,
    .open = open_redis,
    .submit = shared_submit,
    .close = shared_close,
};
