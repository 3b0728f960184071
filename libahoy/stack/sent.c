/* A ring: what is overwritten was sent long ago, or amid so much that one error is no loss.  The
 * transaction then ends by its timer. */
#include "libahoy/stack/sent.h"

void ahoy_sent_add(struct ahoy_sent *sent, const struct ahoy_ip *remote,
                   struct ahoy_handle transaction, uint64_t now_ms)
{
    sent->list[sent->next] = (struct ahoy_sent_datagram){ *remote, transaction, now_ms };
    sent->next = (sent->next + 1) % AHOY_SENT_LIMIT;
}

/* A transaction fails once, however often it has sent. */
static void forget(struct ahoy_sent *sent, struct ahoy_handle transaction)
{
    for (size_t i = 0; i < AHOY_SENT_LIMIT; i++) {
        if (ahoy_handle_equal(sent->list[i].transaction, transaction))
            sent->list[i].transaction = (struct ahoy_handle){ 0, 0 };
    }
}

struct ahoy_handle ahoy_sent_take(struct ahoy_sent *sent, const struct ahoy_ip *remote,
                                  uint64_t now_ms)
{
    for (size_t i = 0; i < AHOY_SENT_LIMIT; i++) {
        const struct ahoy_sent_datagram *datagram = &sent->list[i];
        struct ahoy_handle transaction = datagram->transaction;
        if (transaction.generation != 0 && now_ms - datagram->sent_ms <= AHOY_SENT_MEMORY_MS &&
            ahoy_ip_equal(&datagram->remote, remote)) {
            forget(sent, transaction);
            return transaction;
        }
    }
    return (struct ahoy_handle){ 0, 0 };
}
