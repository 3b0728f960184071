/* A stack in a test's hands: events go in, and what it wants carried out is recorded.  Its user
 * answers every request 200 without state, unless told otherwise, and records all events. */
#pragma once

#include "libahoy/stack/stack.h"

enum { RIG_LIMIT = 512, RIG_CONNECTIONS = 64 };

/* Its listeners, by index. */
enum { RIG_UDP4, RIG_TCP4, RIG_UDP6, RIG_TCP6, RIG_TLS4, RIG_WS4, RIG_LISTENERS };

struct rig_seen {
    enum ahoy_event_kind kind;
    uint64_t user;
    unsigned status; /* RESPONSE */
};

struct rig {
    struct ahoy_stack *stack;
    const struct ahoy_stack_counters *counters;
    uint64_t now_ms;
    bool mute;                /* The user does not answer. */
    uint32_t domain;          /* That rig_request asks for (TLS). */
    struct ahoy_hop last_hop; /* By which the last message came. */
    size_t seen_count;
    struct rig_seen seen[RIG_LIMIT];
    size_t effect_count;
    struct ahoy_wire_effect effects[RIG_LIMIT]; /* With copies of their bytes. */
    const char *at[RIG_LIMIT];                  /* Where the bytes stood. */
};

struct ahoy_ip rig_ip(const char *text, uint16_t port);

void rig_init(struct rig *rig, uint16_t worker, uint16_t workers);
/* The same, with what the workers share of their connections. */
void rig_init_shared(struct rig *rig, uint16_t worker, uint16_t workers,
                     struct ahoy_directory *directory);
/* One of a phone, which opens WebSockets. */
void rig_init_phone(struct rig *rig);
void rig_fini(struct rig *rig);
/* The two around a test, whose state is a rig of one worker. */
int rig_set_up(void **state);
int rig_tear_down(void **state);
#define rig_test(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
/* Forgets what was recorded. */
void rig_forget(struct rig *rig);

/* One turn: the event, all that comes up, all that goes out. */
void rig_step(struct rig *rig, struct ahoy_wire_event *event);
/* Lets the time pass to |now_ms|, waking the stack as it asks. */
void rig_wait(struct rig *rig, uint64_t now_ms);
void rig_datagram(struct rig *rig, uint8_t listener, struct ahoy_ip remote, struct span bytes);
/* The null handle where it is refused. */
struct ahoy_handle rig_accept(struct rig *rig, uint8_t listener, struct ahoy_ip remote);
void rig_bytes(struct rig *rig, struct ahoy_handle connection, struct span bytes);
/* CONNECTED or CLOSED. */
void rig_tell(struct rig *rig, enum ahoy_wire_event_kind kind, struct ahoy_handle connection);
/* What the user did outside of a step goes out. */
void rig_poll(struct rig *rig);

/* Starts an OPTIONS transaction to |remote|. */
struct ahoy_handle rig_request(struct rig *rig, enum ahoy_transport transport,
                               struct ahoy_ip remote, uint64_t user, size_t body_size);

/* How many effects of |kind| were recorded. */
size_t rig_count(const struct rig *rig, enum ahoy_wire_effect_kind kind);
/* The recorded SEND that is number |index|, from 0; fails the test where there are fewer. */
const struct ahoy_wire_effect *rig_sent(const struct rig *rig, size_t index);
/* The status of a recorded SEND, 0 where it is no response. */
unsigned rig_status(const struct ahoy_wire_effect *effect);
/* How many events of |kind| with |user| came up. */
size_t rig_seen_count(const struct rig *rig, enum ahoy_event_kind kind, uint64_t user);
