/* What the command line says: the verb, whose phone it is, and how it is to behave. */
#pragma once

#include "ahoy/account.h"
#include "ahoy/instance.h"
#include "ahoy/load_pace.h"
#include "ahoy/outcome.h"
#include "libahoy/tu/ua.h"

enum phone_verb {
    PHONE_REGISTER = 1 << 0,
    PHONE_CALL = 1 << 1,
    PHONE_ANSWER = 1 << 2,
    PHONE_WATCH = 1 << 3,
    PHONE_MESSAGE = 1 << 4,
    PHONE_OPTIONS = 1 << 5,
    PHONE_LOAD_CALL = 1 << 6,
    PHONE_LOAD_ANSWER = 1 << 7,
    PHONE_LOAD_REGISTER = 1 << 8,
    PHONE_REFER = 1 << 9
};

enum {
    PHONE_TEXT_LIMIT = 512, /* Bytes of an account, a server, a password. */
    PHONE_URN_LIMIT = 100,  /* Bytes of its instance. */
    PHONE_SECONDS_LIMIT = 86400,
    PHONE_COUNT_LIMIT = 1000000000, /* Of OPTIONS, calls, REGISTERs. */
    PHONE_DIGITS_LIMIT = 32         /* At once. */
};

/* A registrar and outbound proxy. */
struct phone_server {
    struct ahoy_hop hop;
    struct span uri;   /* "sip:127.0.0.1:5060;transport=tcp" */
    struct span host;  /* Who it must prove to be (TLS). */
    struct span route; /* It as a value of Route. */
    char uri_space[PHONE_TEXT_LIMIT], route_space[PHONE_TEXT_LIMIT];
};

/* Where in a text numbers stand, with zeros in front. */
struct phone_numbers {
    size_t at, digits; /* No digits: nowhere. */
};

/* Of the verbs of load. */
struct phone_load {
    struct load_rate calls, registers; /* Zeroes: none. */
    uint32_t ramp_s, hold_s, at_once, users;
    bool has_count, has_hold;
    struct phone_numbers user, callee; /* In account.uri, in |callee|. */
};

/* Whose relay may be used (TURN). */
struct phone_turn {
    struct ahoy_ip server;     /* AHOY_NO_FAMILY: nobody's. */
    struct span user;          /* By this name ... */
    const char *password_file; /* ... and the password in there. */
    char password[PHONE_TEXT_LIMIT], path[PHONE_PATH_LIMIT];
};

/* Spans point into it, so it stays where it is. */
struct phone_options {
    enum phone_verb verb;
    struct ahoy_account account;
    struct span address; /* "alice@atlanta.example" */
    size_t server_count;
    struct phone_server servers[AHOY_UA_SERVERS_LIMIT];
    const char *authorities; /* A file: whose word counts for them (TLS); NULL: the system's. */
    bool insecure;           /* Nobody's is needed. */
    const char *certificate, *key; /* Files: what `load answer` shows (TLS); both, or NULL. */
    struct ahoy_ip listen;         /* AHOY_NO_FAMILY: what reaches the server. */
    const char *trace;             /* A file, or NULL. */
    bool json, keep, once, busy;
    uint32_t expires_s, for_s, ring_limit_s, ring_s;
    bool has_for, has_ring_limit, has_ring;
    uint32_t valid_s;                         /* How long the text of `message` is; 0: no end. */
    uint32_t count, every_s;                  /* How many OPTIONS, 0 for no end; how often. */
    const char *callee;                       /* The URI that a verb is for. */
    const char *text;                         /* What `message` says; "-": standard input. */
    const struct ahoy_event_package *package; /* Of `watch`. */
    uint32_t tone_hz;                         /* What is played: a tone; or 0 and ... */
    const char *play;                         /* ... a file of sound; NULL: silence. */
    bool has_play;                            /* Whether any of them was asked for. */
    const char *microphone, *speaker;         /* Devices by their names; NULL: none is named. */
    const char *record;                       /* A file for what is heard, or NULL. */
    const char *transfer,
        *consult; /* Whom `call` hands its call to, at once or by a call; or NULL.  Whom who is
                   * asked by `refer` is to call. */
    bool accepts_transfers, accepts_referrals, accepts_replacers;
    uint32_t session_s;           /* Session timers; 0: none. */
    const char *digits;           /* What `call` dials once it is answered; "" for nothing. */
    uint16_t port_low, port_high; /* For RTP and RTCP. */
    enum ahoy_security security;  /* Of sound. */
    struct ahoy_ip stun;          /* Whom to ask how others see us; AHOY_NO_FAMILY: nobody. */
    struct phone_turn turn;
    unsigned codecs; /* A set: those that are offered and taken. */
    char uri[PHONE_TEXT_LIMIT];
    char callee_space[PHONE_TEXT_LIMIT], next_space[PHONE_TEXT_LIMIT];
    char password[PHONE_TEXT_LIMIT];
    char password_path[PHONE_PATH_LIMIT], authorities_path[PHONE_PATH_LIMIT];
    struct phone_load load;
    struct phone_account file; /* Where texts of the account come from. */
};

/* Reads what stands behind the verb.  Returns -1 to go on, else the exit code, after help was
 * printed or what is wrong was said. */
int phone_options_read(struct phone_options *options, enum phone_verb verb, int argc, char **argv);

/* Reads the password from |path|, from standard input where that is "-", or, where it is NULL,
 * from the terminal if there is one.  False, said, where it cannot be read, or others can read the
 * file although it |is_secret|. */
bool phone_password_read(struct phone_options *options, const char *path, bool is_secret);

/* Reads the password of options->turn, and sets whose it is where nobody has said that; false,
 * said, where there is no file of it, or it cannot be read, or others can read it. */
bool phone_turn_read(struct phone_options *options);

/* Says what is wrong with the command line; returns the exit code. */
int phone_misuse(enum phone_verb verb, const char *what, const char *about);
/* Takes the servers that are |given|, or that of the account's domain; -1, or the exit code,
 * said. */
int phone_set_servers(struct phone_options *options, const char *const *given, size_t count);
/* The same where keys would stand in descriptions that strangers can read. */
int phone_check_security(const struct phone_options *options);

/* |text| with "sip:" in front where it has no scheme, in |space|; empty where it does not fit. */
struct span phone_with_scheme(const char *text, char *space, size_t size);

const char *phone_verb_name(enum phone_verb verb);
/* The one-line summaries of all verbs. */
void phone_print_help(void);
