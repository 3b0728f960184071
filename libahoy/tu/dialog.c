/* Dialogs: RFC 3261 12.  Thousands may stand at a time, and most have short texts: a long one costs
 * memory of its own. */
#include "libahoy/tu/dialog.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/base/unset.h"
#include "libahoy/syntax/params.h"

static bool have_more(struct ahoy_dialog *dialog)
{
    if (dialog->more == NULL)
        dialog->more = malloc(AHOY_DIALOG_TEXT_LIMIT + AHOY_TARGET_LIMIT);
    return dialog->more != NULL;
}

void ahoy_dialog_fini(struct ahoy_dialog *dialog)
{
    free(dialog->ice);
    dialog->ice = NULL;
    dialog->ice_size = 0;
    free(dialog->more);
    dialog->more = NULL;
    /* They may have stood there. */
    dialog->call_id = dialog->local_tag = dialog->local_uri = dialog->remote_uri = SPAN("");
    dialog->rows = SPAN("");
    dialog->target_size = 0;
}

/* Room in the dialog for |size| bytes, which stay where they are; NULL where there is none. */
static char *take_room(struct ahoy_dialog *dialog, size_t size)
{
    if (size > AHOY_DIALOG_TEXT_LIMIT - dialog->text_size)
        return NULL;
    bool is_short = dialog->text_size + size <= sizeof dialog->text;
    if (!is_short && !have_more(dialog))
        return NULL;
    char *at = (is_short ? dialog->text : dialog->more) + dialog->text_size;
    dialog->text_size += size;
    return at;
}

/* Copies |text| to *at, which then is behind it; returns the copy. */
static inline struct span copy(char **at, struct span text)
{
    struct span copied = { *at, text.size };
    if (text.size > 0)
        memcpy(*at, text.at, text.size);
    *at += text.size;
    return copied;
}

/* Copies |text| into the dialog; false where it does not fit. */
static bool keep(struct ahoy_dialog *dialog, struct span text, struct span *kept)
{
    char *at = take_room(dialog, text.size);
    if (at == NULL)
        return false;
    *kept = copy(&at, text);
    return true;
}

/* Who speaks to whom in which call; a tag that is not there is empty. */
struct names {
    struct span local_uri, local_tag, remote_uri, remote_tag, call_id;
};

static struct span copy_tag(char **at, struct span tag)
{
    if (tag.size == 0)
        return copy(at, tag);
    copy(at, SPAN(";tag="));
    return copy(at, tag);
}

/* Keeps them in the rows of requests (12.2.1.1), which are the same in most of them. */
static bool keep_names(struct ahoy_dialog *dialog, const struct names *names)
{
    enum {
        ROWS = sizeof "Max-Forwards: 70\r\nFrom: <>;tag=\r\nTo: <>;tag=\r\nCall-ID: \r\nCSeq: "
    };
    size_t size = ROWS + names->local_uri.size + names->local_tag.size + names->remote_uri.size +
                  names->remote_tag.size + names->call_id.size;
    char *begin = take_room(dialog, size), *at = begin;
    if (begin == NULL)
        return false;
    copy(&at, SPAN("Max-Forwards: 70\r\nFrom: <"));
    dialog->local_uri = copy(&at, names->local_uri);
    copy(&at, SPAN(">"));
    dialog->local_tag = copy_tag(&at, names->local_tag);
    copy(&at, SPAN("\r\nTo: <"));
    dialog->remote_uri = copy(&at, names->remote_uri);
    copy(&at, SPAN(">"));
    dialog->remote_tag = copy_tag(&at, names->remote_tag);
    copy(&at, SPAN("\r\nCall-ID: "));
    dialog->call_id = copy(&at, names->call_id);
    copy(&at, SPAN("\r\nCSeq: "));
    assert((size_t)(at - begin) <= size);
    dialog->rows = ahoy_span_between(begin, at);
    return true;
}

/* A Request-URI has no headers (19.1.1, table 1). */
static struct span without_headers(const struct ahoy_uri *uri)
{
    if (uri->headers.size == 0)
        return uri->text;
    return ahoy_span_between(uri->text.at, uri->headers.at - 1);
}

