/* The terminal while a screen is on it: keys as they are pressed, a page of its own, and back to
 * what it was, whatever happens.  What the program prints meanwhile is kept, and stands on the
 * terminal afterwards as if there had been no screen. */
#pragma once

#include "libahoy/base/span.h"

/* Takes the terminal.  False where standard input and output are none that can be drawn on, or not
 * ours; nothing has changed then. */
bool phone_terminal_open(void);
/* Gives it back.  For signal handlers too, and a second time is none. */
void phone_terminal_close(void);

void phone_terminal_size(uint16_t *columns, uint16_t *rows);
/* What was typed, of which there is something; empty where the terminal has gone. */
struct span phone_terminal_keys(char *space, size_t size);
/* The next of what was printed; empty where there is no more. */
struct span phone_terminal_printed(char *space, size_t size);
/* Shows |page|, whose lines are parted by LF. */
void phone_terminal_draw(struct span page);
void phone_terminal_ring(void);
