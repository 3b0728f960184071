/* The first route that fits is taken.  Numbers are compared as they are sent, so that none passes
 * because it is written otherwise. */
#include "ahoyd/routing.h"

#include "libahoy/syntax/scan.h"

#define NAME(constant, name) name,
const char *const ahoyd_condition_names[AHOYD_CONDITION_COUNT] = { AHOYD_CONDITIONS(NAME) };
#undef NAME

/* Numbers as routes compare them are made from those of a trunk, or of a domain of ours. */
static const struct ahoyd_prefixes *prefixes_for(const struct ahoyd_call *call)
{
    static const struct ahoyd_prefixes none;
    if (call->caller == AHOYD_CALLER_TRUNK)
        return &call->trunk->receives;
    return call->domain != NULL ? &call->domain->numbers : &none;
}

static void put_plain(struct span user, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < user.size; i++) {
        bool is_escape = user.at[i] == '%'; /* Behind it stand two digits, or it were no URI. */
        ahoy_buf_put_byte(buf, is_escape ? ahoy_unescape(user.at + i) : user.at[i]);
        i += is_escape ? 2 : 0;
    }
}

void ahoyd_routing_read(struct ahoyd_call *call)
{
    char space[AHOYD_NUMBER_LIMIT];
    struct ahoy_buf dialled = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf user = ahoy_buf_over(call->user_text, sizeof call->user_text);
    struct ahoy_buf number = ahoy_buf_over(call->number_text, sizeof call->number_text);
    if (call->is_read)
        return;
    call->is_read = true;
    put_plain(call->uri->user, &user);
    if (ahoyd_number_read(call->uri->user, &dialled))
        ahoyd_prefixes_put(prefixes_for(call), ahoy_buf_text(&dialled), &number);
    call->user = ahoy_buf_text(&user);
    call->number = ahoy_buf_text(&number);
}

static bool is_one_of(const struct ahoyd_texts *texts, struct span text)
{
    for (size_t i = 0; i < texts->count; i++) {
        if (ahoy_span_equal(texts->at[i], text))
            return true;
    }
    return false;
}

static bool is_from(const struct ahoyd_call *call, const struct ahoyd_from *from)
{
    switch (from->kind) {
    case AHOYD_FROM_USERS:
        return call->caller == AHOYD_CALLER_USER;
    case AHOYD_FROM_TRUNKS:
        return call->caller == AHOYD_CALLER_TRUNK;
    case AHOYD_FROM_ANYONE:
        return true;
    case AHOYD_FROM_ONE_TRUNK:
        return call->caller == AHOYD_CALLER_TRUNK &&
               call->trunk == &call->config->trunks[from->index];
    case AHOYD_FROM_ONE_USER:
        return call->caller == AHOYD_CALLER_USER &&
               call->caller_domain == &call->config->domains[from->index] &&
               ahoy_span_equal(call->caller_user, from->user);
    }
    return false;
}

static bool holds_from(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    for (size_t i = 0; i < route->said[AHOYD_IF_FROM].count; i++) {
        if (is_from(call, &route->from[i]))
            return true;
    }
    return false;
}

static bool holds_method(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    return is_one_of(&route->said[AHOYD_IF_METHOD], call->message->method_text);
}

static bool holds_transport(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    return (route->transports >> call->hop->transport & 1) != 0;
}

static bool holds_number(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    const struct ahoyd_texts *patterns = &route->said[AHOYD_IF_NUMBER];
    ahoyd_routing_read(call);
    for (size_t i = 0; i < patterns->count; i++) {
        if (ahoyd_pattern_covers(patterns->at[i], call->number))
            return true;
    }
    return false;
}

static bool holds_user(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    ahoyd_routing_read(call);
    return is_one_of(&route->said[AHOYD_IF_USER], call->user);
}