static bool set_target(struct ahoy_dialog *dialog, struct span uri)
{
    bool is_short = uri.size <= sizeof dialog->target;
    if (uri.size == 0 || uri.size > AHOY_TARGET_LIMIT || (!is_short && !have_more(dialog)))
        return false;
    memmove(is_short ? dialog->target : dialog->more + AHOY_DIALOG_TEXT_LIMIT, uri.at, uri.size);
    dialog->target_size = uri.size;
    return true;
}

struct span ahoy_dialog_target(const struct ahoy_dialog *dialog)
{
    bool is_short = dialog->target_size <= sizeof dialog->target;
    return (struct span){ is_short ? dialog->target : dialog->more + AHOY_DIALOG_TEXT_LIMIT,
                          dialog->target_size };
}

static void clear(struct ahoy_dialog *dialog)
{
    dialog->local_cseq = dialog->remote_cseq = 0;
    dialog->has_remote_cseq = false;
    dialog->route_count = dialog->text_size = 0;
    dialog->local_uri = dialog->remote_uri = dialog->rows = SPAN("");
}

bool ahoy_dialog_add_route(struct ahoy_dialog *dialog, struct span route)
{
    if (route.size == 0 || dialog->route_count == AHOY_ROUTES_LIMIT ||
        !keep(dialog, route, &dialog->routes[dialog->route_count]))
        return false;
    dialog->route_count++;
    return true;
}

bool ahoy_dialog_retarget(struct ahoy_dialog *dialog, struct span uri)
{
    return set_target(dialog, uri);
}

/* Adds the values of a comma list to the route set. */
static bool preload(struct ahoy_dialog *dialog, struct span values)
{
    struct span value;
    while (ahoy_list_next(&values, &value, NULL)) {
        if (!ahoy_dialog_add_route(dialog, value))
            return false;
    }
    return true;
}

bool ahoy_dialog_begin(struct ahoy_dialog *dialog, const struct ahoy_dialog_seed *seed)
{
    clear(dialog);
    const struct names names = { .local_uri = seed->local_uri,
                                 .local_tag = seed->local_tag,
                                 .remote_uri = seed->remote_uri,
                                 .remote_tag = seed->remote_tag,
                                 .call_id = seed->call_id };
    return preload(dialog, seed->route) && preload(dialog, seed->service_route) &&
           keep_names(dialog, &names) && set_target(dialog, seed->target);
}

/* The first Contact; false where there is none that can be a target. */
static bool read_contact(const struct ahoy_message *message, struct ahoy_address *contact)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_CONTACT);
    return ahoy_addresses_next(&values, contact, NULL) && contact->uri.scheme != AHOY_SCHEME_OTHER;
}

/* Whether the only Contact is, in brackets, the target that |dialog| has, which was sound. */
static bool is_target(const struct ahoy_dialog *dialog, const struct ahoy_message *message)
{
    struct span value = ahoy_message_value(message, AHOY_HEADER_CONTACT);
    struct span target = ahoy_dialog_target(dialog);
    return target.size > 0 && value.size == target.size + 2 && value.at[0] == '<' &&
           value.at[value.size - 1] == '>' && memcmp(value.at + 1, target.at, target.size) == 0;
}

/* The remote target; at a fault the old one stays. */
static bool take_target(struct ahoy_dialog *dialog, const struct ahoy_message *message,
                        struct ahoy_err *err)
{
    if (is_target(dialog, message))
        return true;
    struct ahoy_address contact;
    if (!read_contact(message, &contact))
        return ahoy_fail(err, 400, message->bytes.at, "a Contact with a sip URI");
    return set_target(dialog, without_headers(&contact.uri)) ||
           ahoy_fail(err, 513, contact.text.at, "a shorter Contact");
}

