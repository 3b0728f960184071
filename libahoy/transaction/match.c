/* RFC 3261 17.1.3, 17.2.3 and 9.2.
 *
 * A hash of strangers' bytes is keyed, and what it finds is compared in full.  It ignores case, so
 * that two keys which are equal by the rules of their fields always meet in one bucket. */
#include "libahoy/transaction/match.h"

#include <assert.h>

#include "libahoy/base/unset.h"

/* A part's size is packed into 16 bits. */
_Static_assert(AHOY_LINE_LIMIT <= UINT16_MAX, "every part stands in one line");

enum { COOKIE_SIZE = sizeof AHOY_BRANCH_COOKIE - 1 };

static inline void fill(struct ahoy_branch *branch, uint64_t token, struct span tail)
{
    assert(tail.size <= AHOY_BRANCH_TAIL_LIMIT);
    branch->token = token;
    branch->tail_size = (uint8_t)tail.size;
    if (tail.size > 0)
        memcpy(branch->tail, tail.at, tail.size);
}

struct ahoy_branch ahoy_branch_make(uint64_t token, struct span tail)
{
    AHOY_UNSET struct ahoy_branch branch;
    fill(&branch, token, tail);
    return branch;
}

bool ahoy_branch_parse(struct span text, struct ahoy_branch *branch)
{
    const size_t head = COOKIE_SIZE + AHOY_TOKEN_SIZE;
    uint64_t token;
    if (text.size < head || text.size > head + AHOY_BRANCH_TAIL_LIMIT ||
        !ahoy_span_starts_nocase(text, SPAN(AHOY_BRANCH_COOKIE)) ||
        !ahoy_token_parse_nocase((struct span){ text.at + COOKIE_SIZE, AHOY_TOKEN_SIZE }, &token))
        return false;
    fill(branch, token, ahoy_span_after(text, head));
    return true;
}

bool ahoy_branch_is(const struct ahoy_branch *branch, uint64_t token, struct span tail)
{
    const struct span own = { branch->tail, branch->tail_size };
    return branch->token == token && ahoy_span_equal_nocase(own, tail);
}

struct ahoy_request_key ahoy_request_key(const struct ahoy_message *message,
                                         const struct ahoy_routing *routing,
                                         enum ahoy_method method)
{
    struct ahoy_request_key key = { .method = method };
    if (method == AHOY_METHOD_OTHER)
        key.parts[AHOY_KEY_METHOD] = message->method_text;
    key.has_cookie = ahoy_via_has_cookie(&routing->via);
    if (key.has_cookie) {
        key.parts[AHOY_KEY_BRANCH] = routing->via.branch;
        key.parts[AHOY_KEY_SENT_BY] = routing->via.sent_by;
        return key;
    }
    key.cseq_number = routing->cseq.number;
    key.parts[AHOY_KEY_VIA] = routing->via.text;
    key.parts[AHOY_KEY_FROM_TAG] = routing->from_tag;
    key.parts[AHOY_KEY_CALL_ID] = routing->call_id;
    key.parts[AHOY_KEY_TO_TAG] = routing->to_tag;
    key.parts[AHOY_KEY_REQUEST_URI] = message->request_uri;
    return key;
}

uint64_t ahoy_request_key_hash(const struct ahoy_request_key *key,
                               const struct ahoy_hash_key *secret)
{
    enum ahoy_key_part begin = key->method == AHOY_METHOD_OTHER ? AHOY_KEY_METHOD : AHOY_KEY_BRANCH;
    enum ahoy_key_part end = key->has_cookie ? AHOY_KEY_VIA : AHOY_KEY_TO_TAG;
    uint64_t number = (uint64_t)key->method << 32 | key->cseq_number;
    return ahoy_siphash_nocase(secret, key->parts + begin, (size_t)(end - begin), number);
}

static bool equal_uris(struct span a, struct span b)
{
    struct ahoy_uri first;
    struct ahoy_uri second;
    if (ahoy_span_equal(a, b))
        return true;
    return ahoy_uri_parse(a, &first, NULL) && ahoy_uri_parse(b, &second, NULL) &&
           ahoy_uri_equal(&first, &second);
}

static bool equal_parts(enum ahoy_key_part part, struct span a, struct span b)
{
    if (part == AHOY_KEY_METHOD || part == AHOY_KEY_CALL_ID)
        return ahoy_span_equal(a, b);
    if (part == AHOY_KEY_REQUEST_URI)
        return equal_uris(a, b);
    return ahoy_span_equal_nocase(a, b);
}

bool ahoy_request_key_equal(const struct ahoy_request_key *kept, const struct ahoy_request_key *key,
                            bool is_ack)
{
    if (kept->has_cookie != key->has_cookie || kept->method != key->method ||
        kept->cseq_number != key->cseq_number)
        return false;
    enum ahoy_key_part end = key->has_cookie ? AHOY_KEY_VIA : AHOY_KEY_PARTS;
    for (enum ahoy_key_part part = AHOY_KEY_METHOD; part < end; part++) {
        if (part == AHOY_KEY_TO_TAG && is_ack)
            continue;
        if (!equal_parts(part, kept->parts[part], key->parts[part]))
            return false;
    }
    return true;
}

/* In front of a packed key's parts.  With the cookie only the sizes of the first parts are there,
 * since the others are empty. */
struct packed {
    uint8_t has_cookie;
    uint8_t method;
    uint16_t sizes[AHOY_KEY_PARTS];
    uint32_t cseq_number;
};

static size_t packed_size(bool has_cookie)
{
    return has_cookie ? offsetof(struct packed, sizes[AHOY_KEY_VIA]) : sizeof(struct packed);
}

size_t ahoy_request_key_size(const struct ahoy_request_key *key)
{
    size_t size = packed_size(key->has_cookie);
    for (enum ahoy_key_part part = AHOY_KEY_METHOD; part < AHOY_KEY_PARTS; part++)
        size += key->parts[part].size;
    return size;
}

void ahoy_request_key_pack(const struct ahoy_request_key *key, char *bytes)
{
    struct packed packed = { .has_cookie = key->has_cookie,
                             .method = (uint8_t)key->method,
                             .cseq_number = key->cseq_number };
    char *at = bytes + packed_size(key->has_cookie);
    for (enum ahoy_key_part part = AHOY_KEY_METHOD; part < AHOY_KEY_PARTS; part++) {
        struct span text = key->parts[part];
        packed.sizes[part] = (uint16_t)text.size;
        if (text.size > 0)
            memcpy(at, text.at, text.size);
        at += text.size;
    }
    memcpy(bytes, &packed, packed_size(key->has_cookie));
}

struct ahoy_request_key ahoy_request_key_unpack(const char *bytes)
{
    struct packed packed = { 0 };
    const bool has_cookie = bytes[0] != 0;
    memcpy(&packed, bytes, packed_size(has_cookie));
    struct ahoy_request_key key = { .has_cookie = has_cookie,
                                    .method = (enum ahoy_method)packed.method,
                                    .cseq_number = packed.cseq_number };
    const char *at = bytes + packed_size(has_cookie);
    for (enum ahoy_key_part part = AHOY_KEY_METHOD; part < AHOY_KEY_PARTS; part++) {
        key.parts[part] = (struct span){ at, packed.sizes[part] };
        at += packed.sizes[part];
    }
    return key;
}
