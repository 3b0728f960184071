/* Where the Routes of a request lead (RFC 3261 16.4), and whether they are ours to follow. */
#pragma once

#include "ahoyd/serving.h"

/* A view into the request. */
struct ahoyd_path {
    struct ahoy_uri target; /* The Request-URI, restored where a strict router had moved it. */
    const struct ahoyd_domain *domain; /* The one of ours that |target| belongs to, or NULL. */
    bool names_instance;               /* |target| is a GRUU of that domain (RFC 5627). */
    bool restored;                     /* |target| was the last Route value. */
    size_t own_routes;                 /* Topmost Route values that name this server. */
    bool has_next;                     /* A Route value follows them. */
    struct ahoy_uri next;              /* Its URI. */
    bool in_dialog; /* The request belongs to a dialog that this server has let pass. */
    bool forged;    /* A Route of ours has a flow token that we did not write. */
    bool has_flow;  /* It goes down |flow|, which a token of ours names: */
    enum ahoyd_flow_kind flow_kind;
    struct ahoy_hop flow;
};

/* False at a Route that cannot be read; |err| says why. */
bool ahoyd_path_read(const struct ahoyd_server *server, const struct ahoy_event *event,
                     struct ahoyd_path *path, struct ahoy_err *err);

/* Whether the sender of a request that forms a dialog wants those of the dialog back by the way it
 * came: its Contact has "ob" (RFC 5626 5.3.2). */
bool ahoyd_path_is_outbound(const struct ahoy_event *event);

/* The URI of ours for the way that |event| came by, with a token for that flow, as a Path row:
 * where |event| is a REGISTER with a reg-id that comes straight from the phone (5.1).  Nothing
 * where it is none of that, or where it is longer than |rows|. */
void ahoyd_path_print_path(const struct ahoyd_server *server, const struct ahoy_event *event,
                           struct ahoy_buf *rows);

enum { AHOYD_PATH_ROW_LIMIT = 512 }; /* Bytes that such a row takes. */
enum { AHOYD_DIALOG_PARAM_SIZE = 8 + AHOY_TOKEN_SIZE };

/* What our Record-Route of a call carries. */
struct ahoyd_marks {
    /* ";dialog=" and a token that fits the Call-ID, so that no one else can write a Route which
     * makes us forward a request without asking who sends it. */
    char param[AHOYD_DIALOG_PARAM_SIZE];
    /* The user part on the sender's side: the flow that the call came by, where nothing else leads
     * back to it (RFC 5626 5.3). */
    char flow[AHOYD_FLOW_TOKEN_LIMIT];
    size_t flow_size; /* 0 where there is none. */
};

void ahoyd_path_print_marks(const struct ahoyd_server *server, const struct ahoy_event *event,
                            struct ahoyd_marks *marks);
