#include "libahoy/tu/cause.h"

const struct ahoy_cause_row ahoy_cause_rows[AHOY_CAUSE_COUNT] = {
#define AHOY_CAUSE_ROW(name, label, weight, words, section)                                        \
    [AHOY_CAUSE_##name] = { #label, AHOY_CAUSE_##weight, words, section },
    AHOY_CAUSES(AHOY_CAUSE_ROW)
#undef AHOY_CAUSE_ROW
};

void ahoy_cause_note(struct ahoy_causes *causes, enum ahoy_cause cause, struct span call_id,
                     const struct ahoy_hop *hop, struct span detail)
{
    if (causes == NULL)
        return;
    causes->counts[cause]++;
    struct ahoy_note note = { .now_ms = causes->now_ms,
                              .kind = AHOY_NOTE_CAUSE,
                              .number = (uint16_t)cause,
                              .name_size = (uint16_t)call_id.size,
                              .listener = AHOY_ANY_LISTENER };
    if (hop != NULL) {
        note.transport = hop->transport;
        note.remote = hop->remote;
    }
    ahoy_ring_put(causes->ring, &note, (const struct span[]){ call_id, detail }, 2);
}
