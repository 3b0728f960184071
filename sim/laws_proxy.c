/* Laws 9 to 12: RFC 3261 16.7 to 16.10, seen from outside. */
#include "sim/laws.h"

static bool is_invite(const struct sim_lower *lower)
{
    return lower != NULL && lower->method == AHOY_METHOD_INVITE && lower->upper != NULL;
}

/* Whether |upper| can be answered where somebody sees it. */
static bool can_be_answered(struct sim_witness *witness, const struct sim_upper *upper)
{
    return upper->stream == 0 || sim_witness_has_stream(witness, upper->stream);
}

/* Whether a 2xx to |lower| that comes now belongs to it still (RFC 6026 7.2). */
static bool takes_success(const struct sim_witness *witness, const struct sim_lower *lower)
{
    uint64_t now_ms = sim_witness_now(witness);
    const struct sim_upper *upper = lower->upper;
    if (lower->final / 100 != 2 || (upper->final != 0 && upper->final / 100 != 2))
        return false;
    bool is_late = upper->final != 0 && now_ms >= upper->final_ms + SIM_64T1_MS;
    return !is_late && !lower->is_excused && !upper->is_excused;
}

/* Law 9. */
void sim_law_success_comes(struct sim_witness *witness, const struct sim_news *news)
{
    if (news->message->is_request || news->message->status / 100 != 2 || !is_invite(news->lower))
        return;
    struct sim_upper *upper = news->lower->upper;
    if (takes_success(witness, news->lower) && can_be_answered(witness, upper))
        upper->successes_met++;
}

void sim_law_success_leaves(struct sim_witness *witness, const struct sim_news *news)
{
    (void)witness; /* Judged when the turn is over. */
    if (!news->message->is_request && news->message->status / 100 == 2 && news->upper != NULL)
        news->upper->successes_sent++;
}

void sim_law_successes_forwarded(struct sim_witness *witness)
{
    for (size_t i = witness->first_upper; i < witness->upper_count; i++) {
        struct sim_upper *upper = &witness->uppers[i];
        if (upper->successes_sent < upper->successes_met && !upper->is_excused)
            sim_witness_break(witness, 9, "a 2xx came and was not forwarded");
        upper->successes_sent = upper->successes_met = 0;
    }
}

/* From now on |lower| is to be cancelled: at once, or once it has answered. */
static void want_cancel(struct sim_witness *witness, struct sim_lower *lower)
{
    lower->may_be_cancelled = true;
    if (lower->provisional_ms != 0 && lower->final == 0 && lower->cancels == 0)
        lower->must_cancel_turn = witness->turn;
}

static void want_cancel_of(struct sim_witness *witness, const struct sim_upper *upper,
                           const struct sim_lower *but)
{
    for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
        struct sim_lower *lower = &witness->lowers[i];
        if (lower->upper == upper && lower != but && lower->method == AHOY_METHOD_INVITE)
            want_cancel(witness, lower);
    }
}

/* Law 10: when a CANCEL must leave, ... */
void sim_law_cancel_wanted(struct sim_witness *witness, const struct sim_news *news)
{
    const struct ahoy_message *message = news->message;
    if (message->is_request && message->method == AHOY_METHOD_CANCEL && news->upper != NULL) {
        for (size_t i = witness->first_upper; i < witness->upper_count; i++) {
            const struct sim_upper *upper = &witness->uppers[i];
            if (upper->is_cancelled && upper->final == 0)
                want_cancel_of(witness, upper, NULL);
        }
        return;
    }
    if (message->is_request || !is_invite(news->lower))
        return;
    struct sim_lower *lower = news->lower;
    bool is_final = message->status / 100 == 2 || message->status >= 600;
    if (is_final && lower->final == message->status && lower->upper->final == 0)
        want_cancel_of(witness, lower->upper, lower);
    else if (lower->first_provisional_turn == witness->turn && lower->may_be_cancelled)
        want_cancel(witness, lower);
}

static bool timer_c_is_over(const struct sim_witness *witness, const struct sim_lower *lower)
{
    return sim_witness_now(witness) >= lower->began_ms + SIM_TIMER_C_MS;
}

