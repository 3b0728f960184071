/* Whether something ends the program: an assert that guards against our own mistakes must. */
#pragma once

#include <stdbool.h>

/* Runs |act| in a process of its own, quietly; true where that died of SIGABRT. */
bool aborts(void (*act)(const void *context), const void *context);
