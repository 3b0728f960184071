/* A real phone as a node: the library's user agent over a stack of its own, by UDP. */
#pragma once

#include "libahoy/tu/ua.h"
#include "sim/world.h"

struct sim_phone;

/* |name| is its user at atlanta.example, and |password| its password, NULL for none; both outlive
 * it.  |server| is its registrar and proxy.  NULL where memory is refused. */
struct sim_phone *sim_phone_new(struct sim_world *world, const char *name, const char *password,
                                const struct ahoy_ip *ip, const struct ahoy_ip *server);
void sim_phone_free(struct sim_phone *phone);

void sim_phone_register(struct sim_phone *phone);
/* False where it has too many sessions already. */
bool sim_phone_call(struct sim_phone *phone, const char *uri);
/* What follows is about the last call that goes on.  Answers it, or refuses it with |status| where
 * that is not 200. */
void sim_phone_answer(struct sim_phone *phone, unsigned status);
/* Early media. */
void sim_phone_progress(struct sim_phone *phone);
/* Holds its peer, and lets him be heard again. */
void sim_phone_hold(struct sim_phone *phone);
void sim_phone_resume(struct sim_phone *phone);
/* Hands it to |uri|; or the one before it that goes on to its peer.  Where it cannot,
 * nothing happens.  Asked for that by others, it agrees. */
void sim_phone_transfer(struct sim_phone *phone, const char *uri);
void sim_phone_join(struct sim_phone *phone);
/* Asks the phone of |whom| to call |uri|, outside of calls.  Asked for that itself, it agrees. */
void sim_phone_refer(struct sim_phone *phone, const char *whom, const char *uri);
/* Ends it, in whatever state it is. */
void sim_phone_hangup(struct sim_phone *phone);
/* Ends all, and transfers that outlive theirs. */
void sim_phone_hangup_all(struct sim_phone *phone);
const struct ahoy_ip *sim_phone_ip(const struct sim_phone *phone);

/* Who is told of each message that it sends, before it is on its way, like sim_host_watch. */
typedef bool sim_phone_watch(void *context, const struct ahoy_ip *to, struct span bytes);
void sim_phone_observe(struct sim_phone *phone, sim_phone_watch *watch, void *context);

/* What its program has been told so far, and what it did: transfers that it |asked| for and that
 * were |transferred|, which is to say over, |handed| on where that went well; calls that it made
 * because a peer |referred| it; |glares|, its own 491s. */
#define SIM_PHONE_TOLD(COUNTER)                                                                    \
    COUNTER(registered)                                                                            \
    COUNTER(incoming)                                                                              \
    COUNTER(answered)                                                                              \
    COUNTER(refused)                                                                               \
    COUNTER(ended)                                                                                 \
    COUNTER(changed)                                                                               \
    COUNTER(glares)                                                                                \
    COUNTER(asked)                                                                                 \
    COUNTER(transferred)                                                                           \
    COUNTER(handed)                                                                                \
    COUNTER(referred)

struct sim_phone_told {
#define SIM_PHONE_COUNTER(name) unsigned name;
    SIM_PHONE_TOLD(SIM_PHONE_COUNTER)
#undef SIM_PHONE_COUNTER
};

void sim_phone_told_add(struct sim_phone_told *sum, const struct sim_phone_told *told);
const struct sim_phone_told *sim_phone_told(const struct sim_phone *phone);
/* Sessions and transactions that are not over. */
uint32_t sim_phone_held(const struct sim_phone *phone);
