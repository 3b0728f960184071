/* The user agents of a load: whom an event is for, and who is to be woken. */
#include <stdio.h>
#include <stdlib.h>

#include "ahoy/load.h"
#include "ahoy/worker.h"
#include "libahoy/base/unset.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/transaction/clocks.h"

void load_put_number(char *text, const struct phone_numbers *numbers, size_t number)
{
    for (size_t i = numbers->digits; i > 0; i--) {
        text[numbers->at + i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
}

static bool open_user(struct load *load, size_t index)
{
    const struct phone_options *options = load->options;
    struct load_user *user = &load->users[index];
    struct ahoy_account account = options->account;
    uint64_t seed[2];
    if (!load_wire_random(seed, 2))
        return false;
    memcpy(user->uri, options->uri, sizeof user->uri);
    load_put_number(user->uri, &options->load.user, index);
    account.uri.at = user->uri;
    account.user.at = user->uri + (options->account.user.at - options->uri);
    const struct ahoy_ua_options ua = { .transactions = load_wire_transactions(load->wire),
                                        .account = account,
                                        .server = load_wire_server(load->wire),
                                        .route = options->servers[0].route,
                                        .locate = ahoy_locate_with_websocket,
                                        .t1_ms = AHOY_DEFAULT_CLOCKS.t1_ms,
                                        .t2_ms = AHOY_DEFAULT_CLOCKS.t2_ms,
                                        .sessions = load->user_sessions,
                                        .number = (uint16_t)index,
                                        .seed = { seed[0], seed[1] } };
    user->due.what = index;
    user->ua = ahoy_ua_new(&ua);
    user->calls = calloc(load->user_sessions, sizeof *user->calls);
    return user->ua != NULL && user->calls != NULL;
}

bool load_users_open(struct load *load)
{
    uint32_t share = LOAD_SESSIONS_LIMIT / load->options->load.users;
    load->user_sessions = share > LOAD_LEAST_SESSIONS ? share : LOAD_LEAST_SESSIONS;
    load->user_count = load->options->load.users;
    load->users = calloc(load->user_count, sizeof *load->users);
    bool done = load->users != NULL && ahoy_heap_init(&load->users_due, load->user_count) &&
                ahoy_heap_init(&load->calls_due, LOAD_AT_ONCE_LIMIT);
    for (size_t i = 0; i < load->user_count && done; i++)
        done = open_user(load, i);
    if (!done)
        fprintf(stderr, "ahoy: out of memory\n");
    return done;
}

void load_users_close(struct load *load)
{
    for (size_t i = 0; i < load->user_count && load->users != NULL; i++) {
        ahoy_ua_free(load->users[i].ua);
        free(load->users[i].calls);
    }
    free(load->users);
    ahoy_heap_fini(&load->users_due);
    ahoy_heap_fini(&load->calls_due);
}

/* The user whose name is |name|.  Strangers are sent to the first one, who knows no such name. */
static size_t find_user(const struct load *load, struct span name)
{
    const struct phone_options *options = load->options;
    const struct phone_numbers *numbers = &options->load.user;
    size_t at = numbers->at - (size_t)(options->account.user.at - options->uri);
    uint64_t number;
    if (name.size != options->account.user.size || numbers->digits == 0 ||
        !ahoy_span_number((struct span){ name.at + at, numbers->digits }, load->user_count - 1,
                          &number))
        return 0;
    return (size_t)number;
}

void load_users_step(struct load *load, const struct ahoy_event *event)
{
    size_t index = ahoy_ua_number(event);
    if (event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_ACK)
        index = find_user(load, event->routing->request_uri.user);
    struct load_user *user = &load->users[index];
    load->now_us = load_wire_now_us(load->wire);
    load->heard_us = load->now_us - load_wire_waited_us(load->wire);
    load_take_bye(load, user, event);
    ahoy_ua_step(user->ua, event, load_now(load));
    load_user_settle(load, user);
}

void load_users_expire(struct load *load, uint64_t now_ms)
{
    for (;;) {
        struct ahoy_due *due = ahoy_heap_first(&load->users_due);
        if (due == NULL || due->deadline_ms > now_ms)
            return;
        struct load_user *user = &load->users[due->what];
        ahoy_ua_expire(user->ua, now_ms);
        load_user_settle(load, user);
    }
}

void load_user_settle(struct load *load, struct load_user *user)
{
    AHOY_UNSET struct ahoy_ua_news news;
    while (ahoy_ua_poll(user->ua, &news))
        load_take_news(load, user, &news);
    ahoy_heap_set(&load->users_due, &user->due, ahoy_ua_deadline(user->ua));
}
