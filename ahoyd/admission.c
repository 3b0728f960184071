/* The question comes before all others: nothing has been looked up, kept or computed for the
 * request yet, and one that belongs to a transaction has been matched and does not come here. */
#include "ahoyd/admission.h"

#include "ahoyd/answer.h"
#include "ahoyd/why.h"
#include "libahoy/syntax/oc.h"
#include "libahoy/tu/urgency.h"

/* What the neighbours are told from now on.  Nothing new is said while there is nothing to say. */
static void tell_neighbours(struct ahoyd_server *server, uint64_t now_ms)
{
    const struct ahoy_overload *overload = &server->overload;
    struct ahoy_buf buf = ahoy_buf_over(server->load, sizeof server->load);
    if (server->load_size > 0 && overload->loss == 0 && server->told_loss == 0)
        return;
    server->told_loss = overload->loss; /* R7339-5.7-1, -2: 0 ends it. */
    ahoy_oc_print(&buf, overload->loss, overload->loss > 0 ? AHOY_OC_VALIDITY_MS : 0, now_ms);
    server->load_size = buf.size;
    ahoy_proxy_tell_load(server->proxy, ahoy_buf_text(&buf));
}

void ahoyd_admission_init(struct ahoyd_server *server, uint64_t now_ms)
{
    ahoy_overload_init(&server->overload, server->options.config->overload_ms, now_ms);
    tell_neighbours(server, now_ms);
}

void ahoyd_admission_see(struct ahoyd_server *server, const struct ahoy_wire_event *event,
                         uint64_t now_ms)
{
    bool is_message = event->kind == AHOY_WIRE_DATAGRAM || event->kind == AHOY_WIRE_BYTES ||
                      event->kind == AHOY_WIRE_MESSAGE;
    ahoy_overload_expire(&server->overload, now_ms);
    if (!is_message)
        return;
    server->waited_us = event->waited_us;
    if (event->waited_us > server->counters.longest_wait_us)
        server->counters.longest_wait_us = event->waited_us;
    if (!ahoy_overload_waited(&server->overload, event->hop.listener, event->waited_us,
                              event->overflowed, now_ms))
        return;
    server->counters.overload_wait_ms = server->overload.last_us / 1000;
    server->counters.overload_loss = server->overload.share;
    server->counters.overload_held_back = ahoy_proxy_held_back(server->proxy);
    tell_neighbours(server, now_ms);
}

bool ahoyd_admission_tells(const struct ahoyd_server *server, const struct ahoy_event *event)
{
    struct ahoy_oc oc;
    return event->routing->via.has_oc &&
           ahoyd_names_is_trunk(&server->names, &event->hop->remote) &&
           ahoy_oc_parse(event->routing->via.params, &oc) && oc.is_loss;
}

struct span ahoyd_admission_load(const struct ahoyd_server *server, const struct ahoy_event *event)
{
    size_t size = ahoyd_admission_tells(server, event) ? server->load_size : 0;
    return (struct span){ server->load, size };
}

/* DEPARTS: RFC 7339 5.10.2 wants no Retry-After, as all calls of whoever heeds it then go elsewhere
 * at once.  That is so for those who send others' calls; a phone sends its own (decision 69). */
static bool is_phone(const struct ahoyd_server *server, const struct ahoy_event *event)
{
    const struct ahoy_field *field = event->routing->via_field;
    bool has_one_via = ahoy_message_next(event->message, field) == NULL &&
                       ahoy_span_end(event->routing->via.text) == ahoy_span_end(field->value);
    return has_one_via &&
           !ahoyd_names_is_trunk(&server->names, &event->hop->remote);
}

static void refuse(struct ahoyd_server *server, const struct ahoy_event *event)
{
    ahoyd_why(server, event, AHOY_CAUSE_OVERLOADED, SPAN(""));
    bool comes_again = !ahoy_transport_is_reliable((enum ahoy_transport)event->hop->transport);
    if (comes_again && server->waited_us >= 1000u * AHOY_OVERLOAD_STALE_MS) {
        server->counters.overload_dropped++;
        return;
    }
    char space[32];
    struct ahoy_buf row = ahoy_buf_over(space, sizeof space);
    if (is_phone(server, event)) {
        ahoy_buf_put(&row, SPAN("Retry-After: ")); /* R3261-21.5.4-1 */
        ahoy_buf_put_number(&row, ahoy_overload_retry_s(&server->overload, &server->rng));
        ahoy_buf_put(&row, SPAN("\r\n"));
    }
    server->counters.overload_refused++;
    ahoyd_answer_with(server, event, 503, ahoy_buf_text(&row));
}

enum ahoy_urgency ahoyd_admission_urgency(const struct ahoyd_server *server,
                                          const struct ahoy_event *event)
{
    /* Who it is matters only where it says something of itself. */
    bool trusted =
        ahoy_message_first(event->message, AHOY_HEADER_RESOURCE_PRIORITY) != NULL &&
        ahoyd_names_is_trunk(&server->names, &event->hop->remote);
    return ahoy_urgency_of(event->message, event->routing, trusted);
}

bool ahoyd_admission_passes(struct ahoyd_server *server, const struct ahoy_event *event)
{
    if (event->message == NULL)
        return true;
    if (event->kind != AHOY_EVENT_REQUEST) {
        ahoy_overload_serves(&server->overload);
        return true;
    }
    if (server->overload.target_us == 0)
        return true;
    enum ahoy_urgency urgency = ahoyd_admission_urgency(server, event);
    if (ahoy_overload_admits(&server->overload, urgency, ahoyd_admission_tells(server, event)))
        return true;
    refuse(server, event);
    return false;
}
