/* What the files of a rehearsal share: world.c has the clock and is between the server and all
 * others, stage.c says where everybody is, party.c plays who is called and caller.c who calls. */
#pragma once

#include "ahoyd/rehearsal/rehearsal.h"
#include "ahoyd/server.h"
#include "libahoy/tu/account.h"
#include "libahoy/tu/dialog.h"

enum {
    MESSAGE_SIZE = 16384, /* Bytes of a message of the caller or a party. */
    NO_PLACE = -1
};

/* Where a party is, or a target of a trunk. */
struct place {
    struct span name;                /* The user, or the trunk. */
    struct span uri;                 /* Of a target of several; else empty. */
    const struct ahoyd_trunk *trunk; /* NULL: a user's phone. */
    struct span host;                /* By which it is looked up; empty: by none. */
    struct ahoy_ip ip;
    struct ahoyd_party party;
    size_t called_size; /* As whom it was called last. */
    char called[AHOYD_REHEARSAL_TEXT_LIMIT];
};

enum happening_kind {
    TO_SERVER,    /* |wire| comes to the server. */
    OF_PARTY,     /* The party at |place| has the final answer to |bytes|. */
    CALLER_TIRES, /* The caller gives up. */
    CALLER_ENDS   /* He hangs up. */
};

struct happening {
    struct happening *next;
    uint64_t due_ms; /* UINT64_MAX: never, but it may be cancelled. */
    enum happening_kind kind;
    struct ahoy_wire_event wire;
    int place;
    struct ahoy_hop hop; /* By which |bytes| came. */
    size_t size;
    char bytes[];
};

struct caller {
    struct ahoy_hop hop;
    bool proves; /* |account| is that of a user. */
    struct ahoy_account account;
    struct ahoy_credentials credentials;
    uint32_t cseq;
    bool cancelled, answered, is_done;
    size_t invite_size;
    char invite[MESSAGE_SIZE]; /* As it was sent last. */
    struct ahoy_dialog dialog;
};

struct world {
    struct ahoyd_change_owner owner; /* First: the store gives changes back to it. */
    struct ahoyd_change *changes;    /* Given back, not yet taken. */
    const struct ahoyd_names *names;
    struct ahoyd_plan *plan;
    struct ahoyd_rehearsal *rehearsal;
    struct ahoy_listener listeners[AHOY_LISTENERS_LIMIT]; /* They reach everybody. */
    struct ahoyd_store *store;
    struct ahoyd_server *server;
    uint64_t now_ms;
    struct happening *first; /* In the order of time. */
    size_t happening_count;
    struct place *places; /* Users' phones, then the targets of all trunks. */
    size_t place_count;
    struct caller caller;
    struct ahoy_rng rng;
    bool is_broken; /* A limit has been reached, or memory refused. */
    struct ahoy_message message, invite;
    struct ahoy_routing routing;
    char text[MESSAGE_SIZE], rows[MESSAGE_SIZE];
};

/* world.c: |happening| comes |after_ms| from now, or never (UINT64_MAX), with a copy of |bytes|. */
void world_schedule(struct world *world, const struct happening *happening, struct span bytes,
                    uint64_t after_ms);
/* Somebody sends |bytes| to the server, by |hop| as it is seen from there. */
void world_send(struct world *world, const struct ahoy_hop *hop, struct span bytes);
/* Takes happenings of |place| out that have |branch|: the first of them, for the caller of this to
 * free, or NULL. */
struct happening *world_take(struct world *world, int place, struct span branch);
/* Adds the line "20 s: " with |pieces|. */
void world_tell(struct world *world, const struct span *pieces, size_t count);
/* Gives |event| to the server, and carries out all that follows. */
void world_step(struct world *world, struct ahoy_wire_event *event);

/* stage.c: false where memory is refused, or |fault| says what is not understood. */
bool stage_open(struct world *world, char *fault, size_t fault_size);
/* Registers the phones, and gives the caller his password; false likewise. */
bool stage_register(struct world *world, char *fault, size_t fault_size);
/* Who is at |ip|; NO_PLACE: nobody. */
int stage_find(const struct world *world, const struct ahoy_ip *ip);
/* Answers the question |effect| to the DNS. */
void stage_look_up(struct world *world, const struct ahoy_wire_effect *effect);
/* The first listener of |transport|, of the family of |ip| where there is one; AHOY_ANY_LISTENER:
 * none. */
uint8_t stage_listener(const struct world *world, enum ahoy_transport transport,
                       const struct ahoy_ip *ip);

/* party.c: |effect| brings the request world->message to |place|, or to the caller. */
void party_receive(struct world *world, int place, const struct ahoy_wire_effect *effect);
/* Its final answer is due. */
void party_answer(struct world *world, const struct happening *happening);
/* The sound that everybody offers and takes. */
void party_put_sound(const struct ahoy_ip *ip, struct ahoy_buf *buf);

/* caller.c: false where the call cannot be read. */
bool caller_call(struct world *world);
/* world->message is a response. */
void caller_receive(struct world *world);
void caller_tire(struct world *world);
void caller_end(struct world *world);
