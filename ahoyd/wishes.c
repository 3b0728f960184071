/* DEPARTS: of the directives of RFC 3841 9.1 "redirect" and "queue" are not heeded: who proxies and
 * who redirects is the domain's to say, and nobody waits here (docs/decisions/0088). */
#include "ahoyd/wishes.h"

enum { FIRST_Q = 1000 };

bool ahoyd_wishes_read(const struct ahoy_message *request, struct ahoyd_wishes *wishes,
                       struct ahoy_err *err)
{
    const struct {
        struct span name;
        bool *flag;
    } directives[] = {
        { SPAN("no-cancel"), &wishes->no_cancel },   { SPAN("no-fork"), &wishes->no_fork },
        { SPAN("no-recurse"), &wishes->no_recurse }, { SPAN("parallel"), &wishes->parallel },
        { SPAN("sequential"), &wishes->sequential },
    };
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_REQUEST_DISPOSITION);
    struct span text;
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        *directives[i].flag = false;
    while (ahoy_values_next(&values, &text, NULL)) {
        for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
            if (ahoy_span_equal_nocase(text, directives[i].name))
                *directives[i].flag = true;
        }
    }
    wishes->parallel = wishes->parallel && !wishes->sequential;
    return ahoy_preferences_read(request, &wishes->preferences, err);
}

/* How many suit; their scores, and which they are. */
static size_t judge(const struct ahoyd_wishes *wishes, const struct ahoy_bindings *bindings,
                    bool suits[AHOY_BINDINGS_LIMIT], uint16_t scores[AHOY_BINDINGS_LIMIT])
{
    size_t count = 0;
    for (size_t i = 0; i < bindings->count; i++) {
        suits[i] =
            ahoy_preferences_match(&wishes->preferences, bindings->list[i].params, &scores[i]);
        count += suits[i];
    }
    return count;
}

void ahoyd_wishes_narrow(const struct ahoyd_wishes *wishes, struct ahoy_bindings *bindings,
                         uint16_t scores[AHOY_BINDINGS_LIMIT])
{
    bool suits[AHOY_BINDINGS_LIMIT];
    size_t kept = 0;
    if (judge(wishes, bindings, suits, scores) == 0 && wishes->preferences.is_implicit)
        return;
    for (size_t i = 0; i < bindings->count; i++) {
        if (!suits[i])
            continue;
        scores[kept] = scores[i];
        bindings->list[kept++] = bindings->list[i];
    }
    bindings->count = kept;
}

/* What comes before in the order in which targets are tried. */
static bool is_before(const struct ahoyd_choice *a, const struct ahoyd_choice *b)
{
    return a->target.q != b->target.q ? a->target.q > b->target.q : a->score > b->score;
}

/* Those that are alike stay as they came. */
static void sort(struct ahoyd_choice *choices, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct ahoyd_choice choice = choices[i];
        size_t at = i;
        for (; at > 0 && is_before(&choice, &choices[at - 1]); at--)
            choices[at] = choices[at - 1];
        choices[at] = choice;
    }
}

size_t ahoyd_wishes_order(const struct ahoyd_wishes *wishes, const struct ahoyd_domain *domain,
                          struct ahoyd_choice *choices, size_t count,
                          struct ahoy_proxy_target *targets)
{
    bool heeds_q = wishes->no_fork || wishes->sequential || (domain->in_order && !wishes->parallel);
    bool in_tiers = wishes->sequential || (!wishes->preferences.is_implicit && !wishes->parallel);
    uint16_t q = FIRST_Q;
    for (size_t i = 0; i < count && !heeds_q; i++)
        choices[i].target.q = FIRST_Q;
    sort(choices, count);
    for (size_t i = 0; i < count; i++) {
        targets[i] = choices[i].target;
        if (i > 0 && (wishes->sequential || is_before(&choices[i - 1], &choices[i])))
            q--;
        if (in_tiers)
            targets[i].q = q;
    }
    return wishes->no_fork && count > 0 ? 1 : count;
}
