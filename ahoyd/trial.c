/* The same questions, in the same order, that the server asks of a request (serve_request.c,
 * policy.c), without the parts that need somebody at the other end. */
#include "ahoyd/trial.h"

const char ahoyd_trial_time_fault[] =
    "the time: it is as 2026-02-02T10:00Z or 2026-02-02T10:00+01:00";
const char ahoyd_trial_source_fault[] =
    "the source: it is an address, as 192.0.2.1 or 192.0.2.1:5060";

/* "2026-02-02" and the like off |text|: |size| digits up to |most|, and |end| behind them. */
static bool take_number(struct span *text, size_t size, uint64_t most, char end, uint64_t *number)
{
    if (text->size < size || !ahoy_span_number((struct span){ text->at, size }, most, number))
        return false;
    *text = ahoy_span_after(*text, size);
    if (end == '\0')
        return true;
    bool sound = text->size > 0 && *text->at == end;
    *text = ahoy_span_after(*text, sound ? 1 : 0);
    return sound;
}

/* Days from 1970 to a day of the calendar (Richards). */
static int64_t days_to(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t shifted = (month + 9) % 12, years = year - shifted / 10;
    return (int64_t)(365 * years + years / 4 - years / 100 + years / 400 +
                     (shifted * 306 + 5) / 10 + day - 1) -
           719468;
}

/* How far ahead of UTC: "Z", "+01:00". */
static bool take_ahead(struct span text, int64_t *ahead_min)
{
    uint64_t hour, minute;
    *ahead_min = 0;
    if (ahoy_span_equal(text, SPAN("Z")))
        return true;
    if (text.size == 0 || (*text.at != '+' && *text.at != '-'))
        return false;
    int64_t sign = *text.at == '+' ? 1 : -1;
    text = ahoy_span_after(text, 1);
    if (!take_number(&text, 2, 14, ':', &hour) || !take_number(&text, 2, 59, '\0', &minute))
        return false;
    *ahead_min = sign * (int64_t)(hour * 60 + minute);
    return text.size == 0;
}

/* RFC 3339, to the minute. */
bool ahoyd_trial_read_time(struct span text, uint64_t *now_ms)
{
    uint64_t year, month, day, hour, minute;
    int64_t ahead_min;
    if (!take_number(&text, 4, 9999, '-', &year) || !take_number(&text, 2, 12, '-', &month) ||
        !take_number(&text, 2, 31, 'T', &day) || !take_number(&text, 2, 23, ':', &hour) ||
        !take_number(&text, 2, 59, '\0', &minute) || !take_ahead(text, &ahead_min) || year < 1971 ||
        month == 0 || day == 0)
        return false;
    int64_t minutes = (days_to(year, month, day) * 24 + (int64_t)hour) * 60 + (int64_t)minute;
    *now_ms = (uint64_t)(minutes - ahead_min) * 60000;
    return true;
}

bool ahoyd_trial_read_source(struct span text, struct ahoy_ip *ip)
{
    uint64_t port = 5060;
    size_t end = text.size;
    while (end > 0 && text.at[end - 1] >= '0' && text.at[end - 1] <= '9')
        end--;
    struct span host = text;
    if (end > 1 && end < text.size && text.at[end - 1] == ':' &&
        (text.at[end - 2] == ']' || ahoy_span_find(text, ':') == end - 1)) {
        if (!ahoy_span_number(ahoy_span_after(text, end), UINT16_MAX, &port))
            return false;
        host.size = end - 1;
    }
    bool sound = ahoy_ip_parse(host, ip);
    ip->port = (uint16_t)port;
    return sound;
}

static struct span or_else(struct span text, struct span otherwise)
{
    return text.size > 0 ? text : otherwise;
}

