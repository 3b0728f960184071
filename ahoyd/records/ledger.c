#include "ahoyd/records/ledger.h"

#include <stdlib.h>

#include "libahoy/base/map.h"
#include "libahoy/base/pool.h"
#include "libahoy/base/timers.h"

struct entry {
    struct ahoyd_record record;
    struct ahoy_handle handle;
    uint64_t hash; /* Of its Call-ID. */
    struct ahoy_timer timer;
};

struct ahoyd_ledger {
    struct ahoy_hash_key key;
    struct span node;
    struct ahoy_pool entries;
    struct ahoy_map by_hash; /* To packed handles. */
    struct ahoy_timers timers;
    struct ahoyd_case_losses losses;
    bool is_finished;
    uint64_t lost;
};

struct ahoyd_ledger *ahoyd_ledger_new(const struct ahoy_hash_key *key, struct span node,
                                      uint64_t now_ms)
{
    struct ahoyd_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return NULL;
    ledger->key = *key;
    ledger->node = node;
    ahoy_pool_init(&ledger->entries, sizeof(struct entry), AHOYD_LEDGER_LIMIT);
    ahoy_map_init(&ledger->by_hash, AHOYD_LEDGER_LIMIT);
    ahoy_timers_init(&ledger->timers, now_ms);
    return ledger;
}

void ahoyd_ledger_free(struct ahoyd_ledger *ledger)
{
    if (ledger == NULL)
        return;
    ahoy_map_fini(&ledger->by_hash);
    ahoy_pool_fini(&ledger->entries);
    free(ledger);
}

static struct entry *find(const struct ahoyd_ledger *ledger, uint64_t hash, struct span call_id)
{
    size_t cursor = 0;
    uint64_t handle;
    while (ahoy_map_find(&ledger->by_hash, hash, &cursor, &handle)) {
        struct entry *entry = ahoy_pool_get(&ledger->entries, ahoy_handle_unpack(handle));
        const struct ahoyd_case *fate = &entry->record.fate;
        if (ahoy_span_equal((struct span){ fate->call_id, fate->call_id_size }, call_id))
            return entry;
    }
    return NULL;
}

/* NULL where there is no room. */
static struct entry *add(struct ahoyd_ledger *ledger, uint64_t hash, struct span call_id)
{
    struct ahoy_handle handle;
    struct entry *entry = ahoy_pool_add(&ledger->entries, &handle);
    if (entry != NULL && !ahoy_map_add(&ledger->by_hash, hash, ahoy_handle_pack(handle))) {
        ahoy_pool_remove(&ledger->entries, handle);
        entry = NULL;
    }
    if (entry == NULL) {
        ledger->lost++;
        return NULL;
    }
    entry->handle = handle;
    entry->hash = hash;
    entry->timer.what = ahoy_handle_pack(handle);
    ahoyd_record_init(&entry->record, call_id);
    return entry;
}

void ahoyd_ledger_take(struct ahoyd_ledger *ledger, const struct ahoyd_noted *noted)
{
    if (noted->note->kind == AHOY_NOTE_LOST)
        ahoyd_case_lose(&ledger->losses, noted->note, noted->text);
    if (noted->call_id.size == 0 || noted->call_id.size >= AHOYD_CASE_CALL_ID_LIMIT)
        return;
    uint64_t hash = ahoy_siphash(&ledger->key, noted->call_id);
    struct entry *entry = find(ledger, hash, noted->call_id);
    if (entry == NULL && ahoyd_record_begins(noted))
        entry = add(ledger, hash, noted->call_id);
    if (entry == NULL)
        return;
    ahoyd_record_take(&entry->record, noted, &ledger->losses);
    ahoy_timers_set(&ledger->timers, &entry->timer, ahoyd_record_deadline(&entry->record));
}

/* The entry that is over, or NULL. */
static struct entry *next_over(struct ahoyd_ledger *ledger, uint64_t now_ms)
{
    struct ahoy_handle handle;
    if (ledger->is_finished)
        return ahoy_pool_next(&ledger->entries, 0, &handle);
    struct ahoy_timer *timer = ahoy_timers_expire(&ledger->timers, now_ms);
    if (timer == NULL)
        return NULL;
    struct entry *entry = ahoy_pool_get(&ledger->entries, ahoy_handle_unpack(timer->what));
    ahoyd_record_expire(&entry->record);
    return entry;
}

json_t *ahoyd_ledger_row(struct ahoyd_ledger *ledger, uint64_t now_ms)
{
    json_t *row = NULL;
    struct entry *entry;
    while (row == NULL && (entry = next_over(ledger, now_ms)) != NULL) {
        row = ahoyd_record_row(&entry->record, ledger->node);
        if (row == NULL)
            ledger->lost++;
        ahoy_timers_cancel(&ledger->timers, &entry->timer);
        (void)ahoy_map_remove(&ledger->by_hash, entry->hash, ahoy_handle_pack(entry->handle));
        ahoy_pool_remove(&ledger->entries, entry->handle);
    }
    return row;
}

void ahoyd_ledger_finish(struct ahoyd_ledger *ledger)
{
    ledger->is_finished = true;
}

uint64_t ahoyd_ledger_lost(const struct ahoyd_ledger *ledger)
{
    return ledger->lost;
}
