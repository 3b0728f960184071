/* Errors begin with a word in capitals; what comes behind it is for people, but of MOVED and ASK. */
#include "ahoyd/store/redis_reply.h"

#include <string.h>

enum { CURSOR_LIMIT = 24 };

static const struct {
    struct span word;
    enum redis_remedy remedy;
} remedies[] = {
    { SPAN_INIT("MOVED "), REDIS_REROUTE },     { SPAN_INIT("READONLY "), REDIS_REROUTE },
    { SPAN_INIT("ASK "), REDIS_ASK },           { SPAN_INIT("TRYAGAIN "), REDIS_AGAIN },
    { SPAN_INIT("CLUSTERDOWN "), REDIS_AGAIN }, { SPAN_INIT("LOADING "), REDIS_AGAIN },
    { SPAN_INIT("MASTERDOWN "), REDIS_AGAIN },  { SPAN_INIT("BUSY "), REDIS_AGAIN },
    { SPAN_INIT("NOREPLICAS "), REDIS_AGAIN },  { SPAN_INIT("NOSCRIPT "), REDIS_PLAIN },
};

struct span redis_reply_text(const redisReply *reply)
{
    bool has_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
                    reply->type == REDIS_REPLY_ERROR;
    return has_text ? (struct span){ reply->str, reply->len } : SPAN("");
}

/* "ASK 3999 127.0.0.1:6381" */
static bool read_address(struct span text, struct redis_address *address)
{
    uint64_t port;
    size_t colon = text.size;
    size_t space = ahoy_span_find(text, ' ');
    text = ahoy_span_after(text, space < text.size ? space + 1 : space);
    space = ahoy_span_find(text, ' ');
    text = ahoy_span_after(text, space < text.size ? space + 1 : space);
    for (colon = text.size; colon > 0 && text.at[colon - 1] != ':';)
        colon--;
    return colon > 0 && ahoy_span_number(ahoy_span_after(text, colon), UINT16_MAX, &port) &&
           redis_address_set(address, (struct span){ text.at, colon - 1 }, (long long)port);
}

enum redis_remedy redis_reply_remedy(const redisReply *reply, struct redis_address *address)
{
    if (reply->type != REDIS_REPLY_ERROR)
        return REDIS_NO_ERROR;
    struct span text = redis_reply_text(reply);
    for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++) {
        if (!ahoy_span_starts_nocase(text, remedies[i].word))
            continue;
        if (remedies[i].remedy == REDIS_ASK && !read_address(text, address))
            return REDIS_AGAIN;
        return remedies[i].remedy;
    }
    return REDIS_HOPELESS;
}

bool redis_reply_row(const redisReply *reply, struct shared_row *row)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
        return false;
    const redisReply *version = reply->element[0], *bytes = reply->element[1];
    row->version = 0;
    row->bytes = SPAN("");
    if (version->type == REDIS_REPLY_NIL)
        return true;
    row->bytes = redis_reply_text(bytes);
    return bytes->type == REDIS_REPLY_STRING && row->bytes.size <= SHARED_BYTES_LIMIT &&
           ahoy_span_number(redis_reply_text(version), UINT64_MAX, &row->version) &&
           row->version != 0;
}

bool redis_reply_swap(const redisReply *reply, bool *done, struct shared_row *row)
{
    *done = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    return *done || redis_reply_row(reply, row);
}

bool redis_reply_scan(const redisReply *reply, char cursor[CURSOR_LIMIT], const redisReply **keys)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[1]->type != REDIS_REPLY_ARRAY)
        return false;
    struct span text = redis_reply_text(reply->element[0]);
    if (text.size == 0 || text.size >= CURSOR_LIMIT)
        return false;
    memcpy(cursor, text.at, text.size);
    cursor[text.size] = '\0';
    *keys = reply->element[1];
    return true;
}

bool redis_reply_changed(const redisReply *reply, const redisReply **keys)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
        !ahoy_span_equal(redis_reply_text(reply->element[0]), SPAN("message")))
        return false;
    *keys = reply->element[2]->type == REDIS_REPLY_ARRAY ? reply->element[2] : NULL;
    return true;
}
