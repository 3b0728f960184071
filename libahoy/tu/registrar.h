/* The registrar's rules (RFC 3261 10.3), without a store: what a REGISTER asks, what becomes of
 * the bindings, and what the answer lists.  Pure; the owner keeps the bindings and the promise
 * that 200 means kept. */
#pragma once

#include "libahoy/tu/bindings.h"

/* Whether nobody stands between us and who sent |request|: it has one Via (RFC 5626 5.1, 6). */
bool ahoy_registrar_is_first_hop(const struct ahoy_message *request);

struct ahoy_registrar_limits {
    uint32_t min_expires_s;     /* Less, but not 0, is answered 423. */
    uint32_t max_expires_s;     /* More is cut. */
    uint32_t default_expires_s; /* Where the request names none. */
    uint32_t contacts;          /* None is added above so many; 0: above AHOY_BINDINGS_LIMIT. */
};

struct ahoy_asked_contact {
    struct span contact;  /* The URI. */
    struct span params;   /* All behind it. */
    struct span instance; /* Of RFC 5626, as in struct ahoy_binding. */
    uint32_t reg_id;
    uint32_t expires_s; /* 0 removes. */
    uint16_t q;
};

/* What is asked: all that a store needs. */
struct ahoy_registration {
    bool remove_all; /* Contact: * */
    size_t count;    /* 0 without remove_all is a query. */
    struct span call_id;
    uint32_t cseq;
    uint32_t contacts; /* The limits'. */
    struct ahoy_hop hop;
    struct span path;       /* All of its Path values; empty where there are none. */
    bool requires_outbound; /* The answer says Require: outbound. */
    bool shows_path;        /* The answer says Path: the phone supports it. */
    bool shows_gruus;       /* It says GRUUs: the phone supports them. */
    bool is_pushed;         /* A proxy on its way wakes the phone (RFC 8599 5.6.1.1). */
    struct ahoy_asked_contact asked[AHOY_BINDINGS_LIMIT];
};

/* A REGISTER that was read: a view into the request, and into itself, so not to be copied as it
 * stands. */
struct ahoy_register {
    struct ahoy_registration asks;
    struct ahoy_uri uris[AHOY_BINDINGS_LIMIT]; /* Of its contacts. */
    char path[AHOY_PATH_LIMIT];                /* Room for its path. */
};

/* Reads a REGISTER (10.3 steps 6 and 7, RFC 3327 5.3, RFC 5626 6).  |contact| is one of its
 * Contacts that was read already, as ahoy_message_check_rest leaves it, or NULL.  Faults: 400
 * (Contact unreadable or too long, `*` with others or without Expires: 0, Call-ID or Path too long,
 * a reg-id that is no such number or beside another contact), 423, 403 for a Contact that is no sip
 * URI and for more than AHOY_BINDINGS_LIMIT of them, 439 where the first hop lacks what a reg-id
 * needs. */
bool ahoy_register_parse(const struct ahoy_message *request, const struct ahoy_routing *routing,
                         const struct ahoy_address *contact, const struct ahoy_hop *hop,
                         const struct ahoy_registrar_limits *limits, struct ahoy_register *read,
                         struct ahoy_err *err);

/* Writes to |next| what |current| becomes: all changes or none.  Contacts are compared by
 * 19.1.4, those with a reg-id by instance and reg-id alone (RFC 5626 6); expired ones are left out;
 * of one that the request names twice, the last counts.
 * |next| is not |current|, and of no use after a fault.  Faults: 500 where a binding to be
 * changed has the same Call-ID and a CSeq that is not lower (10.3 step 7), 403 above the limit,
 * or where one would be added above that of the registration. */
bool ahoy_registrar_apply(const struct ahoy_bindings *current,
                          const struct ahoy_registration *registration, uint64_t now_ms,
                          struct ahoy_bindings *next, struct ahoy_err *err);

/* Reads a q in thousandths; false where it is none. */
bool ahoy_registrar_read_q(struct span text, uint16_t *q);

/* Prints one below 1,000. */
void ahoy_registrar_print_q(uint16_t q, struct ahoy_buf *buf);

/* Whether the parameter |name| of a Contact is printed anew, or none that a client has a say in:
 * R5627-5.1-5, R5627-5.1-10. */
bool ahoy_registrar_is_ours(struct span name);
/* Prints one Contact row, without its CRLF. */
void ahoy_registrar_print_contact(const struct ahoy_binding *binding, uint64_t now_ms,
                                  struct ahoy_buf *buf);
/* Prints the Contact rows of a 302, with expires, q where it is not 1, and all other parameters
 * that they were registered with but for those of RFC 8599. */
void ahoy_registrar_print(const struct ahoy_bindings *bindings, uint64_t now_ms,
                          struct ahoy_buf *buf);
