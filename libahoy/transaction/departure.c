/* What is added to a request is the same by UDP and by TCP but for two names, so that its size is
 * known before its transport. */
#include "libahoy/transaction/departure.h"

enum { HEAD_PIECES = 11 };

/* Returns the size. */
static inline size_t set(struct span *piece, struct span text)
{
    piece->at = text.at;
    piece->size = text.size;
    return text.size;
}

/* The request line and our Via; |token| is, or will be, that of the branch.  rport: R3581-3-1, and
 * sent-by: R3261-18.1.1-5.  Returns their size, summed up on the way: what reads two halves at once
 * that were written one by one just now makes a processor wait. */
static inline size_t make_head(const struct ahoy_departure *departure, struct span request_line,
                             const char token[AHOY_TOKEN_SIZE], struct span head[HEAD_PIECES])
{
    size_t size = set(&head[0], request_line);
    size += set(&head[1], SPAN("Via: SIP/2.0/"));
    size += set(&head[2], ahoy_transport_name(departure->listener->transport));
    size += set(&head[3], SPAN(" "));
    size += set(&head[4], departure->listener->sent_by);
    size += set(&head[5], SPAN(";branch=" AHOY_BRANCH_COOKIE));
    size += set(&head[6], (struct span){ token, AHOY_TOKEN_SIZE });
    size += set(&head[7], (struct span){ departure->branch.tail, departure->branch.tail_size });
    size += set(&head[8], SPAN(";rport"));
    size += set(&head[9], departure->via_params);
    size += set(&head[10], SPAN("\r\n"));
    return size;
}

static size_t size_of(const struct span *pieces, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    return size;
}

/* Copies |pieces| to |to|; returns where they end. */
static char *copy(const struct span *pieces, size_t count, char *to)
{
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].size > 0)
            memcpy(to, pieces[i].at, pieces[i].size);
        to += pieces[i].size;
    }
    return to;
}

static size_t size_of_request(const struct ahoy_departure *departure,
                              const struct ahoy_outgoing *request)
{
    const char token[AHOY_TOKEN_SIZE] = { 0 }; /* Its size is what counts. */
    struct span head[HEAD_PIECES];
    return make_head(departure, request->request_line, token, head) +
           size_of(request->pieces, request->count);
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
    if (departure->listener->transport != AHOY_UDP || request->is_flow ||
        size_of_request(departure, request) <= AHOY_LARGE_REQUEST_LIMIT ||
        ahoy_refusals_has(&flows->refusals, &departure->hop.remote, now_ms))
        return;
    const struct ahoy_listener *twin = twin_of(flows, &departure->hop, AHOY_TCP);
    if (twin == NULL)
        return;
    leave_from(flows, twin, departure);
    departure->is_moved = true;
}

bool ahoy_departure_find(const struct ahoy_flows *flows, const struct ahoy_outgoing *request,
                         const struct ahoy_branch *branch, uint64_t now_ms,
                         struct ahoy_departure *departure)
{
    const struct ahoy_listener *listener = ahoy_flows_listener(flows, &request->hop);
    if (listener == NULL || ahoy_ip_is_multicast(&request->hop.remote))
        return false;
    *departure = (struct ahoy_departure){ .hop = request->hop,
                                          .branch = *branch,
                                          .via_params = request->via_params };
    leave_from(flows, listener, departure);
    move_if_large(flows, request, now_ms, departure);
    return true;
}

struct span ahoy_departure_join(const struct ahoy_departure *departure,
                                const struct ahoy_outgoing *request, struct ahoy_arena *arena)
{
    char token[AHOY_TOKEN_SIZE];
    struct span head[HEAD_PIECES];
    ahoy_token_print(departure->branch.token, token);
    size_t size = make_head(departure, request->request_line, token, head) +
                  size_of(request->pieces, request->count);
    char *at = size <= AHOY_MESSAGE_LIMIT ? ahoy_arena_take(arena, size) : NULL;
    if (at == NULL)
        return (struct span){ NULL, 0 };
    (void)copy(request->pieces, request->count, copy(head, HEAD_PIECES, at)); /* It ends there. */
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
    struct ahoy_departure departure = { .hop = *hop, .branch = *branch };
    departure.via_params =
        params_of(ahoy_span_between(request.at + line_end, request.at + via_end));
    leave_from(flows, twin, &departure);
    char token[AHOY_TOKEN_SIZE];
    struct span pieces[HEAD_PIECES + 1];
    ahoy_token_print(branch->token, token);
    /* Who joins them sums up all. */
    (void)make_head(&departure, (struct span){ request.at, line_end }, token, pieces);
    pieces[HEAD_PIECES] = ahoy_span_after(request, via_end);
    struct span text = ahoy_arena_join(arena, pieces, HEAD_PIECES + 1);
    if (text.at != NULL)
        *hop = departure.hop;
    return text;
}