static bool is_within(const struct ahoyd_net *net, const struct ahoy_ip *ip)
{
    size_t whole = net->bits / 8;
    unsigned rest = net->bits % 8;
    return net->ip.family == ip->family && memcmp(net->ip.bytes, ip->bytes, whole) == 0 &&
           (rest == 0 || (net->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0);
}

static bool holds_source(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    for (size_t i = 0; i < route->said[AHOYD_IF_SOURCE].count; i++) {
        if (is_within(&route->sources[i], &call->hop->remote))
            return true;
    }
    return false;
}

static bool has_header(const struct ahoy_message *message, struct span name)
{
    enum ahoy_header header = ahoy_header_parse(name);
    if (header != AHOY_HEADER_OTHER)
        return ahoy_message_first(message, header) != NULL;
    for (size_t i = 0; i < message->field_count; i++) {
        if (ahoy_span_equal_nocase(message->fields[i].name, name))
            return true;
    }
    return false;
}

static bool holds_header(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    for (size_t i = 0; i < route->said[AHOYD_IF_HEADER].count; i++) {
        if (has_header(call->message, route->said[AHOYD_IF_HEADER].at[i]))
            return true;
    }
    return false;
}

static bool holds_hours(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    return ahoyd_hours_hold(&route->hours, call->now_ms);
}

static bool holds_when(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    return ahoyd_script_ask(call->script, call, route->when, &call->fault);
}

static bool (*const conditions[AHOYD_CONDITION_COUNT])(struct ahoyd_call *call,
                                                       const struct ahoyd_route *route) = {
    [AHOYD_IF_FROM] = holds_from,           [AHOYD_IF_METHOD] = holds_method,
    [AHOYD_IF_TRANSPORT] = holds_transport, [AHOYD_IF_NUMBER] = holds_number,
    [AHOYD_IF_USER] = holds_user,           [AHOYD_IF_SOURCE] = holds_source,
    [AHOYD_IF_HEADER] = holds_header,       [AHOYD_IF_HOURS] = holds_hours,
    [AHOYD_IF_WHEN] = holds_when,
};

/* The first condition that does not hold; AHOYD_CONDITION_COUNT where all do. */
static enum ahoyd_condition try(struct ahoyd_call *call, const struct ahoyd_route *route)
{
    for (unsigned i = 0; i < AHOYD_CONDITION_COUNT; i++) {
        if ((route->conditions >> i & 1) != 0 && !conditions[i](call, route))
            return (enum ahoyd_condition)i;
    }
    return AHOYD_CONDITION_COUNT;
}

/* A user of whom is not known which, as one that hides behind another's redirection, must not pass
 * because a route is about one of them. */
static bool is_undecided(const struct ahoyd_call *call, const struct ahoyd_route *route)
{
    if (call->caller != AHOYD_CALLER_USER || call->caller_domain != NULL)
        return false;
    for (size_t i = 0; i < route->said[AHOYD_IF_FROM].count; i++) {
        if (route->from[i].kind == AHOYD_FROM_ONE_USER)
            return true;
    }
    return false;
}

/* Takes the next one, in the order of the file. */
static const struct ahoyd_route *take_next(const struct ahoyd_config *config,
                                           struct ahoyd_routes *routes)
{
    bool is_own = routes->own != 0 && (routes->common == 0 || routes->own < routes->common);
    size_t *first = is_own ? &routes->own : &routes->common;
    if (*first == 0)
        return NULL;
    const struct ahoyd_route *route = &config->routes[*first - 1];
    *first = route->next;
    return route;
}

const struct ahoyd_route *ahoyd_routing_find(struct ahoyd_call *call,
                                             const struct ahoyd_steps *steps)
{
    struct ahoyd_routes routes = call->routes;
    const struct ahoyd_route *route;
    while ((route = take_next(call->config, &routes)) != NULL) {
        enum ahoyd_condition failed = try(call, route);
        if (steps != NULL)
            steps->told(steps->context, route, failed);
        if (failed == AHOYD_CONDITION_COUNT)
            return route;
        if (call->fault.is_told || (failed == AHOYD_IF_FROM && is_undecided(call, route)))
            return NULL;
    }
    return NULL;
}
