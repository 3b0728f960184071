/* The bindings of one address-of-record: where its user can be reached (RFC 3261 10). */
#pragma once

#include "libahoy/transaction/user.h"

enum {
    AHOY_BINDINGS_LIMIT = 10,         /* Contacts an address-of-record. */
    AHOY_CONTACT_LIMIT = 1024,        /* Bytes of one contact's URI. */
    AHOY_BINDING_CALL_ID_LIMIT = 256, /* Bytes of its Call-ID. */
    AHOY_CONTACT_PARAMS_LIMIT = 512,  /* Bytes of its parameters behind the URI. */
    AHOY_INSTANCE_LIMIT = 128,        /* Bytes of +sip.instance. */
    AHOY_PATH_LIMIT = 1024,           /* Bytes of its Path. */
    AHOY_BINDINGS_TEXT_LIMIT =
        AHOY_BINDINGS_LIMIT * (AHOY_CONTACT_LIMIT + AHOY_BINDING_CALL_ID_LIMIT +
                               AHOY_CONTACT_PARAMS_LIMIT + AHOY_INSTANCE_LIMIT + AHOY_PATH_LIMIT)
};

struct ahoy_binding {
    struct span contact;  /* The URI, as registered. */
    struct span params;   /* All that stood behind the URI, from ";" on. */
    struct span instance; /* The value of +sip.instance; empty where there was none. */
    struct span path;     /* The Path of that REGISTER, in one row; empty where there was none. */
    struct span call_id;  /* Of the REGISTER that set it last. */
    uint32_t cseq;        /* Of the same. */
    uint16_t q;           /* Thousandths, 1,000 where none was given. */
    uint32_t reg_id;      /* Which flow of the instance this is; 0 for none (RFC 5626). */
    uint64_t expires_ms;
    uint64_t updated_ms; /* When that REGISTER came. */
    /* Since when temporary GRUUs of the instance are good; all of its bindings have the same. */
    uint64_t era_ms;
    struct ahoy_hop hop; /* How. */
};

/* The spans point into |text|: copy with ahoy_bindings_copy. */
struct ahoy_bindings {
    size_t count;
    struct ahoy_binding list[AHOY_BINDINGS_LIMIT];
    size_t text_size;
    char text[AHOY_BINDINGS_TEXT_LIMIT];
};

/* None. */
void ahoy_bindings_init(struct ahoy_bindings *bindings);
/* Adds a copy of |binding|; false where a limit refuses. */
bool ahoy_bindings_add(struct ahoy_bindings *bindings, const struct ahoy_binding *binding);
/* Copies those that live at |now_ms|; copies no more text than there is. */
void ahoy_bindings_copy(struct ahoy_bindings *to, const struct ahoy_bindings *from,
                        uint64_t now_ms);
