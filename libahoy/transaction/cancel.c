/* Cancelling an INVITE that we sent: RFC 3261 9.1.
 *
 * The CANCEL is a transaction of its own, with the branch of the INVITE and without a user: nobody
 * hears of its responses or its end. */
#include "libahoy/syntax/compose.h"
#include "libahoy/transaction/owner.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* The CANCEL for |invite|, in the owner's scratch; empty where it cannot be made. */
static struct span compose(struct ahoy_transactions *owner, const struct ahoy_transaction *invite,
                           struct span headers)
{
    if (!ahoy_message_parse(invite->kept, &owner->own, NULL))
        return SPAN(""); /* What the user gave to be sent is no request. */
    struct ahoy_buf buf = ahoy_buf_over(owner->scratch, sizeof owner->scratch);
    ahoy_compose_cancel(&buf, &owner->own, headers);
    if (buf.overflow) {
        buf = ahoy_buf_over(owner->scratch, sizeof owner->scratch);
        ahoy_compose_cancel(&buf, &owner->own, SPAN(""));
    }
    return ahoy_buf_text(&buf);
}

/* Starts the transaction of the CANCEL; false where a limit or the allocator refuses. */
static bool begin(struct ahoy_transactions *owner, const struct ahoy_transaction *invite,
                  struct span bytes, uint64_t now_ms)
{
    struct ahoy_branch branch = ahoy_client_branch(invite);
    struct ahoy_transaction *cancel =
        ahoy_client_add(owner, AHOY_METHOD_CANCEL, &invite->hop, &branch, 0);
    if (cancel == NULL)
        return false;
    cancel->is_silent = true;
    if (!ahoy_owner_keep(owner, cancel, &bytes, 1)) {
        ahoy_owner_drop(owner, cancel);
        return false;
    }
    ahoy_client_begin(owner, cancel, now_ms);
    return true;
}

/* Sends the CANCEL, if need be once without a transaction.  Whether it left or not, from now on the
 * INVITE has 64*T1 to end. */
static void cancel_now(struct ahoy_transactions *owner, struct ahoy_transaction *invite,
                       struct span headers, uint64_t now_ms)
{
    struct span bytes = compose(owner, invite, headers);
    if (bytes.size > 0 && !begin(owner, invite, bytes, now_ms)) {
        struct span copy = ahoy_arena_copy(&owner->outbox, bytes);
        if (copy.at != NULL)
            (void)ahoy_owner_send(owner, &invite->hop, copy, nobody); /* Else it is lost. */
    }
    ahoy_client_take_cancel_sent(owner, invite, now_ms);
}

void ahoy_cancel_go(struct ahoy_transactions *owner, struct ahoy_transaction *invite,
                    uint64_t now_ms)
{
    cancel_now(owner, invite, invite->client.cancel_headers, now_ms);
}

void ahoy_transaction_cancel(struct ahoy_transactions *owner, struct ahoy_handle handle,
                             struct span headers, uint64_t now_ms)
{
    struct ahoy_transaction *invite = ahoy_owner_get(owner, handle);
    if (invite == NULL || invite->kind != AHOY_INVITE_CLIENT || invite->is_cancelled)
        return;
    invite->is_cancelled = true;
    if (invite->machine.invite_client.state == INC_PROCEEDING) {
        cancel_now(owner, invite, headers, now_ms);
    } else if (invite->machine.invite_client.state == INC_CALLING) {
        /* Without memory the CANCEL goes without them. */
        struct span copy = ahoy_arena_copy(&invite->arena, headers);
        invite->client.cancel_headers = copy.at != NULL ? copy : SPAN("");
    }
}
