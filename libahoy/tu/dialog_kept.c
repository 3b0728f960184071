/* A dialog that is hardly needed any more: its texts in a row, each behind its size. */
#include "libahoy/tu/dialog.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/base/unset.h"

enum { IDENTIFIERS = 5, FIRST_ROUTE = IDENTIFIERS + 1, PIECES = FIRST_ROUTE + AHOY_ROUTES_LIMIT };

static_assert(AHOY_DIALOG_TEXT_LIMIT <= UINT16_MAX && AHOY_TARGET_LIMIT <= UINT16_MAX,
              "a size has 16 bits");

/* The texts of |dialog|, in the order in which they are kept; returns how many. */
static size_t list(const struct ahoy_dialog *dialog, struct span pieces[PIECES])
{
    const struct span target = ahoy_dialog_target(dialog);
    const struct span first[] = { dialog->call_id,   dialog->local_tag,  dialog->remote_tag,
                                  dialog->local_uri, dialog->remote_uri, target };
    static_assert(sizeof first / sizeof first[0] == FIRST_ROUTE, "the routes follow");
    memcpy(pieces, first, sizeof first);
    for (size_t i = 0; i < dialog->route_count; i++)
        pieces[FIRST_ROUTE + i] = dialog->routes[i];
    return FIRST_ROUTE + dialog->route_count;
}

bool ahoy_dialog_keep(const struct ahoy_dialog *dialog, struct ahoy_dialog_kept *kept)
{
    AHOY_UNSET struct span pieces[PIECES];
    size_t count = list(dialog, pieces), size = count * sizeof(uint16_t);
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    kept->more = size > sizeof kept->room ? malloc(size) : NULL;
    if (size > sizeof kept->room && kept->more == NULL)
        return false;
    kept->local_cseq = dialog->local_cseq;
    kept->remote_cseq = dialog->remote_cseq;
    kept->has_remote_cseq = dialog->has_remote_cseq;
    kept->route_count = (uint8_t)dialog->route_count;
    char *at = kept->more != NULL ? kept->more : kept->room;
    for (size_t i = 0; i < count; i++) {
        uint16_t piece_size = (uint16_t)pieces[i].size;
        memcpy(at, &piece_size, sizeof piece_size);
        at += sizeof piece_size;
        if (piece_size > 0)
            memcpy(at, pieces[i].at, piece_size);
        at += piece_size;
    }
    return true;
}

void ahoy_dialog_kept_fini(struct ahoy_dialog_kept *kept)
{
    free(kept->more);
    kept->more = NULL;
}

static struct span take(const char **at)
{
    uint16_t size;
    memcpy(&size, *at, sizeof size);
    struct span piece = { *at + sizeof size, size };
    *at += sizeof size + size;
    return piece;
}

bool ahoy_dialog_restore(struct ahoy_dialog *dialog, const struct ahoy_dialog_kept *kept)
{
    const char *at = kept->more != NULL ? kept->more : kept->room;
    const struct span call_id = take(&at), local_tag = take(&at), remote_tag = take(&at);
    const struct span local_uri = take(&at), remote_uri = take(&at), target = take(&at);
    const struct ahoy_dialog_seed seed = { .call_id = call_id,
                                           .local_tag = local_tag,
                                           .remote_tag = remote_tag,
                                           .local_uri = local_uri,
                                           .remote_uri = remote_uri,
                                           .target = target };
    if (!ahoy_dialog_begin(dialog, &seed))
        return false;
    for (size_t i = 0; i < kept->route_count; i++) {
        if (!ahoy_dialog_add_route(dialog, take(&at)))
            return false;
    }
    dialog->local_cseq = kept->local_cseq;
    dialog->remote_cseq = kept->remote_cseq;
    dialog->has_remote_cseq = kept->has_remote_cseq;
    return true;
}
