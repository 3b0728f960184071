/* Changes: one allocation each, so that they can wait and travel between threads. */
#include "ahoyd/store/store.h"

#include <stdlib.h>

#include "ahoyd/store/record.h"

/* Thousands may wait for a store that does not answer. */
_Static_assert(sizeof(struct ahoyd_change) <= 1200, "a change is what it has to be");

struct keeper {
    char *at;
};

static struct span keep(struct keeper *keeper, struct span text)
{
    struct span kept = { keeper->at, text.size };
    if (text.size > 0)
        memcpy(keeper->at, text.at, text.size);
    keeper->at += text.size;
    return kept;
}

static struct ahoyd_change *make(enum ahoyd_change_kind kind, size_t text_size)
{
    struct ahoyd_change *change = malloc(sizeof *change + text_size);
    if (change == NULL)
        return NULL;
    /* The registration is large, and only some have one. */
    memset(change, 0, offsetof(struct ahoyd_change, registration));
    change->kind = kind;
    return change;
}

struct ahoyd_change *ahoyd_change_bindings(struct span aor,
                                           const struct ahoy_registration *registration,
                                           uint64_t now_ms)
{
    size_t size = aor.size + registration->call_id.size + registration->path.size;
    for (size_t i = 0; i < registration->count; i++) {
        const struct ahoy_asked_contact *asked = &registration->asked[i];
        size += asked->contact.size + asked->params.size + asked->instance.size;
    }
    struct ahoyd_change *change = make(AHOYD_CHANGE_BINDINGS, size);
    if (change == NULL)
        return NULL;
    struct keeper keeper = { change->text };
    change->now_ms = now_ms;
    change->aor = keep(&keeper, aor);
    memcpy(&change->registration, registration,
           offsetof(struct ahoy_registration, asked) +
               registration->count * sizeof *registration->asked);
    change->registration.call_id = keep(&keeper, registration->call_id);
    change->registration.path = keep(&keeper, registration->path);
    for (size_t i = 0; i < registration->count; i++) {
        struct ahoy_asked_contact *asked = &change->registration.asked[i];
        const struct span params = asked->params;
        asked->contact = keep(&keeper, asked->contact);
        asked->params = keep(&keeper, params);
        asked->instance = ahoy_span_has(params, asked->instance)
                              ? ahoy_span_moved(asked->instance, params, asked->params)
                              : keep(&keeper, asked->instance);
    }
    return change;
}

struct ahoyd_change *ahoyd_change_alias(enum ahoyd_change_kind kind, struct span alias,
                                        struct span realm, struct span means)
{
    struct ahoyd_change *change = make(kind, alias.size + realm.size + means.size);
    if (change == NULL)
        return NULL;
    struct keeper keeper = { change->text };
    change->user = keep(&keeper, alias);
    change->realm = keep(&keeper, realm);
    change->means = keep(&keeper, means);
    return change;
}

struct ahoyd_change *ahoyd_change_user(enum ahoyd_change_kind kind, struct span user,
                                       struct span realm, const struct ahoyd_user *credentials)
{
    struct ahoyd_change *change = ahoyd_change_alias(kind, user, realm, SPAN(""));
    if (change != NULL && credentials != NULL)
        change->credentials = *credentials;
    return change;
}

void ahoyd_change_outcome(const struct ahoyd_change *change, struct ahoy_bindings *bindings)
{
    const struct span state = { change->outcome, change->outcome_size };
    (void)record_decode(state, 0, bindings); /* We made it. */
}

/* Most changes are of one contact: where nine others might stand, there is room for an outcome. */
static char *spare_of(struct ahoyd_change *change)
{
    return (char *)&change->registration.asked[change->registration.count];
}

static void drop_outcome(struct ahoyd_change *change)
{
    if (change->outcome != NULL && change->outcome != spare_of(change))
        free(change->outcome);
    change->outcome = NULL;
}

bool ahoyd_change_tell(struct ahoyd_change *change, struct span state)
{
    const struct ahoy_registration *registration = &change->registration;
    drop_outcome(change);
    size_t spare = (AHOY_BINDINGS_LIMIT - registration->count) * sizeof *registration->asked;
    change->outcome = state.size <= spare ? spare_of(change) : malloc(state.size);
    if (change->outcome == NULL)
        return false;
    memcpy(change->outcome, state.at, state.size);
    change->outcome_size = state.size;
    return true;
}

void ahoyd_change_free(struct ahoyd_change *change)
{
    if (change == NULL)
        return;
    explicit_bzero(&change->credentials, sizeof change->credentials);
    drop_outcome(change);
    free(change);
}
