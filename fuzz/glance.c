/* A glance at any bytes stays within them, and what is a sound message says the same once spaces
 * have been put where the glance allows them. */
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/io/glance.h"
#include "libahoy/syntax/message.h"

enum { SPACES = 128 };

static struct ahoy_message before;
static struct ahoy_message after;

static void compare(struct span bytes, struct span longer)
{
    if (!ahoy_message_parse(bytes, &before, NULL))
        return;
    bool parsed = ahoy_message_parse(longer, &after, NULL);
    MUST(parsed && before.field_count == after.field_count);
    for (size_t i = 0; i < before.field_count; i++)
        MUST(ahoy_span_equal(before.fields[i].value, after.fields[i].value));
    MUST(ahoy_span_equal(before.body, after.body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = { (const char *)data, size };
    struct ahoy_glance glance = { 0 };
    ahoy_glance(bytes, &glance);
    MUST(glance.gap < size || size == 0);
    if (glance.gap == 0 || size + SPACES > AHOY_MESSAGE_LIMIT)
        return 0;
    char *longer = malloc(size + SPACES);
    if (longer == NULL)
        return 0;
    memcpy(longer, bytes.at, glance.gap);
    memset(longer + glance.gap, ' ', SPACES);
    memcpy(longer + glance.gap + SPACES, bytes.at + glance.gap, size - glance.gap);
    compare(bytes, (struct span){ longer, size + SPACES });
    struct ahoy_glance again = { 0 };
    ahoy_glance((struct span){ longer, size + SPACES }, &again);
    MUST(again.call == glance.call);
    free(longer);
    return 0;
}
