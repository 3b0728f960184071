/* The way up: log in on both, learn the number of the watch, let it listen, and have all keys of
 * ours that change told to it.  From then on nothing is missed, and all may be read. */
#include "ahoyd/store/redis_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    PING_MS = 500,     /* After so long without a word we ask for one. */
    SILENCE_MS = 1500, /* After so long without an answer nobody is there: more than WAIT takes. */
    RETRY_MS = 100,    /* Doubled with every failure, up to ... */
    RETRY_MOST_MS = 1600
};

/* Compares and sets one row.  What is found done already was done by an earlier attempt. */
static const char script[] = "local row = redis.call('HMGET', KEYS[1], 'version', 'row') "
                             "local version = row[1] or '0' "
                             "if version == ARGV[2] then return 1 end "
                             "if version ~= ARGV[1] then return row end "
                             "if ARGV[3] == '' then redis.call('DEL', KEYS[1]) return 1 end "
                             "redis.call('HSET', KEYS[1], 'version', ARGV[2], 'row', ARGV[3]) "
                             "if ARGV[4] == '0' then redis.call('PERSIST', KEYS[1]) "
                             "else redis.call('PEXPIREAT', KEYS[1], ARGV[4]) end "
                             "return 1";

#define WORDS(...)                                                                                 \
    (struct redis_words)                                                                           \
    {                                                                                              \
        sizeof((struct span[]){ __VA_ARGS__ }) / sizeof(struct span),                              \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static bool log_in(struct redis_line *line, const struct redis_url *url, uint64_t now_ms)
{
    const struct redis_words named =
        WORDS(SPAN("AUTH"), ahoy_span(url->user), ahoy_span(url->password));
    const struct redis_words unnamed = WORDS(SPAN("AUTH"), ahoy_span(url->password));
    if (url->password[0] == '\0')
        return true;
    return redis_line_tell(line, REDIS_TASK_LOGIN, url->user[0] != '\0' ? &named : &unnamed,
                           now_ms);
}

static bool begin(struct redis_link *link, const struct redis_url *url, uint64_t now_ms)
{
    const struct redis_words load = WORDS(SPAN("SCRIPT"), SPAN("LOAD"), ahoy_span(script));
    const struct redis_words number = WORDS(SPAN("CLIENT"), SPAN("ID"));
    const struct redis_words subscribe = WORDS(SPAN("SUBSCRIBE"), SPAN("__redis__:invalidate"));
    return redis_line_open(&link->data, &link->address, now_ms) &&
           redis_line_open(&link->watch, &link->address, now_ms) &&
           log_in(&link->data, url, now_ms) && log_in(&link->watch, url, now_ms) &&
           redis_line_tell(&link->data, REDIS_TASK_SCRIPT, &load, now_ms) &&
           redis_line_tell(&link->watch, REDIS_TASK_NUMBER, &number, now_ms) &&
           redis_line_tell(&link->watch, REDIS_TASK_SUBSCRIBE, &subscribe, now_ms);
}

bool redis_link_open(struct redis_link *link, const struct redis_url *url, uint64_t now_ms)
{
    struct shared_requests left;
    link->state = REDIS_LINK_OPENING;
    link->opened_ms = now_ms;
    link->is_listening = link->is_tracking = link->owes_wait = false;
    link->script[0] = '\0';
    shared_requests_init(&link->unproved);
    if (begin(link, url, now_ms))
        return true;
    shared_requests_init(&left);
    redis_link_close(link, &left, now_ms);
    shared_requests_free(&left);
    return false;
}

void redis_link_close(struct redis_link *link, struct shared_requests *left, uint64_t now_ms)
{
    uint64_t pause_ms = RETRY_MOST_MS;
    if (link->failures < 4)
        pause_ms = (uint64_t)RETRY_MS << link->failures;
    link->failures++;
    link->retry_ms = now_ms + pause_ms;
    link->state = REDIS_LINK_CLOSED;
    redis_line_close(&link->data, left);
    redis_line_close(&link->watch, left);
    shared_requests_move(left, &link->unproved);
}

void redis_link_watch(const struct redis_link *link, struct pollfd fds[2])
{
    redis_line_watch(&link->data, &fds[0]);
    redis_line_watch(&link->watch, &fds[1]);
}

static bool is_alive(struct redis_line *line, uint64_t now_ms)
{
    const struct redis_words ping = WORDS(SPAN("PING"));
    if (line->asked.first != NULL)
        return now_ms < line->heard_ms + SILENCE_MS;
    return now_ms < line->heard_ms + PING_MS ||
           redis_line_tell(line, REDIS_TASK_PING, &ping, now_ms);
}

bool redis_link_step(struct redis_link *link, const struct pollfd fds[2], uint64_t now_ms)
{
    return redis_line_step(&link->data, &fds[0], now_ms) &&
           redis_line_step(&link->watch, &fds[1], now_ms) && is_alive(&link->data, now_ms) &&
           is_alive(&link->watch, now_ms);
}

/* Everything that changes, for nothing is read one by one: no table of who knows what is kept
 * there. */
static bool track(struct redis_link *link, long long watch, uint64_t now_ms)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", watch);
    const struct redis_words words =
        WORDS(SPAN("CLIENT"), SPAN("TRACKING"), SPAN("ON"), SPAN("REDIRECT"), ahoy_span(number),
              SPAN("BCAST"), SPAN("PREFIX"), SPAN(REDIS_PREFIX));
    return redis_line_tell(&link->data, REDIS_TASK_TRACKING, &words, now_ms);
}

