/* Responses on their way up (RFC 3261 16.7, with 8.2 and 8.3 of RFC 6026 and 4 of RFC 4320): what
 * is forwarded at once, and what becomes of a branch. */
#include "libahoy/tu/privacy.h"
#include "libahoy/tu/proxy_context.h"

/* Whether what is left of |values|, of Vias, may hold some. */
static bool may_have_load(const struct ahoy_values *values)
{
    struct span text = values->rest;
    const struct ahoy_field *field = values->field;
    while (!ahoy_oc_may_be_in(text)) {
        if (field == NULL || (field = ahoy_message_next(values->message, field)) == NULL)
            return false;
        text = field->value;
    }
    return true;
}

/* Behind our Via: what others have written of their load into further ones was meant for nobody, or
 * for those who should not believe it (RFC 7339 5.4, 11).  |load| goes into the first of them. */
static void edit_load(struct ahoy_proxy *proxy, struct ahoy_values values, struct span load)
{
    struct ahoy_via via;
    struct span text;
    if (load.size == 0 && !may_have_load(&values))
        return;
    for (; ahoy_values_next(&values, &text, NULL); load = SPAN("")) {
        if (load.size == 0 && !ahoy_oc_may_be_in(text))
            continue;
        if (!ahoy_via_parse(text, &via, NULL))
            continue;
        ahoy_edits_remove_oc(&proxy->edits, via.params);
        if (load.size > 0)
            ahoy_edits_insert(&proxy->edits, ahoy_span_end(via.sent_by), load);
    }
}

/* Who answers is as little vouched for by himself as who asks (RFC 3325 5): R3325-6-1. */
static void edit_identity(struct ahoy_edits *edits, const struct ahoy_message *message,
                          enum ahoy_asserted asserted)
{
    bool is_kept =
        asserted == AHOY_ASSERTED_KEPT ||
        (asserted == AHOY_ASSERTED_KEPT_UNLESS_PRIVATE && !ahoy_privacy_hides_id(message));
    if (!is_kept)
        ahoy_proxy_drop_rows(edits, message, AHOY_HEADER_P_ASSERTED_IDENTITY);
    ahoy_proxy_drop_rows(edits, message, AHOY_HEADER_P_PREFERRED_IDENTITY);
}

/* Finds what goes with our Via, and the values behind it; false where nothing is behind it. */
static bool find_own(const struct ahoy_message *message, struct span *gone,
                     struct ahoy_values *others)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_VIA);
    struct span own, next;
    if (values.field == NULL)
        return false;
    *gone = values.field->row;
    if (ahoy_span_find(values.rest, ',') == values.rest.size) { /* It has a row of its own. */
        values.field = ahoy_message_next(message, values.field);
        if (values.field == NULL)
            return false; /* R3261-16.7-6 */
        values.rest = values.field->value;
        *others = values;
        return true;
    }
    if (!ahoy_values_next(&values, &own, NULL))
        return false;
    *others = values;
    *gone = values.field->row;
    if (values.rest.size == 0)
        return values.field->next != 0;
    if (!ahoy_values_next(&values, &next, NULL))
        return false;
    *gone = ahoy_span_between(own.at, next.at);
    return true;
}

size_t ahoy_proxy_pop_via(struct ahoy_proxy *proxy, const struct ahoy_message *message,
                          bool tells_load, enum ahoy_asserted asserted)
{
    struct ahoy_values others;
    struct span gone;
    if (!find_own(message, &gone, &others))
        return 0;
    ahoy_edits_init(&proxy->edits, message->bytes);
    ahoy_edits_remove(&proxy->edits, gone);
    edit_load(proxy, others, ahoy_proxy_load(proxy, tells_load));
    edit_identity(&proxy->edits, message, asserted);
    return ahoy_edits_gather(&proxy->edits, proxy->pieces);
}

/* False where it cannot be forwarded: it is not for anybody behind us, or memory is refused. */
static bool forward(struct ahoy_proxy *proxy, struct proxy_context *context,
                    const struct ahoy_message *message, uint64_t now_ms)
{
    size_t count = ahoy_proxy_pop_via(proxy, message, context->tells_load, context->asserted_back);
    if (count == 0 ||
        !ahoy_transaction_respond(proxy->transactions, context->server, message->status,
                                  proxy->pieces, count, now_ms)) /* R3261-16.7-30 */
        return false;
    proxy_count(context, message->status, now_ms);
    return true;
}

void ahoy_proxy_close(struct ahoy_proxy *proxy, struct proxy_context *context)
{
    if (!context->closed)
        proxy->open--;
    context->closed = true;
    ahoy_proxy_give_back(proxy, context->ticket);
    context->ticket = 0;
    ahoy_proxy_stop(proxy, context);
    context->search = NULL;
    if (context->first.timer.which != PROXY_TIMER_C)
        ahoy_timers_cancel(&proxy->timers, &context->first.timer);
    if (context->failure != NULL)
        ahoy_arena_release(&context->failure->arena);
    context->failure = NULL;
    context->kept = NULL; /* Nothing is tried any more. */
    context->first.ways = NULL;
    context->first.flows = NULL;
    /* The transactions live on for half a minute; what no answer needs any more goes now. */
    if (context->count > 1)
        return;
    ahoy_arena_release(&context->arena);
    context->head = SPAN("");
}

