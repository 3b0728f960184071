/* What the files of an agent of ICE share. */
#pragma once

#include "libahoy/transport/agent.h"

struct span ahoy_ice_user(const struct ahoy_ice_words *words);
/* The user fragment by which the peer knows us, or did before a restart. */
struct span ahoy_ice_our_user(const struct ahoy_ice_agent *agent, bool is_former);
struct span ahoy_ice_word(const struct ahoy_ice_words *words);
void ahoy_ice_new_id(struct ahoy_ice_agent *agent, uint8_t id[AHOY_STUN_ID_SIZE]);

/* The list of pairs: agent_list.c. */

/* Pairs all candidates, and lets one pair of each foundation be tried (6.1.2). */
void ahoy_ice_list(struct ahoy_ice_agent *agent);
/* The same with those of the peer's from |known| on, which are new: RFC 8839 4.4.3.1. */
void ahoy_ice_list_more(struct ahoy_ice_agent *agent, size_t known);
/* The role has changed: pairs have other priorities (6.1.2.3). */
void ahoy_ice_order(struct ahoy_ice_agent *agent);
/* The pair of those candidates, which is added where there is none; NULL where there is no room. */
struct ahoy_ice_pair *ahoy_ice_pair(struct ahoy_ice_agent *agent, size_t local, size_t remote);
/* The candidate at |ip|, for ours: of |base|; the count where there is none. */
size_t ahoy_ice_find_local(const struct ahoy_ice_agent *agent, const struct ahoy_ip *ip,
                           size_t base);
size_t ahoy_ice_find_remote(const struct ahoy_ice_agent *agent, const struct ahoy_ip *ip);
/* It is tried before all that is not triggered (6.1.4.1). */
void ahoy_ice_trigger(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair);
/* Those that are like |pair| may be tried (7.2.5.3.3). */
void ahoy_ice_unfreeze(struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair);
/* What is to be tried next (6.1.4.2); NULL where nothing is. */
struct ahoy_ice_pair *ahoy_ice_next(struct ahoy_ice_agent *agent);
bool ahoy_ice_has_next(const struct ahoy_ice_agent *agent);

/* Checks: agent_checks.c. */

/* A check of |pair| begins, or goes out again; the request is in the agent's room. */
struct span ahoy_ice_compose(struct ahoy_ice_agent *agent, const struct ahoy_ice_pair *pair);
void ahoy_ice_start(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair, uint64_t now_ms);
/* The next wait of one that has not been answered; false where it is given up. */
bool ahoy_ice_wait(struct ahoy_ice_transaction *check, uint64_t now_ms);
/* It has failed (7.2.5.2). */
void ahoy_ice_fail(struct ahoy_ice_agent *agent, struct ahoy_ice_pair *pair);
/* A check of the peer's is answered, and looked into. */
void ahoy_ice_take_request(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                           struct span request, uint64_t now_ms);
/* The peer has said that he would have the pair of our candidate |ours| and his |theirs|. */
void ahoy_ice_choose(struct ahoy_ice_agent *agent, const struct ahoy_ip *ours,
                     const struct ahoy_ip *theirs);
/* The same of one that came early. */
void ahoy_ice_take_early(struct ahoy_ice_agent *agent, const struct ahoy_ice_early *early);
void ahoy_ice_take_answer(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                          struct span answer, uint64_t now_ms);

/* The way: agent_way.c. */

/* Settles what follows from the states of pairs: who is nominated, where sound goes, whether the
 * list is completed or has failed (8.1). */
void ahoy_ice_settle(struct ahoy_ice_agent *agent, uint64_t now_ms);
/* When that changes although nothing has come; UINT64_MAX for never. */
uint64_t ahoy_ice_settles_ms(const struct ahoy_ice_agent *agent);
/* The way is one no more, and is not tried again. */
void ahoy_ice_close_way(struct ahoy_ice_agent *agent);
bool ahoy_ice_is_gone(const struct ahoy_ice_agent *agent, size_t base);
/* Whether |answer| is consent; true where it was for that. */
bool ahoy_ice_take_consent(struct ahoy_ice_agent *agent, const struct ahoy_ip *source,
                           struct span answer, uint64_t now_ms);
/* The next question for it that is due; empty for none. */
struct span ahoy_ice_ask_consent(struct ahoy_ice_agent *agent, uint64_t now_ms);
