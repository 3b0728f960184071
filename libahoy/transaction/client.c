/* The client side: requests go out, responses find their transaction (RFC 3261 17.1). */
#include <assert.h>

#include "libahoy/base/unset.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/transaction/departure.h"
#include "libahoy/transaction/owner.h"

static const struct ahoy_handle nobody = { 0, 0 };

const struct ahoy_listener *ahoy_transaction_listener(const struct ahoy_transactions *owner,
                                                      const struct ahoy_hop *hop)
{
    return ahoy_flows_listener(owner->flows, hop);
}

bool ahoy_transaction_is_own_via(const struct ahoy_transactions *owner, const struct ahoy_via *via)
{
    for (size_t i = 0; i < owner->flows->listener_count; i++) {
        if (ahoy_span_equal_nocase(via->sent_by, owner->flows->listeners[i].sent_by))
            return true;
    }
    return false;
}

struct ahoy_branch ahoy_client_branch(const struct ahoy_transaction *transaction)
{
    return ahoy_branch_make(transaction->hash, (struct span){ transaction->client.tail,
                                                              transaction->client.tail_size });
}

struct ahoy_transaction *ahoy_client_add(struct ahoy_transactions *owner, enum ahoy_method method,
                                         const struct ahoy_hop *hop,
                                         const struct ahoy_branch *branch, uint64_t user)
{
    enum ahoy_transaction_kind kind =
        method == AHOY_METHOD_INVITE ? AHOY_INVITE_CLIENT : AHOY_NONINVITE_CLIENT;
    if (!ahoy_owner_reserve(owner))
        return NULL;
    struct ahoy_transaction *transaction = ahoy_owner_add(owner, kind, method, hop, user);
    if (transaction == NULL)
        return NULL;
    transaction->hash = branch->token;
    transaction->client.tail_size = branch->tail_size;
    memcpy(transaction->client.tail, branch->tail, branch->tail_size);
    if (!ahoy_map_add(&owner->clients, transaction->hash, transaction->end.what)) {
        ahoy_owner_remove(owner, transaction);
        return NULL;
    }
    return transaction;
}

struct ahoy_handle ahoy_transaction_request(struct ahoy_transactions *owner,
                                            const struct ahoy_outgoing *request, uint64_t now_ms)
{
    assert(request->method != AHOY_METHOD_ACK);
    struct ahoy_branch branch = ahoy_branch_make(ahoy_rng_next(&owner->rng), request->branch_tail);
    AHOY_UNSET struct ahoy_departure departure;
    ahoy_map_fetch(&owner->clients, branch.token);
    if (!ahoy_departure_find(owner->flows, request, &branch, now_ms, &departure) ||
        !ahoy_owner_has_room(owner))
        return nobody;
    struct ahoy_transaction *transaction =
        ahoy_client_add(owner, request->method, &departure.hop, &branch, request->user);
    if (transaction == NULL)
        return nobody;
    transaction->is_moved = departure.is_moved;
    transaction->kept = ahoy_departure_join(&departure, request, &transaction->arena);
    if (transaction->kept.at == NULL) {
        ahoy_owner_drop(owner, transaction);
        return nobody;
    }
    ahoy_owner_note_composed(owner, request, transaction->kept);
    ahoy_client_begin(owner, transaction, now_ms);
    ahoy_owner_forget_joined(owner); /* Other bytes may stand there later. */
    return ahoy_owner_handle(transaction);
}

bool ahoy_transaction_send(struct ahoy_transactions *owner, const struct ahoy_outgoing *request,
                           struct span seed)
{
    struct ahoy_branch branch =
        ahoy_branch_make(ahoy_siphash(&owner->branch_key, seed), request->branch_tail);
    AHOY_UNSET struct ahoy_departure departure;
    /* The wheel knows the time of the last step, which is near enough for what was refused. */
    if (!ahoy_departure_find(owner->flows, request, &branch, owner->timers->now_ms, &departure) ||
        !ahoy_owner_reserve(owner))
        return false;
    struct span bytes = ahoy_departure_join(&departure, request, &owner->outbox);
    ahoy_owner_note_composed(owner, request, bytes);
    bool is_sent = bytes.at != NULL && ahoy_owner_send(owner, &departure.hop, bytes, nobody);
    ahoy_owner_forget_joined(owner);
    return is_sent;
}

/* Makes the ACK to the response at hand, keeps it instead of the request, and sends it.  Where
 * memory is refused nothing is sent: the response will come again. */
static void send_ack(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    if (!transaction->has_ack) {
        if (!ahoy_message_parse(transaction->kept, &owner->own, NULL))
            return; /* What the user gave to be sent is no request. */
        struct ahoy_buf buf = ahoy_buf_over(owner->scratch, sizeof owner->scratch);
        ahoy_compose_ack(&buf, &owner->own, owner->arrival.message);
        struct span ack = ahoy_buf_text(&buf);
        if (ack.size == 0 || !ahoy_owner_keep(owner, transaction, &ack, 1))
            return;
        transaction->has_ack = true;
    }
    ahoy_owner_send_kept(owner, transaction);
}

