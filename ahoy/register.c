/* ahoy register: be reachable, or learn why not. */
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker.h"

/* Removes the binding and says so. */
static void unregister(struct phone *phone, const struct phone_options *options)
{
    struct ahoy_ua_news news;
    ahoy_ua_unregister(phone_ua(phone), phone_now());
    phone_drain(phone, PHONE_PATIENCE_MS);
    while (ahoy_ua_poll(phone_ua(phone), &news))
        phone_show(options, &news, ahoy_ua_notice(phone_ua(phone)));
}

int phone_register(const struct phone_options *options)
{
    int fault;
    struct phone *phone = phone_open(options, &fault);
    struct ahoy_ua_news news;
    int outcome = PHONE_REFUSED;
    bool registered = false;
    bool done = false;
    if (phone == NULL)
        return fault;
    ahoy_ua_register(phone_ua(phone), options->expires_s, phone_now());
    while (!done && !phone_is_leaving()) {
        phone_turn(phone, UINT64_MAX);
        while (ahoy_ua_poll(phone_ua(phone), &news)) {
            phone_show(options, &news, ahoy_ua_notice(phone_ua(phone)));
            /* A refresh that fails may pass; a refusal at the start does not. */
            registered |= news.kind == AHOY_NEWS_REGISTERED;
            if (ahoy_ua_busy(phone_ua(phone)) > 0)
                continue; /* Another server has not answered yet. */
            done |= news.kind == AHOY_NEWS_REGISTRATION_FAILED &&
                    (!registered || ahoy_ua_deadline(phone_ua(phone)) == UINT64_MAX);
            done |= registered && !options->keep;
            if (news.kind != AHOY_NEWS_REGISTRATION_FAILED || !done)
                continue;
            registered = false;
            outcome = phone_outcome(news.status);
        }
    }
    if (registered && phone_is_leaving())
        unregister(phone, options);
    phone_close(phone);
    return registered ? PHONE_DONE : outcome;
}
