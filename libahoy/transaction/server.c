/* The server side: requests find their transaction or go up, responses go down (RFC 3261 17.2). */
#include <assert.h>

#include "libahoy/syntax/compose.h"
#include "libahoy/transaction/owner.h"

static const struct ahoy_handle nobody = { 0, 0 };

static struct ahoy_request_key key_of(const struct ahoy_transaction *transaction)
{
    return ahoy_request_key_unpack(transaction->has_long_key ? transaction->long_key
                                                             : transaction->short_key);
}

/* Writes |key| into the slot, or into the arena where it is too long for that. */
static bool keep_key(const struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                     const struct ahoy_request_key *key)
{
    size_t size = ahoy_request_key_size(key);
    char *at = transaction->short_key;
    if (size > sizeof transaction->short_key) {
        at = ahoy_owner_has_room(owner) ? ahoy_arena_take(&transaction->arena, size) : NULL;
        if (at == NULL)
            return false;
        transaction->has_long_key = true;
        transaction->long_key = at;
    }
    transaction->has_cookie = key->has_cookie;
    ahoy_request_key_pack(key, at);
    return true;
}

/* Whether the ACK at hand, of a peer of RFC 2543, is for the response that |transaction| sent: its
 * To tag is that one's (17.2.3).  In INS_ACCEPTED there may have been several, and no ACK is
 * absorbed anyway (R6026-6-5). */
static bool is_for_our_response(struct ahoy_transactions *owner,
                                const struct ahoy_transaction *transaction)
{
    enum ins_state state = transaction->machine.invite_server.state;
    if (state == INS_ACCEPTED)
        return true;
    struct ahoy_address to;
    if (state == INS_PROCEEDING || !ahoy_message_parse(transaction->kept, &owner->own, NULL) ||
        !ahoy_address_parse(ahoy_message_value(&owner->own, AHOY_HEADER_TO), &to, NULL))
        return false;
    return ahoy_span_equal_nocase(to.tag, owner->arrival.routing->to_tag);
}

static void make_key(const struct ahoy_transactions *owner, struct ahoy_expected *expected,
                     enum ahoy_method method)
{
    expected->key = ahoy_request_key(expected->message, expected->routing, method);
    expected->hash = ahoy_request_key_hash(&expected->key, &owner->match_key);
}

/* What a request is sought by first: an ACK and a CANCEL by their INVITE's. */
static enum ahoy_method sought_method(const struct ahoy_message *message)
{
    bool is_of_invite =
        message->method == AHOY_METHOD_ACK || message->method == AHOY_METHOD_CANCEL;
    return is_of_invite ? AHOY_METHOD_INVITE : message->method;
}

void ahoy_server_expect(const struct ahoy_transactions *owner, struct ahoy_expected *expected)
{
    make_key(owner, expected, sought_method(expected->message));
    ahoy_map_fetch(&owner->servers, expected->hash);
}

/* The server transaction of |method| that the request at hand belongs to; NULL where there is none.
 * The key by which it was sought stays in arrival->expected. */
static struct ahoy_transaction *find(struct ahoy_transactions *owner, enum ahoy_method method)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    bool is_ack = arrival->message->method == AHOY_METHOD_ACK;
    struct ahoy_expected *expected = arrival->expected;
    if (expected->key.method != method)
        make_key(owner, expected, method);
    arrival->lookalikes = 0;
    size_t cursor = 0;
    uint64_t value;
    while (ahoy_map_find(&owner->servers, expected->hash, &cursor, &value)) {
        struct ahoy_transaction *transaction = ahoy_owner_get(owner, ahoy_handle_unpack(value));
        struct ahoy_request_key kept = key_of(transaction);
        arrival->lookalikes++;
        if (!ahoy_request_key_equal(&kept, &expected->key, is_ack))
            continue;
        if (!is_ack || kept.has_cookie || is_for_our_response(owner, transaction))
            return transaction;
    }
    return NULL;
}

/* Sends |response|, and keeps it where |is_kept|.  False where memory is refused; nothing has
 * happened then. */
