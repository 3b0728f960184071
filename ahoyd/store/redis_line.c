/* hiredis holds the bytes of both ways; the socket is ours to poll. */
#include "ahoyd/store/redis_line.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_LIMIT = sizeof((struct redis_words *)0)->list / sizeof(struct span) };

struct redis_request *redis_request_new(enum redis_task task, const struct shared_swap *swap)
{
    struct redis_request *request =
        shared_request_new(sizeof *request, task == REDIS_TASK_SWAP, swap);
    if (request == NULL)
        return NULL;
    request->task = task;
    request->slot = redis_slot(swap->row.key);
    return request;
}

bool redis_line_open(struct redis_line *line, const struct redis_address *address, uint64_t now_ms)
{
    shared_requests_init(&line->asked);
    line->heard_ms = now_ms;
    line->is_sending = false;
    line->context = redisConnectNonBlock(address->host, address->port);
    if (line->context != NULL && line->context->err == 0)
        return true;
    redisFree(line->context);
    line->context = NULL;
    return false;
}

void redis_line_close(struct redis_line *line, struct shared_requests *left)
{
    if (line->context == NULL)
        return;
    redisFree(line->context);
    line->context = NULL;
    shared_requests_move(left, &line->asked);
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
    shared_requests_put(&line->asked, &request->base);
    return true;
}

bool redis_line_tell(struct redis_line *line, enum redis_task task, const struct redis_words *words,
                     uint64_t now_ms)
{
    const struct shared_swap nothing = { 0 };
    struct redis_request *request = redis_request_new(task, &nothing);
    if (request != NULL && redis_line_ask(line, request, words, now_ms))
        return true;
    shared_request_free(&request->base);
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
