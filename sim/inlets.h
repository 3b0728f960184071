/* Messages out of the bytes of streams, for those in a simulated world who have no stack. */
#pragma once

#include "libahoy/transport/frame.h"

enum { SIM_INLETS_LIMIT = 256 };

struct sim_inlet {
    uint64_t stream; /* 0: free. */
    struct ahoy_frame frame;
    char *bytes;
    size_t size, read; /* What has come, and how much of it has been given away. */
    bool is_lost;      /* Its bytes cannot be cut into messages any more. */
};

/* Zeroed at first. */
struct sim_inlets {
    struct sim_inlet list[SIM_INLETS_LIMIT];
    size_t count; /* None is used behind these. */
};

/* NULL where |stream| is not known; sim_inlets_need adds it. */
struct sim_inlet *sim_inlets_find(struct sim_inlets *inlets, uint64_t stream);
struct sim_inlet *sim_inlets_need(struct sim_inlets *inlets, uint64_t stream);
/* |stream| is gone. */
void sim_inlets_drop(struct sim_inlets *inlets, uint64_t stream);
void sim_inlets_fini(struct sim_inlets *inlets);

void sim_inlet_put(struct sim_inlet *inlet, struct span bytes);
/* The next whole message; it lives until the next put.  False where there is none. */
bool sim_inlet_next(struct sim_inlet *inlet, struct span *message);