static bool send_response(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                          const struct ahoy_reply *response, bool is_kept)
{
    if (!ahoy_owner_reserve(owner))
        return false;
    if (is_kept) {
        if (!ahoy_owner_keep(owner, transaction, response->pieces, response->count))
            return false;
        bool is_known =
            ahoy_owner_note_known(owner, response->call, response->behind, transaction->kept);
        ahoy_owner_send_kept(owner, transaction);
        if (is_known)
            ahoy_owner_forget_joined(owner); /* Other bytes may stand there later. */
        return true;
    }
    struct span bytes = ahoy_arena_join(&owner->outbox, response->pieces, response->count);
    ahoy_owner_note_joined(owner, response->pieces, response->count, bytes);
    return bytes.at != NULL &&
           ahoy_owner_send(owner, &transaction->hop, bytes, ahoy_owner_handle(transaction));
}

static void start(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                  unsigned wanted, enum ahoy_clock clock, uint64_t now_ms)
{
    if (wanted != 0)
        ahoy_owner_start(owner, transaction, clock, now_ms);
}

/* All effects but those that send the user's response, which may fail and come first. */
static void apply_invite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                         unsigned effects, uint64_t now_ms)
{
    enum ins_state state = transaction->machine.invite_server.state;
    if (effects & INS_RESEND)
        ahoy_owner_send_kept(owner, transaction);
    if (effects & INS_STOP)
        ahoy_owner_stop(owner, transaction);
    /* Whether a further ACK of a peer of RFC 2543 is for us can be told from our response alone. */
    if ((effects & INS_FORGET) && (transaction->has_cookie || state != INS_CONFIRMED))
        ahoy_owner_forget(owner, transaction);
    if (effects & INS_TELL_ACK)
        ahoy_owner_tell_message(owner, AHOY_EVENT_ACK, NULL);
    if (effects & INS_TELL_UNREACHABLE)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_UNREACHABLE);
    if (effects & INS_TELL_NO_ACK)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_NO_ACK);
    start(owner, transaction, effects & INS_START_G, AHOY_CLOCK_G, now_ms);
    start(owner, transaction, effects & INS_START_H, AHOY_CLOCK_H, now_ms);
    start(owner, transaction, effects & INS_START_I, AHOY_CLOCK_I, now_ms);
    start(owner, transaction, effects & INS_START_L, AHOY_CLOCK_L, now_ms);
    if (state == INS_TERMINATED)
        ahoy_owner_end(owner, transaction);
}

static void apply_noninvite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                            unsigned effects, uint64_t now_ms)
{
    if (effects & NIS_RESEND)
        ahoy_owner_send_kept(owner, transaction);
    if (effects & NIS_STOP)
        ahoy_owner_stop(owner, transaction);
    if (effects & NIS_TELL_UNREACHABLE)
        ahoy_owner_tell(owner, transaction, AHOY_EVENT_UNREACHABLE);
    start(owner, transaction, effects & NIS_START_F, AHOY_CLOCK_F, now_ms);
    start(owner, transaction, effects & NIS_START_J, AHOY_CLOCK_J, now_ms);
    if (transaction->machine.noninvite_server.state == NIS_TERMINATED)
        ahoy_owner_end(owner, transaction);
}

static void step_invite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                        enum ins_event event, uint64_t now_ms)
{
    unsigned effects = ahoy_invite_server_step(&transaction->machine.invite_server, event);
    apply_invite(owner, transaction, effects, now_ms);
}

static void step_noninvite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                           enum nis_event event, uint64_t now_ms)
{
    unsigned effects = ahoy_noninvite_server_step(&transaction->machine.noninvite_server, event);
    apply_noninvite(owner, transaction, effects, now_ms);
}

/* An ACK goes to the INVITE transaction that it acknowledges, or up; one to an answer that we gave
 * without state ends here. */