/* The route set, in the order of Record-Route. */
static bool keep_routes(struct ahoy_dialog *dialog, const struct ahoy_message *message,
                        struct ahoy_err *err)
{
    if (ahoy_message_first(message, AHOY_HEADER_RECORD_ROUTE) == NULL)
        return true;
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RECORD_ROUTE);
    struct ahoy_err fault;
    struct ahoy_address route;
    while (ahoy_addresses_next(&values, &route, &fault)) {
        if (dialog->route_count == AHOY_ROUTES_LIMIT ||
            !keep(dialog, route.text, &dialog->routes[dialog->route_count]))
            return ahoy_fail(err, 513, route.text.at, "a shorter route set");
        dialog->route_count++;
    }
    return fault.expected == NULL || ahoy_fail(err, fault.status, fault.at, fault.expected);
}

/* What both sides take of the message that makes the dialog. */
static bool take_way(struct ahoy_dialog *dialog, const struct ahoy_message *message,
                     struct ahoy_err *err)
{
    clear(dialog);
    return take_target(dialog, message, err) && keep_routes(dialog, message, err);
}

bool ahoy_dialog_from_request(struct ahoy_dialog *dialog, const struct ahoy_message *request,
                              const struct ahoy_routing *routing, struct span local_tag,
                              struct ahoy_err *err)
{
    if (!take_way(dialog, request, err))
        return false;
    dialog->remote_cseq = routing->cseq.number;
    dialog->has_remote_cseq = true;
    const struct names names = { .local_uri = routing->to.uri.text,
                                 .local_tag = local_tag,
                                 .remote_uri = routing->from.uri.text,
                                 .remote_tag = routing->from_tag,
                                 .call_id = routing->call_id };
    return keep_names(dialog, &names) ||
           ahoy_fail(err, 513, request->bytes.at, "a shorter From, To or Call-ID");
}

bool ahoy_dialog_from_notify(struct ahoy_dialog *dialog, const struct ahoy_message *notify,
                             const struct ahoy_routing *routing, struct ahoy_err *err)
{
    uint32_t cseq = dialog->local_cseq;
    char tag[AHOY_TOKEN_SIZE]; /* Ours, which the dialog's own text holds so far. */
    memcpy(tag, dialog->local_tag.at, sizeof tag);
    bool made =
        ahoy_dialog_from_request(dialog, notify, routing, (struct span){ tag, sizeof tag }, err);
    dialog->local_cseq = cseq;
    return made;
}

/* Whether |skimmed|, of a response, is the URI |known|, which has gone into requests of ours; empty
 * where there is none yet. */
static bool is_known(const struct ahoy_address *skimmed, struct span known)
{
    return known.size > 0 && ahoy_span_equal(skimmed->uri.text, known);
}

/* Whether it has one that may go into requests of ours; one that |is_old| has. */
static bool is_sound(const struct ahoy_address *skimmed, bool is_old, struct ahoy_err *err)
{
    if (is_old)
        return true;
    struct ahoy_address address;
    return ahoy_address_parse(skimmed->text, &address, err);
}

void ahoy_dialog_asked(struct ahoy_dialog *dialog, const struct ahoy_dialog *caller, uint32_t cseq)
{
    dialog->call_id = caller->call_id;
    dialog->local_tag = caller->local_tag;
    dialog->local_cseq = cseq;
}

/* What the request said: Call-ID, local tag and number are that, whatever its response says
 * (R3261-12.1.2-7, -9, -10). */
struct asked {
    bool is_known; /* |dialog| has them, tokens of ours. */
    char call_id[AHOY_TOKEN_SIZE], tag[AHOY_TOKEN_SIZE];
    uint32_t cseq;
    struct ahoy_routing routing; /* Room for one that says so. */
};

/* They stand where the texts of the response will be. */
static void note_asked(const struct ahoy_dialog *dialog, struct asked *asked)
{
    asked->is_known =
        dialog->call_id.size == AHOY_TOKEN_SIZE && dialog->local_tag.size == AHOY_TOKEN_SIZE;
    if (!asked->is_known)
        return;
    memcpy(asked->call_id, dialog->call_id.at, AHOY_TOKEN_SIZE);
    memcpy(asked->tag, dialog->local_tag.at, AHOY_TOKEN_SIZE);
    asked->cseq = dialog->local_cseq;
}

