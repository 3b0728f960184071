/* Libraries that are opened when they are first needed: whoever only signals does not wait until
 * all of sound is linked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Opens the library |file| for the life of the process, and writes the addresses of its |count|
 * functions |names| to |calls|, which has nothing but pointers to them, in this order.  Returns
 * what dlsym takes; NULL where it, or one of them, is not there: dlerror says what. */
void *phone_late_open(const char *file, const char *const *names, size_t count, void *calls);

/* A list CALLS(CALL) of functions as the fields of a struct, and as their names. */
#define PHONE_LATE_FIELD(name) __typeof__(name) *name;
#define PHONE_LATE_NAME(name)  #name,