/* ... when it may, ... */
void sim_law_cancel_sent(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_lower *cancel = news->lower;
    if (!news->message->is_request || news->message->method != AHOY_METHOD_CANCEL)
        return;
    const struct sim_lower *invite = cancel == NULL ? NULL : cancel->invite;
    if (invite == NULL)
        sim_witness_break(witness, 11, "a CANCEL for nothing that was sent");
    else if (invite->provisional_ms == 0)
        sim_witness_break(witness, 10, "a CANCEL before any provisional response");
    else if (invite->cancels > 1)
        sim_witness_break(witness, 10, "a second CANCEL");
    else if (!news->is_again && invite->final != 0 && !invite->is_unheard &&
             invite->final_turn != witness->turn)
        sim_witness_break(witness, 10, "a CANCEL after the final response");
    else if (invite->upper != NULL && !invite->may_be_cancelled &&
             !timer_c_is_over(witness, invite) && !invite->is_excused)
        sim_witness_break(witness, 11, "a CANCEL without a reason");
    else if (!ahoy_ip_equal(&invite->to, &news->peer))
        sim_witness_break(witness, 11, "a CANCEL to another address than its INVITE");
}

/* ... and whether it did. */
void sim_law_cancels_sent(struct sim_witness *witness)
{
    for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
        const struct sim_lower *lower = &witness->lowers[i];
        bool is_seen = lower->stream == 0 || sim_witness_has_stream(witness, lower->stream);
        if (lower->must_cancel_turn == witness->turn && lower->cancels == 0 && is_seen &&
            lower->final == 0 && !lower->is_excused && !lower->upper->is_excused)
            sim_witness_break(witness, 10, "a pending branch is not cancelled");
    }
}

/* Law 11: a CANCEL is answered by what it matches (9.2). */
void sim_law_cancel_answered(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *cancel = news->upper;
    if (news->message->is_request || cancel == NULL || cancel->method != AHOY_METHOD_CANCEL ||
        news->is_again || cancel->is_excused)
        return;
    unsigned status = news->message->status;
    const struct ahoy_message *message = sim_witness_request(witness, cancel->bytes, cancel->size);
    bool has_contact = ahoy_message_first(news->message, AHOY_HEADER_CONTACT) != NULL;
    if (has_contact)
        sim_witness_break(witness, 11, "a response to CANCEL that makes a dialog");
    if (status == 200 || status == 481 || status >= 500)
        return;
    /* One that matches nothing is forwarded as any request is (16.10), or not: 16.3 step 3. */
    uint64_t hops = 70;
    (void)ahoy_span_number(ahoy_message_value(message, AHOY_HEADER_MAX_FORWARDS), 255,
                           &hops); /* Where there is none, 70. */
    if (status == 483 && hops == 0)
        return;
    if (ahoy_message_check(message, NULL))
        sim_witness_break(witness, 11, "%u to a CANCEL", status);
}

/* Within a class, those that help the caller to ask again come first (16.7 step 6). */
static unsigned preference(unsigned status)
{
    if (status == 401 || status == 407)
        return 0;
    return status == 415 || status == 420 || status == 484 ? 1 : 2;
}

static void judge_choice(struct sim_witness *witness, unsigned chosen, unsigned other)
{
    if (other >= 600 && chosen < 600)
        sim_witness_break(witness, 12, "%u was chosen, and there was a %u", chosen, other);
    else if (chosen < 600 && chosen / 100 > other / 100)
        sim_witness_break(witness, 12, "%u was chosen, and there was a %u", chosen, other);
    else if (chosen / 100 == 4 && other / 100 == 4 && preference(chosen) > preference(other))
        sim_witness_break(witness, 12, "%u was chosen, and there was a %u", chosen, other);
}

/* What the proxy may say of its own accord where no branch said it; 403 where the name of a Contact
 * has led to addresses that nothing may be sent to. */
static bool is_own(unsigned status)
{
    static const unsigned own[] = { 403, 404, 408, 416, 430, 480, 482, 487, 500, 503 };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (own[i] == status)
            return true;
    }
    return false;
}

/* Law 12. */
void sim_law_best_response(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *upper = news->upper;
    unsigned chosen = news->message->status;
    bool is_among = false;
    if (news->message->is_request || upper == NULL || chosen < 300 || news->is_again ||
        upper->branches == 0 || upper->is_excused)
        return;
    for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
        const struct sim_lower *lower = &witness->lowers[i];
        if (lower->upper != upper || lower->final < 300)
            continue;
        is_among |= lower->final == chosen;
        /* A 503 is the server's own trouble, and others are tried; so with 430. */
        bool is_passed_over = lower->final == 503 || lower->final == 430 || lower->is_unheard;
        if (!is_passed_over && lower->final != 408)
            judge_choice(witness, chosen, lower->final);
    }
    if (chosen == 503)
        sim_witness_break(witness, 12, "503 is forwarded");
    else if (!is_among && !is_own(chosen))
        sim_witness_break(witness, 12, "%u was sent, and no branch had said so", chosen);
}
