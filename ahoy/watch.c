/* ahoy watch: be told what a server knows of somebody, as often as it changes.  What is told is
 * shown in words; a document that cannot be read, as it came, escaped. */
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker.h"

struct watch {
    const struct phone_options *options;
    struct phone *phone;
    unsigned status; /* Why it is over. */
    bool told, over;
};

static void take_news(struct watch *watch)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(watch->phone), &news)) {
        phone_show(watch->options, &news, ahoy_ua_notice(phone_ua(watch->phone)));
        watch->told |= news.kind == AHOY_NEWS_NOTIFIED;
        if (news.kind != AHOY_NEWS_WATCH_ENDED)
            continue;
        watch->over = true;
        watch->status = news.status;
    }
}

static void run(struct watch *watch, uint64_t end_ms)
{
    while (!watch->over && !phone_is_leaving() && phone_now() < end_ms) {
        phone_turn(watch->phone, end_ms);
        take_news(watch);
    }
    if (watch->over)
        return;
    ahoy_ua_unwatch(phone_ua(watch->phone), phone_now());
    phone_drain(watch->phone, PHONE_PATIENCE_MS);
    take_news(watch);
}

int phone_watch(const struct phone_options *options)
{
    struct watch watch = { .options = options };
    struct span uri = ahoy_span(options->callee);
    bool asks_once = options->has_for && options->for_s == 0;
    int fault;
    watch.phone = phone_open(options, &fault);
    if (watch.phone == NULL)
        return fault;
    if (ahoy_ua_watch(phone_ua(watch.phone), options->package, uri,
                      asks_once ? 0 : options->expires_s, phone_now())) {
        phone_show_note(options, "watching", uri);
        run(&watch, options->has_for && !asks_once ? phone_now() + (uint64_t)options->for_s * 1000
                                                   : UINT64_MAX);
    }
    phone_close(watch.phone);
    return watch.told ? PHONE_DONE : phone_outcome(watch.status);
}
