/* Who watches the server from outside: every message that it receives or sends is noted beside the
 * others of its transaction, as RFC 3261 17 tells them apart, and laws.h judges what is noted.
 * What the server itself thinks is not asked. */
#pragma once

#include "sim/host.h"
#include "sim/inlets.h"

enum {
    SIM_T1_MS = 500,
    SIM_T2_MS = 4000,
    SIM_64T1_MS = 64 * SIM_T1_MS,
    SIM_TIMER_C_MS = 181000,
    SIM_TIMER_I_MS = 5000,
    SIM_STORE_MS = 5000,      /* No store of ours is slower. */
    SIM_DATAGRAM_MOST = 1300, /* What is larger goes by a stream (18.1.1). */
    SIM_NAMED_LIMIT = 64,
    SIM_UPPERS_LIMIT = 2048,
    SIM_LOWERS_LIMIT = 4096,
    SIM_AORS_LIMIT = 8
};

/* A request that came to the server, and all that was said about it towards its sender. */
struct sim_upper {
    uint64_t key; /* Branch, sent-by and method (17.2.3). */
    enum ahoy_method method;
    char *bytes; /* The request as it came first. */
    size_t size;
    struct ahoy_ip source;
    uint64_t stream; /* 0: a datagram. */
    uint64_t began_ms, began_turn;
    uint64_t stirred_ms; /* When it last began a branch or had a provisional response. */
    bool in_dialog;      /* It has a To tag. */
    bool is_cancelled;   /* A CANCEL for it came. */
    bool is_acked;       /* After a final response of 300 and above. */
    bool is_stateless;   /* Answered at once by the server itself: it may be answered again. */
    bool has_provisional;
    bool is_excused;     /* Memory was short while it lived, or a connection was lost. */
    bool is_doubtful;    /* Its answer may be that of another request that had its name. */
    bool is_forged;      /* Two different requests came under its name. */
    bool has_other_vias; /* A callee has answered with Vias that it did not have. */
    /* Of one that came under its name: its From is none of ours, or is proved; or somebody is. */
    bool is_foreign, is_proven, is_proxy_proven, has_proof;
    unsigned branches;  /* Requests that it was forwarded as. */
    unsigned copies;    /* That came by its connection in the turn in which it began. */
    unsigned final;     /* The first final response that was sent; 0 for none. */
    uint64_t final_tag; /* Of its To. */
    uint64_t final_ms;  /* When it was sent first, ... */
    uint64_t final_turn;
    uint64_t again_ms;       /* ... when timer G wants it sent again, ... */
    uint64_t interval_ms;    /* ... and after which wait that will be. */
    uint64_t successes_met;  /* 2xx that came for it in this turn ... */
    uint64_t successes_sent; /* ... and went. */
    uint64_t asked_turn;     /* When its request last came. */
    uint64_t acked_ms, acked_turn;
    uint64_t early_ack_turn; /* An ACK came before any final response; 0: none did. */
};

/* A request that the server sent. */
struct sim_lower {
    uint64_t branch;
    enum ahoy_method method;
    struct span method_text; /* Of |bytes|. */
    char *bytes;
    size_t size;
    struct sim_upper *upper;  /* What it was made from; NULL where that is not known. */
    struct sim_lower *invite; /* CANCEL: the one that it cancels. */
    struct ahoy_ip to;
    uint64_t stream;
    uint64_t began_ms, began_turn, sent_turn;
    unsigned sends;
    uint64_t interval_ms, again_ms; /* Timers A and E: not sooner, ... */
    uint64_t due_ms;                /* ... and not later. */
    uint64_t provisional_ms;        /* The last one; 0 for none. */
    uint64_t first_provisional_turn;
    unsigned final;
    uint64_t final_ms, final_turn;
    uint64_t acked_turn;
    uint64_t owes_ack_turn;
    uint64_t cancelled_ms;     /* When a CANCEL for it left; 0: none did. */
    unsigned cancels;          /* CANCEL requests, retransmissions aside. */
    bool may_be_cancelled;     /* There is a reason for one. */
    uint64_t must_cancel_turn; /* One must leave in this turn; 0: none. */
    bool is_excused;
    bool is_unheard; /* Its final response came when it may have been over, or without memory. */
};

