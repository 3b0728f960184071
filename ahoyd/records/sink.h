/* Where rows go.  One const struct a kind; all of this is the thread of records.c alone. */
#pragma once

#include "ahoyd/records/row.h"

struct ahoyd_sink {
    /* NULL, and why in |fault|, where it can never be used as it is. */
    void *(*open)(const char *place, char *fault, size_t fault_size);
    /* Writes all |rows|, an array, or none of them: then false, and why in |fault|; the same may
     * succeed later.  Returns within some seconds. */
    bool (*write)(void *sink, const json_t *rows, char *fault, size_t fault_size);
    void (*close)(void *sink);
};

extern const struct ahoyd_sink ahoyd_sink_csv, ahoyd_sink_sqlite, ahoyd_sink_pgsql;
