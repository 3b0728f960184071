/* ahoy refer: asks somebody's phone to call somebody else, without a call to it (RFC 3515; RFC 5359
 * 2.18), and shows what it tells of that call. */
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker.h"

struct referring {
    const struct phone_options *options;
    struct phone *phone;
    struct ahoy_handle session; /* Null: nothing was asked. */
    unsigned status;            /* 0 until it is over. */
};

static void take_news(struct referring *referring)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(referring->phone), &news)) {
        phone_show(referring->options, &news, ahoy_ua_notice(phone_ua(referring->phone)));
        if (news.kind == AHOY_NEWS_TRANSFER_ENDED)
            referring->status = news.status;
    }
}

int phone_refer(const struct phone_options *options)
{
    struct referring referring = { .options = options };
    struct span whom = ahoy_span(options->callee), target = ahoy_span(options->transfer);
    int fault;
    referring.phone = phone_open(options, &fault);
    if (referring.phone == NULL)
        return fault;
    struct ahoy_ua *ua = phone_ua(referring.phone);
    referring.session = ahoy_ua_refer(ua, whom, target, phone_now());
    if (referring.session.generation != 0)
        phone_show_note(options, "asking", whom);
    else
        referring.status = 500;
    while (referring.status == 0 && !phone_is_leaving()) {
        phone_turn(referring.phone, UINT64_MAX);
        take_news(&referring);
    }
    phone_close(referring.phone);
    return phone_outcome(referring.status);
}
