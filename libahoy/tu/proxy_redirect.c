/* Contacts of a 3xx that join the target set (RFC 3261 16.7 step 4).  The request that is sent to
 * them is made from the one that was redirected: what that got on its way through us for its first
 * target alone is taken out of it.  So a call that is not redirected keeps nothing for it. */
#include "libahoy/syntax/params.h"
#include "libahoy/tu/proxy_context.h"

enum { CONTACTS_LIMIT = 32 };

/* Takes |count| rows of |header| out, from the top on. */
static void remove_rows(struct ahoy_edits *edits, const struct ahoy_message *message,
                        enum ahoy_header header, size_t count)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    for (; field != NULL && count > 0; field = ahoy_message_next(message, field), count--)
        ahoy_edits_remove(edits, field->row);
}

/* The plan for what has been sent once: its own Routes and credentials are gone from it. */
static struct ahoy_proxy_plan plan_again(const struct proxy_context *context,
                                         const struct proxy_branch *branch)
{
    return (struct ahoy_proxy_plan){ .record_route = branch->record_routes > 0,
                                     .follows = true,
                                     .tier_ms = context->tier_ms,
                                     .sender = context->sender };
}

/* Keeps the request of |branch|, as it was |sent|, as if it had just come.  False where memory is
 * refused, or its Routes would not lead to another target: only our own, of a Path, are taken
 * out. */
static bool keep_again(struct ahoy_proxy *proxy, struct proxy_context *context,
                       const struct proxy_branch *branch, struct span sent)
{
    struct ahoy_edits *edits = &proxy->edits;
    struct proxy_kept kept = { .source = context->source,
                               .plan = plan_again(context, branch),
                               .spent_hops = 1 };
    if (!ahoy_message_parse(sent, &proxy->again, NULL))
        return false;
    ahoy_edits_init(edits, sent);
    remove_rows(edits, &proxy->again, AHOY_HEADER_VIA, 1);
    remove_rows(edits, &proxy->again, AHOY_HEADER_RECORD_ROUTE, branch->record_routes);
    remove_rows(edits, &proxy->again, AHOY_HEADER_ROUTE, SIZE_MAX);
    size_t count = ahoy_edits_gather(edits, proxy->pieces);
    kept.bytes = ahoy_arena_join(&context->arena, proxy->pieces, count);
    context->kept = ahoy_arena_take(&context->arena, sizeof *context->kept);
    if (context->kept == NULL)
        return false;
    *context->kept = kept;
    if (kept.bytes.size == 0)
        context->kept = NULL;
    return context->kept != NULL;
}

/* The URIs that are in the set so far; false where memory is refused. */
static bool keep_search(struct proxy_context *context, struct span uri, uint64_t now_ms)
{
    if (context->search != NULL)
        return true;
    const struct ahoy_proxy_target target = { .uri = uri };
    const struct ahoy_proxy_plan plan = { .targets = &target, .count = 1, .follows = true };
    return ahoy_proxy_keep_search(context, &plan, 1, now_ms);
}

/* The branch that |event| is a redirection of; NULL where it is none that may be followed. */
static struct proxy_branch *find_redirected(const struct ahoy_proxy *proxy,
                                            const struct ahoy_event *event,
                                            struct proxy_context **context)
{
    if (event->kind != AHOY_EVENT_RESPONSE || event->message->status / 100 != 3)
        return NULL;
    unsigned index;
    unsigned status = event->message->status;
    *context = ahoy_proxy_find(proxy, event->user, &index);
    if (*context == NULL || index >= (*context)->count || status < 300 || status > 302)
        return NULL;
    struct proxy_branch *branch = proxy_branch_at(*context, index);
    bool may = (*context)->follows && !(*context)->stopped && !(*context)->closed &&
               !branch->done && !branch->cancelled && branch->depth < AHOY_REDIRECTIONS_LIMIT &&
               ahoy_handle_equal(event->transaction, branch->client);
    return may ? branch : NULL;
}

bool ahoy_proxy_redirects(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                          struct ahoy_proxy_redirection *redirection, uint64_t now_ms)
{
    struct proxy_context *context;
    const struct proxy_branch *branch = find_redirected(proxy, event, &context);
    if (branch == NULL || event->sent.size == 0)
        return false;
    if (context->kept == NULL && !keep_again(proxy, context, branch, event->sent))
        return false;
    struct ahoy_message *sent = &proxy->again;
    if (!ahoy_message_parse(event->sent, sent, NULL) ||
        !keep_search(context, sent->request_uri, now_ms))
        return false;
    *redirection =
        (struct ahoy_proxy_redirection){ .request = ahoy_proxy_recall(proxy, context->kept),
                                         .sender = context->sender };
    return true;
}

