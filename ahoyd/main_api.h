/* What the API needs of the system. */
#pragma once

#include "ahoyd/metrics.h"
#include "ahoyd/roll.h"
#include "libahoy/base/log.h"

/* NULL where memory or chance is refused; the log says so. */
struct ahoyd_roll *ahoyd_main_roll(unsigned workers, const struct ahoy_log *log);
/* Adds how the server does since |start_us| to |object|. */
void ahoyd_main_status(const struct ahoyd_metrics *metrics, uint64_t start_us, json_t *object);
