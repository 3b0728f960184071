/* What libpq says of a fault may hold the password, so it is not repeated. */
#include "ahoyd/store/pgsql_url.h"

#include <libpq-fe.h>

bool pgsql_url_is_sound(const char *url)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &why);
    PQfreemem(why);
    PQconninfoFree(options);
    return options != NULL;
}
