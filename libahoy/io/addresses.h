/* The addresses of this machine, and which of them are told to others (RFC 8445 5.1.1.1). */
#pragma once

#include "libahoy/base/ip.h"

enum { AHOY_OWN_ADDRESSES_LIMIT = 64 };

struct ahoy_own_address {
    struct ahoy_ip ip;   /* Without a port. */
    uint32_t interface;  /* The kernel's number. */
    uint8_t prefix_size; /* Bits. */
    bool is_loopback;    /* Of such an interface. */
    bool is_temporary;   /* It does not tell who we are for long (RFC 8981). */
    bool is_unfit;       /* Not ours yet, or not for much longer. */
};

/* Asks the kernel, which answers at once.  Returns how many; 0 too where it refuses. */
size_t ahoy_own_addresses(struct ahoy_own_address addresses[AHOY_OWN_ADDRESSES_LIMIT]);

/* Those of |count| that a peer may be told, |limit| at most: |first|, whatever it is, and then one
 * of each family in turn, in the kernel's order (RFC 8421 4).  Returns how many. */
size_t ahoy_own_addresses_choose(const struct ahoy_own_address *addresses, size_t count,
                                 const struct ahoy_ip *first, struct ahoy_ip *chosen, size_t limit);

/* A descriptor that can be read once an address came or went, for a loop to watch; -1 where the
 * kernel refuses. */
int ahoy_own_addresses_watch(void);
/* Reads all that it has to tell. */
void ahoy_own_addresses_watched(int fd);
