/* Laws 1 to 7 and 27: RFC 3261 17 and RFC 6026, seen from outside. */
#include "sim/laws.h"

enum {
    SLACK_MS = 5000,  /* What a transaction may outlive its final response by, beside 64*T1. */
    LOOKING_MS = 5000 /* The longest search for servers, and a little. */
};

static bool is_reliable(uint64_t stream)
{
    return stream != 0;
}

static bool is_response(const struct sim_news *news)
{
    return !news->message->is_request;
}

/* Whether it is the answer to one more of |upper| that came by its connection: where the first was
 * answered at once, timer J was 0 (17.2.2), and that is a request of its own. */
static bool answers_copy(const struct sim_witness *witness, struct sim_upper *upper)
{
    if (upper->copies == 0 || upper->method == AHOY_METHOD_INVITE ||
        upper->began_turn != witness->turn || upper->final_turn != witness->turn)
        return false;
    upper->copies--;
    return true;
}

/* Law 1. */
void sim_law_one_final(struct sim_witness *witness, const struct sim_news *news)
{
    struct sim_upper *upper = news->upper;
    unsigned status = news->message->status;
    if (!is_response(news) || upper == NULL || status < 200 || !news->is_again || upper->is_excused)
        return;
    bool is_same = status == upper->final && sim_hash(news->routing->to_tag) == upper->final_tag;
    bool is_success =
        upper->method == AHOY_METHOD_INVITE && status / 100 == 2 && upper->final / 100 == 2;
    if (!is_same && !is_success && !answers_copy(witness, upper))
        sim_witness_break(witness, 1, "%u after %u", status, upper->final);
}

/* How long the final response to |upper| may take. */
static uint64_t patience_ms(const struct sim_upper *upper)
{
    if (upper->method == AHOY_METHOD_INVITE)
        return SIM_TIMER_C_MS + SIM_64T1_MS + LOOKING_MS;
    return SIM_64T1_MS;
}

/* Law 2.  What is no INVITE is owed an answer only where a branch had one: RFC 4320 4.2. */
void sim_law_answered(struct sim_witness *witness)
{
    uint64_t now_ms = sim_witness_now(witness);
    for (size_t i = witness->first_upper; i < witness->upper_count; i++) {
        struct sim_upper *upper = &witness->uppers[i];
        bool is_owed = upper->method == AHOY_METHOD_INVITE || upper->branches == 0;
        if (upper->final != 0 || upper->is_excused || !is_owed ||
            now_ms <= upper->stirred_ms + patience_ms(upper))
            continue;
        if (upper->method != AHOY_METHOD_INVITE && witness->has_streams)
            continue; /* Its branch may wait for a connection where nobody sees it. */
        sim_witness_break(witness, 2, "a request of %llu ms has no final response",
                          (unsigned long long)(upper->began_ms - sim_world_epoch()));
    }
}

/* Law 3: a branch begins with a new request, with a response, or with time: that of a search for
 * servers may come with anything. */
void sim_law_executed_once(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *upper = news->upper;
    if (is_response(news) || news->is_again || upper == NULL || news->lower == NULL ||
        upper->is_excused)
        return;
    if (upper->asked_turn == witness->turn && upper->began_turn != witness->turn &&
        !witness->has_streams)
        sim_witness_break(witness, 3, "a retransmitted request is forwarded again");
    if (upper->final / 100 == 2 && upper->final_turn < witness->turn)
        sim_witness_break(witness, 3, "a request that is answered is forwarded");
}

static void judge_response(struct sim_witness *witness, const struct sim_upper *upper,
                           unsigned status)
{
    /* All timers that a jump of the clock passes go off in one turn, in any order. */
    uint64_t now_ms = witness->last_ms;
    if (upper->final == 0 || upper->is_stateless || upper->is_excused)
        return;
    if (status < 200)
        sim_witness_break(witness, 4, "%u after the final response", status);
    if (now_ms > upper->final_ms + SIM_64T1_MS)
        sim_witness_break(witness, 4, "%u later than 64*T1 after the first", status);
    if (upper->is_acked && upper->final >= 300 && upper->acked_turn != witness->turn)
        sim_witness_break(witness, 4, "%u after its ACK", status);
}

/* Law 4. */
void sim_law_over_is_over(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_lower *lower = news->lower;
    if (is_response(news)) {
        if (news->upper != NULL)
            judge_response(witness, news->upper, news->message->status);
        return;
    }
    if (lower == NULL || lower->final == 0)
        return;
    /* A timer that is due in the instant in which the response comes may go off before it. */
    if (news->message->method != AHOY_METHOD_ACK && news->is_again &&
        lower->final_turn != witness->turn)
        sim_witness_break(witness, 4, "a request again after its final response");
    else if (news->message->method == AHOY_METHOD_ACK &&
             sim_witness_now(witness) > lower->final_ms + SIM_64T1_MS)
        sim_witness_break(witness, 4, "an ACK when timer D is over");
}

