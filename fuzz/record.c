/* A row of the store's log: whatever stands on the disk, a record is made of it only where it is
 * sound, and what is read once is written and read again without a change.  The input is a state of
 * our own form, as in memory, or a row of an older one. */
#include "ahoyd/store/record.h"

#include <stdlib.h>

#include "fuzz/target.h"

static const struct span aor = SPAN_INIT("a@b.example");

/* A record that was made of a sound row. */
static void write_again(struct record *record)
{
    static char row[RECORD_SEALED_LIMIT];
    static struct ahoy_bindings bindings;
    MUST(record_decode(record_state(record), 0, &bindings));
    for (size_t i = 0; i < bindings.count; i++)
        MUST(bindings.list[i].expires_ms <= record->until_ms);
    struct record *again = record_read(NULL, aor, record_seal(record, row));
    MUST(again != NULL && ahoy_span_equal(record_state(again), record_state(record)));
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ahoy_bindings bindings;
    struct span bytes = { (const char *)data, size };
    struct record *record = record_read(NULL, aor, bytes);
    if (record == NULL && size <= RECORD_STATE_LIMIT && record_decode(bytes, 0, &bindings)) {
        for (size_t i = 0; i < bindings.count; i++)
            bindings.list[i].hop.connection = (struct ahoy_handle){ 0 };
        record = record_new(NULL, aor, &bindings);
    }
    if (record != NULL)
        write_again(record);
    free(record);
    return 0;
}
