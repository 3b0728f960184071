/* Which transaction a message belongs to: responses by RFC 3261 17.1.3, requests by 17.2.3, the
 * INVITE that a CANCEL means by 9.2.  Pure: what is compared is views, the tables are the
 * owner's. */
#pragma once

#include "libahoy/syntax/message.h"
#include "libahoy/transaction/user.h"

/* A branch of ours: the cookie, 64 random bits as a token, and what the user appends. */
struct ahoy_branch {
    uint64_t token; /* What the transaction is looked up by: nobody can guess or choose it. */
    uint8_t tail_size;
    char tail[AHOY_BRANCH_TAIL_LIMIT];
};

/* |tail| is at most AHOY_BRANCH_TAIL_LIMIT bytes. */
struct ahoy_branch ahoy_branch_make(uint64_t token, struct span tail);
/* Reads the branch of a response's topmost Via; false where it is none that we ever made.  Its
 * letters may have become large or small on the way (7.3.1), here and when two are compared. */
bool ahoy_branch_parse(struct span text, struct ahoy_branch *branch);
/* Whether it is the one of that |token| and |tail|. */
bool ahoy_branch_is(const struct ahoy_branch *branch, uint64_t token, struct span tail);

/* What a request is known by.  With the cookie: branch, sent-by and method.  Without (RFC 2543):
 * all the others, and the method.  Parts that do not belong are empty. */
enum ahoy_key_part {
    AHOY_KEY_METHOD, /* Of AHOY_METHOD_OTHER only. */
    AHOY_KEY_BRANCH,
    AHOY_KEY_SENT_BY,
    AHOY_KEY_VIA, /* All of the topmost value. */
    AHOY_KEY_FROM_TAG,
    AHOY_KEY_CALL_ID,
    AHOY_KEY_TO_TAG,
    AHOY_KEY_REQUEST_URI,
    AHOY_KEY_PARTS
};

struct ahoy_request_key {
    bool has_cookie;
    enum ahoy_method method; /* Of the transaction. */
    uint32_t cseq_number;    /* 0 with the cookie. */
    struct span parts[AHOY_KEY_PARTS];
};

/* The key by which |message| finds a transaction of |method|: its own method, or INVITE for an ACK,
 * and for a CANCEL that looks for what it cancels.  A view of |message|. */
struct ahoy_request_key ahoy_request_key(const struct ahoy_message *message,
                                         const struct ahoy_routing *routing,
                                         enum ahoy_method method);

/* A hash of what equal keys have alike, whatever the case of their letters.  Neither To tag nor
 * Request-URI is in it: an ACK may differ in the one, and URIs may be equal but not alike. */
uint64_t ahoy_request_key_hash(const struct ahoy_request_key *key,
                               const struct ahoy_hash_key *secret);

/* Whether |key| is that of the request that |kept| is of, by the rules of each field: URIs by
 * 19.1.4, Call-IDs and methods bytewise, all else without regard to case (7.3.1).  For an ACK the
 * To tag does not count: it is to be compared with that of the response (17.2.3). */
bool ahoy_request_key_equal(const struct ahoy_request_key *kept, const struct ahoy_request_key *key,
                            bool is_ack);

/* A key as one run of bytes, which outlives the message: how many there are, write them, and a view
 * of them. */
size_t ahoy_request_key_size(const struct ahoy_request_key *key);
void ahoy_request_key_pack(const struct ahoy_request_key *key, char *bytes);
struct ahoy_request_key ahoy_request_key_unpack(const char *bytes);
