/* A name is looked for in one place only, that of its hash: one that is not found there gets a
 * second number, which costs no more than a second connection. */
#include "libahoy/transport/domains.h"

#include <stdlib.h>

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* FNV-1a: nothing is lost where somebody aims it. */
static size_t place_of(struct span name)
{
    uint32_t hash = 2166136261;
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (unsigned char)lower(name.at[i])) * 16777619;
    return hash % AHOY_DOMAINS_LIMIT;
}

void ahoy_domains_fini(struct ahoy_domains *domains)
{
    for (size_t i = 0; i < AHOY_DOMAINS_LIMIT; i++)
        free(domains->names[i]);
    *domains = (struct ahoy_domains){ .count = 0 };
}

uint32_t ahoy_domains_add(struct ahoy_domains *domains, struct span name)
{
    uint32_t *known = &domains->by_hash[place_of(name)];
    if (name.size == 0 || name.size > AHOY_PEER_NAME_LIMIT)
        return 0;
    if (ahoy_span_equal_nocase(ahoy_domains_name(domains, *known), name))
        return *known;
    char *copy = malloc(name.size + 1);
    if (copy == NULL)
        return 0;
    for (size_t i = 0; i < name.size; i++)
        copy[i] = lower(name.at[i]);
    copy[name.size] = '\0';
    if (++domains->count == 0) /* 0 is nobody's, after 2^32 names too. */
        domains->count = AHOY_DOMAINS_LIMIT;
    char **slot = &domains->names[domains->count % AHOY_DOMAINS_LIMIT];
    free(*slot);
    *slot = copy;
    *known = domains->count;
    return *known;
}

struct span ahoy_domains_name(const struct ahoy_domains *domains, uint32_t number)
{
    bool lives = number != 0 && domains->count - number < AHOY_DOMAINS_LIMIT;
    const char *name = lives ? domains->names[number % AHOY_DOMAINS_LIMIT] : NULL;
    return name != NULL ? ahoy_span(name) : SPAN("");
}
