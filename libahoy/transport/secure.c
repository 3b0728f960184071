/* Comparing identities: RFC 5922 7.2. */
#include "libahoy/transport/secure.h"

bool ahoy_peer_is(const struct ahoy_peer *peer, struct span domain)
{
    for (size_t i = 0; i < peer->count; i++) {
        if (ahoy_span_equal_nocase(peer->names[i], domain))
            return true;
    }
    return false;
}
