/* Where the Routes of a request lead (RFC 3261 16.4), and whether they are ours to follow. */
#pragma once

#include "ahoyd/serving.h"

/* A view into the request. */
struct ahoyd_path {
    struct ahoy_uri target; /* The Request-URI, restored where a strict router had moved it. */
    const struct ahoyd_domain *domain; /* The one of ours that |target| belongs to, or NULL. */
    bool restored;                     /* |target| was the last Route value. */
    size_t own_routes;                 /* Topmost Route values that name this server. */
    bool has_next;                     /* A Route value follows them. */
    struct ahoy_uri next;              /* Its URI. */
    bool in_dialog;       /* The request belongs to a dialog that this server has let pass. */
    bool has_flow;        /* That began on a WebSocket: */
    struct ahoy_hop flow; /* Where it came from; no connection is named. */
};

/* False at a Route that cannot be read; |err| says why. */
bool ahoyd_path_read(const struct ahoyd_server *server, const struct ahoy_event *event,
                     struct ahoyd_path *path, struct ahoy_err *err);

enum { AHOYD_PATH_PARAMS_LIMIT = 128 };
/* What our Record-Route carries: ";dialog=" and a token that fits the Call-ID, so that no one else
 * can write a Route which makes us forward a request without asking who sends it.  For one that
 * came by WebSocket also ";flow=", where from, and a token that fits both: its sender may never
 * have registered, and nothing else leads back to it. */
void ahoyd_path_print_params(const struct ahoyd_server *server, const struct ahoy_event *event,
                             struct ahoy_buf *params);
