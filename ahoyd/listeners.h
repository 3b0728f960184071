/* What the configuration listens on, as the stack wants it: addresses to bind, and what Via,
 * Record-Route and Contact say of them. */
#pragma once

#include "ahoyd/config.h"

struct ahoyd_listeners {
    struct ahoy_listener *at; /* As many as config->listens, in their order. */
    size_t count;
    char *texts;
};

/* This machine's addresses by which packets to the world leave, for listeners on 0.0.0.0 and ::;
 * AHOY_NO_FAMILY where there is none. */
struct ahoyd_own_addresses {
    struct ahoy_ip v4, v6;
};

/* False where memory is refused, or where one listens on all addresses and neither says what to
 * advertise nor has the machine an address: that fault has been told. */
bool ahoyd_listeners_init(struct ahoyd_listeners *listeners, const struct ahoyd_config *config,
                          const struct ahoyd_own_addresses *own,
                          struct ahoyd_config_faults *faults);
void ahoyd_listeners_fini(struct ahoyd_listeners *listeners);

/* "udp:127.0.0.1:5060", as listen has it, at most AHOYD_LISTEN_SIZE bytes. */
enum { AHOYD_LISTEN_SIZE = 64 };
void ahoyd_listener_print(const struct ahoyd_listen *listen, struct ahoy_buf *buf);
