/* One buffer a stream. */
#include "sim/inlets.h"

#include <assert.h>
#include <stdlib.h>

struct sim_inlet *sim_inlets_find(struct sim_inlets *inlets, uint64_t stream)
{
    for (size_t i = 0; i < inlets->count; i++) {
        if (inlets->list[i].stream == stream)
            return &inlets->list[i];
    }
    return NULL;
}

struct sim_inlet *sim_inlets_need(struct sim_inlets *inlets, uint64_t stream)
{
    struct sim_inlet *inlet = sim_inlets_find(inlets, stream);
    if (inlet != NULL)
        return inlet;
    inlet = sim_inlets_find(inlets, 0);
    if (inlet == NULL) {
        assert(inlets->count < SIM_INLETS_LIMIT);
        inlet = &inlets->list[inlets->count++];
    }
    *inlet = (struct sim_inlet){ .stream = stream };
    return inlet;
}

void sim_inlets_drop(struct sim_inlets *inlets, uint64_t stream)
{
    struct sim_inlet *inlet = stream == 0 ? NULL : sim_inlets_find(inlets, stream);
    if (inlet == NULL)
        return;
    free(inlet->bytes);
    *inlet = (struct sim_inlet){ .stream = 0 };
}

void sim_inlets_fini(struct sim_inlets *inlets)
{
    for (size_t i = 0; i < inlets->count; i++)
        free(inlets->list[i].bytes);
    memset(inlets->list, 0, inlets->count * sizeof *inlets->list);
    inlets->count = 0;
}

void sim_inlet_put(struct sim_inlet *inlet, struct span bytes)
{
    if (inlet->is_lost)
        return;
    size_t rest = inlet->size - inlet->read;
    if (rest > 0)
        memmove(inlet->bytes, inlet->bytes + inlet->read, rest);
    inlet->bytes = realloc(inlet->bytes, rest + bytes.size + 1);
    assert(inlet->bytes != NULL);
    if (bytes.size > 0)
        memcpy(inlet->bytes + rest, bytes.at, bytes.size);
    inlet->size = rest + bytes.size;
    inlet->read = 0;
}

bool sim_inlet_next(struct sim_inlet *inlet, struct span *message)
{
    struct span rest = { inlet->bytes + inlet->read, inlet->size - inlet->read };
    struct ahoy_err err;
    if (inlet->is_lost || rest.size == 0)
        return false;
    if (inlet->frame.size == 0 && inlet->frame.row == 0)
        (void)ahoy_frame_skip(&inlet->frame, &rest); /* Keep-alives are no messages. */
    enum ahoy_frame_verdict verdict = ahoy_frame_cut(&inlet->frame, rest, &err);
    inlet->read = inlet->size - rest.size;
    inlet->is_lost = verdict == AHOY_FRAME_BROKEN;
    if (verdict != AHOY_FRAME_WHOLE)
        return false;
    *message = (struct span){ rest.at, inlet->frame.size };
    inlet->read += inlet->frame.size;
    inlet->frame = (struct ahoy_frame){ 0 };
    return true;
}