static void take_ack(struct ahoy_transactions *owner)
{
    struct ahoy_transaction *invite = find(owner, AHOY_METHOD_INVITE);
    if (invite != NULL)
        step_invite(owner, invite, INS_ACK, owner->arrival.now_ms);
    else if (!ahoy_stateless_is_ack(owner, owner->arrival.routing))
        ahoy_owner_tell_message(owner, AHOY_EVENT_ACK, NULL);
}

void ahoy_server_take_request(struct ahoy_transactions *owner)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    enum ahoy_method method = arrival->message->method;
    arrival->is_accepted = false;
    arrival->keeps_answer = false;
    if (method == AHOY_METHOD_ACK) {
        take_ack(owner);
        return;
    }
    const struct ahoy_transaction *cancelled = NULL;
    if (method == AHOY_METHOD_CANCEL)
        cancelled = find(owner, AHOY_METHOD_INVITE); /* 9.2 */
    struct ahoy_transaction *transaction = find(owner, method);
    if (transaction == NULL)
        ahoy_owner_tell_message(
            owner, method == AHOY_METHOD_CANCEL ? AHOY_EVENT_CANCEL : AHOY_EVENT_REQUEST,
            cancelled);
    else if (transaction->kind == AHOY_INVITE_SERVER)
        step_invite(owner, transaction, INS_INVITE, arrival->now_ms);
    else
        step_noninvite(owner, transaction, NIS_REQUEST, arrival->now_ms);
}

/* Gets the request at hand its slot and its place in the table. */
static struct ahoy_transaction *add(struct ahoy_transactions *owner, uint64_t user)
{
    const struct ahoy_arrival *arrival = &owner->arrival;
    enum ahoy_method method = arrival->message->method;
    enum ahoy_transaction_kind kind =
        method == AHOY_METHOD_INVITE ? AHOY_INVITE_SERVER : AHOY_NONINVITE_SERVER;
    struct ahoy_transaction *transaction =
        ahoy_owner_add(owner, kind, method, arrival->reply, user);
    if (transaction == NULL)
        return NULL;
    transaction->hash = arrival->expected->hash;
    if (keep_key(owner, transaction, &arrival->expected->key) &&
        ahoy_map_add(&owner->servers, arrival->expected->hash, transaction->end.what))
        return transaction;
    ahoy_owner_remove(owner, transaction);
    return NULL;
}

struct ahoy_handle ahoy_transaction_accept(struct ahoy_transactions *owner,
                                           const struct ahoy_event *event, uint64_t user,
                                           uint64_t now_ms)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    assert(event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_CANCEL);
    assert(event->message == arrival->message);
    if (arrival->is_accepted || arrival->lookalikes >= AHOY_LOOKALIKES_LIMIT)
        return nobody;
    struct ahoy_transaction *transaction = add(owner, user);
    if (transaction == NULL)
        return nobody;
    arrival->is_accepted = true;
    struct ahoy_handle handle = ahoy_owner_handle(transaction);
    if (transaction->kind == AHOY_INVITE_SERVER) {
        ahoy_invite_server_start(&transaction->machine.invite_server);
        arrival->unanswered = handle;
    } else {
        unsigned effects = ahoy_noninvite_server_start(&transaction->machine.noninvite_server);
        apply_noninvite(owner, transaction, effects, now_ms);
    }
    return handle;
}

/* The machines step on copies, which count only where the response could be sent. */
static bool respond_invite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                           const struct ahoy_reply *response, uint64_t now_ms)
{
    struct ahoy_invite_server machine = transaction->machine.invite_server;
    enum ins_event event = response->status < 200   ? INS_PROVISIONAL
                           : response->status < 300 ? INS_SUCCESS
                                                    : INS_FAILURE;
    unsigned effects = ahoy_invite_server_step(&machine, event);
    if ((effects & (INS_SEND | INS_SEND_ONCE)) &&
        !send_response(owner, transaction, response, (effects & INS_SEND) != 0))
        return false;
    transaction->machine.invite_server = machine;
    apply_invite(owner, transaction, effects, now_ms);
    return true;
}