static void start(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                  unsigned wanted, enum ahoy_clock clock, uint64_t now_ms)
{
    if (wanted != 0)
        ahoy_owner_start(owner, transaction, clock, now_ms);
}

static void tell_message(struct ahoy_transactions *owner,
                         const struct ahoy_transaction *transaction)
{
    if (transaction->is_silent)
        return;
    ahoy_owner_tell_message(owner, AHOY_EVENT_RESPONSE, transaction);
    /* What the effects behind this one put in its place frees it in the next settle only. */
    owner->arrival.sent = transaction->kept;
}

static void apply_invite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                         unsigned effects, uint64_t now_ms)
{
    if (effects & INC_STOP)
        ahoy_owner_stop(owner, transaction);
    if (effects & INC_TELL)
        tell_message(owner, transaction);
    if (effects & INC_SEND_REQUEST)
        ahoy_owner_send_kept(owner, transaction);
    if (effects & (INC_SEND_ACK | INC_RESEND_ACK))
        send_ack(owner, transaction);
    if (effects & INC_FORGET)
        ahoy_owner_forget(owner, transaction);
    if (effects & INC_TELL_TIMEOUT)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_TIMEOUT);
    if (effects & INC_TELL_UNREACHABLE)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_UNREACHABLE);
    start(owner, transaction, effects & INC_START_A, AHOY_CLOCK_A, now_ms);
    start(owner, transaction, effects & INC_START_B, AHOY_CLOCK_B, now_ms);
    start(owner, transaction, effects & INC_START_D, AHOY_CLOCK_D, now_ms);
    start(owner, transaction, effects & INC_START_M, AHOY_CLOCK_M, now_ms);
    if (transaction->machine.invite_client.state == INC_TERMINATED)
        ahoy_owner_end(owner, transaction);
}

static void apply_noninvite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                            unsigned effects, uint64_t now_ms)
{
    if (effects & NIC_STOP)
        ahoy_owner_stop(owner, transaction);
    if (effects & NIC_TELL)
        tell_message(owner, transaction);
    if (effects & NIC_SEND_REQUEST)
        ahoy_owner_send_kept(owner, transaction);
    if (effects & NIC_FORGET)
        ahoy_owner_forget(owner, transaction);
    if (effects & NIC_TELL_TIMEOUT)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_TIMEOUT);
    if (effects & NIC_TELL_UNREACHABLE)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_UNREACHABLE);
    if (effects & NIC_START_E_AT_T2)
        transaction->round = UINT8_MAX;
    start(owner, transaction, effects & (NIC_START_E | NIC_START_E_AT_T2), AHOY_CLOCK_E, now_ms);
    start(owner, transaction, effects & NIC_START_F, AHOY_CLOCK_F, now_ms);
    start(owner, transaction, effects & NIC_START_K, AHOY_CLOCK_K, now_ms);
    if (transaction->machine.noninvite_client.state == NIC_TERMINATED)
        ahoy_owner_end(owner, transaction);
}

static void step_invite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                        enum inc_event event, uint64_t now_ms)
{
    unsigned effects = ahoy_invite_client_step(&transaction->machine.invite_client, event);
    apply_invite(owner, transaction, effects, now_ms);
}

static void step_noninvite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                           enum nic_event event, uint64_t now_ms)
{
    unsigned effects = ahoy_noninvite_client_step(&transaction->machine.noninvite_client, event);
    apply_noninvite(owner, transaction, effects, now_ms);
}

void ahoy_client_begin(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                       uint64_t now_ms)
{
    if (transaction->kind == AHOY_INVITE_CLIENT) {
        unsigned effects = ahoy_invite_client_start(&transaction->machine.invite_client);
        apply_invite(owner, transaction, effects, now_ms);
    } else {
        unsigned effects = ahoy_noninvite_client_start(&transaction->machine.noninvite_client);
        apply_noninvite(owner, transaction, effects, now_ms);
    }
}

/* Whether the request of |transaction| had the method that |cseq| names (17.1.3).  One without a
 * number of its own is told by the request line, which is kept as long as a response matters. */
static bool has_method(const struct ahoy_transaction *transaction, const struct ahoy_cseq *cseq)
{
    if (transaction->method != cseq->method)
        return false;
    if (cseq->method != AHOY_METHOD_OTHER)
        return true;
    struct span text = cseq->method_text;
    return transaction->kept.size > text.size && transaction->kept.at[text.size] == ' ' &&
           memcmp(transaction->kept.at, text.at, text.size) == 0;
}

