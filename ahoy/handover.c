/* The second call, and the wish to the first. */
#include "ahoy/handover.h"

#include "ahoy/show.h"
#include "ahoy/worker_screen.h"

static const struct ahoy_handle nobody = { 0, 0 };

bool phone_handover_is_wanted(const struct phone_handover *handover)
{
    return handover->options->transfer != NULL || handover->options->consult != NULL;
}

static void end(struct phone_handover *handover, unsigned status)
{
    handover->is_over = true;
    handover->status = status;
}

void phone_handover_begin(struct phone_handover *handover, struct ahoy_handle call)
{
    struct ahoy_ua *ua = phone_ua(handover->phone);
    const char *consult = handover->options->consult;
    struct ahoy_ip media;
    handover->call = call;
    handover->is_ready = consult == NULL;
    if (consult == NULL)
        return;
    ahoy_ua_hold(ua, call, phone_now());
    handover->talk = phone_talk_open(handover->phone, handover->options, &media);
    if (handover->talk != NULL)
        handover->second = ahoy_ua_call(ua, ahoy_span(consult), &media, phone_now());
    if (handover->second.generation == 0) {
        end(handover, 500);
    } else {
        phone_show_note(handover->options, "calling", ahoy_span(consult));
        phone_screen_call(phone_screen(handover->phone), handover->second, ahoy_span(consult));
    }
}

static void take_second(struct phone_handover *handover, const struct ahoy_ua_news *news)
{
    switch (news->kind) {
    case AHOY_NEWS_ANSWERED:
        handover->is_ready = true;
        phone_talk_agree(handover->talk, news);
        break;
    case AHOY_NEWS_EARLY:
    case AHOY_NEWS_CHANGED:
        phone_talk_agree(handover->talk, news);
        break;
    case AHOY_NEWS_CHANGE_REFUSED:
        phone_talk_refused(handover->talk);
        break;
    case AHOY_NEWS_REFUSED:
    case AHOY_NEWS_ENDED:
        phone_handover_close(handover);
        if (!handover->is_asked)
            end(handover, news->status != 0 ? news->status : 487);
        break;
    default:
        break;
    }
}

void phone_handover_take(struct phone_handover *handover, const struct ahoy_ua_news *news)
{
    if (handover->second.generation != 0 && ahoy_handle_equal(news->session, handover->second))
        take_second(handover, news);
    else if (news->kind == AHOY_NEWS_TRANSFER_ENDED && handover->is_asked)
        end(handover, news->status);
}

void phone_handover_ask(struct phone_handover *handover)
{
    struct ahoy_ua *ua = phone_ua(handover->phone);
    const struct phone_options *options = handover->options;
    handover->is_asked =
        options->consult != NULL
            ? ahoy_ua_transfer_to(ua, handover->call, handover->second, phone_now())
            : ahoy_ua_transfer(ua, handover->call, ahoy_span(options->transfer), phone_now());
    if (!handover->is_asked)
        end(handover, 500);
}

void phone_handover_close(struct phone_handover *handover)
{
    ahoy_ua_hangup(phone_ua(handover->phone), handover->second, phone_now());
    phone_talk_close(handover->talk, handover->second);
    handover->talk = NULL;
    handover->second = nobody;
}
