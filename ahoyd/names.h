/* Which names and addresses are ours, which are routed to a trunk, and which peers are trunks:
 * the configuration, ready to be asked for every message. */
#pragma once

#include "ahoyd/config.h"

struct ahoyd_names {
    const struct ahoyd_config *config;
    const struct ahoy_listener *listeners;
    size_t listener_count;
    struct ahoy_map domains; /* Indices by the hash of the name. */
    struct ahoy_map routes;
    struct ahoy_map trunks; /* Trunk and target by the hash of the address, port aside. */
    size_t own_count;
    struct ahoyd_own_address {
        struct ahoy_ip ip; /* With its port; without a family where |host| is a name. */
        struct span host;
        uint16_t port;
    } own[2 * AHOY_LISTENERS_LIMIT + 1]; /* Where each listener is bound, what it advertises, and
                                          * what other nodes call this one. */
};

/* |config| and |listeners| outlive the names.  False where memory is refused. */
bool ahoyd_names_init(struct ahoyd_names *names, const struct ahoyd_config *config,
                      const struct ahoy_listener *listeners, size_t listener_count);
void ahoyd_names_fini(struct ahoyd_names *names);

/* Whether |uri| names this server by one of its addresses, port included. */
bool ahoyd_names_is_own_address(const struct ahoyd_names *names, const struct ahoy_uri *uri);
/* Whether a request to |ip| would come back to this server. */
bool ahoyd_names_is_own_ip(const struct ahoyd_names *names, const struct ahoy_ip *ip);

/* The domain of ours that |uri| belongs to, or NULL.  A name counts whatever the port; an address
 * only without a port or with one of ours, as phones may live on the same one.  An own address
 * stands for the domain where there is exactly one.  A maddr must be ours too (RFC 3261 16.4). */
const struct ahoyd_domain *ahoyd_names_domain(const struct ahoyd_names *names,
                                              const struct ahoy_uri *uri);
/* Whether that is |domain|. */
bool ahoyd_names_are_of(const struct ahoyd_names *names, const struct ahoy_uri *uri,
                        const struct ahoyd_domain *domain);
/* The domain of ours that an address-of-record of a user belongs to, or NULL. */
const struct ahoyd_domain *ahoyd_names_of_aor(const struct ahoyd_names *names, struct span aor);
/* Whether a Route value with |uri| names this server (16.4): one of its addresses, or one of its
 * domains without a port or with one of ours. */
bool ahoyd_names_is_own_route(const struct ahoyd_names *names, const struct ahoy_uri *uri);

/* The routes for |uri|, which belongs to |domain| of ours, or to none where that is NULL.  A domain
 * that redirects has none. */
struct ahoyd_routes ahoyd_names_routes(const struct ahoyd_names *names, const struct ahoy_uri *uri,
                                       const struct ahoyd_domain *domain);

/* The trunk, the first one, that has the address |ip|, port aside; NULL where none has. */
const struct ahoyd_trunk *ahoyd_names_trunk(const struct ahoyd_names *names,
                                            const struct ahoy_ip *ip);
/* Whether there is one. */
bool ahoyd_names_is_trunk(const struct ahoyd_names *names, const struct ahoy_ip *ip);
/* Whether it is that of one that is trusted. */
bool ahoyd_names_is_trusted(const struct ahoyd_names *names, const struct ahoy_ip *ip);
/* Whether |ip| with its port is one: where requests may be sent by the configuration's word. */
bool ahoyd_names_is_trunk_target(const struct ahoyd_names *names, const struct ahoy_ip *ip);