/* |routing| where that says the same as the request; else what does. */
static const struct ahoy_routing *as_asked(struct asked *asked, const struct ahoy_routing *routing)
{
    const struct span call_id = { asked->call_id, AHOY_TOKEN_SIZE };
    const struct span tag = { asked->tag, AHOY_TOKEN_SIZE };
    if (!asked->is_known ||
        (ahoy_span_equal(call_id, routing->call_id) && ahoy_span_equal(tag, routing->from_tag) &&
         asked->cseq == routing->cseq.number))
        return routing;
    asked->routing = *routing;
    asked->routing.call_id = call_id;
    asked->routing.from_tag = tag;
    asked->routing.cseq.number = asked->cseq;
    return &asked->routing;
}

/* The response was none; those to come find what the request said. */
static void be_as_asked(struct ahoy_dialog *dialog, const struct asked *asked)
{
    clear(dialog);
    dialog->call_id = dialog->local_tag = dialog->remote_tag = SPAN("");
    dialog->target_size = 0;
    if (!asked->is_known)
        return;
    dialog->local_cseq = asked->cseq;
    (void)keep(dialog, (struct span){ asked->call_id, AHOY_TOKEN_SIZE }, &dialog->call_id);
    (void)keep(dialog, (struct span){ asked->tag, AHOY_TOKEN_SIZE }, &dialog->local_tag);
}

static bool take_response(struct ahoy_dialog *dialog, const struct ahoy_message *response,
                          const struct ahoy_routing *routing, struct ahoy_err *err)
{
    /* They are where the texts of the response will be. */
    bool knows_local = is_known(&routing->from, dialog->local_uri);
    bool knows_remote = is_known(&routing->to, dialog->remote_uri);
    if (!take_way(dialog, response, err))
        return false;
    /* The caller sees Record-Route from its far end: R3261-12.1.2-3. */
    for (size_t i = 0; i < dialog->route_count / 2; i++) {
        struct span *a = &dialog->routes[i];
        struct span *b = &dialog->routes[dialog->route_count - 1 - i];
        struct span swap = *a;
        *a = *b;
        *b = swap;
    }
    dialog->local_cseq = routing->cseq.number;
    if (!is_sound(&routing->from, knows_local, err) || !is_sound(&routing->to, knows_remote, err))
        return false;
    const struct names names = { .local_uri = routing->from.uri.text,
                                 .local_tag = routing->from_tag,
                                 .remote_uri = routing->to.uri.text,
                                 .remote_tag = routing->to_tag,
                                 .call_id = routing->call_id };
    return keep_names(dialog, &names) ||
           ahoy_fail(err, 513, response->bytes.at, "a shorter From, To or Call-ID");
}

bool ahoy_dialog_from_response(struct ahoy_dialog *dialog, const struct ahoy_message *response,
                               const struct ahoy_routing *told, struct ahoy_err *err)
{
    AHOY_UNSET struct asked asked;
    note_asked(dialog, &asked);
    if (take_response(dialog, response, as_asked(&asked, told), err))
        return true;
    be_as_asked(dialog, &asked);
    return false;
}

void ahoy_dialog_confirm(struct ahoy_dialog *dialog, struct ahoy_dialog *early)
{
    if (early->local_cseq > dialog->local_cseq)
        dialog->local_cseq = early->local_cseq;
    dialog->remote_cseq = early->remote_cseq;
    dialog->has_remote_cseq = early->has_remote_cseq;
    dialog->offers = early->offers;
    dialog->agreed = early->agreed;
    dialog->takes_update = early->takes_update;
    dialog->rseq = early->rseq;
    dialog->prack = early->prack;
    free(dialog->ice);
    dialog->ice = early->ice;
    dialog->ice_size = early->ice_size;
    early->ice = NULL;
    early->ice_size = 0;
}