/* R3261-16.5-4, R3261-16.5-6 */
static bool is_new(const struct proxy_search *search, struct span text)
{
    struct ahoy_uri uri, other;
    bool sound = ahoy_uri_parse(text, &uri, NULL);
    for (size_t i = 0; i < search->uri_count; i++) {
        struct span known = search->uris[i];
        if (ahoy_span_equal(known, text) ||
            (sound && ahoy_uri_parse(known, &other, NULL) && ahoy_uri_equal(&uri, &other)))
            return false;
    }
    return true;
}

void ahoy_proxy_add(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                    struct ahoy_proxy_redirection *redirection, unsigned contact,
                    const struct ahoy_proxy_target *targets, size_t count)
{
    struct proxy_context *context;
    const struct proxy_branch *branch = find_redirected(proxy, event, &context);
    if (branch == NULL || contact >= CONTACTS_LIMIT)
        return;
    struct proxy_search *search = context->search;
    for (size_t i = 0; i < count && search->uri_count < AHOY_TARGETS_LIMIT; i++) {
        struct span *uri = &search->uris[search->uri_count];
        if (!is_new(search, targets[i].uri) ||
            !ahoy_proxy_keep_text(&context->arena, targets[i].uri, uri) ||
            !ahoy_proxy_add_candidate(context, &targets[i], (uint8_t)(branch->depth + 1)))
            continue;
        search->uri_count++;
        redirection->followed |= 1u << contact;
    }
}

/* Takes those that were |followed| out of a row of Contacts; |number| is that of its first.
 * Returns that of the first behind it. */
static unsigned edit_contacts(struct ahoy_edits *edits, const struct ahoy_field *field,
                              uint32_t followed, unsigned number)
{
    struct span rest = field->value;
    struct span item;
    const char *gone = NULL; /* The first that goes since one stayed, and where that ended. */
    const char *kept_end = NULL;
    for (; ahoy_list_next(&rest, &item, NULL); number++) {
        if (number < CONTACTS_LIMIT && (followed >> number & 1) != 0) {
            gone = gone != NULL ? gone : item.at;
            continue;
        }
        if (gone != NULL)
            ahoy_edits_remove(edits, ahoy_span_between(gone, item.at));
        gone = NULL;
        kept_end = ahoy_span_end(item);
    }
    if (kept_end == NULL)
        ahoy_edits_remove(edits, field->row);
    else if (gone != NULL)
        ahoy_edits_remove(edits, ahoy_span_between(kept_end, ahoy_span_end(field->value)));
    return number;
}

/* |message| without the contacts that were |followed|, in |proxy|'s room; NULL where none is left:
 * R3261-16.7-7. */
static const struct ahoy_message *
without_followed(struct ahoy_proxy *proxy, const struct ahoy_message *message, uint32_t followed)
{
    struct ahoy_buf whole = ahoy_buf_over(proxy->text, sizeof proxy->text);
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_CONTACT);
    ahoy_edits_init(&proxy->edits, message->bytes);
    for (unsigned number = 0; field != NULL; field = ahoy_message_next(message, field))
        number = edit_contacts(&proxy->edits, field, followed, number);
    size_t count = ahoy_edits_gather(&proxy->edits, proxy->pieces);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&whole, proxy->pieces[i]);
    if (!ahoy_message_parse(ahoy_buf_text(&whole), &proxy->again, NULL) ||
        ahoy_message_first(&proxy->again, AHOY_HEADER_CONTACT) == NULL)
        return NULL;
    return &proxy->again;
}

/* What the owner puts into Record-Route; false where memory is refused. */
static bool keep_params(struct proxy_context *context,
                        const struct ahoy_proxy_redirection *redirection)
{
    struct ahoy_proxy_plan *plan = &context->kept->plan;
    return ahoy_proxy_keep_text(&context->arena, redirection->record_route_params,
                                &plan->record_route_params) &&
           ahoy_proxy_keep_text(&context->arena, redirection->flow, &plan->flow);
}

void ahoy_proxy_follow(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                       const struct ahoy_proxy_redirection *redirection, uint64_t now_ms)
{
    struct proxy_context *context;
    struct proxy_branch *branch = find_redirected(proxy, event, &context);
    if (branch == NULL || redirection->followed == 0) {
        ahoy_proxy_step(proxy, event, now_ms);
        return;
    }
    if (!keep_params(context, redirection))
        ahoy_proxy_stop(proxy, context);
    const struct ahoy_message *rest =
        without_followed(proxy, event->message, redirection->followed);
    if (rest != NULL)
        ahoy_proxy_finish(proxy, context, branch, rest->status, rest, now_ms);
    else if (context->stopped)
        ahoy_proxy_finish(proxy, context, branch, 503, NULL, now_ms);
    else
        ahoy_proxy_leave(proxy, context, branch, now_ms);
}
