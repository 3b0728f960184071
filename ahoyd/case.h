/* What became of a call, as its notes tell it: who called whom, how it ended, and by what true
 * cause.  Notes go in in the order of time; at any moment it can be said in one line. */
#pragma once

#include "libahoy/base/ring.h"
#include "libahoy/stack/wire.h"
#include "libahoy/syntax/message.h"
#include "libahoy/tu/cause.h"

enum {
    AHOYD_CASE_NAME_LIMIT = 96,    /* Bytes of a name that are kept; what is longer is cut. */
    AHOYD_CASE_HEARD_LIMIT = 8,    /* Final responses of several phones. */
    AHOYD_CASE_CALL_ID_LIMIT = 256 /* Bytes of a Call-ID; a call with a longer one is not told. */
};

/* A name, cut where it is too long. */
struct ahoyd_case_name {
    size_t size;
    char at[AHOYD_CASE_NAME_LIMIT];
};

enum ahoyd_case_state {
    AHOYD_CASE_ASKED, /* No answer yet. */
    AHOYD_CASE_RINGING,
    AHOYD_CASE_ANSWERED,
    AHOYD_CASE_ENDED,
    AHOYD_CASE_FAILED
};

struct ahoyd_case_end {
    uint8_t transport;
    struct ahoy_ip remote;
};

struct ahoyd_case {
    size_t call_id_size;
    char call_id[AHOYD_CASE_CALL_ID_LIMIT];
    enum ahoy_method
        method; /* Of the request that it is about; AHOY_METHOD_OTHER: none came yet. */
    uint32_t cseq;
    struct ahoyd_case_name from, to; /* "alice@atlanta.example" */
    struct ahoyd_case_name offer;    /* Codecs: "PCMU, G722". */
    struct ahoyd_case_end caller;
    enum ahoyd_case_state state;
    uint64_t begun_ms, since_ms, answered_ms; /* Since: of the state. */
    unsigned status;                          /* The final response that left; 0: none did. */
    size_t heard_count; /* Final failures that came, of which the last are kept. */
    struct ahoyd_case_heard {
        unsigned status;
        struct ahoyd_case_end end; /* Who said it. */
    } heard[AHOYD_CASE_HEARD_LIMIT];
    struct ahoyd_case_heard said; /* The one that left, or else the last; status 0: none. */
    bool is_passed_on;            /* It is the one that left. */
    bool cancelled, caller_ended;
    enum ahoy_cause cause; /* AHOY_CAUSE_COUNT: none was noted. */
    struct ahoyd_case_name detail;
    struct ahoyd_case_end place;   /* Of the cause. */
    enum ahoy_wire_fate fate;      /* Of the connection that it was about ... */
    struct ahoyd_case_name domain; /* ... and whom it was opened to. */
};

/* Connections that were lost belong to no call; those of late are kept here. */
struct ahoyd_case_losses {
    size_t next;
    struct ahoyd_case_loss {
        uint64_t now_ms;
        enum ahoy_wire_fate fate;
        struct ahoyd_case_end end;
        struct ahoyd_case_name domain;
    } list[16];
};

void ahoyd_case_init(struct ahoyd_case *call, struct span call_id);
/* The Call-ID that |note| is about; empty for none.  A message is parsed into |message|, whatever
 * can be read of it. */
struct span ahoyd_case_of(const struct ahoy_note *note, struct span text,
                          struct ahoy_message *message);
/* A note of this call; |message| is that of a note that is one. */
void ahoyd_case_take(struct ahoyd_case *call, const struct ahoy_note *note, struct span text,
                     const struct ahoy_message *message, const struct ahoyd_case_losses *losses);
void ahoyd_case_lose(struct ahoyd_case_losses *losses, const struct ahoy_note *note,
                     struct span text);

/* Whom From or To, the |header|, names: "alice@atlanta.example". */
void ahoyd_case_user(struct ahoyd_case_name *name, const struct ahoy_message *message,
                     enum ahoy_header header);

/* "404 Not Found: there is no such user: sip:nobody@atlanta.example (RFC 3261 16.5)" */
void ahoyd_case_print(const struct ahoyd_case *call, struct ahoy_buf *buf);
/* "wrong_password" for programs; "" where nothing is known. */
const char *ahoyd_case_label(const struct ahoyd_case *call);
/* "ringing" */
const char *ahoyd_case_state_name(enum ahoyd_case_state state);
/* "the password is wrong: alice, udp 192.0.2.1:5060 (RFC 3261 22.1)" */
void ahoyd_case_print_cause(enum ahoy_cause cause, struct span detail,
                            const struct ahoyd_case_end *place, struct ahoy_buf *buf);
/* "nobody listens there" */
const char *ahoyd_case_fate(enum ahoy_wire_fate fate);
