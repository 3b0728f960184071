/* One connection to a process of Redis: commands go out in a pipeline, replies come back in their
 * order.  Nothing here waits. */
#pragma once

#include <poll.h>

#include "ahoyd/store/redis_reply.h"
#include "ahoyd/store/shared_requests.h"

#define REDIS_PREFIX "ahoy:" /* Of every key that is ours. */

/* What a command was for. */
enum redis_task {
    REDIS_TASK_LOGIN,
    REDIS_TASK_PING,
    REDIS_TASK_MAP,
    REDIS_TASK_SCRIPT,    /* Our script is loaded. */
    REDIS_TASK_NUMBER,    /* Of the watch: what it is called. */
    REDIS_TASK_SUBSCRIBE, /* The watch listens. */
    REDIS_TASK_TRACKING,  /* What changes is told to the watch. */
    REDIS_TASK_ASKING,
    REDIS_TASK_SWAP,
    REDIS_TASK_ROW,
    REDIS_TASK_SCAN,
    REDIS_TASK_SCANNED, /* All rows that were scanned have come. */
    REDIS_TASK_WAIT     /* The replicas have what was swapped before it. */
};

/* A command that waits for its reply; of SWAP and ROW, or until it can be sent. */
struct redis_request {
    struct shared_request base;
    enum redis_task task;
    bool is_plain; /* The script goes along. */
    bool is_asked; /* It goes to |elsewhere|, for this once. */
    struct redis_address elsewhere;
    uint16_t slot;
};

/* NULL where memory is refused. */
struct redis_request *redis_request_new(enum redis_task task, const struct shared_swap *swap);

struct redis_line {
    redisContext *context; /* NULL: closed. */
    bool is_sending;       /* There is more to write. */
    uint64_t heard_ms;     /* When it last was known to be alive. */
    struct shared_requests asked;
};

/* False where it cannot even be begun. */
bool redis_line_open(struct redis_line *line, const struct redis_address *address, uint64_t now_ms);
/* What waited for a reply goes to |left|. */
void redis_line_close(struct redis_line *line, struct shared_requests *left);

/* One word of a command, and how many. */
struct redis_words {
    size_t count;
    struct span list[12];
};

/* Sends a command soon; |request| is owned by the line until its reply is taken.  False where
 * memory is refused: the caller still owns it. */
bool redis_line_ask(struct redis_line *line, struct redis_request *request,
                    const struct redis_words *words, uint64_t now_ms);
/* The same where the task says it all. */
bool redis_line_tell(struct redis_line *line, enum redis_task task, const struct redis_words *words,
                     uint64_t now_ms);

void redis_line_watch(const struct redis_line *line, struct pollfd *fd);
/* Reads and writes what can be.  False where the connection has ended. */
bool redis_line_step(struct redis_line *line, const struct pollfd *fd, uint64_t now_ms);
/* Takes the next reply, which the caller frees with freeReplyObject.  NULL where there is none;
 * |broken| where no Redis would have sent it. */
redisReply *redis_line_reply(struct redis_line *line, bool *broken);
