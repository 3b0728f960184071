/* One value of a header field, typed by the form that header.h gives it.  A view over the received
 * bytes: nothing is copied or allocated. */
#pragma once

#include "libahoy/syntax/address.h"
#include "libahoy/syntax/challenge.h"
#include "libahoy/syntax/cseq.h"
#include "libahoy/syntax/header.h"
#include "libahoy/syntax/via.h"

/* Date (RFC 3261 20.17): always GMT. */
struct ahoy_date {
    uint16_t year;
    uint8_t month, day; /* From 1. */
    uint8_t hour, minute, second;
    uint8_t weekday; /* 0 is Monday; it fits the day. */
};

struct ahoy_value {
    enum ahoy_header header;
    enum ahoy_form form;
    bool is_star;        /* Contact's "*" (10.2.2); "*" where a range may be anything. */
    struct span text;    /* All of it. */
    struct span head;    /* What stands before the parameters. */
    struct span params;  /* From the first ";" on; empty where there are none.  Well-formed. */
    struct span comment; /* AHOY_FORM_INTERVAL: with its parentheses; empty without. */
    union {
        struct ahoy_via via;
        struct ahoy_address address; /* AHOY_FORM_ADDRESS, AHOY_FORM_ROUTE. */
        struct ahoy_cseq cseq;
        struct ahoy_challenge challenge;
        struct ahoy_uri uri; /* AHOY_FORM_URI */
        uint64_t number;     /* AHOY_FORM_NUMBER, AHOY_FORM_INTERVAL: up to 2^32 - 1. */
        struct {
            struct span first, second; /* Type, subtype; or namespace, r-priority. */
        } pair;
        struct {
            uint32_t response;
            struct ahoy_cseq cseq;
        } rack;
        struct ahoy_date date;
        struct {
            struct span time, delay; /* "54", "0.5"; |delay| is empty where absent. */
        } timestamp;
        struct {
            unsigned code;           /* 100 to 999. */
            struct span agent, text; /* |text| with its quotes. */
        } warning;
    } as;
};

/* Reads all of |text|, one value of |header| (what ahoy_values_next gives, or a row's value), by
 * its form, and checks its parameters by the table in param_rule.h.  AHOY_HEADER_OTHER is text.
 * Faults: 400, each saying what was expected, and where. */
bool ahoy_value_parse(enum ahoy_header header, struct span text, struct ahoy_value *value,
                      struct ahoy_err *err);

/* Prints the canonical spelling: no white space that the grammar does not ask for, folds undone,
 * host names in lower case, parameters in their order.  Parsed again it is the same value, and
 * printed again the same text. */
void ahoy_value_print(const struct ahoy_value *value, struct ahoy_buf *buf);

/* The value of the parameter |name| in |value|, case aside, without its quotes; false where
 * absent.  For AHOY_FORM_VIA and addresses too: the header's parameters, not the URI's. */
bool ahoy_value_param(const struct ahoy_value *value, struct span name, struct span *found);
