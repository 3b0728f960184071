/* Whoever claims to be a user of ours proves it, whatever he asks for (attack 22) and wherever he
 * sends it from (attack 23).  ACK and CANCEL never come here: nobody can be asked to send them
 * again (R3261-22.1-5, R3261-22.1-6). */
#include "ahoyd/policy.h"

#include "ahoyd/answer.h"
#include "ahoyd/aor.h"
#include "ahoyd/authenticate.h"
#include "ahoyd/gruu.h"
#include "ahoyd/identity.h"
#include "ahoyd/refusals.h"
#include "ahoyd/why.h"

/* Whether From names |user|, or nobody at all (RFC 3323 4.1.1.3). */
static bool is_from(const struct ahoyd_server *server, const struct ahoy_event *event,
                    const struct ahoyd_domain *domain, struct span user)
{
    const struct ahoy_uri *from = &event->routing->from.uri;
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    return ahoyd_identity_is_hidden(from) || (ahoyd_aor_find(server, from, domain, &aor) &&
                                              ahoyd_aor_is_of(ahoy_buf_text(&aor), user, domain));
}

/* Whether the Contact that a dialog would be kept to is a GRUU of ours, and not one of |user|
 * (RFC 5627 6.2). */
static bool has_foreign_gruu(const struct ahoyd_server *server, const struct ahoy_event *event,
                             const struct ahoyd_domain *domain, struct span user)
{
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_CONTACT);
    struct ahoy_address contact;
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    return ahoy_method_forms_dialog(event->message->method) &&
           ahoy_addresses_next(&values, &contact, NULL) &&
           ahoyd_gruu_kind(&contact.uri) != AHOYD_GRUU_NONE &&
           ahoyd_names_domain(&server->names, &contact.uri) == domain &&
           !(ahoyd_aor_find(server, &contact.uri, domain, &aor) &&
             ahoyd_aor_is_of(ahoy_buf_text(&aor), user, domain));
}

static bool prove_user(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_domain *domain, uint64_t now_ms,
                       struct ahoyd_sender *sender)
{
    struct ahoyd_proof proof;
    if (!ahoyd_demand(server, event, domain, 407, now_ms, &proof))
        return false;
    if (!is_from(server, event, domain, proof.user) ||
        has_foreign_gruu(server, event, domain, proof.user)) {
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_FOREIGN_FROM, proof.user);
        return false;
    }
    sender->proof = proof.row;
    sender->domain = domain;
    sender->user_size = proof.user.size;
    memcpy(sender->user, proof.user.at, proof.user.size);
    return true;
}

bool ahoyd_policy_sender(struct ahoyd_server *server, const struct ahoy_event *event,
                         uint64_t now_ms, struct ahoyd_sender *sender)
{
    const struct ahoyd_domain *domain = ahoyd_identity_domain(server, event);
    bool is_trunk = ahoyd_names_is_trunk(&server->names, &event->hop->remote);
    *sender = (struct ahoyd_sender){ .caller = AHOYD_CALLER_STRANGER };
    if (domain != NULL) {
        if (domain->auth == AHOYD_AUTH_DIGEST && !prove_user(server, event, domain, now_ms, sender))
            return false;
        sender->caller = AHOYD_CALLER_USER;
    } else if (is_trunk) {
        sender->caller = AHOYD_CALLER_TRUNK;
    }
    if (sender->caller != AHOYD_CALLER_STRANGER)
        ahoy_stack_trust(server->stack, event->hop);
    return true;
}

/* Too many calls of a user: they will be taken, only not now. */
static void refuse_call(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_sender *sender, const char *why, uint64_t now_ms)
{
    const struct span user = { sender->user, sender->user_size };
    const struct ahoyd_refusal refusal = { "refused call", why, sender->domain->name, user,
                                           event->hop };
    ahoyd_refusal_tell(server, &refusal, now_ms);
    server->counters.paced_calls++;
    ahoyd_why(server, event, AHOY_CAUSE_PACED, user);
    ahoyd_answer_with(server, event, 503, SPAN("Retry-After: 1\r\n"));
}

bool ahoyd_policy_pace(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, uint64_t now_ms)
{
    const struct ahoyd_domain *domain = sender->domain;
    const struct span user = { sender->user, sender->user_size };
    if (domain == NULL)
        return true;
    uint32_t most = ahoyd_config_limits(server->options.config, domain, user)->calls;
    if (most == 0 || ahoyd_guard_pace(server->guard, user, domain->name, most, now_ms))
        return true;
    refuse_call(server, event, sender, "too many a second", now_ms);
    return false;
}

bool ahoyd_policy_hold(struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoyd_sender *sender, uint64_t now_ms, uint64_t *ticket)
{
    const struct ahoyd_domain *domain = sender->domain;
    const struct span user = { sender->user, sender->user_size };
    *ticket = 0;
    if (domain == NULL)
        return true;
    uint32_t most = ahoyd_config_limits(server->options.config, domain, user)->unanswered;
    if (most == 0 || ahoyd_guard_begin(server->guard, user, domain->name, most, ticket))
        return true;
    refuse_call(server, event, sender, "too many at once", now_ms);
    return false;
}

/* 0.0.0.0/8 and ::, also as an IPv6 address writes the former: what no peer can have. */
static bool is_nowhere(const struct ahoy_ip *ip)
{
    static const uint8_t zeros[12];
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (ip->family == AHOY_IPV4)
        return ip->bytes[0] == 0;
    if (memcmp(ip->bytes, mapped, sizeof mapped) == 0)
        return ip->bytes[12] == 0;
    return memcmp(ip->bytes, zeros, sizeof zeros) == 0 && ip->bytes[12] == 0 &&
           ip->bytes[13] == 0 && ip->bytes[14] == 0 && ip->bytes[15] == 0;
}

bool ahoyd_policy_may_reach(const struct ahoyd_server *server, const struct ahoy_ip *ip,
                            const struct ahoy_ip *source)
{
    if (ahoyd_names_is_trunk_target(&server->names, ip))
        return true;
    if (is_nowhere(ip) || ahoy_ip_is_multicast(ip) || ahoyd_names_is_own_ip(&server->names, ip))
        return false;
    if (source->family == AHOY_NO_FAMILY)
        return true;
    if (ahoy_ip_is_loopback(ip))
        return ahoy_ip_is_loopback(source);
    return !ahoy_ip_is_link_local(ip) || ahoy_ip_is_link_local(source);
}
