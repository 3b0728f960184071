/* The requests that ask what became of calls: they read the workers' rings (docs/why.md). */
#pragma once

#include "ahoyd/command.h"
#include "libahoy/base/ring.h"

enum {
    AHOYD_CALLS_LIMIT = 4096,                     /* Calls of one answer, the newest. */
    AHOYD_EXPLAIN_LIMIT = 2000,                   /* Notes of one call in an answer. */
    AHOYD_MASKED_LIMIT = 2 * AHOY_RING_TEXT_LIMIT /* Bytes of a message as it is shown. */
};

/* {"verb":"explain","call_id":C}: the call's cause in words, and all of its notes. */
json_t *ahoyd_command_explain(const struct ahoyd_command_means *means, const json_t *request);
/* {"verb":"follow","from":[P...]}: what was noted from these positions on, one a worker, and the
 * next ones; without them, from now on. */
json_t *ahoyd_command_follow(const struct ahoyd_command_means *means, const json_t *request);
/* {"verb":"calls"}, with a page and "state" where not all are meant: what the roll holds of calls,
 * one row each. */
json_t *ahoyd_command_calls(const struct ahoyd_command_means *means, const json_t *request);
