/* What a phone of one line needs, for the examples: a pump, and a user agent above it. */
#pragma once

#include <ahoy/ahoy.h>
#include <stdio.h>
#include <stdlib.h>

struct line {
    struct ahoy_pump *pump;
    struct ahoy_ua *ua;
    struct ahoy_ip own; /* Where sound would be sent to: these examples have none. */
    char uri[256], password[128];
};

/* Reads "192.0.2.1" or "192.0.2.1:5070", by the URI that it makes. */
static inline bool line_read_server(const char *text, struct ahoy_ip *ip)
{
    char buffer[128];
    struct ahoy_uri uri;
    struct ahoy_err err;
    enum ahoy_transport transport;
    int size = snprintf(buffer, sizeof buffer, "sip:%s;transport=udp", text);
    return size > 0 && (size_t)size < sizeof buffer &&
           ahoy_uri_parse((struct span){ buffer, (size_t)size }, &uri, &err) &&
           ahoy_locate(&uri, &transport, ip, &err);
}

/* Opens a line of |user|@|domain| by UDP, whose registrar and proxy is |server|.  The password is
 * the first line of standard input, if there is one: a command line is read by others. */
static inline bool line_open(struct line *line, const char *user, const char *domain,
                             const char *server)
{
    struct ahoy_ip remote;
    struct ahoy_pump_fault fault;
    if (!line_read_server(server, &remote)) {
        fprintf(stderr, "%s is no address of a server\n", server);
        return false;
    }
    struct ahoy_pump_options options = {
        .listeners = { { .transport = AHOY_UDP, .local = { .family = remote.family } } },
        .listener_count = 1,
    };
    if (ahoy_ip_is_loopback(&remote))
        memcpy(options.listeners[0].local.bytes, remote.bytes, sizeof remote.bytes);
    line->pump = ahoy_pump_open(&options, &fault);
    if (line->pump == NULL) {
        fprintf(stderr, "%s\n", fault.text);
        return false;
    }
    line->own = ahoy_pump_listener(line->pump, 0)->local;
    line->own.port = 4000;
    snprintf(line->uri, sizeof line->uri, "sip:%s@%s", user, domain);
    if (fgets(line->password, sizeof line->password, stdin) != NULL)
        line->password[strcspn(line->password, "\n")] = '\0';
    struct ahoy_ua_options ua = {
        .transactions = ahoy_pump_transactions(line->pump),
        .account = { .uri = ahoy_span(line->uri),
                     .user = ahoy_span(user),
                     .domain = ahoy_span(domain),
                     .realm = ahoy_span(domain),
                     .password = ahoy_span(line->password) },
        .server = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = remote },
        .locate = ahoy_locate,
        .t1_ms = AHOY_DEFAULT_CLOCKS.t1_ms,
        .t2_ms = AHOY_DEFAULT_CLOCKS.t2_ms,
    };
    if (ahoy_driver_random(ua.seed, sizeof ua.seed))
        line->ua = ahoy_ua_new(&ua);
    return line->ua != NULL;
}

static inline void line_close(struct line *line)
{
    ahoy_ua_free(line->ua);
    ahoy_pump_close(line->pump);
}

/* One turn of the loop, until |deadline_ms| at the latest; false where there is no news left. */
static inline void line_turn(struct line *line, uint64_t deadline_ms)
{
    struct ahoy_event event;
    uint64_t own_ms = ahoy_ua_deadline(line->ua);
    ahoy_pump_wait(line->pump, own_ms < deadline_ms ? own_ms : deadline_ms);
    while (ahoy_pump_next(line->pump, &event))
        ahoy_ua_step(line->ua, &event, ahoy_driver_now());
    ahoy_ua_expire(line->ua, ahoy_driver_now());
}

/* The next news, for which it turns. */
static inline void line_news(struct line *line, struct ahoy_ua_news *news)
{
    while (!ahoy_ua_poll(line->ua, news))
        line_turn(line, UINT64_MAX);
}

/* Turns until nobody has to hear from us any more. */
static inline void line_drain(struct line *line)
{
    while (ahoy_ua_busy(line->ua) > 0)
        line_turn(line, UINT64_MAX);
}
