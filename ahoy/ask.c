/* ahoy options: whether somebody is there, how long the way to him takes, and what his phone can do
 * (RFC 3261 11). */
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker.h"

struct asking {
    const struct phone_options *options;
    struct phone *phone;
    struct ahoy_handle exchange; /* Null while nothing is asked. */
    uint64_t asked_us, next_ms;
    struct phone_trips trips;
    uint32_t done;
    unsigned status; /* The last. */
};

static void ask(struct asking *asking)
{
    const struct ahoy_ua_question question = { .method = AHOY_METHOD_OPTIONS,
                                               .uri = ahoy_span(asking->options->callee) };
    asking->next_ms = phone_now() + asking->options->every_s * UINT64_C(1000);
    asking->asked_us = phone_now_us();
    asking->exchange = ahoy_ua_ask(phone_ua(asking->phone), &question, phone_now());
    asking->trips.sent++;
}

static void count_trip(struct phone_trips *trips, uint64_t us)
{
    if (trips->answered++ == 0)
        trips->least_us = us;
    trips->least_us = us < trips->least_us ? us : trips->least_us;
    trips->most_us = us > trips->most_us ? us : trips->most_us;
    trips->sum_us += us;
}

/* What the other side can do is shown once to people. */
static void take_reply(struct asking *asking, const struct ahoy_ua_news *news)
{
    struct span response = ahoy_ua_notice(phone_ua(asking->phone));
    uint64_t rtt_us = phone_now_us() - asking->asked_us;
    bool is_shown = asking->options->json || asking->trips.answered == 0;
    if (response.size > 0)
        count_trip(&asking->trips, rtt_us);
    asking->status = news->status;
    asking->done++;
    asking->exchange = (struct ahoy_handle){ 0, 0 };
    phone_show_abilities(asking->options, news, is_shown ? response : SPAN(""), rtt_us);
}

static void take_news(struct asking *asking)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(asking->phone), &news)) {
        if (news.kind == AHOY_NEWS_REPLY)
            take_reply(asking, &news);
        else
            phone_show(asking->options, &news, ahoy_ua_notice(phone_ua(asking->phone)));
    }
}

static void run(struct asking *asking)
{
    uint32_t count = asking->options->count;
    while (!phone_is_leaving() && (count == 0 || asking->done < count)) {
        bool is_waiting = asking->exchange.generation != 0;
        if (!is_waiting && phone_now() >= asking->next_ms) {
            ask(asking);
            if (asking->exchange.generation == 0)
                return; /* The URI asks for what OPTIONS cannot. */
        } else {
            phone_turn(asking->phone, is_waiting ? UINT64_MAX : asking->next_ms);
        }
        take_news(asking);
    }
}

int phone_ask(const struct phone_options *options)
{
    struct asking asking = { .options = options };
    int fault;
    asking.phone = phone_open(options, &fault);
    if (asking.phone == NULL)
        return fault;
    run(&asking);
    if (options->count != 1)
        phone_show_trips(options, &asking.trips);
    phone_close(asking.phone);
    return phone_outcome(asking.status);
}
