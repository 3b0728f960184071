/* RFC 3841 7.2, step by step. */
#include "libahoy/tu/preferences.h"

#include "libahoy/syntax/param_rule.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/value.h"
#include "libahoy/tu/features.h"

enum { PERFECT = 1000 };

/* Takes the next parameter that is a feature off |rest|. */
static bool next_feature(struct span *rest, struct ahoy_param *feature)
{
    while (ahoy_param_next(rest, feature, NULL)) {
        if (ahoy_param_is_feature(feature->name))
            return true;
    }
    return false;
}

static bool check_size(const struct ahoy_preference *preference, size_t *values,
                       struct ahoy_err *err)
{
    struct span rest = preference->params;
    struct ahoy_param feature;
    while (next_feature(&rest, &feature)) {
        *values += ahoy_features_count(&feature);
        if (*values > AHOY_PREFERENCE_VALUES_LIMIT)
            return ahoy_fail(err, 400, feature.name.at, "fewer features");
    }
    return true;
}

/* 7.2.1 */
static bool read_header(const struct ahoy_message *request, enum ahoy_header header,
                        struct ahoy_preferences *preferences, size_t *values_count,
                        struct ahoy_err *err)
{
    struct ahoy_values values = ahoy_message_values(request, header);
    struct span text;
    struct ahoy_err fault;
    while (ahoy_values_next(&values, &text, &fault)) {
        struct ahoy_value value;
        struct ahoy_param flag;
        if (preferences->count == AHOY_PREFERENCES_LIMIT)
            return ahoy_fail(err, 400, text.at, "fewer preferences");
        if (!ahoy_value_parse(header, text, &value, err)) /* R3841-10-1 */
            return false;
        struct ahoy_preference *preference = &preferences->list[preferences->count++];
        bool rejects = header == AHOY_HEADER_REJECT_CONTACT;
        *preference = (struct ahoy_preference){
            .params = value.params,
            .rejects = rejects,
            .is_required = !rejects && ahoy_params_find(value.params, SPAN("require"), &flag),
            .is_explicit = !rejects && ahoy_params_find(value.params, SPAN("explicit"), &flag),
        };
        if (!check_size(preference, values_count, err))
            return false;
    }
    return fault.expected == NULL || ahoy_fail(err, fault.status, fault.at, fault.expected);
}

/* 7.2.2: the method, and the event of a subscription. */
static void imply(const struct ahoy_message *request, struct ahoy_preferences *preferences)
{
    struct ahoy_buf buf = ahoy_buf_over(preferences->text, sizeof preferences->text);
    struct span event = ahoy_message_value(request, AHOY_HEADER_EVENT);
    event = ahoy_span_trim((struct span){ event.at, ahoy_span_find(event, ';') });
    ahoy_buf_put(&buf, SPAN(";methods=\""));
    ahoy_buf_put(&buf, request->method_text);
    if (request->method == AHOY_METHOD_SUBSCRIBE && event.size > 0) {
        ahoy_buf_put(&buf, SPAN("\";events=\""));
        ahoy_buf_put(&buf, event);
    }
    ahoy_buf_put_byte(&buf, '"');
    preferences->is_implicit = true;
    if (buf.overflow) /* Nobody has registered that. */
        return;
    preferences->list[preferences->count++] =
        (struct ahoy_preference){ .params = ahoy_buf_text(&buf), .is_required = true };
}

bool ahoy_preferences_read(const struct ahoy_message *request, struct ahoy_preferences *preferences,
                           struct ahoy_err *err)
{
    size_t values = 0;
    preferences->count = 0;
    preferences->is_implicit = false;
    if (ahoy_message_first(request, AHOY_HEADER_ACCEPT_CONTACT) == NULL &&
        ahoy_message_first(request, AHOY_HEADER_REJECT_CONTACT) == NULL) {
        imply(request, preferences);
        return true;
    }
    return read_header(request, AHOY_HEADER_REJECT_CONTACT, preferences, &values, err) &&
           read_header(request, AHOY_HEADER_ACCEPT_CONTACT, preferences, &values, err);
}

/* How a phone's features compare with those of a preference. */
struct comparison {
    unsigned terms; /* Of the preference, ... */
    unsigned named; /* ... and those that the phone speaks of. */
    bool is_match;  /* It contradicts none. */
};

static struct comparison compare(const struct ahoy_preference *preference, struct span params)
{
    struct comparison comparison = { .is_match = true };
    struct span rest = preference->params;
    struct ahoy_param wanted, has;
    while (next_feature(&rest, &wanted)) {
        comparison.terms++;
        if (!ahoy_params_find(params, wanted.name, &has))
            continue;
        comparison.named++;
        comparison.is_match = comparison.is_match && ahoy_features_meet(&has, &wanted);
    }
    return comparison;
}

/* The score by one value of Accept-Contact (figure 1); false where the phone is left out by it. */
static bool score_by(const struct ahoy_preference *preference, const struct comparison *comparison,
                     unsigned *score)
{
    bool is_whole = comparison->named == comparison->terms;
    *score = is_whole ? PERFECT : PERFECT * comparison->named / comparison->terms;
    if (!comparison->is_match)
        return !preference->is_required;
    if (is_whole || !preference->is_explicit)
        return true;
    *score = 0;
    return !preference->is_required;
}

/* 7.2.3 */
static bool is_immune(struct span params)
{
    struct ahoy_param feature;
    return !next_feature(&params, &feature);
}

bool ahoy_preferences_match(const struct ahoy_preferences *preferences, struct span params,
                            uint16_t *score)
{
    unsigned sum = 0, matching = 0, asked = 0;
    *score = PERFECT;
    if (is_immune(params))
        return true;
    for (size_t i = 0; i < preferences->count; i++) {
        const struct ahoy_preference *preference = &preferences->list[i];
        const struct comparison comparison = compare(preference, params);
        unsigned share;
        if (preference->rejects) {
            if (comparison.is_match && comparison.named == comparison.terms)
                return false;
            continue;
        }
        if (!score_by(preference, &comparison, &share))
            return false;
        asked++;
        matching += comparison.is_match;
        sum += comparison.is_match ? share : 0;
    }
    if (asked > 0)
        *score = (uint16_t)(matching > 0 ? sum / matching : 0);
    return true;
}
