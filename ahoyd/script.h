/* Functions in routes, `when = function(call) ... end`: asked for a call, within limits.  Each
 * worker has its own, in a Lua state in which the file has run once more, with words that do
 * nothing. */
#pragma once

#include "ahoyd/config.h"

enum {
    AHOYD_SCRIPT_INSTRUCTIONS_LIMIT = 100000, /* Of one call, under a millisecond or so. */
    AHOYD_SCRIPT_MEMORY_LIMIT = 1048576       /* Bytes above what the file itself has taken. */
};

struct ahoyd_call;
struct ahoyd_script;

/* Why a function has no answer. */
struct ahoyd_script_fault {
    bool is_told;
    int line; /* Of the configuration; 0 where it is not known. */
    char text[200];
};

/* For a configuration that has such functions.  NULL where memory is refused, or where the file
 * takes another course than when it was loaded. */
struct ahoyd_script *ahoyd_script_new(const struct ahoyd_config *config);
void ahoyd_script_free(struct ahoyd_script *script);

/* What function |number| says of |call|; false, and |fault|, where it fails, takes too long, or
 * wants too much memory. */
bool ahoyd_script_ask(struct ahoyd_script *script, struct ahoyd_call *call, size_t number,
                      struct ahoyd_script_fault *fault);