bool ahoy_dialog_matches(const struct ahoy_dialog *dialog, const struct ahoy_routing *routing)
{
    return ahoy_span_equal(dialog->call_id, routing->call_id) &&
           ahoy_span_equal_nocase(dialog->local_tag, routing->to_tag) &&
           ahoy_span_equal_nocase(dialog->remote_tag, routing->from_tag);
}

bool ahoy_dialog_take_cseq(struct ahoy_dialog *dialog, uint32_t cseq)
{
    if (dialog->has_remote_cseq && cseq < dialog->remote_cseq)
        return false;
    dialog->remote_cseq = cseq;
    dialog->has_remote_cseq = true;
    return true;
}

void ahoy_dialog_refresh(struct ahoy_dialog *dialog, const struct ahoy_message *message)
{
    /* One that is too long leaves the old target, by which the peer was reached so far. */
    (void)take_target(dialog, message, NULL);
}

/* Whether the first route is a strict router's, without ;lr (RFC 2543): |uri| is its URI then. */
static bool strict_route(const struct ahoy_dialog *dialog, struct span *uri)
{
    if (dialog->route_count == 0)
        return false;
    struct ahoy_address address;
    struct span value;
    if (!ahoy_address_parse(dialog->routes[0], &address, NULL) ||
        ahoy_uri_param(&address.uri, SPAN("lr"), &value))
        return false;
    *uri = without_headers(&address.uri);
    return true;
}

struct span ahoy_dialog_request_uri(const struct ahoy_dialog *dialog)
{
    struct span uri = ahoy_dialog_target(dialog);
    (void)strict_route(dialog, &uri); /* Else it is the target. */
    return uri;
}

static void put_routes(const struct ahoy_dialog *dialog, bool strict, struct ahoy_buf *rows)
{
    for (size_t i = strict ? 1 : 0; i < dialog->route_count; i++) {
        ahoy_buf_put(rows, SPAN("Route: "));
        ahoy_buf_put(rows, dialog->routes[i]);
        ahoy_buf_put(rows, SPAN("\r\n"));
    }
    if (strict) { /* R3261-12.2.1.1-16 */
        ahoy_buf_put(rows, SPAN("Route: <"));
        ahoy_buf_put(rows, ahoy_dialog_target(dialog));
        ahoy_buf_put(rows, SPAN(">\r\n"));
    }
}

void ahoy_dialog_print(const struct ahoy_dialog *dialog, enum ahoy_method method, uint32_t cseq,
                       struct ahoy_buf *line, struct ahoy_buf *rows)
{
    struct span uri = ahoy_dialog_target(dialog);
    bool strict = strict_route(dialog, &uri);
    ahoy_buf_put(line, ahoy_method_name(method));
    ahoy_buf_put_byte(line, ' ');
    ahoy_buf_put(line, uri);
    ahoy_buf_put(line, SPAN(" SIP/2.0\r\n"));
    put_routes(dialog, strict, rows);
    ahoy_buf_put(rows, dialog->rows);
    ahoy_buf_put_number(rows, cseq);
    ahoy_buf_put_byte(rows, ' ');
    ahoy_buf_put(rows, ahoy_method_name(method));
    ahoy_buf_put(rows, SPAN("\r\n"));
}

bool ahoy_dialog_is_sips(const struct ahoy_dialog *dialog)
{
    if (ahoy_span_starts_nocase(ahoy_dialog_target(dialog), SPAN("sips:")))
        return true;
    if (dialog->route_count == 0)
        return false;
    struct ahoy_address route;
    return ahoy_address_parse(dialog->routes[0], &route, NULL) &&
           route.uri.scheme == AHOY_SCHEME_SIPS;
}

bool ahoy_dialog_next_hop(const struct ahoy_dialog *dialog, struct ahoy_uri *uri)
{
    struct ahoy_address address;
    if (dialog->route_count == 0)
        return ahoy_uri_parse(ahoy_dialog_target(dialog), uri, NULL);
    if (!ahoy_address_parse(dialog->routes[0], &address, NULL))
        return false;
    *uri = address.uri;
    return true;
}
