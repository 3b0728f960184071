/* The best of the final responses (RFC 3261 16.7 steps 4, 6 and 7): one is kept at a time, and
 * what the others of 401 and 407 ask for. */
#include "libahoy/tu/proxy_context.h"

/* Lower is better: 6xx (R3261-16.7-18), then the lowest class (S3261-16.7-6).  A 487 is what the
 * caller waits for who has given up; else it is of one whose time was over, and others say more. */
static unsigned rank(const struct proxy_context *context, unsigned status)
{
    switch (status) {
    case 401: /* S3261-16.7-7: what tells how to ask again. */
    case 407:
        return 40;
    case 415:
    case 420:
    case 484:
        return 41;
    case 487:
        return context->stopped ? 42 : 44;
    case 408: /* It says least of all: that of a telephone which was switched off. */
        return 45;
    case 503: /* S3261-16.7-8 */
        return 51;
    default:
        break;
    }
    switch (status / 100) {
    case 6:
        return 0;
    case 4:
        return 43;
    default:
        return status / 100 * 10;
    }
}

static bool is_challenge(unsigned status)
{
    return status == 401 || status == 407;
}

static bool is_better(const struct proxy_context *context, unsigned status)
{
    return context->best_status == 0 || rank(context, status) < rank(context, context->best_status);
}

bool ahoy_proxy_is_forwarded(const struct proxy_context *context, unsigned status)
{
    bool is_ours = status == 503 || (status == 408 && !context->is_invite);
    return !is_ours && is_better(context, status);
}

/* Where failures are kept; NULL where memory is refused. */
static struct proxy_failure *failure_of(struct ahoy_proxy *proxy, struct proxy_context *context)
{
    if (context->failure != NULL)
        return context->failure;
    struct proxy_failure *failure = ahoy_arena_take(&context->arena, sizeof *failure);
    if (failure == NULL)
        return NULL;
    *failure = (struct proxy_failure){ .best = SPAN("") };
    ahoy_arena_init(&failure->arena, &proxy->chunks);
    context->failure = failure;
    return failure;
}

/* Keeps |message| in place of what was kept before; false where memory is refused, or nobody
 * behind us is meant. */
static bool keep_best(struct ahoy_proxy *proxy, struct proxy_context *context,
                      const struct ahoy_message *message)
{
    struct proxy_failure *failure = failure_of(proxy, context);
    if (failure == NULL)
        return false;
    size_t count = ahoy_proxy_pop_via(proxy, message, context->tells_load, context->asserted_back);
    struct ahoy_arena arena;
    ahoy_arena_init(&arena, &proxy->chunks);
    struct span best = ahoy_arena_join(&arena, proxy->pieces, count);
    if (best.size == 0)
        return false;
    ahoy_arena_release(&failure->arena);
    failure->arena = arena;
    failure->best = best;
    failure->headers_end = best.size - (message->bytes.size - message->headers_end);
    return true;
}

/* From now on the best one is of our own making. */
static void note(struct proxy_context *context, unsigned status)
{
    context->best_status = (uint16_t)status;
    if (context->failure == NULL)
        return;
    ahoy_arena_release(&context->failure->arena);
    context->failure->best = SPAN("");
}

static void put_rows(struct ahoy_buf *buf, const struct ahoy_message *message,
                     enum ahoy_header header)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    for (; field != NULL; field = ahoy_message_next(message, field))
        ahoy_buf_put(buf, field->row);
}

/* Keeps what another 401 or 407 asks for (R3261-16.7-23).  What memory or the limit refuses is
 * lost: the caller is asked for it when it has met the rest. */
static void keep_challenges(struct ahoy_proxy *proxy, struct proxy_context *context,
                            const struct ahoy_message *message)
{
    struct proxy_failure *failure = failure_of(proxy, context);
    if (failure == NULL)
        return;
    struct ahoy_buf buf =
        ahoy_buf_over(proxy->text, AHOY_CHALLENGES_LIMIT - failure->challenges_size);
    put_rows(&buf, message, AHOY_HEADER_WWW_AUTHENTICATE);
    put_rows(&buf, message, AHOY_HEADER_PROXY_AUTHENTICATE);
    struct span rows = ahoy_buf_text(&buf);
    struct proxy_challenges *challenges = ahoy_arena_take(&context->arena, sizeof *challenges);
    if (rows.size == 0 || challenges == NULL)
        return;
    *challenges = (struct proxy_challenges){ .rows = ahoy_arena_copy(&context->arena, rows) };
    if (challenges->rows.size == 0)
        return;
    struct proxy_challenges **last = &failure->challenges;
    while (*last != NULL)
        last = &(*last)->next;
    *last = challenges;
    failure->challenges_size += rows.size;
}

void ahoy_proxy_keep(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned status,
                     const struct ahoy_message *message)
{
    if (status == 408 && !context->is_invite)
        return; /* RFC 4320 4.2 */
    if (!is_better(context, status)) {
        if (message != NULL && is_challenge(status) && is_challenge(context->best_status))
            keep_challenges(proxy, context, message);
        return;
    }
    if (message == NULL || status == 503) {
        note(context, status);
    } else if (keep_best(proxy, context, message)) {
        context->best_status = (uint16_t)status;
    } else if (is_better(context, 500)) {
        note(context, 500); /* What cannot be passed on is our fault. */
    }
}

/* The best one as it was kept, with what the others ask for behind its rows. */
static bool send_kept(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms)
{
    const struct proxy_failure *failure = context->failure;
    struct span *pieces = proxy->pieces;
    size_t count = 0;
    pieces[count++] = (struct span){ failure->best.at, failure->headers_end };
    const struct proxy_challenges *challenges = failure->challenges;
    if (!is_challenge(context->best_status))
        challenges = NULL;
    for (; challenges != NULL; challenges = challenges->next)
        pieces[count++] = challenges->rows;
    pieces[count++] = ahoy_span_after(failure->best, failure->headers_end);
    return ahoy_transaction_respond(proxy->transactions, context->server, context->best_status,
                                    pieces, count, now_ms);
}

void ahoy_proxy_choose(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms)
{
    bool sent;
    if (context->best_status == 0) {
        /* Nobody answered what is no INVITE: then we do not either (RFC 4320 4.2), and the server
         * transaction ends by its own clock. */
        sent = true;
    } else if (context->failure != NULL && context->failure->best.size > 0) {
        sent = send_kept(proxy, context, now_ms);
    } else {
        /* S3261-16.7-9; but where we hold requests back, others will fare the same. */
        bool is_theirs = context->best_status == 503 && !context->held_back;
        unsigned status = is_theirs ? 500 : context->best_status;
        sent = ahoy_proxy_send_own(proxy, context, status, now_ms);
    }
    if (sent) {
        proxy_count(context, context->best_status, now_ms);
        ahoy_proxy_close(proxy, context);
        return;
    }
    /* The peer must get an answer, or its transaction here would never end. */
    struct ahoy_timer *timer = &context->first.timer;
    timer->what = ahoy_proxy_name(context->handle, 0);
    timer->which = PROXY_TIMER_AGAIN;
    ahoy_timers_set(&proxy->timers, timer, now_ms + AHOY_PROXY_AGAIN_MS);
}