/* Notes that |branch| has its final response.  False where it had one already. */
static bool mark_done(struct ahoy_proxy *proxy, struct proxy_context *context,
                      struct proxy_branch *branch)
{
    if (branch->done)
        return false;
    branch->done = true;
    context->pending--;
    if (branch->timer.which == PROXY_TIMER_C)
        ahoy_timers_cancel(&proxy->timers, &branch->timer);
    return true;
}

void ahoy_proxy_drop(struct ahoy_proxy *proxy, struct proxy_context *context,
                     struct proxy_branch *branch, unsigned status)
{
    branch->waiting = false;
    branch->sleeps = false;
    if (mark_done(proxy, context, branch))
        ahoy_proxy_keep(proxy, context, status, NULL);
}

static struct span reason_for(unsigned status, char *room, size_t size)
{
    struct ahoy_buf buf = ahoy_buf_over(room, size);
    ahoy_buf_put(&buf, SPAN("Reason: SIP ;cause="));
    ahoy_buf_put_number(&buf, status);
    if (status == 200)
        ahoy_buf_put(&buf, SPAN(" ;text=\"Call completed elsewhere\""));
    ahoy_buf_put(&buf, SPAN("\r\n"));
    return ahoy_buf_text(&buf);
}

/* 16.7 step 10, with the reason that 3.1 of RFC 3326 wants told. */
static void cancel_others(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned status,
                          uint64_t now_ms)
{
    char room[80];
    if (context->pending > 0)
        ahoy_proxy_cancel_pending(proxy, context, reason_for(status, room, sizeof room), now_ms);
}

static void take_provisional(struct ahoy_proxy *proxy, struct proxy_context *context,
                             struct proxy_branch *branch, const struct ahoy_message *message,
                             uint64_t now_ms)
{
    branch->provisional = true;
    if (message->status == 100) /* R3261-16.7-12 */
        return;
    if (ahoy_timer_is_set(&branch->timer) && branch->timer.which == PROXY_TIMER_C)
        ahoy_timers_set(&proxy->timers, &branch->timer, now_ms + proxy->timer_c_ms);
    /* R3261-16.7-8; RFC 4320 4.1 forbids it where it is no INVITE.  One that memory does not allow
     * is lost, as on the wire. */
    if (context->is_invite && !context->closed)
        (void)forward(proxy, context, message, now_ms);
}

static void take_success(struct ahoy_proxy *proxy, struct proxy_context *context,
                         struct proxy_branch *branch, const struct ahoy_message *message,
                         uint64_t now_ms)
{
    if (!context->is_invite && context->closed)
        return;
    /* R3261-16.7-10: every one, whatever was sent before. */
    if (!forward(proxy, context, message, now_ms)) {
        /* To an INVITE it will come again (13.3.1.4); else this was all there is. */
        if (!context->is_invite)
            ahoy_proxy_finish(proxy, context, branch, 500, NULL, now_ms);
        return;
    }
    (void)mark_done(proxy, context, branch); /* More of them may come on one branch. */
    if (context->closed)
        return;
    if (!context->no_cancel)
        cancel_others(proxy, context, 200, now_ms); /* R3261-16.7-33 */
    ahoy_proxy_close(proxy, context);
}

void ahoy_proxy_finish(struct ahoy_proxy *proxy, struct proxy_context *context,
                       struct proxy_branch *branch, unsigned status,
                       const struct ahoy_message *message, uint64_t now_ms)
{
    if (!mark_done(proxy, context, branch) || context->closed)
        return;
    if (status >= 600) {
        ahoy_proxy_stop(proxy, context);               /* R3261-16.7-9 */
        cancel_others(proxy, context, status, now_ms); /* S3261-16.7-13 */
    }
    if (context->pending > 0 || proxy_waits(context)) {
        ahoy_proxy_keep(proxy, context, status, message);
        ahoy_proxy_go_on(proxy, context, now_ms);
        return;
    }
    /* The last one goes as it stands where it is the best: so does that of most requests. */
    if (message != NULL && ahoy_proxy_is_forwarded(context, status) &&
        forward(proxy, context, message, now_ms)) {
        ahoy_proxy_close(proxy, context);
        return;
    }
    ahoy_proxy_keep(proxy, context, status, message);
    ahoy_proxy_choose(proxy, context, now_ms);
}

void ahoy_proxy_leave(struct ahoy_proxy *proxy, struct proxy_context *context,
                      struct proxy_branch *branch, uint64_t now_ms)
{
    if (mark_done(proxy, context, branch) && !context->closed)
        ahoy_proxy_go_on(proxy, context, now_ms);
}

void ahoy_proxy_response(struct ahoy_proxy *proxy, struct proxy_context *context,
                         struct proxy_branch *branch, const struct ahoy_message *message,
                         uint64_t now_ms)
{
    if (message->status < 200)
        take_provisional(proxy, context, branch, message, now_ms);
    else if (message->status < 300)
        take_success(proxy, context, branch, message, now_ms);
    else
        ahoy_proxy_finish(proxy, context, branch, message->status, message, now_ms);
}
