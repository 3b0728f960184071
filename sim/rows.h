/* Rows that stand under a line of a ladder: put into a message that is played, or looked for in one
 * that has come. */
#pragma once

#include "libahoy/syntax/message.h"

enum { SIM_ROWS_LIMIT = 6, SIM_ROW_LIMIT = 160 };

/* "Contact: <sip:bob@192.0.2.12>"; with nothing behind the colon the message has no such row. */
struct sim_row {
    char text[SIM_ROW_LIMIT];
};

/* Prints |message| with |rows| in place of its own of these names, and with |body| in place of
 * its own where that is not empty. */
void sim_rows_put(struct span message, const struct sim_row *rows, size_t count, struct span body,
                  struct ahoy_buf *buf);
/* Whether |message| has a row of that name with a value that contains what |row| says, or, where it
 * says nothing, none. */
bool sim_rows_has(const struct ahoy_message *message, const struct sim_row *row);
