/* A call as its record will have it: its fate (ahoyd/case.h), and what else its notes tell. */
#pragma once

#include "ahoyd/case.h"
#include "ahoyd/follower.h"

enum {
    AHOYD_RECORD_TEXT_LIMIT = 128,    /* Bytes of a text that are kept; what is longer is cut. */
    AHOYD_RECORD_BRANCHES_LIMIT = 32, /* Those beyond are not counted. */
    AHOYD_RECORD_LEGS_LIMIT = 4       /* Answers of several phones. */
};

struct ahoyd_record_text {
    size_t size;
    char at[AHOYD_RECORD_TEXT_LIMIT];
};

/* By what a call that was answered has ended. */
enum ahoyd_record_end {
    AHOYD_RECORD_OPEN, /* It stands. */
    AHOYD_RECORD_BY_CALLER,
    AHOYD_RECORD_BY_CALLEE,
    AHOYD_RECORD_BY_SESSION, /* Nobody refreshed it in its time (RFC 4028). */
    AHOYD_RECORD_UNKNOWN     /* No BYE has passed, and nothing bounds its time. */
};

struct ahoyd_record {
    struct ahoyd_case fate;
    struct ahoyd_record_text caller, callee, uri; /* From, To, the Request-URI. */
    struct ahoyd_record_text login, source_trunk, domain, trunk, agent;
    struct ahoyd_case_end target; /* Who answered. */
    uint64_t rang_ms, ended_ms, seen_ms;
    uint64_t caller_tag;
    uint64_t legs[AHOYD_RECORD_LEGS_LIMIT]; /* The callees' tags: dialogs that stand. */
    size_t leg_count;
    uint64_t branches[AHOYD_RECORD_BRANCHES_LIMIT];
    size_t branch_count;
    uint32_t session_s;    /* Its Session-Expires; 0: nothing bounds it. */
    uint64_t refreshed_ms; /* When that began. */
    enum ahoyd_record_end end;
};

/* Whether |noted| begins a call of which nothing was known. */
bool ahoyd_record_begins(const struct ahoyd_noted *noted);
/* |call_id| has less than AHOYD_CASE_CALL_ID_LIMIT bytes. */
void ahoyd_record_init(struct ahoyd_record *record, struct span call_id);
/* A note of this call. */
void ahoyd_record_take(struct ahoyd_record *record, const struct ahoyd_noted *noted,
                       const struct ahoyd_case_losses *losses);
/* When it is to be written at the latest, if nothing more comes of it; 0: now. */
uint64_t ahoyd_record_deadline(const struct ahoyd_record *record);
/* That time has come. */
void ahoyd_record_expire(struct ahoyd_record *record);
