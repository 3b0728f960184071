/* The bindings of one address-of-record (RFC 3261 10): a list with its texts in one block. */
#include "libahoy/tu/bindings.h"

void ahoy_bindings_init(struct ahoy_bindings *bindings)
{
    bindings->count = 0;
    bindings->text_size = 0;
}

static struct span keep(struct ahoy_bindings *bindings, struct span text)
{
    struct span kept = { bindings->text + bindings->text_size, text.size };
    if (text.size > 0)
        memcpy(bindings->text + bindings->text_size, text.at, text.size);
    bindings->text_size += text.size;
    return kept;
}

bool ahoy_bindings_add(struct ahoy_bindings *bindings, const struct ahoy_binding *binding)
{
    /* Where each text keeps its limit, all of them have room. */
    if (bindings->count == AHOY_BINDINGS_LIMIT || binding->contact.size > AHOY_CONTACT_LIMIT ||
        binding->call_id.size > AHOY_BINDING_CALL_ID_LIMIT ||
        binding->params.size > AHOY_CONTACT_PARAMS_LIMIT ||
        binding->instance.size > AHOY_INSTANCE_LIMIT || binding->path.size > AHOY_PATH_LIMIT)
        return false;
    struct ahoy_binding *added = &bindings->list[bindings->count++];
    *added = *binding;
    added->contact = keep(bindings, binding->contact);
    added->call_id = keep(bindings, binding->call_id);
    added->params = keep(bindings, binding->params);
    added->instance = ahoy_span_has(binding->params, binding->instance)
                          ? ahoy_span_moved(binding->instance, binding->params, added->params)
                          : keep(bindings, binding->instance);
    added->path = keep(bindings, binding->path);
    return true;
}

void ahoy_bindings_copy(struct ahoy_bindings *to, const struct ahoy_bindings *from, uint64_t now_ms)
{
    ahoy_bindings_init(to);
    for (size_t i = 0; i < from->count; i++) {
        if (from->list[i].expires_ms > now_ms)
            (void)ahoy_bindings_add(to, &from->list[i]); /* It was within the limits before. */
    }
}