static bool lives(uint64_t now_ms, unsigned final, uint64_t final_ms)
{
    return final == 0 || now_ms <= final_ms + SIM_64T1_MS + SLACK_MS;
}

/* Law 5: the server holds no more than can be accounted for. */
void sim_law_no_leftovers(struct sim_witness *witness)
{
    uint64_t now_ms = sim_witness_now(witness);
    uint32_t most = 0;
    if (witness->has_streams || now_ms <= witness->blurred_ms + SIM_TIMER_C_MS + SIM_64T1_MS)
        return;
    for (size_t i = witness->first_upper; i < witness->upper_count; i++)
        most += lives(now_ms, witness->uppers[i].final, witness->uppers[i].final_ms);
    for (size_t i = witness->first_lower; i < witness->lower_count; i++)
        most += lives(now_ms, witness->lowers[i].final, witness->lowers[i].final_ms);
    uint32_t held = sim_host_transactions(witness->host);
    if (held > most)
        sim_witness_break(witness, 5, "%u transactions are held where at most %u can be", held,
                          most);
}

/* Notes when |lower|, sent just now, goes again: 17.1.1.2 and 17.1.2.2.  A timer that goes off in
 * the instant of the provisional response may have done so before it, or behind it. */
static void set_timer(struct sim_lower *lower, uint64_t now_ms, uint64_t turn)
{
    uint64_t doubled = lower->interval_ms == 0 ? SIM_T1_MS : 2 * lower->interval_ms;
    uint64_t interval_ms = doubled;
    if (lower->method != AHOY_METHOD_INVITE) {
        doubled = doubled < SIM_T2_MS ? doubled : SIM_T2_MS;
        interval_ms = lower->provisional_ms != 0 ? SIM_T2_MS : doubled;
    }
    bool is_open = lower->first_provisional_turn == turn;
    lower->interval_ms = interval_ms;
    lower->due_ms = now_ms + interval_ms;
    lower->again_ms = now_ms + (is_open ? doubled : interval_ms);
}

/* What has moved to a stream for its size alone goes by UDP after all where that is lost before
 * anybody has answered: 18.1.1. */
static bool goes_back(const struct sim_lower *lower, const struct sim_news *news)
{
    return is_reliable(lower->stream) && !is_reliable(news->stream) && lower->is_excused &&
           lower->provisional_ms == 0 && lower->size > SIM_DATAGRAM_MOST;
}

static void judge_request(struct sim_witness *witness, const struct sim_news *news)
{
    struct sim_lower *lower = news->lower;
    uint64_t now_ms = sim_witness_now(witness);
    if (news->is_again && goes_back(lower, news)) {
        lower->stream = 0;
        lower->interval_ms = lower->again_ms = 0; /* Its timers begin. */
    }
    if (news->is_again && is_reliable(lower->stream))
        sim_witness_break(witness, 6, "a request again over a stream");
    else if (news->is_again && now_ms < lower->again_ms)
        sim_witness_break(witness, 6, "a request again %llu ms too early",
                          (unsigned long long)(lower->again_ms - now_ms));
    if (news->is_again && lower->method == AHOY_METHOD_INVITE && lower->provisional_ms != 0 &&
        lower->first_provisional_turn != witness->turn)
        sim_witness_break(witness, 6, "an INVITE again after a provisional response");
    set_timer(lower, now_ms, witness->turn);
}

/* A final response to INVITE goes again by timer G, or where the INVITE came again. */
static void judge_final(struct sim_witness *witness, const struct sim_news *news)
{
    struct sim_upper *upper = news->upper;
    uint64_t now_ms = sim_witness_now(witness);
    if (upper->is_stateless)
        return;
    if (news->is_again && upper->asked_turn != witness->turn && upper->final >= 300 &&
        !upper->is_excused) {
        if (upper->method != AHOY_METHOD_INVITE || is_reliable(upper->stream))
            sim_witness_break(witness, 6, "%u again though nobody asked", upper->final);
        else if (now_ms < upper->again_ms)
            sim_witness_break(witness, 6, "%u again %llu ms too early", upper->final,
                              (unsigned long long)(upper->again_ms - now_ms));
    }
    if (news->is_again && now_ms < upper->again_ms)
        return; /* The clock goes on as it was set. */
    uint64_t doubled = upper->interval_ms == 0 ? SIM_T1_MS : 2 * upper->interval_ms;
    upper->interval_ms = doubled < SIM_T2_MS ? doubled : SIM_T2_MS;
    upper->again_ms = now_ms + upper->interval_ms;
}

