/* The tables and header fields of RFC 6665. */
#include "libahoy/tu/subscription.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/value.h"

enum { BRIEF_S = 3600 /* Only a shorter wish may be answered 423 (4.2.1.1). */ };

/* What others tell us of: RFC 3856 6, RFC 4235 3, RFC 3842 3. */
static const struct ahoy_event_package presence = { .name = SPAN_INIT("presence"),
                                                    .media_type =
                                                        SPAN_INIT("application/pidf+xml") };
static const struct ahoy_event_package calls = { .name = SPAN_INIT("dialog"),
                                                 .media_type =
                                                     SPAN_INIT("application/dialog-info+xml") };
static const struct ahoy_event_package messages = {
    .name = SPAN_INIT("message-summary"),
    .media_type = SPAN_INIT("application/simple-message-summary"),
};

static const struct ahoy_event_package *const packages[] = { &ahoy_event_reg, &presence, &calls,
                                                             &messages };
enum { PACKAGES = sizeof packages / sizeof packages[0] };

const struct ahoy_event_package *ahoy_event_package_find(struct span name)
{
    for (size_t i = 0; i < PACKAGES; i++) {
        if (ahoy_span_equal(packages[i]->name, name))
            return packages[i];
    }
    return NULL;
}

void ahoy_event_put_allow(struct ahoy_buf *buf)
{
    struct span separator = SPAN("Allow-Events: ");
    for (size_t i = 0; i < PACKAGES; i++) { /* R6665-4.4.4-1 */
        if (packages[i]->print == NULL)
            continue;
        ahoy_buf_put(buf, separator);
        ahoy_buf_put(buf, packages[i]->name);
        separator = SPAN(", ");
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

/* One value of a header that has one row; false where there is none, or it cannot be read. */
static bool read_value(const struct ahoy_message *message, enum ahoy_header header,
                       struct ahoy_value *value)
{
    return ahoy_message_first(message, header) != NULL &&
           ahoy_value_parse(header, ahoy_message_value(message, header), value, NULL);
}

bool ahoy_event_name_read(const struct ahoy_message *message, struct ahoy_event_name *name)
{
    struct ahoy_value value;
    if (!read_value(message, AHOY_HEADER_EVENT, &value))
        return false;
    name->package = ahoy_event_package_find(ahoy_span_trim(value.head));
    if (!ahoy_value_param(&value, SPAN("id"), &name->id))
        name->id = SPAN("");
    return name->id.size <= AHOY_EVENT_ID_LIMIT;
}

void ahoy_event_name_put(const struct ahoy_event_name *name, struct ahoy_buf *rows)
{
    ahoy_buf_put(rows, SPAN("Event: "));
    ahoy_buf_put(rows, name->package->name);
    if (name->id.size > 0) { /* R6665-4.5.2-2, R6665-4.5.2-3 */
        ahoy_buf_put(rows, SPAN(";id="));
        ahoy_buf_put(rows, name->id);
    }
    ahoy_buf_put(rows, SPAN("\r\n"));
}

/* Whether |range| of Accept stands for |media_type|, whatever its parameters. */
static bool includes(struct span range, struct span media_type)
{
    range.size = ahoy_span_find(range, ';');
    range = ahoy_span_trim(range);
    const struct span kind = { media_type.at, ahoy_span_find(media_type, '/') + 1 };
    return ahoy_span_equal(range, SPAN("*/*")) || ahoy_span_equal_nocase(range, media_type) ||
           (range.size == kind.size + 1 && ahoy_span_starts_nocase(range, kind) &&
            range.at[kind.size] == '*');
}

/* R6665-3.2.1-3; without an Accept the package's own type is meant. */
static bool accepts(const struct ahoy_message *message, struct span media_type)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_ACCEPT);
    struct span range;
    if (ahoy_message_first(message, AHOY_HEADER_ACCEPT) == NULL)
        return true;
    while (ahoy_values_next(&values, &range, NULL)) {
        if (includes(range, media_type))
            return true;
    }
    return false;
}

/* R6665-3.1.1-3: what is granted is never more than what was asked for. */
static bool read_expires(const struct ahoy_message *message,
                         const struct ahoy_subscribe_limits *limits,
                         struct ahoy_subscribe *subscribe, struct ahoy_err *err)
{
    struct span text = ahoy_message_value(message, AHOY_HEADER_EXPIRES);
    uint64_t seconds = subscribe->event.package->default_s;
    if (ahoy_message_first(message, AHOY_HEADER_EXPIRES) != NULL &&
        !ahoy_span_number(text, UINT32_MAX, &seconds))
        return ahoy_fail(err, 400, text.at, "an Expires in seconds");
    if (seconds > 0 && seconds < limits->min_s && seconds < BRIEF_S)
        return ahoy_fail(err, 423, text.at, "a longer interval");
    subscribe->expires_s = seconds > limits->max_s ? limits->max_s : (uint32_t)seconds;
    return true;
}