/* Prints it as a request would be. */
static void print_request(const struct ahoyd_trial *trial, struct ahoy_buf *buf)
{
    size_t space = ahoy_span_find(trial->request, ' ');
    bool has_method = space < trial->request.size;
    struct span method = has_method ? (struct span){ trial->request.at, space } : SPAN("INVITE");
    struct span uri = ahoy_span_after(trial->request, has_method ? space + 1 : 0);
    const struct span parts[] = {
        method,
        SPAN(" "),
        uri,
        SPAN(" SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKtrial"),
        SPAN("\r\nFrom: <"),
        trial->from.size > 0 || trial->user.size == 0 ? SPAN("") : SPAN("sip:"),
        or_else(trial->from, or_else(trial->user, SPAN("sip:stranger@stranger.invalid"))),
        SPAN(">;tag=trial\r\nTo: <"),
        uri,
        SPAN(">\r\nCall-ID: trial\r\nMax-Forwards: 70\r\nCSeq: 1 "),
        method,
        SPAN("\r\n"),
        trial->rows,
        SPAN("\r\n")
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ahoy_buf_put(buf, parts[i]);
}

/* NULL, or what is not understood. */
static const char *read_trial(const struct ahoyd_trial *trial, struct ahoyd_outcome *outcome)
{
    struct ahoy_buf bytes = ahoy_buf_over(outcome->bytes, sizeof outcome->bytes);
    struct ahoy_hop *hop = &outcome->hop;
    enum ahoy_transport transport = ahoy_transport_parse(or_else(trial->transport, SPAN("udp")));
    outcome->call.now_ms = trial->now_ms;
    *hop = (struct ahoy_hop){ .transport = (uint8_t)transport };
    if (transport == AHOY_TRANSPORT_OTHER)
        return "the transport: it is udp, tcp, tls, ws or wss";
    if (!ahoyd_trial_read_source(or_else(trial->source, SPAN("192.0.2.1")), &hop->remote))
        return ahoyd_trial_source_fault;
    if (trial->at.size > 0 && !ahoyd_trial_read_time(trial->at, &outcome->call.now_ms))
        return ahoyd_trial_time_fault;
    print_request(trial, &bytes);
    if (!ahoy_message_parse(ahoy_buf_text(&bytes), &outcome->message, NULL) ||
        !ahoy_message_routing(&outcome->message, &outcome->routing, NULL))
        return "the request: it is as \"INVITE sip:bob@atlanta.example\", from is a URI";
    if (outcome->routing.request_uri.scheme == AHOY_SCHEME_OTHER ||
        !outcome->routing.request_uri.has_user)
        return "the request: its URI is of sip or sips, and names a user";
    return NULL;
}

/* Who calls, as decision 20 has it; 0, or the answer to one who does not prove it. */
static unsigned find_caller(const struct ahoyd_names *names, const struct ahoyd_trial *trial,
                            struct ahoyd_outcome *outcome)
{
    struct ahoyd_call *call = &outcome->call;
    const struct ahoy_uri *from = &outcome->routing.from.uri;
    char space[AHOYD_USER_LIMIT + 256];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    call->caller_domain = ahoyd_names_domain(names, from);
    call->trunk = ahoyd_names_trunk(names, &call->hop->remote);
    if (call->caller_domain == NULL) {
        call->caller = call->trunk != NULL ? AHOYD_CALLER_TRUNK : AHOYD_CALLER_STRANGER;
        return trial->user.size > 0 ? 403 : 0;
    }
    call->caller = AHOYD_CALLER_USER;
    ahoy_uri_print_aor(from, &aor);
    size_t at = ahoy_span_find(ahoy_buf_text(&aor), '@');
    struct ahoy_buf user = ahoy_buf_over(call->caller_text, sizeof call->caller_text);
    ahoy_buf_put(&user, (struct span){ space, at });
    call->caller_user = ahoy_buf_text(&user);
    if (trial->user.size == 0)
        return call->caller_domain->auth == AHOYD_AUTH_DIGEST ? 407 : 0;
    return ahoy_span_equal(trial->user, ahoy_buf_text(&aor)) ? 0 : 403;
}

static void put_leaf(const struct ahoyd_leaf *leaf, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, leaf->user);
    ahoy_buf_put_byte(buf, '@');
    ahoy_buf_put(buf, leaf->domain != NULL ? leaf->domain->name : leaf->trunk->name);
}

