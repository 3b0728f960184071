/* name-addr and addr-spec with parameters: From, To, Contact, Route, Record-Route (RFC 3261
 * 20.10, 25.1). */
#pragma once

#include "libahoy/syntax/uri.h"

enum { AHOY_TAG_LIMIT = 256 };

/* A view into the header's value. */
struct ahoy_address {
    struct span text;    /* All of it, parameters included. */
    struct span display; /* As written, quotes included; empty where absent. */
    struct span params;  /* Header parameters, from the first ";" on. */
    struct span tag;     /* The tag parameter; empty where absent. */
    bool in_brackets;
    struct ahoy_uri uri;
};

/* Reads one address.  Without brackets, parameters belong to the header (RFC 3261 20).  Faults are
 * 400; among them a tag that is empty, too long, or there twice. */
bool ahoy_address_parse(struct span text, struct ahoy_address *address, struct ahoy_err *err);
/* The same for who needs no more of it than its tag: a URI in brackets is not looked into, so of
 * |address->uri| there is |text| alone, and a fault in it is none. */
bool ahoy_address_skim(struct span text, struct ahoy_address *address, struct ahoy_err *err);
/* Takes the next address of a comma list off |rest|, as ahoy_list_next and ahoy_address_parse do,
 * one after the other: false at the end (err->expected NULL) or at a fault of either. */
bool ahoy_address_next(struct span *rest, struct ahoy_address *address, struct ahoy_err *err);
/* The tag parameter; empty where absent. */
struct span ahoy_address_tag(const struct ahoy_address *address);
