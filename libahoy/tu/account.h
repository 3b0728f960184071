/* Whose phone this is, and how it proves that (RFC 3261 22). */
#pragma once

#include "libahoy/base/rng.h"
#include "libahoy/syntax/message.h"

/* The texts are the owner's and outlive the account's users. */
struct ahoy_account {
    struct span uri;      /* "sip:alice@atlanta.example" */
    struct span user;     /* "alice" */
    struct span domain;   /* "atlanta.example" */
    struct span realm;    /* The one realm that learns a digest of the password. */
    struct span password; /* Empty: challenges are not answered. */
};

enum {
    AHOY_CREDENTIALS_LIMIT = 2048, /* Bytes of one Authorization row. */
    AHOY_CREDENTIALS_TRIES = 2     /* Requests with credentials, before it is given up. */
};

/* What one request says for itself; zeroed at first, and for the next request. */
struct ahoy_credentials {
    unsigned tries;
    size_t size;
    char row[AHOY_CREDENTIALS_LIMIT]; /* An Authorization or Proxy-Authorization row. */
};

/* Answers the challenges of a 401 or 407 to a request of |method| for |uri|: of those for our
 * realm the strongest.  False, and |credentials| without a row, where
 * - none is for our realm, or asks for what is not ours (attacks 19, 20),
 * - credentials were sent before and the challenge is not a stale one, or AHOY_CREDENTIALS_TRIES
 *   were (R3261-22.1-7, attack 21),
 * - a limit refuses (attack 16). */
bool ahoy_credentials_answer(struct ahoy_credentials *credentials,
                             const struct ahoy_account *account,
                             const struct ahoy_message *response, struct span method,
                             struct span uri, struct ahoy_rng *rng);

/* The row; empty where there is none. */
struct span ahoy_credentials_row(const struct ahoy_credentials *credentials);
