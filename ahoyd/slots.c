/* A number is given again only when nothing names it any more, which the process finds out. */
#include "ahoyd/slots.h"

#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/listeners.h"

static bool is_same(const struct ahoyd_listen *a, const struct ahoyd_listen *b)
{
    return a->transport == b->transport && ahoy_ip_equal(&a->ip, &b->ip);
}

static void fault(const struct ahoyd_config *config, const struct ahoyd_listen *listen,
                  const char *why, struct ahoyd_config_faults *faults)
{
    char name[AHOYD_LISTEN_SIZE], what[256];
    struct ahoy_buf buf = ahoy_buf_over(name, sizeof name);
    ahoyd_listener_print(listen, &buf);
    struct span text = ahoy_buf_text(&buf);
    snprintf(what, sizeof what, "listen \"%.*s\": %s", (int)text.size, text.at, why);
    faults->count++;
    if (faults->told != NULL)
        faults->told(faults->context, config->path.at, listen->line, what);
}

/* |listen|, which stands in the file no more; its texts are copied. */
static bool leave(struct ahoyd_config *config, const struct ahoyd_listen *listen, uint64_t now_ms,
                  struct ahoyd_listen *slot)
{
    *slot = (struct ahoyd_listen){ .is_free = true };
    if (listen->is_free)
        return true;
    *slot = (struct ahoyd_listen){ .transport = listen->transport,
                                   .ip = listen->ip,
                                   .advertise = ahoyd_config_keep(config, listen->advertise),
                                   .origins = ahoyd_config_keep(config, listen->origins),
                                   .line = listen->line,
                                   .until_ms = listen->until_ms };
    if (slot->until_ms == 0)
        slot->until_ms = now_ms + AHOYD_LEAVING_MS;
    return slot->advertise.at != NULL && slot->origins.at != NULL;
}

/* The one of |config| with the address of |listen|, NULL where there is none. */
static const struct ahoyd_listen *find(const struct ahoyd_config *config,
                                       const struct ahoyd_listen *listen)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (!listen->is_free && is_same(&config->listens[i], listen))
            return &config->listens[i];
    }
    return NULL;
}

/* Those that were there keep their numbers; how many there are, or none where it cannot be. */
static size_t keep_old(struct ahoyd_config *config, const struct ahoyd_config *before,
                       uint64_t now_ms, struct ahoyd_config_faults *faults,
                       struct ahoyd_listen slots[AHOY_LISTENERS_LIMIT])
{
    for (size_t i = 0; i < before->listen_count; i++) {
        const struct ahoyd_listen *listen = &before->listens[i];
        const struct ahoyd_listen *now = find(config, listen);
        if (now == NULL && !leave(config, listen, now_ms, &slots[i]))
            return 0;
        if (now == NULL)
            continue;
        slots[i] = *now;
        /* Answers to what has left under the old name would be nobody's. */
        if (!ahoy_span_equal(now->advertise, listen->advertise)) {
            fault(config, now, "advertise cannot change without a restart", faults);
            return 0;
        }
    }
    return before->listen_count;
}

/* Those that were not there get the first numbers that are free; false where there are too few. */
static bool add_new(const struct ahoyd_config *config, const struct ahoyd_config *before,
                    struct ahoyd_config_faults *faults,
                    struct ahoyd_listen slots[AHOY_LISTENERS_LIMIT], size_t *count)
{
    size_t at = 0;
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct ahoyd_listen *listen = &config->listens[i];
        if (find(before, listen) != NULL)
            continue;
        while (at < *count && !slots[at].is_free)
            at++;
        if (at == AHOY_LISTENERS_LIMIT) {
            fault(config, listen,
                  "there are 64 with those that were removed a while ago and are "
                  "still in use; try again in some minutes",
                  faults);
            return false;
        }
        slots[at] = *listen;
        *count += at == *count;
    }
    return true;
}

bool ahoyd_slots_keep(struct ahoyd_config *config, const struct ahoyd_config *before,
                      uint64_t now_ms, struct ahoyd_config_faults *faults)
{
    struct ahoyd_listen *slots = calloc(AHOY_LISTENERS_LIMIT, sizeof *slots);
    if (slots == NULL)
        return false;
    size_t count = keep_old(config, before, now_ms, faults, slots);
    if (count == 0 || !add_new(config, before, faults, slots, &count)) {
        free(slots);
        return false;
    }
    free(config->listens);
    config->listens = slots;
    config->listen_count = count;
    return true;
}
