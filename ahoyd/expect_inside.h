/* What the two words of a test share: expect.c has what is asked of routes, expect_call.c whole
 * calls. */
#pragma once

#include "ahoyd/config_reader.h"
#include "ahoyd/expect.h"

enum { ROWS_SIZE = 4096 };

/* The reader first: what Lua's words find is that. */
struct session {
    struct reader reader;
    const struct ahoyd_names *names;
    const struct ahoyd_trial *trial;
    json_t *calls; /* NULL: nobody wants to know. */
    unsigned count;
    struct ahoyd_outcome outcome;
};

struct session *expect_session_of(lua_State *lua);
/* Prints rows, each with CRLF. */
void expect_put_rows(const struct ahoyd_texts *texts, struct ahoy_buf *rows);
/* call { ... } */
int expect_word_call(lua_State *lua);
