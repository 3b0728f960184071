/* ahoy message: one short text to somebody (RFC 3428), and what became of it.  200 says that it has
 * come to a phone of his, 202 that somebody keeps it for him; neither, that he has read it. */
#include <stdio.h>
#include <time.h>

#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker.h"
#include "libahoy/base/utf8.h"
#include "libahoy/tu/exchange.h"

struct message {
    const struct phone_options *options;
    struct phone *phone;
    struct ahoy_handle exchange;
    unsigned status; /* 0 until it is answered. */
};

static void take_news(struct message *message)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(message->phone), &news)) {
        if (news.kind != AHOY_NEWS_REPLY) {
            phone_show(message->options, &news, ahoy_ua_notice(phone_ua(message->phone)));
            continue;
        }
        message->status = news.status;
        phone_show_delivery(message->options, &news);
    }
}

/* What is to be said; false, said, where that cannot be. */
static bool read_text(const char *given, char space[AHOY_PAGER_LIMIT], struct span *text)
{
    *text = ahoy_span(given);
    if (strcmp(given, "-") == 0) {
        *text = (struct span){ space, fread(space, 1, AHOY_PAGER_LIMIT, stdin) };
        if (text->size > 0 && text->at[text->size - 1] == '\n')
            text->size--;
    }
    bool is_text = text->size > 0 && ahoy_utf8_is_valid(*text);
    if (!is_text)
        fprintf(stderr, "ahoy message: no text in UTF-8\n");
    return is_text;
}

/* For how long it is of use, from now on (RFC 3428 4). */
static struct span print_validity(const struct phone_options *options, char *space, size_t size)
{
    time_t now = time(NULL);
    struct tm parts;
    char date[64];
    if (options->valid_s == 0 || gmtime_r(&now, &parts) == NULL ||
        strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        return SPAN("");
    int used = snprintf(space, size, "Expires: %u\r\nDate: %s\r\n", options->valid_s, date);
    return (struct span){ space, (size_t)used };
}

static void run(struct message *message, struct span text)
{
    char rows[128];
    const struct ahoy_ua_question question = {
        .method = AHOY_METHOD_MESSAGE,
        .uri = ahoy_span(message->options->callee),
        .rows = print_validity(message->options, rows, sizeof rows),
        .type = SPAN("text/plain;charset=UTF-8"),
        .body = text,
    };
    message->exchange = ahoy_ua_ask(phone_ua(message->phone), &question, phone_now());
    take_news(message);
    while (message->exchange.generation != 0 && message->status == 0 && !phone_is_leaving()) {
        phone_turn(message->phone, UINT64_MAX);
        take_news(message);
    }
}

int phone_message(const struct phone_options *options)
{
    struct message message = { .options = options };
    char space[AHOY_PAGER_LIMIT];
    struct span text;
    if (!read_text(options->text, space, &text))
        return PHONE_MISUSED;
    int fault;
    message.phone = phone_open(options, &fault);
    if (message.phone == NULL)
        return fault;
    run(&message, text);
    phone_close(message.phone);
    return phone_outcome(message.status);
}
