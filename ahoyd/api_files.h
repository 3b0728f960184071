/* The files of the console, and the description of the API: compiled into the program
 * (cmake/embed.cmake), so that it needs no folder beside it. */
#pragma once

#include <stddef.h>

struct ahoyd_api_file {
    const char *path; /* By which they are asked for. */
    const char *type;
    const unsigned char *bytes;
    const size_t *size;
};

/* NULL where there is no such file. */
const struct ahoyd_api_file *ahoyd_api_file(const char *path);