/* Law 6: not too early, ... */
void sim_law_timers(struct sim_witness *witness, const struct sim_news *news)
{
    if (is_response(news) && news->upper != NULL && news->message->status >= 200)
        judge_final(witness, news);
    else if (!is_response(news) && news->lower != NULL && news->message->method != AHOY_METHOD_ACK)
        judge_request(witness, news);
}

static bool is_missed(const struct sim_lower *lower, uint64_t now_ms)
{
    bool is_stopped =
        lower->final != 0 || (lower->method == AHOY_METHOD_INVITE && lower->provisional_ms != 0);
    return !is_stopped && !lower->is_excused && !is_reliable(lower->stream) &&
           now_ms > lower->due_ms && lower->due_ms < lower->began_ms + SIM_64T1_MS;
}

/* ... and not too late. */
void sim_law_no_timer_missed(struct sim_witness *witness)
{
    uint64_t now_ms = sim_witness_now(witness);
    for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
        if (is_missed(&witness->lowers[i], now_ms))
            sim_witness_break(witness, 6, "a request is not sent again when its timer is due");
    }
    for (size_t i = witness->first_upper; i < witness->upper_count; i++) {
        const struct sim_upper *upper = &witness->uppers[i];
        if (upper->final >= 300 && upper->method == AHOY_METHOD_INVITE && !upper->is_acked &&
            !upper->is_stateless && !upper->is_excused && !is_reliable(upper->stream) &&
            now_ms > upper->again_ms && upper->again_ms < upper->final_ms + SIM_64T1_MS)
            sim_witness_break(witness, 6, "%u is not sent again when timer G is due", upper->final);
    }
}

/* Law 7: like the INVITE in what 17.1.1.3 says, ... */
void sim_law_ack_hop_by_hop(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_lower *lower = news->lower;
    struct ahoy_cseq cseq;
    if (is_response(news) || news->message->method != AHOY_METHOD_ACK || lower == NULL)
        return;
    const struct ahoy_message *invite = sim_witness_request(witness, lower->bytes, lower->size);
    struct span number = ahoy_message_value(invite, AHOY_HEADER_CSEQ);
    if (lower->final < 300)
        sim_witness_break(witness, 7, "an ACK with an INVITE's branch, which has not failed");
    else if (!ahoy_span_equal(invite->request_uri, news->message->request_uri))
        sim_witness_break(witness, 7, "an ACK with another Request-URI");
    else if (!ahoy_cseq_parse(number, &cseq, NULL) || cseq.number != news->routing->cseq.number)
        sim_witness_break(witness, 7, "an ACK with another CSeq");
    else if (!ahoy_ip_equal(&lower->to, &news->peer))
        sim_witness_break(witness, 7, "an ACK to another address");
}

/* ... and sent for each. */
void sim_law_ack_owed(struct sim_witness *witness, const struct sim_news *news)
{
    struct sim_lower *lower = news->lower;
    if (!is_response(news) || lower == NULL || lower->method != AHOY_METHOD_INVITE ||
        news->message->status < 300 || lower->final < 300 || is_reliable(lower->stream))
        return;
    lower->owes_ack_turn = witness->turn;
}

void sim_law_acks_sent(struct sim_witness *witness)
{
    /* Its To is the response's, of which a server does not judge the URI (decision 176): where that
     * is none, the ACK cannot be read. */
    if (witness->blurred_turn == witness->turn)
        return;
    for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
        const struct sim_lower *lower = &witness->lowers[i];
        if (lower->owes_ack_turn == witness->turn && lower->acked_turn != witness->turn &&
            !lower->is_excused)
            sim_witness_break(witness, 7, "%u is not acknowledged", lower->final);
    }
}

/* Law 27. */
void sim_law_nothing_left(struct sim_witness *witness)
{
    uint32_t held = sim_host_transactions(witness->host);
    uint32_t busy = sim_host_busy(witness->host);
    uint32_t remembered = sim_host_remembered(witness->host);
    if (held > 0 || busy > 0 || remembered > 0)
        sim_witness_break(witness, 27,
                          "%u transactions and %u requests are left, %u are remembered", held, busy,
                          remembered);
    else if (!sim_host_rests(witness->host))
        sim_witness_break(witness, 27, "the server does not come to rest");
}
