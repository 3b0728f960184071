/* hiredis holds the bytes of both ways; the socket is ours to poll. */
#include "ahoyd/store/redis_line.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_LIMIT = sizeof((struct redis_words *)0)->list / sizeof(struct span) };

void redis_requests_init(struct redis_requests *requests)
{
    requests->first = NULL;
    requests->last = &requests->first;
}

void redis_requests_put(struct redis_requests *requests, struct redis_request *request)
{
    request->next = NULL;
    *requests->last = request;
    requests->last = &request->next;
}

struct redis_request *redis_requests_take(struct redis_requests *requests)
{
    struct redis_request *request = requests->first;
    if (request == NULL)
        return NULL;
    requests->first = request->next;
    if (requests->first == NULL)
        requests->last = &requests->first;
    return request;
}

void redis_requests_move(struct redis_requests *requests, struct redis_requests *from)
{
    if (from->first == NULL)
        return;
    *requests->last = from->first;
    requests->last = from->last;
    redis_requests_init(from);
}

void redis_requests_free(struct redis_requests *requests)
{
    struct redis_request *request;
    while ((request = redis_requests_take(requests)) != NULL)
        redis_request_free(request);
}

static struct span keep(char **at, struct span text)
{
    struct span kept = { *at, text.size };
    if (text.size > 0)
        memcpy(*at, text.at, text.size);
    *at += text.size;
    return kept;
}

struct redis_request *redis_request_new(enum redis_task task, const struct shared_swap *swap)
{
    size_t size = swap->row.key.size + swap->row.bytes.size;
    struct redis_request *request = calloc(1, sizeof *request + size);
    if (request == NULL)
        return NULL;
    char *at = request->text;
    request->task = task;
    request->swap = *swap;
    request->swap.row.key = keep(&at, swap->row.key);
    request->swap.row.bytes = keep(&at, swap->row.bytes);
    request->slot = redis_slot(swap->row.key);
    return request;
}

void redis_request_free(struct redis_request *request)
{
    if (request == NULL)
        return;
    explicit_bzero(request->text, request->swap.row.key.size + request->swap.row.bytes.size);
    free(request);
}

bool redis_line_open(struct redis_line *line, const struct redis_address *address, uint64_t now_ms)
{
    redis_requests_init(&line->asked);
    line->heard_ms = now_ms;
    line->is_sending = false;
    line->context = redisConnectNonBlock(address->host, address->port);
    if (line->context != NULL && line->context->err == 0)
        return true;
    redisFree(line->context);
    line->context = NULL;
    return false;
}

void redis_line_close(struct redis_line *line, struct redis_requests *left)
{
    if (line->context == NULL)
        return;
    redisFree(line->context);
    line->context = NULL;
    redis_requests_move(left, &line->asked);
}

bool redis_line_ask(struct redis_line *line, struct redis_request *request,
                    const struct redis_words *words, uint64_t now_ms)
{
    const char *at[WORDS_LIMIT];
    size_t sizes[WORDS_LIMIT];
    for (size_t i = 0; i < words->count; i++) {
        at[i] = words->list[i].at;
        sizes[i] = words->list[i].size;
    }
    if (redisAppendCommandArgv(line->context, (int)words->count, at, sizes) != REDIS_OK)
        return false;
    if (line->asked.first == NULL)
        line->heard_ms = now_ms; /* Silence counts from here. */
    line->is_sending = true;
    redis_requests_put(&line->asked, request);
    return true;
}

bool redis_line_tell(struct redis_line *line, enum redis_task task, const struct redis_words *words,
                     uint64_t now_ms)
{
    const struct shared_swap nothing = { 0 };
    struct redis_request *request = redis_request_new(task, &nothing);
    if (request != NULL && redis_line_ask(line, request, words, now_ms))
        return true;
    redis_request_free(request);
    return false;
}

void redis_line_watch(const struct redis_line *line, struct pollfd *fd)
{
    fd->fd = line->context != NULL ? line->context->fd : -1;
    fd->events = (short)(POLLIN | (line->is_sending ? POLLOUT : 0));
    fd->revents = 0;
}

bool redis_line_step(struct redis_line *line, const struct pollfd *fd, uint64_t now_ms)
{
    int done = 1;
    if (fd->revents == 0)
        return true;
    if ((fd->revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
        if (redisBufferRead(line->context) != REDIS_OK)
            return false;
        line->heard_ms = now_ms;
    }
    if ((fd->revents & POLLOUT) != 0) {
        if (redisBufferWrite(line->context, &done) != REDIS_OK)
            return false;
        line->is_sending = done == 0;
    }
    return true;
}

redisReply *redis_line_reply(struct redis_line *line, bool *broken)
{
    void *reply = NULL;
    *broken = redisGetReplyFromReader(line->context, &reply) != REDIS_OK;
    return reply;
}
