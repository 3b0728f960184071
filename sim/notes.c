/* From messages to what was said in which transaction. */
#include "sim/notes.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

static char *copy(struct span bytes)
{
    char *at = malloc(bytes.size);
    assert(at != NULL);
    memcpy(at, bytes.at, bytes.size);
    return at;
}

/* Of tokens and hosts, which are the same whatever their case (7.3.1). */
static uint64_t hash_nocase(struct span text)
{
    char space[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    for (size_t i = 0; i < text.size; i++)
        ahoy_buf_put_byte(&buf, (char)tolower((unsigned char)text.at[i]));
    return sim_hash(ahoy_buf_text(&buf));
}

/* What tells server transactions apart: 17.2.3.  An ACK has its INVITE's. */
static uint64_t key_of(const struct ahoy_via *via, struct span method)
{
    uint64_t branch = hash_nocase(via->branch), sent_by = hash_nocase(via->sent_by);
    return 31 * (31 * branch + sent_by) + sim_hash(method);
}

/* What is answered without state is forgotten at once.  But a proof is good once: what is answered
 * behind it is kept (8.2.7), unless it was not taken, or not even looked at. */
static bool is_forgotten(const struct sim_upper *upper)
{
    bool may_be_kept =
        upper->has_proof && upper->final != 401 && upper->final != 407 && upper->final != 503;
    return upper->is_stateless && !may_be_kept;
}

/* When it ends: timers H, I, J and L (17.2, RFC 6026 7.1).  Where an ACK came in time, that of H is
 * none any more. */
static uint64_t end_ms(const struct sim_upper *upper)
{
    if (upper->final == 0)
        return upper->method == AHOY_METHOD_INVITE ? UINT64_MAX : upper->began_ms + SIM_64T1_MS;
    if (upper->stream != 0 && (upper->method != AHOY_METHOD_INVITE || upper->is_acked))
        return 0; /* Timers J and I are 0. */
    if (is_forgotten(upper))
        return 0;
    return upper->is_acked ? upper->acked_ms + SIM_TIMER_I_MS : upper->final_ms + SIM_64T1_MS;
}

static bool is_over(const struct sim_witness *witness, const struct sim_upper *upper)
{
    return sim_witness_now(witness) >= end_ms(upper);
}

/* What comes in the instant in which |upper| ends may belong to it still, or not any more. */
static void excuse_edge(const struct sim_witness *witness, struct sim_upper *upper)
{
    if (upper != NULL)
        upper->is_excused |= sim_witness_now(witness) == end_ms(upper);
}

static struct sim_upper *find_upper(struct sim_witness *witness, uint64_t key)
{
    for (size_t i = witness->upper_count; i > witness->first_upper; i--) {
        if (witness->uppers[i - 1].key == key)
            return &witness->uppers[i - 1];
    }
    return NULL;
}

static struct sim_lower *find_lower(struct sim_witness *witness, uint64_t branch,
                                    struct span method)
{
    for (size_t i = witness->lower_count; i > witness->first_lower; i--) {
        struct sim_lower *lower = &witness->lowers[i - 1];
        if (lower->branch == branch && ahoy_span_equal(lower->method_text, method))
            return lower;
    }
    return NULL;
}

static struct sim_upper *add_upper(struct sim_witness *witness, const struct sim_news *news,
                                   uint64_t key)
{
    struct sim_upper *upper = &witness->uppers[witness->upper_count];
    witness->is_full |= witness->upper_count == SIM_UPPERS_LIMIT;
    if (witness->upper_count == SIM_UPPERS_LIMIT)
        return NULL;
    witness->upper_count++;
    uint64_t now_ms = sim_witness_now(witness);
    *upper = (struct sim_upper){ .key = key,
                                 .method = news->message->method,
                                 .bytes = copy(news->message->bytes),
                                 .size = news->message->bytes.size,
                                 .source = news->peer,
                                 .stream = news->stream,
                                 .began_ms = now_ms,
                                 .stirred_ms = now_ms,
                                 .began_turn = witness->turn,
                                 .in_dialog = news->routing->to_tag.size > 0,
                                 .is_excused = witness->short_ms == now_ms };
    for (size_t i = 0; i < SIM_NAMED_LIMIT; i++)
        upper->has_other_vias |= witness->named[i] == key;
    return upper;
}

void sim_notes_excuse_registers(struct sim_witness *witness, uint64_t ms)
{
    for (size_t i = 0; i < witness->shelf_count; i++)
        witness->shelves[i].excused_ms = sim_witness_now(witness) + ms;
}

/* A request has come. */
static void note_request(struct sim_witness *witness, struct sim_news *news)
{
    const struct ahoy_message *message = news->message;
    bool is_ack = message->method == AHOY_METHOD_ACK;
    bool is_cancel = message->method == AHOY_METHOD_CANCEL;
    const struct ahoy_via *via = &news->routing->via;
    if (!ahoy_via_has_cookie(via)) {
        witness->blurred_ms = sim_witness_now(witness);
        if (message->method == AHOY_METHOD_REGISTER)
            sim_notes_excuse_registers(witness, SIM_STORE_MS);
        return;
    }
    struct sim_upper *invite = find_upper(witness, key_of(via, SPAN("INVITE")));
    excuse_edge(witness, invite);
    if (is_ack) {
        news->upper = invite;
        if (invite != NULL && invite->final == 0)
            invite->early_ack_turn = witness->turn;
        if (invite != NULL && invite->final >= 300 && !invite->is_acked &&
            !is_over(witness, invite)) {
            invite->is_acked = true;
            invite->acked_ms = sim_witness_now(witness);
            invite->acked_turn = witness->turn;
        }
        return;
    }
    uint64_t key = key_of(via, message->method_text);
    struct sim_upper *upper = find_upper(witness, key);
    excuse_edge(witness, upper);
    if (is_cancel && invite != NULL && !is_over(witness, invite)) {
        invite->is_cancelled = true;
        /* A CANCEL that is older than its INVITE is a retransmission: it may end nothing. */
        invite->is_excused |= upper != NULL && upper->began_ms < invite->began_ms;
    }
    /* Another request under a name that is taken, or has been: what is answered whom cannot be
     * told. */
    struct span first = { upper != NULL ? upper->bytes : NULL, upper != NULL ? upper->size : 0 };
    bool is_other = upper != NULL && !ahoy_span_equal(first, message->bytes);
    bool is_forged = upper != NULL && (upper->is_forged || is_other);
    bool is_known = upper != NULL && !is_over(witness, upper);
    /* Where that was answered at once, this one may be served, or get the same answer. */
    bool is_doubtful = is_known && upper->is_stateless && is_other;
    news->is_again = is_known && !is_doubtful;
    news->upper = news->is_again ? upper : add_upper(witness, news, key);
    if (news->upper == NULL)
        return;
    news->upper->asked_turn = witness->turn;
    news->upper->copies += news->is_again && upper->stream != 0 && upper->stream == news->stream &&
                           upper->began_turn == witness->turn;
    news->upper->is_forged |= is_forged;
    news->upper->is_doubtful |= is_doubtful;
    news->upper->is_excused |= is_forged || (upper != NULL && upper->is_excused);
}

/* An INVITE that has been answered provisionally waits whatever becomes of its connection. */
static bool is_ringing(const struct sim_lower *lower)
{
    return lower->method == AHOY_METHOD_INVITE && lower->provisional_ms != 0;
}

/* Whether the client transaction has given up by itself: timers B and F, and 64*T1 behind a CANCEL
 * (9.1).  What comes then belongs to nothing. */
static bool has_given_up(const struct sim_lower *lower, uint64_t now_ms)
{
    if (lower->final != 0)
        return now_ms >= lower->final_ms + SIM_64T1_MS;
    if (lower->cancelled_ms != 0 && now_ms >= lower->cancelled_ms + SIM_64T1_MS)
        return true;
    return !is_ringing(lower) && now_ms >= lower->began_ms + SIM_64T1_MS;
}

uint16_t sim_sent_by_port(const struct ahoy_via *via)
{
    return via->port != 0 ? via->port : 5060;
}

/* A response whose topmost Via is another's is dropped: 18.1.2. */
static bool is_ours(const struct sim_witness *witness, const struct ahoy_via *via)
{
    struct ahoy_ip ip;
    const struct ahoy_ip *own = &sim_host_config(witness->host)->listens[0].ip;
    return ahoy_ip_parse(via->host, &ip) && ahoy_ip_equal_host(&ip, own) &&
           sim_sent_by_port(via) == own->port;
}

bool sim_notes_has_vias(const struct ahoy_message *message, unsigned skipped,
                        const struct ahoy_message *request)
{
    struct ahoy_values ours = ahoy_message_values(message, AHOY_HEADER_VIA);
    struct ahoy_values theirs = ahoy_message_values(request, AHOY_HEADER_VIA);
    struct span own, other;
    struct ahoy_via a, b;
    for (unsigned i = 0; i < skipped; i++) {
        if (!ahoy_values_next(&ours, &own, NULL))
            return false;
    }
    while (ahoy_values_next(&theirs, &other, NULL)) {
        if (!ahoy_values_next(&ours, &own, NULL))
            return false;
        if (ahoy_via_parse(own, &a, NULL) && ahoy_via_parse(other, &b, NULL) &&
            !ahoy_span_equal(a.branch, b.branch))
            return false;
    }
    return !ahoy_values_next(&ours, &own, NULL);
}

/* Whether the Via behind our own is that of the request: else its callee has made something of it
 * that is passed on to somebody else, or to nobody. */
static bool leads_back(struct sim_witness *witness, const struct sim_news *news,
                       const struct sim_upper *upper)
{
    struct ahoy_values values = ahoy_message_values(news->message, AHOY_HEADER_VIA);
    struct span text;
    struct ahoy_via came, asked;
    const struct ahoy_message *request = sim_witness_request(witness, upper->bytes, upper->size);
    return ahoy_values_next(&values, &text, NULL) && ahoy_values_next(&values, &text, NULL) &&
           ahoy_via_parse(text, &came, NULL) &&
           ahoy_via_parse(ahoy_message_value(request, AHOY_HEADER_VIA), &asked, NULL) &&
           ahoy_span_equal(came.branch, asked.branch) &&
           ahoy_span_equal(came.sent_by, asked.sent_by);
}

/* The second Via of a message names the transaction that a request was made from, or that a
 * response is passed on to. */
static uint64_t maker_key(const struct sim_news *news)
{
    struct ahoy_values values = ahoy_message_values(news->message, AHOY_HEADER_VIA);
    struct span text;
    struct ahoy_via via;
    if (!ahoy_values_next(&values, &text, NULL) || !ahoy_values_next(&values, &text, NULL) ||
        !ahoy_via_parse(text, &via, NULL))
        return 0;
    struct span method =
        news->message->is_request ? news->message->method_text : news->routing->cseq.method_text;
    return key_of(&via, method);
}

static struct sim_upper *maker_of(struct sim_witness *witness, const struct sim_news *news)
{
    return find_upper(witness, maker_key(news));
}

/* A response has come. */
static void note_answer(struct sim_witness *witness, struct sim_news *news)
{
    uint64_t now_ms = sim_witness_now(witness);
    unsigned status = news->message->status;
    struct sim_lower *lower = find_lower(witness, hash_nocase(news->routing->via.branch),
                                         news->routing->cseq.method_text);
    if (lower == NULL || has_given_up(lower, now_ms) || !is_ours(witness, &news->routing->via))
        return;
    news->lower = lower;
    news->upper = lower->upper;
    news->is_again = lower->final != 0;
    if (lower->upper != NULL) {
        const struct sim_upper *upper = lower->upper;
        struct sim_upper *other = maker_of(witness, news);
        lower->upper->is_excused |= !leads_back(witness, news, upper);
        if (other != NULL && other != upper) /* It may be kept, and passed on to that one later. */
            other->has_other_vias = true;
        if (other == NULL) /* And that one may still be to come. */
            witness->named[witness->named_count++ % SIM_NAMED_LIMIT] = maker_key(news);
        lower->upper->has_other_vias |= !sim_notes_has_vias(
            news->message, 1, sim_witness_request(witness, upper->bytes, upper->size));
    }
    if (status < 200 && lower->final == 0) {
        if (lower->provisional_ms == 0)
            lower->first_provisional_turn = witness->turn;
        lower->provisional_ms = now_ms;
        if (lower->upper != NULL)
            lower->upper->stirred_ms = now_ms;
    } else if (status >= 200 && lower->final == 0) {
        lower->final = status;
        lower->final_ms = now_ms;
        lower->final_turn = witness->turn;
        lower->is_unheard = lower->is_excused && !is_ringing(lower);
    }
}

static struct sim_lower *add_lower(struct sim_witness *witness, const struct sim_news *news)
{
    struct sim_lower *lower = &witness->lowers[witness->lower_count];
    witness->is_full |= witness->lower_count == SIM_LOWERS_LIMIT;
    if (witness->lower_count == SIM_LOWERS_LIMIT)
        return NULL;
    witness->lower_count++;
    uint64_t now_ms = sim_witness_now(witness);
    *lower = (struct sim_lower){ .branch = hash_nocase(news->routing->via.branch),
                                 .method = news->message->method,
                                 .bytes = copy(news->message->bytes),
                                 .size = news->message->bytes.size,
                                 .to = news->peer,
                                 .stream = news->stream,
                                 .began_ms = now_ms,
                                 .began_turn = witness->turn,
                                 .is_excused = witness->short_ms == now_ms };
    lower->method_text = (struct span){ lower->bytes, news->message->method_text.size };
    if (lower->method == AHOY_METHOD_CANCEL)
        lower->invite = find_lower(witness, lower->branch, SPAN("INVITE"));
    else
        lower->upper = maker_of(witness, news);
    if (lower->upper != NULL) {
        lower->upper->branches++;
        lower->upper->stirred_ms = lower->began_ms;
        lower->may_be_cancelled = lower->upper->is_cancelled;
    }
    return lower;
}

/* A request leaves. */
static void note_forwarded(struct sim_witness *witness, struct sim_news *news)
{
    uint64_t branch = hash_nocase(news->routing->via.branch);
    if (news->message->method == AHOY_METHOD_ACK) {
        news->lower = find_lower(witness, branch, SPAN("INVITE"));
        if (news->lower != NULL)
            news->lower->acked_turn = witness->turn;
        return;
    }
    struct sim_lower *lower = find_lower(witness, branch, news->message->method_text);
    news->is_again = lower != NULL;
    if (lower == NULL)
        lower = add_lower(witness, news);
    news->lower = lower;
    if (lower == NULL)
        return;
    news->upper = lower->upper;
    lower->sends++;
    lower->sent_turn = witness->turn;
    if (lower->invite == NULL || news->is_again)
        return;
    lower->invite->cancels++;
    lower->invite->cancelled_ms = sim_witness_now(witness);
}

struct sim_upper *sim_notes_find(struct sim_witness *witness, const struct ahoy_routing *routing)
{
    return find_upper(witness, key_of(&routing->via, routing->cseq.method_text));
}

/* Whether a response that bears the name of |upper| answers another request: a callee of that one
 * has made its Via into this. */
static bool answers_another(struct sim_witness *witness, const struct sim_news *news,
                            const struct sim_upper *upper)
{
    struct ahoy_cseq cseq;
    if (!upper->has_other_vias)
        return false;
    const struct ahoy_message *request = sim_witness_request(witness, upper->bytes, upper->size);
    struct span call_id = ahoy_message_value(request, AHOY_HEADER_CALL_ID);
    struct span number = ahoy_message_value(request, AHOY_HEADER_CSEQ);
    return !ahoy_span_equal(call_id, news->routing->call_id) ||
           (ahoy_cseq_parse(number, &cseq, NULL) && cseq.number != news->routing->cseq.number);
}

/* A response leaves. */
static void note_answered(struct sim_witness *witness, struct sim_news *news)
{
    const struct ahoy_routing *routing = news->routing;
    unsigned status = news->message->status;
    struct sim_upper *upper = sim_notes_find(witness, routing);
    if (upper == NULL || answers_another(witness, news, upper))
        return;
    news->upper = upper;
    if (status < 200) {
        upper->has_provisional = true;
        return;
    }
    news->is_again = upper->final != 0;
    if (upper->final != 0)
        return;
    upper->final = status;
    upper->final_tag = sim_hash(routing->to_tag);
    upper->final_ms = sim_witness_now(witness);
    upper->final_turn = witness->turn;
    /* What came before while there was no memory for it has left nothing. */
    bool is_first = upper->began_turn == witness->turn ||
                    (upper->is_excused && upper->asked_turn == witness->turn);
    upper->is_stateless = is_first && upper->branches == 0 && !upper->has_provisional;
    /* What is due goes off before a message of that instant is read: the ACK may be for this. */
    bool is_met = upper->early_ack_turn != 0 && upper->early_ack_turn == witness->turn;
    upper->is_excused |= status >= 300 && is_met;
}

void sim_notes_take(struct sim_witness *witness, struct sim_news *news, bool comes)
{
    if (comes && news->message->is_request)
        note_request(witness, news);
    else if (comes)
        note_answer(witness, news);
    else if (news->message->is_request)
        note_forwarded(witness, news);
    else
        note_answered(witness, news);
}
