/* What a node has to one master of the cluster: a connection for commands, and one that listens to
 * which keys have changed there (CLIENT TRACKING of RESP2, which needs two). */
#pragma once

#include "ahoyd/store/redis_line.h"

enum redis_link_state {
    REDIS_LINK_CLOSED,
    REDIS_LINK_OPENING,
    REDIS_LINK_UP /* Commands are answered, and what changes is told. */
};

struct redis_link {
    struct redis_address address;
    enum redis_link_state state;
    bool is_mapped; /* It has slots. */
    bool is_unread; /* Its rows may be others than we know. */
    uint64_t round; /* Of the last reading that came by here. */
    uint64_t opened_ms;
    uint64_t retry_ms; /* When it may be opened again. */
    unsigned failures; /* In a row. */
    struct redis_line data, watch;
    bool is_listening, is_tracking;  /* On the way up. */
    char script[41];                 /* The name of ours there; empty: not loaded yet. */
    uint8_t replicas;                /* That the cluster says live. */
    bool owes_wait;                  /* Something was swapped since the last WAIT. */
    struct shared_requests unproved; /* Swapped, and replicas have not been counted yet. */
};

/* Begins with what a link begins with.  False where it cannot: it stays closed for a while. */
bool redis_link_open(struct redis_link *link, const struct redis_url *url, uint64_t now_ms);
/* What waited for a reply goes to |left|. */
void redis_link_close(struct redis_link *link, struct shared_requests *left, uint64_t now_ms);

/* Two descriptors. */
void redis_link_watch(const struct redis_link *link, struct pollfd fds[2]);
/* False where it is to be closed: it broke, or has been silent for too long. */
bool redis_link_step(struct redis_link *link, const struct pollfd fds[2], uint64_t now_ms);
/* Takes a reply on the way up; false where it is none that leads there. */
bool redis_link_rise(struct redis_link *link, enum redis_task task, const redisReply *reply,
                     uint64_t now_ms);

/* Sends a SWAP or a ROW; false where memory is refused, and the caller still owns it. */
bool redis_link_send(struct redis_link *link, struct redis_request *request, uint64_t now_ms);
/* Sends what |task| of MAP and SCANNED says. */
bool redis_link_tell(struct redis_link *link, enum redis_task task, uint64_t now_ms);
bool redis_link_scan(struct redis_link *link, const char *cursor, uint64_t now_ms);
/* Counts the replicas that have what was swapped since the last time, where |url| wants that: as
 * many as it wants, as far as there are so many.  That number is "expected" of the request. */
bool redis_link_wait(struct redis_link *link, const struct redis_url *url, uint64_t now_ms);
