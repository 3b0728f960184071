/* Edit lists over received bytes: forwarding a message without copying it. */
#include "libahoy/syntax/compose.h"

#include <assert.h>

void ahoy_edits_init(struct ahoy_edits *edits, struct span original)
{
    edits->original = original;
    edits->count = 0;
    edits->overflow = false;
}

/* Whether an edit of |remove| bytes at |at| may stand at |index| of the sorted list: no removal
 * reaches into another edit.  Inserts at the place where a removal begins or ends do not. */
static bool fits(const struct ahoy_edits *edits, size_t index, size_t at, size_t remove)
{
    for (size_t i = index; i-- > 0;) {
        const struct ahoy_edit *before = &edits->list[i];
        if (before->at == at ? before->remove > 0 && remove > 0 : before->at + before->remove > at)
            return false;
    }
    return index == edits->count || at + remove <= edits->list[index].at;
}

static void add(struct ahoy_edits *edits, const char *at, size_t remove, struct span insert)
{
    if (remove == 0 && insert.size == 0)
        return;
    assert(at >= edits->original.at && at + remove <= ahoy_span_end(edits->original));
    size_t offset = (size_t)(at - edits->original.at);
    size_t index = edits->count;
    while (index > 0 && edits->list[index - 1].at > offset)
        index--;
    if (edits->count == AHOY_EDITS_LIMIT || !fits(edits, index, offset, remove)) {
        edits->overflow = true;
        return;
    }
    memmove(&edits->list[index + 1], &edits->list[index],
            (edits->count - index) * sizeof edits->list[0]);
    edits->list[index] = (struct ahoy_edit){ .at = offset, .remove = remove, .insert = insert };
    edits->count++;
}

void ahoy_edits_insert(struct ahoy_edits *edits, const char *at, struct span text)
{
    add(edits, at, 0, text);
}

void ahoy_edits_remove(struct ahoy_edits *edits, struct span part)
{
    add(edits, part.at, part.size, SPAN(""));
}

void ahoy_edits_replace(struct ahoy_edits *edits, struct span part, struct span text)
{
    add(edits, part.at, part.size, text);
}

static size_t put_piece(struct span *pieces, size_t count, struct span piece)
{
    if (piece.size > 0)
        pieces[count++] = piece;
    return count;
}

size_t ahoy_edits_gather(const struct ahoy_edits *edits, struct span pieces[AHOY_PIECES_LIMIT])
{
    if (edits->overflow)
        return 0;
    const char *start = edits->original.at;
    size_t done = 0; /* Bytes of the original that are passed over. */
    size_t count = 0;
    for (size_t i = 0; i < edits->count; i++) {
        const struct ahoy_edit *edit = &edits->list[i];
        if (edit->at > done) {
            count = put_piece(pieces, count, (struct span){ start + done, edit->at - done });
            done = edit->at;
        }
        count = put_piece(pieces, count, edit->insert);
        if (edit->at + edit->remove > done)
            done = edit->at + edit->remove;
    }
    return put_piece(pieces, count, ahoy_span_after(edits->original, done));
}

void ahoy_edits_remove_first(struct ahoy_edits *edits, const struct ahoy_message *message,
                             enum ahoy_header header)
{
    struct ahoy_values values = ahoy_message_values(message, header);
    const struct ahoy_field *field = values.field;
    struct span item;
    bool found = ahoy_values_next(&values, &item, NULL);
    if (found)
        field = values.field;
    if (field == NULL)
        return;
    /* A row that cannot be read goes as a whole: nobody behind us should have to try. */
    if (!found || values.rest.size == 0)
        ahoy_edits_remove(edits, field->row);
    else
        ahoy_edits_remove(edits, ahoy_span_between(item.at, values.rest.at));
}
