/* RFC 5627 5.1 and 5.3: what ends all temporary GRUUs of an instance at once. */
#include "libahoy/tu/registrar_gruu.h"

/* The binding of |instance|, and of its flow |reg_id| where that is not 0, that was registered last
 * and lives; NULL where there is none. */
static const struct ahoy_binding *find_freshest(const struct ahoy_bindings *current,
                                                struct span instance, uint32_t reg_id,
                                                uint64_t now_ms)
{
    const struct ahoy_binding *freshest = NULL;
    for (size_t i = 0; i < current->count; i++) {
        const struct ahoy_binding *binding = &current->list[i];
        if (binding->expires_ms > now_ms && ahoy_span_equal(binding->instance, instance) &&
            (reg_id == 0 || binding->reg_id == reg_id) &&
            (freshest == NULL || binding->updated_ms > freshest->updated_ms))
            freshest = binding;
    }
    return freshest;
}

/* Whether |registration| is of another Call-ID than what it refreshes: R5627-5.1-6. */
static bool begins_anew(const struct ahoy_bindings *current,
                        const struct ahoy_registration *registration, struct span instance,
                        uint64_t now_ms)
{
    for (size_t i = 0; i < registration->count; i++) {
        const struct ahoy_asked_contact *asked = &registration->asked[i];
        if (asked->expires_s == 0 || !ahoy_span_equal(asked->instance, instance))
            continue;
        const struct ahoy_binding *before = find_freshest(current, instance, asked->reg_id, now_ms);
        if (before != NULL && !ahoy_span_equal(before->call_id, registration->call_id))
            return true;
    }
    return false;
}

uint64_t ahoy_registrar_era(const struct ahoy_bindings *current,
                            const struct ahoy_registration *registration, struct span instance,
                            uint64_t now_ms)
{
    if (instance.size == 0)
        return 0;
    const struct ahoy_binding *before = find_freshest(current, instance, 0, now_ms);
    if (before == NULL)
        return now_ms; /* R5627-5.3-1 */
    if (!begins_anew(current, registration, instance, now_ms))
        return before->era_ms;
    return before->era_ms < now_ms ? now_ms : before->era_ms + 1;
}
