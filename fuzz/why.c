/* What strangers send is noted, and read again when somebody asks why: as a message that came, as
 * one that left, and as the detail of a reason. */
#include "ahoyd/case.h"
#include "ahoyd/mask.h"
#include "fuzz/target.h"

enum { RING_SIZE = 16384, SHOWN_MOST = 4 * AHOY_RING_TEXT_LIMIT };

static void put(struct ahoy_ring *ring, enum ahoy_note_kind kind, struct span text)
{
    struct ahoy_note note = { .now_ms = 1,
                              .kind = (uint16_t)kind,
                              .number = AHOY_CAUSE_NOT_SENT,
                              .name_size = 1,
                              .remote = { .family = AHOY_IPV4 } };
    ahoy_ring_put(ring, &note, &text, 1);
}

/* What is masked has nothing left to be masked. */
static void mask(struct span text)
{
    static char once[SHOWN_MOST], twice[SHOWN_MOST];
    struct ahoy_buf first = ahoy_buf_over(once, sizeof once);
    struct ahoy_buf second = ahoy_buf_over(twice, sizeof twice);
    ahoyd_mask(text, &first);
    ahoyd_mask(ahoy_buf_text(&first), &second);
    MUST(ahoy_span_equal(ahoy_buf_text(&first), ahoy_buf_text(&second)));
}

static void tell(const struct ahoyd_case *call)
{
    char space[4096];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoyd_case_print(call, &buf);
    MUST(!buf.overflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ahoy_message message;
    static char piece[RING_SIZE];
    const struct span bytes = { (const char *)data, size };
    struct ahoyd_case_losses losses = { 0 };
    struct ahoyd_case call;
    struct ahoy_ring ring;
    struct ahoy_note note;
    struct span text;
    uint64_t from = 0;
    MUST(ahoy_ring_init(&ring, RING_SIZE));
    for (unsigned kind = AHOY_NOTE_IN; kind <= AHOY_NOTE_LOST; kind++)
        put(&ring, (enum ahoy_note_kind)kind, bytes);
    put(&ring, AHOY_NOTE_OUT, bytes);
    ahoyd_case_init(&call, SPAN("call"));
    struct span notes = { piece, ahoy_ring_copy(&ring, &from, piece, sizeof piece) };
    while (ahoy_note_next(&notes, &note, &text)) {
        (void)ahoyd_case_of(&note, text, &message); /* Whosever it is. */
        if (note.kind == AHOY_NOTE_LOST)
            ahoyd_case_lose(&losses, &note, text);
        else if (text.size > 0)
            ahoyd_case_take(&call, &note, text, &message, &losses);
        mask(text);
        tell(&call);
    }
    ahoy_ring_fini(&ring);
    return 0;
}
