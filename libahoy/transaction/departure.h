/* Where a request leaves from, and the Via that says so (RFC 3261 18.1.1).
 *
 * One that is too large for a datagram goes by TCP though UDP was chosen: it has moved.  Where TCP
 * is refused it goes back. */
#pragma once

#include "libahoy/base/arena.h"
#include "libahoy/transaction/match.h"

enum {
    AHOY_LARGE_REQUEST_LIMIT = 1300 /* Bytes of a request by UDP, as the path's MTU is not known. */
};

struct ahoy_departure {
    struct ahoy_hop hop; /* Names the listener, so that whatever follows leaves from it too. */
    const struct ahoy_branch *branch; /* The caller's. */
    const struct ahoy_listener *listener;
    struct span via_params; /* The request's. */
    size_t size;            /* Of the whole request. */
    bool is_moved;
};

/* The departure of |request| with |branch|, which outlives it, at |now_ms|.  False where no
 * listener of ours fits, or where a group is the destination: nothing is sent by multicast. */
bool ahoy_departure_find(const struct ahoy_flows *flows, const struct ahoy_outgoing *request,
                         const struct ahoy_branch *branch, uint64_t now_ms,
                         struct ahoy_departure *departure);
/* The whole request in |arena|: request line, our Via, and the rest.  Its |at| is NULL where it is
 * too large or memory is refused. */
struct span ahoy_departure_join(const struct ahoy_departure *departure,
                                const struct ahoy_outgoing *request, struct ahoy_arena *arena);
/* |request|, a whole one that has moved to |hop|, once more with the Via of UDP, in |arena|; |hop|
 * then leads there.  Its |at| is NULL, and nothing has changed, where no listener fits or memory is
 * refused. */
struct span ahoy_departure_go_back(const struct ahoy_flows *flows, const struct ahoy_branch *branch,
                                   struct span request, struct ahoy_arena *arena,
                                   struct ahoy_hop *hop);
