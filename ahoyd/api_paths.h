/* The resources of the API: each is a verb of the control socket's (command.h). */
#pragma once

#include <jansson.h>

#include "libahoy/base/buf.h"

struct ahoyd_api_path {
    const char *method;
    const char *path; /* One that ends with a slash is followed by a name. */
    const char *verb; /* NULL: of the API alone. */
    const char *name; /* The member that the name is; NULL: none follows. */
    bool in_realm;    /* The name is "name@realm". */
};

extern const struct ahoyd_api_path ahoyd_api_paths[];
extern const size_t ahoyd_api_path_count;

/* The row of |method| and |path|.  NULL where there is none; |allowed| then lists the methods that
 * the path has, "GET, PUT", and is empty where it has none. */
const struct ahoyd_api_path *ahoyd_api_find(const char *method, const char *path,
                                            struct ahoy_buf *allowed);
/* Adds the name in |path| to |request|; false where it is none. */
bool ahoyd_api_read_name(const struct ahoyd_api_path *row, const char *path, json_t *request);
/* Adds a part of the query to |request|; false where there is none such, or it says nothing: a
 * |value| of NULL is enough for a flag alone. */
bool ahoyd_api_read_query(const char *name, const char *value, json_t *request);