/* "a@x + b@x for 20 s, then c@y": the last ones ring until they answer. */
static void put_leaves(const struct ahoyd_leaves *leaves, struct ahoy_buf *buf)
{
    uint32_t ring_time_s = 0;
    for (size_t i = 0; i < leaves->count; i++) {
        const struct ahoyd_leaf *leaf = &leaves->at[i];
        if (i > 0 && leaf->tier == leaf[-1].tier) {
            ahoy_buf_put(buf, SPAN(" + "));
        } else if (i > 0) {
            ahoy_buf_put(buf, SPAN(" for "));
            ahoy_buf_put_number(buf, ring_time_s);
            ahoy_buf_put(buf, SPAN(" s, then "));
            ring_time_s = 0;
        }
        put_leaf(leaf, buf);
        if (leaf->ring_time_s > ring_time_s)
            ring_time_s = leaf->ring_time_s;
    }
}

static void put_answer(struct ahoyd_outcome *outcome, struct ahoy_buf *buf)
{
    const struct ahoyd_route *route = outcome->route;
    ahoy_buf_put_number(buf, outcome->status);
    if (route == NULL)
        return;
    if (route->reject == 0 || route->reason.size > 0)
        ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, route->reason);
    if (route->reject == 0)
        ahoyd_routing_print_redirect(&outcome->call, route, buf);
    if (route->retry_after_s > 0) {
        ahoy_buf_put(buf, SPAN(" after "));
        ahoy_buf_put_number(buf, route->retry_after_s);
        ahoy_buf_put(buf, SPAN(" s"));
    }
}

/* What becomes of a call that takes no route. */
static void go_without(struct ahoyd_outcome *outcome)
{
    struct ahoyd_call *call = &outcome->call;
    ahoyd_routing_read(call);
    outcome->status = call->domain == NULL ? 403 : call->domain->mode == AHOYD_MODE_PROXY ? 0 : 302;
    outcome->leaves.count = outcome->status == 0 ? 1 : 0;
    outcome->leaves.at[0] = (struct ahoyd_leaf){ .domain = call->domain, .user = call->user };
}

static void go_by_route(struct ahoyd_outcome *outcome)
{
    const struct ahoyd_route *route = outcome->route;
    if (route->to.count > 0)
        ahoyd_routing_spread(&outcome->call, route, &outcome->leaves);
    else
        outcome->status = route->reject > 0 ? route->reject : 302;
}

const char *ahoyd_trial_run(const struct ahoyd_names *names, const struct ahoyd_trial *trial,
                            const struct ahoyd_steps *steps, struct ahoyd_outcome *outcome)
{
    struct ahoyd_call *call = &outcome->call;
    *call = (struct ahoyd_call){ .config = names->config,
                                 .message = &outcome->message,
                                 .uri = &outcome->routing.request_uri,
                                 .hop = &outcome->hop,
                                 .script = trial->script };
    const char *fault = read_trial(trial, outcome);
    if (fault != NULL)
        return fault;
    outcome->route = NULL;
    outcome->leaves.count = 0;
    call->domain = ahoyd_names_domain(names, call->uri);
    call->routes = ahoyd_names_routes(names, call->uri, call->domain);
    outcome->status = find_caller(names, trial, outcome);
    if (outcome->status == 0) {
        outcome->route = ahoyd_routing_find(call, steps);
        if (call->fault.is_told)
            outcome->status = 500;
        else if (outcome->route != NULL)
            go_by_route(outcome);
        else
            go_without(outcome);
    }
    struct ahoy_buf words = ahoy_buf_over(outcome->words, sizeof outcome->words);
    if (outcome->leaves.count > 0)
        put_leaves(&outcome->leaves, &words);
    else
        put_answer(outcome, &words);
    outcome->text = ahoy_buf_text(&words);
    return NULL;
}