/* What an address-of-record had in the store at the end of a turn. */
struct sim_shelf {
    char aor[64];
    size_t count;
    struct sim_shelved {
        uint64_t contact, call_id, expires_ms;
        uint32_t cseq;
    } list[AHOY_BINDINGS_LIMIT];
    unsigned granted;                /* REGISTERs for it that were answered 200 in this turn, ... */
    const struct sim_upper *grantee; /* ... and the last of them. */
    uint64_t excused_ms;             /* Up to then its answers may not be seen. */
};

struct sim_witness {
    struct sim_host_eyes eyes; /* enters and leaves are its owner's. */
    struct sim_host *host;
    struct sim_world *world;
    uint64_t turn;
    uint64_t last_ms; /* When the turn before this one was over. */
    struct sim_upper uppers[SIM_UPPERS_LIMIT];
    struct sim_lower lowers[SIM_LOWERS_LIMIT];
    size_t upper_count, lower_count;
    size_t first_upper, first_lower; /* All before these are over for good. */
    struct sim_shelf shelves[SIM_AORS_LIMIT];
    size_t shelf_count;
    struct ahoy_bindings bindings;   /* Scratch. */
    struct sim_inlets inlets;        /* Streams that stand. */
    uint64_t named[SIM_NAMED_LIMIT]; /* Keys of nobody yet, by Vias that callees have changed. */
    size_t named_count;              /* The last ones, round and round. */
    struct ahoy_message message, other;
    struct ahoy_routing routing;
    bool has_streams;       /* Connections are opened whose messages wait unseen. */
    bool is_full;           /* More came than can be noted: what follows is not judged. */
    bool is_strict;         /* Every request of a user of ours must prove who sends it. */
    struct ahoyd_user user; /* Of the user "alice": what must not be seen. */
    uint64_t short_ms;      /* When an allocation was last refused. */
    uint64_t blurred_ms;    /* When a message last came that cannot be followed, ... */
    uint64_t blurred_turn;  /* ... and in which turn one could not even be read. */
    unsigned law;           /* The first that was broken; 0 for none. */
    uint64_t broken_ms;
    char what[160];
};

/* |host| is observed from now on; |users| are the addresses-of-record to be looked after, up to
 * NULL.  Everything else is as it was zeroed. */
#define SIM_PASSWORD "a password of everybody" /* Of all users. */

void sim_witness_init(struct sim_witness *witness, struct sim_world *world, struct sim_host *host,
                      const char *const *users);
void sim_witness_fini(struct sim_witness *witness);
/* The server was killed: nothing is owed for what it had begun.  Once it is up again, what its
 * store holds is compared with what was promised. */
void sim_witness_forget(struct sim_witness *witness);
void sim_witness_revived(struct sim_witness *witness);
/* All is over. */
void sim_witness_end(struct sim_witness *witness);
/* An allocation was refused, now. */
void sim_witness_excuse(struct sim_witness *witness);

/* The clock is about to jump by |ms|, or has done so (0).  By more than the client's patience
 * perhaps: what still waits for the store is kept there, and may not be answered any more.  And a
 * timer C that it passes over goes off only behind it. */
void sim_witness_jumps(struct sim_witness *witness, uint64_t ms);

/* A message as the laws get it. */
struct sim_news {
    const struct ahoy_message *message;
    const struct ahoy_routing *routing;
    struct ahoy_ip peer;
    uint64_t stream;
    bool is_again;           /* It has passed before. */
    struct sim_upper *upper; /* Whose request or response it is, or whose CANCEL or ACK. */
    struct sim_lower *lower; /* Likewise, on the other side. */
};

uint64_t sim_witness_now(const struct sim_witness *witness);
/* |law| does not hold.  Only the first is kept. */
void sim_witness_break(struct sim_witness *witness, unsigned law, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A hash that is the same in every run. */
uint64_t sim_hash(struct span text);
/* The request of |upper| or |lower|, read again. */
const struct ahoy_message *sim_witness_request(struct sim_witness *witness, const char *bytes,
                                               size_t size);
/* Whether the connection is still there. */
bool sim_witness_has_stream(struct sim_witness *witness, uint64_t stream);
struct sim_shelf *sim_witness_shelf(struct sim_witness *witness, struct span aor);
/* Reads what the store holds for |shelf| now. */
void sim_witness_look(struct sim_witness *witness, const struct sim_shelf *shelf,
                      struct sim_shelf *now);
