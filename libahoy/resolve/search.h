/* Locating the servers of a URI: RFC 3263 section 4, with the weights of RFC 2782 and both address
 * families of RFC 7984.  Pure: the owner asks the questions that are polled and steps with the
 * answers, until the search is done:
 *
 *     ahoy_search_begin(&search, &uri, &options, &err);
 *     while (!search.done) {
 *         while (ahoy_search_poll(&search, &question))
 *             ask it;
 *         ahoy_search_step(&search, number, message, rng) with an answer that came,
 *         or ahoy_search_end(&search) where time is up;
 *     }
 *
 * No name leads to a further one of its kind, so a search ends after three rounds of questions:
 * NAPTR, SRV, addresses.  Aliases are the resolver's business. */
#pragma once

#include "libahoy/base/rng.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/resolve/records.h"

enum {
    AHOY_SERVERS_LIMIT = 16, /* Servers that a search finds, and hosts that it looks up. */
    AHOY_LEADS_LIMIT = 8     /* SRV names that are looked up, one after the other. */
};

struct ahoy_search_options {
    struct ahoy_means means;
    bool is_secure; /* To be searched as a sips URI, whatever it is (RFC 3261 16.6 step 7). */
};

struct ahoy_server {
    enum ahoy_transport transport;
    struct ahoy_ip ip; /* With its port. */
    uint16_t rank;     /* The lower the sooner; used within a search. */
};

struct ahoy_question {
    uint8_t number;
    enum ahoy_dns_type type;
    const struct ahoy_dns_name *name; /* The search's. */
};

enum ahoy_search_stage { AHOY_SEARCH_NAPTR = 1, AHOY_SEARCH_SRV, AHOY_SEARCH_HOSTS };

struct ahoy_search {
    bool done;
    bool is_secure;
    bool refused;            /* An SRV answer failed, or said that there is no such service. */
    enum ahoy_search_stage stage;
    struct ahoy_means means;
    enum ahoy_transport transport; /* By which |domain| itself is asked. */
    struct ahoy_dns_name domain;   /* The target, which TLS's certificate must name (RFC 5922). */
    uint16_t port;                 /* Of the URI, or 0. */
    uint64_t wanted, asked, answered; /* Questions, a bit each. */
    size_t lead_count, lead;        /* The lead at hand. */
    struct ahoy_lead {
        enum ahoy_transport transport;
        uint32_t rank;              /* Order and preference. */
        struct ahoy_dns_name name;
    } leads[AHOY_LEADS_LIMIT];
    size_t host_count;
    struct ahoy_host {
        enum ahoy_transport transport;
        uint16_t port;
        struct ahoy_dns_name name;
    } hosts[AHOY_SERVERS_LIMIT];
    size_t count;
    struct ahoy_server servers[AHOY_SERVERS_LIMIT]; /* In the order in which to try them. */
};

/* Begins to search for |uri|; one whose target is an address is done at once.  False, with |err|
 * saying why, as with ahoy_place_read; 503 also for a host that the DNS cannot have. */
bool ahoy_search_begin(struct ahoy_search *search, const struct ahoy_uri *uri,
                       const struct ahoy_search_options *options, struct ahoy_err *err);
/* The next question; false where there is none (yet). */
bool ahoy_search_poll(struct ahoy_search *search, struct ahoy_question *question);
/* The answer to a question: a message of the DNS, or nothing where it failed.  One that was not
 * asked for, or came before, is passed over. */
void ahoy_search_step(struct ahoy_search *search, uint8_t number, struct span message,
                      struct ahoy_rng *rng);
/* Time is up: what was found is all there is. */
void ahoy_search_end(struct ahoy_search *search);
