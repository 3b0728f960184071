/* The place of a fault that Ahoy found, and what predicates about it share.  They read the bytes
 * for themselves: no parser of Ahoy's is asked. */
#pragma once

#include <arpa/inet.h>

#include "tests/osip/classes.h"

#define DIGIT      "0123456789"
#define ALPHANUM   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGIT
#define UNRESERVED ALPHANUM "-_.!~*'()"
#define TOKEN      ALPHANUM "-.!%*_+`'~"

struct place {
    struct span bytes;
    struct span row; /* The row that it is in, without the CRLF behind it. */
    const char *at;
    const char *words; /* What the predicate is to know. */
};

typedef bool predicate(const struct place *place);

/* What Ahoy says it expects, and what must be wrong with the bytes there. */
struct fault_class {
    const char *expected;
    const char *name;
    predicate *holds;
    const char *words;
};

/* The tables, each ended by a row without a name. */
extern const struct fault_class osip_message_faults[]; /* Lines, rows, and what is no list. */
extern const struct fault_class osip_uri_faults[];
extern const struct fault_class osip_param_faults[]; /* Parameters, quotes, brackets. */

static inline bool is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static inline bool is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

static inline bool at_end(const struct place *place)
{
    return place->at >= ahoy_span_end(place->row);
}

/* The byte in front of the fault; a space at the very beginning. */
static inline char before(const struct place *place)
{
    return place->at > place->bytes.at ? place->at[-1] : ' ';
}

/* From |at| to the end of the row. */
static inline struct span rest_of(const struct place *place)
{
    return at_end(place) ? (struct span){ place->at, 0 }
                         : ahoy_span_between(place->at, ahoy_span_end(place->row));
}

/* None of |words| stands here. */
static inline bool is_other_byte(const struct place *place)
{
    return at_end(place) || !is_one_of(*place->at, place->words);
}

static inline bool is_this_byte(const struct place *place)
{
    return !is_other_byte(place);
}

/* None of |words|, and no escape either. */
static inline bool is_no_character(const struct place *place)
{
    struct span rest = rest_of(place);
    if (rest.size < 3 || *rest.at != '%')
        return is_other_byte(place);
    return !is_one_of(rest.at[1], DIGIT "abcdefABCDEF") ||
           !is_one_of(rest.at[2], DIGIT "abcdefABCDEF");
}

/* The size of the token that |text| begins with. */
static inline size_t token_size(struct span text)
{
    size_t size = 0;
    while (size < text.size && is_one_of(text.at[size], TOKEN))
        size++;
    return size;
}

/* Takes the digits off |text|; false where there is none, or more than |limit|. */
static inline bool take_number(struct span *text, uint64_t limit, uint64_t *value)
{
    bool found = text->size > 0 && is_one_of(*text->at, DIGIT);
    *value = 0;
    for (; text->size > 0 && is_one_of(*text->at, DIGIT); *text = osip_drop(*text, 1)) {
        *value = 10 * *value + (uint64_t)(*text->at - '0');
        if (*value > limit)
            return false;
    }
    return found;
}

/* No number up to |limit|, and nothing but it, stands here; |behind| may follow. */
static inline bool is_no_number(const struct place *place, uint64_t limit, const char *behind)
{
    uint64_t value;
    struct span rest = rest_of(place);
    if (!take_number(&rest, limit, &value))
        return true;
    rest = ahoy_span_trim(rest);
    return rest.size > 0 && !is_one_of(*rest.at, behind);
}

/* No address that the C library takes stands in these brackets. */
static inline bool is_no_reference(const struct place *place)
{
    struct span rest = osip_drop(rest_of(place), 1);
    char text[64];
    unsigned char address[16];
    size_t size = ahoy_span_find(rest, ']');
    if (size == rest.size || size >= sizeof text)
        return true;
    memcpy(text, rest.at, size);
    text[size] = '\0';
    return inet_pton(AF_INET6, text, address) != 1;
}
