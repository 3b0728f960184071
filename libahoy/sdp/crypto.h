/* The keys of SRTP in descriptions: a=crypto (RFC 4568; RFC 6188 4 for keys of 256 bits). */
#pragma once

#include "libahoy/sdp/sdp.h"

/* The crypto-suites that we speak, those we would rather speak first. */
enum ahoy_suite {
    AHOY_NO_SUITE,
    AHOY_AES_128_SHA1_80,
    AHOY_AES_256_SHA1_80,
    AHOY_AES_128_SHA1_32,
    AHOY_SUITES
};

enum { AHOY_MASTER_LIMIT = 46 }; /* Bytes of a master key and its salt. */

/* "AES_CM_128_HMAC_SHA1_80" */
struct span ahoy_suite_name(enum ahoy_suite suite);
/* How many bytes its master key and salt have together. */
size_t ahoy_suite_master_size(enum ahoy_suite suite);

struct ahoy_sdp_crypto {
    uint32_t tag;
    enum ahoy_suite suite;
    uint8_t master[AHOY_MASTER_LIMIT]; /* The key, and its salt behind it. */
};

/* Reads the value of a=crypto.  False with |err| filled: 400 where it is none, or not valid; 488
 * for what is valid and not ours: other suites, several keys or one with an identifier, a lifetime
 * below 2^31 packets, and parameters that must be understood. */
bool ahoy_sdp_read_crypto(struct span value, struct ahoy_sdp_crypto *crypto, struct ahoy_err *err);
/* Prints the whole line. */
void ahoy_sdp_put_crypto(const struct ahoy_sdp_crypto *crypto, struct ahoy_buf *buf);
