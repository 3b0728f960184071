#include "ahoyd/notes.h"

#include "libahoy/syntax/via.h"

/* Whoever asks names any position, and there a stranger's bytes may look like a note. */
static bool is_sound(const struct ahoy_note *note)
{
    return note->kind >= AHOY_NOTE_IN && note->kind <= AHOY_NOTE_LOST &&
           note->transport < AHOY_TRANSPORT_COUNT;
}

void ahoyd_notes_take(struct span bytes, unsigned worker, const struct ahoyd_notes_reader *reader)
{
    struct span text;
    struct ahoy_note note;
    while (ahoy_note_next(&bytes, &note, &text))
        if (is_sound(&note))
            reader->take(reader->self, worker, &note, text);
}

void ahoyd_notes_read(const struct ahoyd_command_means *means, unsigned worker, uint64_t *from,
                      char *piece, const struct ahoyd_notes_reader *reader)
{
    size_t size;
    while ((size = means->notes(means->context, worker, from, piece, AHOYD_PIECE_LIMIT)) > 0)
        ahoyd_notes_take((struct span){ piece, size }, worker, reader);
    explicit_bzero(piece, AHOYD_PIECE_LIMIT);
}
