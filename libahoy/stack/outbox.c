/* One array that keeps its size from step to step: it takes memory only while it is larger than
 * ever before. */
#include "libahoy/stack/outbox.h"

#include <stdlib.h>

#include "libahoy/base/buf.h"

void ahoy_outbox_reset(struct ahoy_outbox *outbox)
{
    outbox->next = outbox->count = 0;
    while (outbox->held != NULL) {
        struct ahoy_pending *next = outbox->held->next;
        free(outbox->held);
        outbox->held = next;
    }
}

void ahoy_outbox_fini(struct ahoy_outbox *outbox)
{
    ahoy_outbox_reset(outbox);
    free(outbox->list);
    *outbox = (struct ahoy_outbox){ .list = NULL };
}

static bool grow(struct ahoy_outbox *outbox)
{
    if (outbox->capacity >= AHOY_OUTBOX_LIMIT)
        return false;
    size_t capacity = outbox->capacity == 0 ? 16 : 2 * outbox->capacity;
    struct ahoy_wire_effect *list = realloc(outbox->list, capacity * sizeof *list);
    if (list == NULL)
        return false;
    outbox->list = list;
    outbox->capacity = capacity;
    return true;
}

bool ahoy_outbox_add(struct ahoy_outbox *outbox, const struct ahoy_wire_effect *effect)
{
    if (outbox->count == outbox->capacity && !grow(outbox))
        return false;
    outbox->list[outbox->count++] = *effect;
    return true;
}

void ahoy_outbox_hold(struct ahoy_outbox *outbox, struct ahoy_pending *pending)
{
    pending->next = outbox->held;
    outbox->held = pending;
}

struct span ahoy_outbox_copy(struct ahoy_outbox *outbox, const struct span *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    struct ahoy_pending *copy = malloc(sizeof *copy + size);
    if (copy == NULL)
        return (struct span){ NULL, 0 };
    copy->size = size;
    struct ahoy_buf buf = ahoy_buf_over(copy->bytes, size);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&buf, pieces[i]);
    ahoy_outbox_hold(outbox, copy);
    return (struct span){ copy->bytes, size };
}

bool ahoy_outbox_add_copy(struct ahoy_outbox *outbox, const struct ahoy_wire_effect *effect)
{
    struct ahoy_wire_effect owned = *effect;
    owned.bytes = ahoy_outbox_copy(outbox, &effect->bytes, 1);
    return owned.bytes.at != NULL && ahoy_outbox_add(outbox, &owned);
}

bool ahoy_outbox_next(struct ahoy_outbox *outbox, struct ahoy_wire_effect *effect)
{
    if (outbox->next == outbox->count)
        return false;
    *effect = outbox->list[outbox->next++];
    return true;
}
