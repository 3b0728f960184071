/* The URL of a database, as libpq reads it: postgresql://user:password@host:port/database?... */
#pragma once

#include <stdbool.h>

bool pgsql_url_is_sound(const char *url);
