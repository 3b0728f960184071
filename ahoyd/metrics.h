/* What the server counts, as text for Prometheus (its exposition format, 0.0.4): every counter of
 * the workers, calls by domain and by trunk, and why requests did not go on.  Only names that the
 * configuration has are labels, so there are never more series than it allows. */
#pragma once

#include <jansson.h>

#include "ahoyd/main_follow.h"

struct ahoyd_metrics {
    const struct ahoyd_config *config;
    struct ahoyd_worker *const *workers;
    unsigned worker_count;
    const struct ahoyd_main_follow *follow;
    struct ahoyd_channels *channels; /* The workers'. */
    uint64_t now_ms;
};

/* The text, to be freed; NULL where memory is refused.  Workers that do not answer within a second
 * are left out, and counted as such. */
char *ahoyd_metrics_print(const struct ahoyd_metrics *metrics);
/* Adds the same in short to |object|: "workers", "silent" (those left out), "meters" (calls by
 * domain and by trunk) and "causes". */
void ahoyd_metrics_status(const struct ahoyd_metrics *metrics, json_t *object);