void ahoy_client_expect(const struct ahoy_transactions *owner, struct ahoy_expected *expected)
{
    expected->has_branch = ahoy_branch_parse(expected->routing->via.branch, &expected->branch);
    if (expected->has_branch)
        ahoy_map_fetch(&owner->clients, expected->branch.token);
}

/* The transaction that the response |expected| belongs to, by 17.1.3; NULL for a stray. */
static struct ahoy_transaction *find(const struct ahoy_transactions *owner,
                                     const struct ahoy_expected *expected)
{
    const struct ahoy_branch *branch = &expected->branch;
    if (!expected->has_branch)
        return NULL;
    size_t cursor = 0;
    uint64_t value;
    while (ahoy_map_find(&owner->clients, branch->token, &cursor, &value)) {
        struct ahoy_transaction *transaction = ahoy_owner_get(owner, ahoy_handle_unpack(value));
        const struct span tail = { transaction->client.tail, transaction->client.tail_size };
        if (ahoy_branch_is(branch, transaction->hash, tail) &&
            has_method(transaction, &expected->routing->cseq))
            return transaction;
    }
    return NULL;
}

void ahoy_client_take_response(struct ahoy_transactions *owner)
{
    struct ahoy_transaction *transaction = find(owner, owner->arrival.expected);
    if (transaction == NULL) {
        if (ahoy_stateless_is_response(owner)) /* Else it goes no further: R6026-8.9-2. */
            ahoy_owner_tell_message(owner, AHOY_EVENT_STRAY, NULL);
        return;
    }
    unsigned status = owner->arrival.message->status;
    uint64_t now_ms = owner->arrival.now_ms;
    if (transaction->kind == AHOY_NONINVITE_CLIENT) {
        step_noninvite(owner, transaction, status < 200 ? NIC_PROVISIONAL : NIC_FINAL, now_ms);
    } else if (status >= 200) {
        step_invite(owner, transaction, status < 300 ? INC_SUCCESS : INC_FAILURE, now_ms);
    } else {
        bool is_first = transaction->machine.invite_client.state == INC_CALLING;
        step_invite(owner, transaction, INC_PROVISIONAL, now_ms);
        if (is_first && transaction->is_cancelled)
            ahoy_cancel_go(owner, transaction, now_ms);
    }
}

void ahoy_client_take_timer(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                            enum ahoy_clock clock, uint64_t now_ms)
{
    if (transaction->kind == AHOY_INVITE_CLIENT) {
        enum inc_event event = clock == AHOY_CLOCK_A   ? INC_TIMER_A
                               : clock == AHOY_CLOCK_B ? INC_TIMER_B
                               : clock == AHOY_CLOCK_D ? INC_TIMER_D
                                                       : INC_TIMER_M;
        step_invite(owner, transaction, event, now_ms);
    } else {
        enum nic_event event = clock == AHOY_CLOCK_E   ? NIC_TIMER_E
                               : clock == AHOY_CLOCK_F ? NIC_TIMER_F
                                                       : NIC_TIMER_K;
        step_noninvite(owner, transaction, event, now_ms);
    }
}

/* What has moved to TCP, and was heard of from nobody, goes by UDP after all: S3261-18.1.1-1.
 * Whoever got it by a connection that broke takes it for a retransmission. */
static bool go_back(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                    uint64_t now_ms)
{
    bool is_invite = transaction->kind == AHOY_INVITE_CLIENT;
    bool is_heard = is_invite ? transaction->machine.invite_client.state != INC_CALLING
                              : transaction->machine.noninvite_client.state != NIC_TRYING;
    if (!transaction->is_moved || is_heard)
        return false;
    transaction->is_moved = false;
    struct ahoy_branch branch = ahoy_client_branch(transaction);
    struct span request = ahoy_departure_go_back(owner->flows, &branch, transaction->kept,
                                                 &transaction->arena, &transaction->hop);
    if (request.at == NULL)
        return false;
    transaction->kept = request;
    ahoy_owner_send_kept(owner, transaction);
    ahoy_owner_start(owner, transaction, is_invite ? AHOY_CLOCK_A : AHOY_CLOCK_E, now_ms);
    return true;
}

void ahoy_client_take_failure(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                              uint64_t now_ms)
{
    if (go_back(owner, transaction, now_ms))
        return;
    if (transaction->kind == AHOY_INVITE_CLIENT)
        step_invite(owner, transaction, INC_SEND_FAILED, now_ms);
    else
        step_noninvite(owner, transaction, NIC_SEND_FAILED, now_ms);
}

void ahoy_client_take_cancel_sent(struct ahoy_transactions *owner, struct ahoy_transaction *invite,
                                  uint64_t now_ms)
{
    step_invite(owner, invite, INC_CANCEL_SENT, now_ms);
}
