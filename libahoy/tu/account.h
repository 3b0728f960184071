/* Whose phone this is, and how it proves that (RFC 3261 22). */
#pragma once

#include "libahoy/auth/digest.h"
#include "libahoy/base/rng.h"
#include "libahoy/syntax/message.h"

/* The texts are the owner's and outlive the account's users. */
struct ahoy_account {
    struct span uri;      /* "sip:alice@atlanta.example" */
    struct span user;     /* "alice" */
    struct span domain;   /* "atlanta.example" */
    struct span realm;    /* The one realm that learns a digest of the password. */
    struct span password; /* Empty: challenges are not answered. */
    struct span instance; /* This phone's own URN (RFC 5626 4.1); empty: it asks for no GRUU. */
};

enum {
    AHOY_CREDENTIALS_LIMIT = 2048, /* Bytes of one Authorization row. */
    AHOY_CREDENTIALS_TRIES = 2     /* Answers to 401s, and to 407s, before it is given up. */
};

/* What one request says for itself; zeroed at first, and for the next request. */
struct ahoy_credentials {
    /* The answers to a 401 and to a 407, which a request may meet one after the other. */
    struct ahoy_proof {
        unsigned tries;
        size_t nonce_at, nonce_size; /* In |row|. */
        size_t size;
        char row[AHOY_CREDENTIALS_LIMIT]; /* An Authorization or Proxy-Authorization row. */
    } proofs[2];
};

/* Answers the challenges of a 401 or 407 to a request for |uri|: of those for our realm the first
 * that we can (RFC 8760 2.4).  False, and no row for them any more, where
 * - none is for our realm, or asks for what is not ours (attacks 19, 20),
 * - credentials were sent before and the challenge is not a stale one with another nonce, or
 *   AHOY_CREDENTIALS_TRIES were (R3261-22.1-7, attack 21),
 * - a limit refuses (attack 16). */
bool ahoy_credentials_answer(struct ahoy_credentials *credentials,
                             const struct ahoy_account *account,
                             const struct ahoy_message *response,
                             const struct ahoy_digested *request, struct span uri,
                             struct ahoy_rng *rng);

/* Whether the server proves in Authentication-Info, where it has one, that it knows the password
 * too: false where rspauth is wrong, or for other credentials than these (RFC 7616 3.5). */
bool ahoy_credentials_confirm(const struct ahoy_credentials *credentials,
                              const struct ahoy_account *account,
                              const struct ahoy_message *response);
/* Makes the credentials of the next |request| for |uri| from the nextnonce of a |response|; false,
 * and none at all, where there is none, or a limit refuses. */
bool ahoy_credentials_renew(struct ahoy_credentials *credentials,
                            const struct ahoy_account *account, const struct ahoy_message *response,
                            const struct ahoy_digested *request, struct span uri,
                            struct ahoy_rng *rng);

/* Adds the rows there are; NULL has none. */
void ahoy_credentials_put(const struct ahoy_credentials *credentials, struct ahoy_buf *buf);
