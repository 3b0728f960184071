/* One allocation a request: the engine's struct, then its texts. */
#include "ahoyd/store/shared_requests.h"

#include <stdlib.h>
#include <string.h>

static struct span keep(char **at, struct span text)
{
    struct span kept = { *at, text.size };
    if (text.size > 0)
        memcpy(*at, text.at, text.size);
    *at += text.size;
    return kept;
}

void *shared_request_new(size_t size, bool is_swap, const struct shared_swap *swap)
{
    struct shared_request *request = calloc(1, size + swap->row.key.size + swap->row.bytes.size);
    if (request == NULL)
        return NULL;
    char *at = (char *)request + size;
    request->is_swap = is_swap;
    request->swap = *swap;
    request->swap.row.key = keep(&at, swap->row.key);
    request->swap.row.bytes = keep(&at, swap->row.bytes);
    return request;
}

void shared_request_free(struct shared_request *request)
{
    if (request == NULL)
        return;
    const struct shared_row *row = &request->swap.row;
    explicit_bzero((char *)(uintptr_t)row->key.at, row->key.size + row->bytes.size);
    free(request);
}

void shared_requests_init(struct shared_requests *requests)
{
    requests->first = NULL;
    requests->last = &requests->first;
}

void shared_requests_put(struct shared_requests *requests, struct shared_request *request)
{
    request->next = NULL;
    *requests->last = request;
    requests->last = &request->next;
}

void *shared_requests_take(struct shared_requests *requests)
{
    struct shared_request *request = requests->first;
    if (request == NULL)
        return NULL;
    requests->first = request->next;
    if (requests->first == NULL)
        requests->last = &requests->first;
    return request;
}

void shared_requests_move(struct shared_requests *requests, struct shared_requests *from)
{
    if (from->first == NULL)
        return;
    *requests->last = from->first;
    requests->last = from->last;
    shared_requests_init(from);
}

void shared_requests_drop(struct shared_requests *requests, uint64_t ticket)
{
    for (struct shared_request *at = requests->first; at != NULL; at = at->next)
        at->is_dropped |= at->is_swap && at->swap.ticket == ticket;
}

void shared_requests_free(struct shared_requests *requests)
{
    struct shared_request *request;
    while ((request = shared_requests_take(requests)) != NULL)
        shared_request_free(request);
}
