/* What the registration event package tells (RFC 3680 5, RFC 5628): a document of XML with all the
 * contacts of an address-of-record, and those that have gone since the document before. */
#pragma once

#include "libahoy/tu/bindings.h"

/* Of the states of a contact and the events of RFC 3680 4.7.1 those that a registrar alone brings
 * about, without an administrator. */
enum ahoy_reginfo_event {
    AHOY_REGINFO_REGISTERED = 1,
    AHOY_REGINFO_REFRESHED,
    AHOY_REGINFO_EXPIRED,
    AHOY_REGINFO_UNREGISTERED
};

enum { AHOY_REGINFO_CONTACTS_LIMIT = 2 * AHOY_BINDINGS_LIMIT };

struct ahoy_reginfo_contact {
    const struct ahoy_binding *binding;
    enum ahoy_reginfo_event event;
    uint64_t id;      /* Of the contact in all documents: R3680-5.1-13 to -15. */
    struct span gruu; /* Its public GRUU, or empty. */
};

/* A view into two sets of bindings. */
struct ahoy_reginfo {
    struct span aor;  /* Without a scheme. */
    uint32_t version; /* Of the document, from 0 on. */
    uint64_t now_ms;
    size_t count;
    struct ahoy_reginfo_contact contacts[AHOY_REGINFO_CONTACTS_LIMIT];
};

/* Fills |reginfo| with the contacts of |current|, and those of |told|, the document before, that
 * have gone.  |told| is NULL before the first one. */
void ahoy_reginfo_compare(struct ahoy_reginfo *reginfo, const struct ahoy_bindings *told,
                          const struct ahoy_bindings *current, uint64_t now_ms);
/* Prints the document of a struct ahoy_reginfo: always all of it, as full state. */
void ahoy_reginfo_print(const void *reginfo, struct ahoy_buf *body);
