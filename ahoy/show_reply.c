/* Showing what became of a request of ours that was no call. */
#include <stdio.h>

#include "ahoy/show.h"

static void begin_json(const struct phone_options *options, const char *kind)
{
    printf("{\"news\":\"%s\",\"account\":\"%.*s\"", kind, (int)options->address.size,
           options->address.at);
}

static void show_text(const struct phone_options *options, const struct ahoy_ua_news *news)
{
    phone_print_strange((struct span){ news->text, news->text_size }, options->json);
}

static void show_advice(unsigned status)
{
    const char *advice = phone_advice(status);
    if (advice[0] != '\0')
        printf("  %s\n", advice);
}

/* R3428-4-3, R3428-4-4: no more is known than that. */
static const char *delivery_of(unsigned status)
{
    if (status == 202)
        return "accepted";
    return status < 300 ? "delivered" : "not delivered";
}

void phone_show_delivery(const struct phone_options *options, const struct ahoy_ua_news *news)
{
    const char *delivery = delivery_of(news->status);
    if (options->json) {
        begin_json(options, "reply");
        printf(",\"status\":%u,\"delivery\":\"%s\",\"text\":\"", news->status, delivery);
        show_text(options, news);
        printf("\"}\n");
    } else {
        printf("%s: %u ", delivery, news->status);
        show_text(options, news);
        printf("\n");
        show_advice(news->status);
    }
    fflush(stdout);
}

static const struct {
    enum ahoy_header header;
    const char *json, *plain;
} abilities[] = {
    { AHOY_HEADER_ALLOW, "allow", "methods" },
    { AHOY_HEADER_ACCEPT, "accept", "bodies" },
    { AHOY_HEADER_SUPPORTED, "supported", "extensions" },
    { AHOY_HEADER_SERVER, "server", "program" },
    { AHOY_HEADER_USER_AGENT, "user_agent", "program" },
};

static void show_rows(const struct phone_options *options, const struct ahoy_message *message,
                      size_t index)
{
    const struct ahoy_field *field = ahoy_message_first(message, abilities[index].header);
    if (field == NULL)
        return;
    printf(options->json ? ",\"%s\":\"" : "  %s: ",
           options->json ? abilities[index].json : abilities[index].plain);
    for (bool is_first = true; field != NULL; field = ahoy_message_next(message, field)) {
        printf("%s", is_first ? "" : ", ");
        phone_print_strange(field->value, options->json);
        is_first = false;
    }
    printf(options->json ? "\"" : "\n");
}

void phone_show_abilities(const struct phone_options *options, const struct ahoy_ua_news *news,
                          struct span response, uint64_t rtt_us)
{
    static struct ahoy_message message; /* Large. */
    double rtt_ms = (double)rtt_us / 1000;
    bool is_answered = response.size > 0;
    if (options->json) {
        begin_json(options, "reply");
        printf(",\"status\":%u", news->status);
    } else {
        printf("%s: %u ", options->callee, news->status);
        show_text(options, news);
        printf(" (%.3f ms)\n", rtt_ms);
    }
    if (is_answered && options->json)
        printf(",\"rtt_ms\":%.3f", rtt_ms);
    /* It was sound enough to be matched with its request. */
    if (is_answered && ahoy_message_parse(response, &message, NULL)) {
        for (size_t i = 0; i < sizeof abilities / sizeof abilities[0]; i++)
            show_rows(options, &message, i);
    }
    if (options->json) {
        printf(",\"text\":\"");
        show_text(options, news);
        printf("\"}\n");
    } else {
        show_advice(news->status);
    }
    fflush(stdout);
}

void phone_show_trips(const struct phone_options *options, const struct phone_trips *trips)
{
    double least_ms = (double)trips->least_us / 1000;
    double most_ms = (double)trips->most_us / 1000;
    double mean_ms = trips->answered > 0 ? (double)trips->sum_us / 1000 / trips->answered : 0;
    if (options->json) {
        begin_json(options, "trips");
        printf(
            ",\"sent\":%u,\"answered\":%u,\"least_ms\":%.3f,\"mean_ms\":%.3f,\"most_ms\":%.3f}\n",
            trips->sent, trips->answered, least_ms, mean_ms, most_ms);
    } else {
        printf("%u sent, %u answered; round trip %.3f, %.3f, %.3f ms (least, mean, most)\n",
               trips->sent, trips->answered, least_ms, mean_ms, most_ms);
    }
    fflush(stdout);
}
