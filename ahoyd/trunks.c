#include "ahoyd/trunks.h"

#include "ahoyd/why.h"
#include "libahoy/tu/session_timer.h"

static struct ahoyd_channels *channels_of(const struct ahoyd_server *server)
{
    return ahoyd_guard_channels(server->guard);
}

/* No user has an empty realm, so that its name cannot be taken for one of those. */
static bool is_slow_enough(struct ahoyd_server *server, const struct ahoyd_trunk *trunk,
                           uint64_t now_ms)
{
    return trunk->rate == 0 ||
           ahoyd_guard_pace(server->guard, trunk->name, SPAN(""), trunk->rate, now_ms);
}

bool ahoyd_trunks_admit(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_trunk *trunk, uint64_t now_ms)
{
    if (event->message->method != AHOY_METHOD_INVITE || event->routing->to_tag.size > 0)
        return true;
    bool may = is_slow_enough(server, trunk, now_ms) &&
               (trunk->calls == 0 ||
                ahoyd_channels_take(channels_of(server), trunk->name, event->routing->call_id,
                                    trunk->calls, now_ms, &server->channel));
    if (!may)
        ahoyd_why(server, event, AHOY_CAUSE_TRUNK_FULL, trunk->name);
    server->is_full = server->is_full || !may;
    return may;
}

uint64_t ahoyd_trunks_ticket(struct ahoyd_server *server, uint64_t other)
{
    uint64_t ticket = server->channel;
    server->channel = 0;
    if (ticket == 0)
        return other;
    if (other != 0 && !ahoyd_channels_join(channels_of(server), ticket, other))
        ahoyd_guard_end(server->guard, other); /* It is counted no more. */
    return ticket;
}

void ahoyd_trunks_done(struct ahoyd_server *server)
{
    uint64_t ticket = ahoyd_trunks_ticket(server, 0);
    server->is_full = false;
    if (ticket != 0)
        ahoyd_channels_drop(channels_of(server), ticket);
}

uint64_t ahoyd_trunks_settle(struct ahoyd_server *server, uint64_t ticket)
{
    return ticket % 2 != 0 ? ticket : ahoyd_channels_settle(channels_of(server), ticket);
}

void ahoyd_trunks_answered(struct ahoyd_server *server, const struct ahoy_event *event,
                           uint64_t now_ms)
{
    if (event->kind != AHOY_EVENT_RESPONSE || event->message->status / 100 != 2 ||
        (event->routing->cseq.method != AHOY_METHOD_INVITE &&
         event->routing->cseq.method != AHOY_METHOD_UPDATE) ||
        !ahoyd_channels_any(channels_of(server)))
        return;
    const struct ahoyd_trunk *trunk = ahoyd_names_trunk(&server->names, &event->hop->remote);
    struct ahoy_session_terms terms;
    ahoy_session_terms_read(event->message, &terms);
    const struct ahoyd_channels_answer answer = { .call_id = event->routing->call_id,
                                                  .to_tag = event->routing->to_tag,
                                                  .trunk = trunk != NULL ? trunk->name : SPAN(""),
                                                  .stands_s = terms.interval_s };
    ahoyd_channels_answered(channels_of(server), &answer, now_ms);
}

void ahoyd_trunks_ended(struct ahoyd_server *server, const struct ahoy_event *event)
{
    const struct span tags[2] = { event->routing->from_tag, event->routing->to_tag };
    ahoyd_channels_end(channels_of(server), event->routing->call_id, tags);
}