static bool respond_noninvite(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                              const struct ahoy_reply *response, uint64_t now_ms)
{
    struct ahoy_noninvite_server machine = transaction->machine.noninvite_server;
    enum nis_event event = response->status < 200 ? NIS_PROVISIONAL : NIS_FINAL;
    unsigned effects = ahoy_noninvite_server_step(&machine, event);
    if ((effects & NIS_SEND) && !send_response(owner, transaction, response, true))
        return false;
    transaction->machine.noninvite_server = machine;
    apply_noninvite(owner, transaction, effects, now_ms);
    return true;
}

bool ahoy_transaction_reply(struct ahoy_transactions *owner, struct ahoy_handle handle,
                            const struct ahoy_reply *reply, uint64_t now_ms)
{
    assert(reply->status >= 100 && reply->status <= 699);
    struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction == NULL || !ahoy_owner_is_server(transaction))
        return false;
    if (reply->status < 200 && !ahoy_owner_has_room(owner))
        return false;
    if (transaction->kind == AHOY_INVITE_SERVER)
        return respond_invite(owner, transaction, reply, now_ms);
    return respond_noninvite(owner, transaction, reply, now_ms);
}

bool ahoy_transaction_respond(struct ahoy_transactions *owner, struct ahoy_handle handle,
                              unsigned status, const struct span *pieces, size_t count,
                              uint64_t now_ms)
{
    const struct ahoy_reply reply = { .status = status, .pieces = pieces, .count = count };
    return ahoy_transaction_reply(owner, handle, &reply, now_ms);
}

bool ahoy_server_answer(struct ahoy_transactions *owner, const struct ahoy_event *event,
                        const struct span *pieces, size_t count)
{
    uint64_t now_ms = owner->arrival.now_ms;
    struct ahoy_handle handle = ahoy_transaction_accept(owner, event, 0, now_ms);
    /* To the machines all failures are one, and to those of other methods all final responses. */
    if (ahoy_transaction_respond(owner, handle, 500, pieces, count, now_ms))
        return true;
    struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction != NULL)
        ahoy_owner_end(owner, transaction);
    return false;
}

void ahoy_server_see_to_unanswered(struct ahoy_transactions *owner)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    if (arrival->unanswered.generation == 0)
        return;
    struct ahoy_handle handle = arrival->unanswered;
    arrival->unanswered = nobody;
    const struct ahoy_transaction *transaction = ahoy_owner_get(owner, handle);
    if (transaction == NULL || transaction->machine.invite_server.state != INS_PROCEEDING ||
        transaction->kept.size > 0)
        return;
    /* R3261-17.2.1-1: nobody knows that the user will answer within 200 ms. */
    const struct ahoy_response trying = { .status = 100, .received = &arrival->source->remote };
    struct ahoy_buf buf = ahoy_buf_over(owner->scratch, sizeof owner->scratch);
    ahoy_compose_response(&buf, arrival->message, &trying);
    struct span text = ahoy_buf_text(&buf);
    if (text.size > 0) /* Where it cannot be sent, the client sends its INVITE again. */
        (void)ahoy_transaction_respond(owner, handle, 100, &text, 1, arrival->now_ms);
}

void ahoy_server_take_timer(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                            enum ahoy_clock clock, uint64_t now_ms)
{
    if (transaction->kind == AHOY_INVITE_SERVER) {
        enum ins_event event = clock == AHOY_CLOCK_G   ? INS_TIMER_G
                               : clock == AHOY_CLOCK_H ? INS_TIMER_H
                               : clock == AHOY_CLOCK_I ? INS_TIMER_I
                                                       : INS_TIMER_L;
        step_invite(owner, transaction, event, now_ms);
    } else {
        enum nis_event event = clock == AHOY_CLOCK_F ? NIS_TIMER_F : NIS_TIMER_J;
        step_noninvite(owner, transaction, event, now_ms);
    }
}

void ahoy_server_take_failure(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                              uint64_t now_ms)
{
    if (transaction->kind == AHOY_INVITE_SERVER)
        step_invite(owner, transaction, INS_SEND_FAILED, now_ms);
    else
        step_noninvite(owner, transaction, NIS_SEND_FAILED, now_ms);
}
