/* The domains that a certificate speaks for, and the users that it names: RFC 5922 7.1. */
#pragma once

#include <openssl/x509.h>

#include "libahoy/base/ip.h"
#include "libahoy/transport/secure.h"

/* The names point into |text|: it is not copied. */
struct ahoy_identity {
    struct ahoy_peer peer;
    size_t used;
    char text[AHOY_PEER_TEXT_LIMIT];
};

/* Reads the names of |certificate|, whose validity is not looked at: those of the sip URIs in
 * subjectAltName; where there is none, its DNS names; where there is no subjectAltName, the common
 * name.  A name that holds anything but letters, digits, "-", "_", "." and "*" is none: a NUL could
 * make it look like another.  The sip URIs with a user are kept as they stand, apart from the
 * names, where all of their characters are visible.
 *
 * DEPARTS: RFC 5922 knows domains only.  An address in subjectAltName is a name too, as
 * ahoy_ip_print_bare has it: it proves that address, which a URI may have for its host. */
void ahoy_identity_read(struct ahoy_identity *identity, const X509 *certificate);

/* The name by which |ip| would be among them. */
struct span ahoy_identity_of_ip(const struct ahoy_ip *ip, char space[64]);
