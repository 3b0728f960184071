/* Who may send what where.  The rules are those of docs/decisions/0020-who-may-call.md. */
#pragma once

#include "ahoyd/path.h"
#include "ahoyd/routing.h"

struct ahoyd_sender {
    enum ahoyd_caller caller;
    struct span proof; /* The row of the request that proved it to us, and is for nobody else. */
    const struct ahoyd_domain *domain; /* Whose user he has proved to be; NULL for none. */
    char user[AHOYD_NAME_LIMIT];       /* His name there. */
    size_t user_size;
    bool is_judged; /* Another node of ours has found all that out, and says so. */
};

/* Finds out who sends a request that is to be forwarded.  False where it has been answered:
 * challenged, or refused because the sender is not whom From names. */
bool ahoyd_policy_sender(struct ahoyd_server *server, const struct ahoy_event *event,
                         uint64_t now_ms, struct ahoyd_sender *sender);

/* Whether a user may begin another call now, by the limit of his domain; false where it has been
 * answered 503.  Nobody else is counted. */
bool ahoyd_policy_pace(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, uint64_t now_ms);

/* The same of those that are not answered yet; |ticket| is for the proxy's plan, 0 for none. */
bool ahoyd_policy_hold(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, uint64_t now_ms, uint64_t *ticket);

/* Whether a request or a registration that came from |source| may lead to |ip| (attack 60): never
 * to this server itself, nowhere and everybody; to loopback from there only, to a link from one;
 * always to a trunk.  A |source| without a family is the configuration itself, which had a name
 * for |ip|. */
bool ahoyd_policy_may_reach(const struct ahoyd_server *server, const struct ahoy_ip *ip,
                            const struct ahoy_ip *source);