static bool rise(struct redis_link *link, enum redis_task task, const redisReply *reply,
                 uint64_t now_ms)
{
    struct span text = redis_reply_text(reply);
    switch (task) {
    case REDIS_TASK_SCRIPT:
        if (text.size != sizeof link->script - 1)
            return false;
        memcpy(link->script, text.at, text.size);
        link->script[text.size] = '\0';
        return true;
    case REDIS_TASK_NUMBER:
        return reply->type == REDIS_REPLY_INTEGER && track(link, reply->integer, now_ms);
    case REDIS_TASK_SUBSCRIBE:
        link->is_listening = true;
        return reply->type == REDIS_REPLY_ARRAY;
    case REDIS_TASK_TRACKING:
        link->is_tracking = true;
        return true;
    default: /* LOGIN */
        return true;
    }
}

bool redis_link_rise(struct redis_link *link, enum redis_task task, const redisReply *reply,
                     uint64_t now_ms)
{
    if (reply->type == REDIS_REPLY_ERROR || !rise(link, task, reply, now_ms))
        return false;
    if (link->state == REDIS_LINK_OPENING && link->is_listening && link->is_tracking &&
        link->script[0] != '\0') {
        link->state = REDIS_LINK_UP;
        link->is_unread = true;
        link->failures = 0;
    }
    return true;
}

static bool ask_swap(struct redis_link *link, struct redis_request *request, uint64_t now_ms)
{
    const struct shared_swap *swap = &request->base.swap;
    char expected[24], version[24], until[24];
    snprintf(expected, sizeof expected, "%" PRIu64, swap->expected);
    snprintf(version, sizeof version, "%" PRIu64, swap->row.version);
    snprintf(until, sizeof until, "%" PRIu64, swap->until_ms);
    const struct redis_words words =
        WORDS(request->is_plain ? SPAN("EVAL") : SPAN("EVALSHA"),
              ahoy_span(request->is_plain ? script : link->script), SPAN("1"), swap->row.key,
              ahoy_span(expected), ahoy_span(version), swap->row.bytes, ahoy_span(until));
    return redis_line_ask(&link->data, request, &words, now_ms);
}

bool redis_link_send(struct redis_link *link, struct redis_request *request, uint64_t now_ms)
{
    const struct redis_words asking = WORDS(SPAN("ASKING"));
    const struct redis_words row =
        WORDS(SPAN("HMGET"), request->base.swap.row.key, SPAN("version"), SPAN("row"));
    if (request->is_asked && !redis_line_tell(&link->data, REDIS_TASK_ASKING, &asking, now_ms))
        return false;
    if (request->task == REDIS_TASK_ROW)
        return redis_line_ask(&link->data, request, &row, now_ms);
    link->owes_wait = true;
    return ask_swap(link, request, now_ms);
}

bool redis_link_tell(struct redis_link *link, enum redis_task task, uint64_t now_ms)
{
    const struct redis_words map = WORDS(SPAN("CLUSTER"), SPAN("SLOTS"));
    const struct redis_words mark = WORDS(SPAN("PING"));
    return redis_line_tell(&link->data, task, task == REDIS_TASK_MAP ? &map : &mark, now_ms);
}

bool redis_link_scan(struct redis_link *link, const char *cursor, uint64_t now_ms)
{
    const struct redis_words words = WORDS(SPAN("SCAN"), ahoy_span(cursor), SPAN("MATCH"),
                                           SPAN(REDIS_PREFIX "*"), SPAN("COUNT"), SPAN("500"));
    return redis_line_tell(&link->data, REDIS_TASK_SCAN, &words, now_ms);
}

bool redis_link_wait(struct redis_link *link, const struct redis_url *url, uint64_t now_ms)
{
    char count[24], time[24];
    const struct shared_swap wanted = {
        .expected = link->replicas < url->wait ? link->replicas : url->wait,
    };
    if (!link->owes_wait || url->wait == 0)
        return true;
    snprintf(count, sizeof count, "%" PRIu64, wanted.expected);
    snprintf(time, sizeof time, "%u", url->wait_ms);
    const struct redis_words words = WORDS(SPAN("WAIT"), ahoy_span(count), ahoy_span(time));
    struct redis_request *request = redis_request_new(REDIS_TASK_WAIT, &wanted);
    link->owes_wait = request == NULL || !redis_line_ask(&link->data, request, &words, now_ms);
    if (link->owes_wait)
        shared_request_free(&request->base);
    return !link->owes_wait;
}
