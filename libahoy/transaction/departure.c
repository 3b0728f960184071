/* What is added to a request is the same by UDP and by TCP but for two names, so that its size is
 * known before its transport. */
#include "libahoy/transaction/departure.h"

#include <assert.h>

enum {
    /* Of what is the same in the Via of every request. */
    FIXED_SIZE =
        sizeof "Via: SIP/2.0/ ;branch=" AHOY_BRANCH_COOKIE ";rport\r\n" - 1 + AHOY_TOKEN_SIZE
};

/* The size of the request line and our Via. */
static size_t size_of_head(const struct ahoy_departure *departure, struct span request_line)
{
    return request_line.size + FIXED_SIZE +
           ahoy_transport_name(departure->listener->transport).size +
           departure->listener->sent_by.size + departure->branch->tail_size +
           departure->via_params.size;
}

/* Copies |text| to |to|; returns where it ends.  Inline, as nearly nothing is left of it where the
 * text is a literal. */
__attribute__((always_inline)) static inline char *put(char *to, struct span text)
{
    if (text.size > 0)
        memcpy(to, text.at, text.size);
    return to + text.size;
}

/* Writes the request line and our Via to |to|; returns where they end.  rport: R3581-3-1, and
 * sent-by: R3261-18.1.1-5. */
static char *put_head(const struct ahoy_departure *departure, struct span request_line, char *to)
{
    const struct ahoy_branch *branch = departure->branch;
    to = put(to, request_line);
    to = put(to, SPAN("Via: SIP/2.0/"));
    to = put(to, ahoy_transport_name(departure->listener->transport));
    to = put(to, SPAN(" "));
    to = put(to, departure->listener->sent_by);
    to = put(to, SPAN(";branch=" AHOY_BRANCH_COOKIE));
    ahoy_token_print(branch->token, to);
    to = put(to + AHOY_TOKEN_SIZE, (struct span){ branch->tail, branch->tail_size });
    to = put(to, SPAN(";rport"));
    to = put(to, departure->via_params);
    return put(to, SPAN("\r\n"));
}

static size_t size_of_request(const struct ahoy_departure *departure,
                              const struct ahoy_outgoing *request)
{
    size_t size = size_of_head(departure, request->request_line);
    for (size_t i = 0; i < request->count; i++)
        size += request->pieces[i].size;
    return size;
}

static void leave_from(const struct ahoy_flows *flows, const struct ahoy_listener *listener,
                       struct ahoy_departure *departure)
{
    const uint8_t number = (uint8_t)(listener - flows->listeners);
    departure->listener = listener;
    if (departure->hop.listener == number && departure->hop.transport == listener->transport)
        return; /* A byte that is written just before the whole is read makes a processor wait. */
    departure->hop.transport = (uint8_t)listener->transport;
    departure->hop.listener = number;
}

/* The listener for |transport| instead of the one that |hop| names: of the same address, or
 * whichever fits the peer; NULL where none does. */
static const struct ahoy_listener *
twin_of(const struct ahoy_flows *flows, const struct ahoy_hop *hop, enum ahoy_transport transport)
{
    const struct ahoy_ip *local = &flows->listeners[hop->listener].local;
    for (size_t i = 0; i < flows->listener_count; i++) {
        if (flows->listeners[i].transport == transport && !flows->listeners[i].leaving &&
            ahoy_ip_equal_host(&flows->listeners[i].local, local))
            return &flows->listeners[i];
    }
    const struct ahoy_hop any = { .transport = (uint8_t)transport,
                                  .listener = AHOY_ANY_LISTENER,
                                  .remote = hop->remote };
    return ahoy_flows_listener(flows, &any);
}

/* R3261-18.1.1-1, -2.  The flow of a phone is the one way to it, whatever the size (RFC 5626). */
static void move_if_large(const struct ahoy_flows *flows, const struct ahoy_outgoing *request,
                          uint64_t now_ms, struct ahoy_departure *departure)
{
    if (departure->size <= AHOY_LARGE_REQUEST_LIMIT ||
        departure->listener->transport != AHOY_UDP || request->is_flow ||
        ahoy_refusals_has(&flows->refusals, &departure->hop.remote, now_ms))
        return;
    const struct ahoy_listener *twin = twin_of(flows, &departure->hop, AHOY_TCP);
    if (twin == NULL)
        return;
    leave_from(flows, twin, departure);
    departure->size = size_of_request(departure, request);
    departure->is_moved = true;
}

bool ahoy_departure_find(const struct ahoy_flows *flows, const struct ahoy_outgoing *request,
                         const struct ahoy_branch *branch, uint64_t now_ms,
                         struct ahoy_departure *departure)
{
    const struct ahoy_listener *listener = ahoy_flows_listener(flows, &request->hop);
    if (listener == NULL || ahoy_ip_is_multicast(&request->hop.remote))
        return false;
    departure->hop = request->hop;
    departure->branch = branch;
    departure->via_params = request->via_params;
    departure->is_moved = false;
    leave_from(flows, listener, departure);
    departure->size = size_of_request(departure, request);
    move_if_large(flows, request, now_ms, departure);
    return true;
}

struct span ahoy_departure_join(const struct ahoy_departure *departure,
                                const struct ahoy_outgoing *request, struct ahoy_arena *arena)
{
    size_t size = departure->size;
    char *at = size <= AHOY_MESSAGE_LIMIT ? ahoy_arena_take(arena, size) : NULL;
    if (at == NULL)
        return (struct span){ NULL, 0 };
    char *to = put_head(departure, request->request_line, at);
    for (size_t i = 0; i < request->count; i++)
        to = put(to, request->pieces[i]);
    assert(to == at + size);
    return (struct span){ at, size };
}

static size_t end_of_line(struct span text, size_t from)
{
    size_t end = from + ahoy_span_find(ahoy_span_after(text, from), '\n');
    return end < text.size ? end + 1 : end;
}

/* What the user has added to the Via of |row|, which is ours: all behind rport. */
static struct span params_of(struct span row)
{
    const struct span rport = SPAN(";rport");
    struct span rest = row;
    while (rest.size > 0 && !ahoy_span_starts_nocase(rest, rport))
        rest = ahoy_span_after(rest, 1);
    return ahoy_span_trim(ahoy_span_after(rest, rest.size < rport.size ? rest.size : rport.size));
}

struct span ahoy_departure_go_back(const struct ahoy_flows *flows, const struct ahoy_branch *branch,
                                   struct span request, struct ahoy_arena *arena,
                                   struct ahoy_hop *hop)
{
    const struct ahoy_listener *twin = twin_of(flows, hop, AHOY_UDP);
    if (twin == NULL)
        return (struct span){ NULL, 0 };
    size_t line_end = end_of_line(request, 0);
    size_t via_end = end_of_line(request, line_end);
    struct ahoy_departure departure = { .hop = *hop, .branch = branch };
    departure.via_params =
        params_of(ahoy_span_between(request.at + line_end, request.at + via_end));
    leave_from(flows, twin, &departure);
    struct span line = { request.at, line_end };
    struct span rest = ahoy_span_after(request, via_end);
    size_t size = size_of_head(&departure, line) + rest.size;
    char *at = ahoy_arena_take(arena, size);
    if (at == NULL)
        return (struct span){ NULL, 0 };
    char *end = put(put_head(&departure, line, at), rest);
    assert(end == at + size);
    *hop = departure.hop;
    return (struct span){ at, size };
}