bool ahoy_subscribe_read(const struct ahoy_message *message,
                         const struct ahoy_subscribe_limits *limits,
                         struct ahoy_subscribe *subscribe, struct ahoy_err *err)
{
    const char *at = message->bytes.at;
    if (!ahoy_event_name_read(message, &subscribe->event) || subscribe->event.package == NULL ||
        subscribe->event.package->print == NULL)
        return ahoy_fail(err, 489, at, "an event package that we tell of"); /* 4.2.3 too */
    if (!accepts(message, subscribe->event.package->media_type))
        return ahoy_fail(err, 406, at, "an Accept with the type of the event package");
    return read_expires(message, limits, subscribe, err);
}

static const struct {
    struct span word;
    enum ahoy_subscription_again again;
} reasons[] = {
#define AHOY_REASON(name, word, again) { SPAN_INIT(word), AHOY_AGAIN_##again },
    AHOY_SUBSCRIPTION_REASONS(AHOY_REASON)
#undef AHOY_REASON
};
enum { REASONS = sizeof reasons / sizeof reasons[0] };

struct span ahoy_subscription_reason_word(enum ahoy_subscription_reason reason)
{
    return reasons[reason].word;
}

enum ahoy_subscription_again ahoy_subscription_again(enum ahoy_subscription_reason reason)
{
    return reasons[reason].again;
}

static const struct span states[] = { [AHOY_SUBSCRIPTION_PENDING] = SPAN_INIT("pending"),
                                      [AHOY_SUBSCRIPTION_ACTIVE] = SPAN_INIT("active"),
                                      [AHOY_SUBSCRIPTION_TERMINATED] = SPAN_INIT("terminated") };

struct span ahoy_subscription_state_word(enum ahoy_subscription_state state)
{
    return states[state];
}

/* A word that is no state, as later documents may make one, is taken as active. */
static enum ahoy_subscription_state read_state(struct span word)
{
    if (ahoy_span_equal_nocase(word, states[AHOY_SUBSCRIPTION_PENDING]))
        return AHOY_SUBSCRIPTION_PENDING;
    if (ahoy_span_equal_nocase(word, states[AHOY_SUBSCRIPTION_TERMINATED]))
        return AHOY_SUBSCRIPTION_TERMINATED;
    return AHOY_SUBSCRIPTION_ACTIVE;
}

static enum ahoy_subscription_reason read_reason(const struct ahoy_value *value)
{
    struct span word;
    for (unsigned i = 1; ahoy_value_param(value, SPAN("reason"), &word) && i < REASONS; i++) {
        if (ahoy_span_equal_nocase(word, reasons[i].word))
            return (enum ahoy_subscription_reason)i;
    }
    return AHOY_SUBSCRIPTION_NO_REASON;
}

/* The seconds that |name| says; false where it says none. */
static bool read_seconds(const struct ahoy_value *value, struct span name, uint32_t *seconds)
{
    struct span text;
    uint64_t number;
    if (!ahoy_value_param(value, name, &text) || !ahoy_span_number(text, UINT32_MAX, &number))
        return false;
    *seconds = (uint32_t)number;
    return true;
}

bool ahoy_subscription_status_read(const struct ahoy_message *message,
                                   struct ahoy_subscription_status *status)
{
    struct ahoy_value value;
    *status = (struct ahoy_subscription_status){ .has_expires = false };
    if (!read_value(message, AHOY_HEADER_SUBSCRIPTION_STATE, &value))
        return false;
    status->state = read_state(ahoy_span_trim(value.head));
    if (status->state != AHOY_SUBSCRIPTION_TERMINATED) {
        status->has_expires = read_seconds(&value, SPAN("expires"), &status->expires_s);
        return true;
    }
    status->reason = read_reason(&value);
    (void)read_seconds(&value, SPAN("retry-after"), &status->retry_after_s); /* Else 0. */
    return true;
}

void ahoy_subscription_status_put(const struct ahoy_subscription_status *status,
                                  struct ahoy_buf *rows)
{
    ahoy_buf_put(rows, SPAN("Subscription-State: ")); /* R6665-4.2.2-3 */
    ahoy_buf_put(rows, states[status->state]);
    if (status->state == AHOY_SUBSCRIPTION_TERMINATED) {
        ahoy_buf_put(rows, SPAN(";reason="));
        ahoy_buf_put(rows, reasons[status->reason].word);
    } else { /* R6665-4.2.2-4 */
        ahoy_buf_put(rows, SPAN(";expires="));
        ahoy_buf_put_number(rows, status->expires_s);
    }
    ahoy_buf_put(rows, SPAN("\r\n"));
}

bool ahoy_subscription_is_ended_by(unsigned status)
{
    static const unsigned fatal[] = { 404, 405, 410, 416, 489, 501, 604 };
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        if (fatal[i] == status)
            return true;
    }
    return status >= 480 && status <= 485;
}
