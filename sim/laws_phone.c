/* A dialog a Call-ID, a phone and a remote tag. */
#include "sim/laws_phone.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/tu/session.h"
#include "sim/notes.h"

enum { WATCHED_LIMIT = 8, DIALOGS_LIMIT = 256, ASKED_LIMIT = 64, ROUTES_LIMIT = 16 };
enum { BRANCHES_KEPT = 256 };

struct dialog {
    struct ahoy_ip phone;
    uint64_t name;       /* Of its call and the remote tag. */
    uint64_t routes;     /* Its route set, ... */
    bool is_strict;      /* ... whose first goes into the Request-URI (12.2.1.1). */
    uint32_t local_cseq; /* The last one it used; 0 for none. */
    bool is_ended;       /* It has sent BYE. */
};

/* An INVITE that a phone sent. */
struct asked {
    struct ahoy_ip phone;
    uint64_t branch;
    uint64_t call; /* Of Call-ID and local tag. */
    uint32_t cseq;
    uint64_t
        gives_up_ms; /* What comes from then on belongs to nothing: 17.1.1.2, 9.1, RFC 6026 7.2. */
    bool has_end;    /* That is fixed: it was cancelled, or has had a 2xx. */
    unsigned forks;  /* How many have answered with a 2xx. */
};

struct sim_phone_witness {
    struct sim_witness *witness;
    struct ahoy_ip watched[WATCHED_LIMIT];
    size_t watched_count, dialog_count;
    struct dialog dialogs[DIALOGS_LIMIT];
    struct asked asked[ASKED_LIMIT]; /* The last ones, round and round. */
    size_t asked_count;
    /* Of the last requests within dialogs, early ones too: a retransmission has one of them. */
    uint64_t branches[BRANCHES_KEPT];
    size_t branch_count;
    uint64_t owed_ack; /* The call whose 2xx has come and is not acknowledged; 0 for none. */
    uint64_t owed_ms;
    struct ahoy_message message;
    struct ahoy_routing routing;
};

struct sim_phone_witness *sim_phone_witness_new(struct sim_witness *witness)
{
    struct sim_phone_witness *watcher = calloc(1, sizeof *watcher);
    assert(watcher != NULL);
    watcher->witness = witness;
    return watcher;
}

void sim_phone_witness_free(struct sim_phone_witness *watcher)
{
    free(watcher);
}

void sim_phone_witness_add(struct sim_phone_witness *watcher, const struct ahoy_ip *ip)
{
    assert(watcher->watched_count < WATCHED_LIMIT);
    watcher->watched[watcher->watched_count++] = *ip;
}

static bool is_watched(const struct sim_phone_witness *watcher, const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < watcher->watched_count; i++) {
        if (ahoy_ip_equal_host(&watcher->watched[i], ip))
            return true;
    }
    return false;
}

static const struct ahoy_hash_key name_key = { { 9, 10 } };

static uint64_t name_call(struct span call_id, struct span local)
{
    const struct span parts[] = { call_id, SPAN(" "), local };
    return ahoy_siphash_parts(&name_key, parts, 3);
}

static uint64_t name_dialog(uint64_t call, struct span remote)
{
    const struct span parts[] = { { (const char *)&call, sizeof call }, remote };
    return ahoy_siphash_parts(&name_key, parts, 2);
}

static struct dialog *find(struct sim_phone_witness *watcher, const struct ahoy_ip *phone,
                           uint64_t name)
{
    for (size_t i = watcher->dialog_count; i > 0; i--) {
        struct dialog *dialog = &watcher->dialogs[i - 1];
        if (dialog->name == name && ahoy_ip_equal_host(&dialog->phone, phone))
            return dialog;
    }
    return NULL;
}

/* The values of |header| in their order, or in the other one; how many there are. */
static size_t list_routes(const struct ahoy_message *message, enum ahoy_header header,
                          bool reversed, struct span list[ROUTES_LIMIT])
{
    struct ahoy_values values = ahoy_message_values(message, header);
    size_t count = 0;
    while (count < ROUTES_LIMIT && ahoy_values_next(&values, &list[count], NULL))
        count++;
    for (size_t i = 0; reversed && i < count / 2; i++) {
        struct span held = list[i];
        list[i] = list[count - 1 - i];
        list[count - 1 - i] = held;
    }
    return count;
}

static uint64_t hash_routes(const struct span *list, size_t count)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = hash * 31 + sim_hash(list[i]);
    return hash;
}

/* Whether |route| is that of a strict router, whose |uri| has no lr. */
static bool is_strict_route(struct span route, struct span *uri)
{
    struct ahoy_address address;
    struct span value;
    if (!ahoy_address_parse(route, &address, NULL))
        return false;
    *uri = address.uri.text;
    return !ahoy_uri_param(&address.uri, SPAN("lr"), &value);
}

/* The route set that the message at hand gives |dialog|. */
static void note_routes(const struct sim_phone_witness *watcher, struct dialog *dialog,
                        bool is_caller)
{
    struct span list[ROUTES_LIMIT], uri;
    size_t count = list_routes(&watcher->message, AHOY_HEADER_RECORD_ROUTE, is_caller, list);
    dialog->is_strict = count > 0 && is_strict_route(list[0], &uri);
    if (dialog->is_strict)
        list[0] = uri;
    dialog->routes = hash_routes(list, count);
}

/* Law 15: 12.2.1.1.  Behind the Routes to a strict router stands the target, which may change. */
static bool has_routes_of(const struct ahoy_message *request, const struct dialog *dialog)
{
    struct span list[1 + ROUTES_LIMIT] = { request->request_uri };
    size_t count = list_routes(request, AHOY_HEADER_ROUTE, false, list + 1);
    return dialog->routes ==
           (dialog->is_strict ? hash_routes(list, count) : hash_routes(list + 1, count));
}

static void begin(struct sim_phone_witness *watcher, const struct ahoy_ip *phone, uint64_t name,
                  bool is_caller)
{
    if (find(watcher, phone, name) != NULL || watcher->dialog_count == DIALOGS_LIMIT)
        return;
    struct dialog *dialog = &watcher->dialogs[watcher->dialog_count++];
    *dialog = (struct dialog){
        .phone = *phone,
        .name = name,
        .local_cseq = is_caller ? watcher->routing.cseq.number : 0,
    };
    note_routes(watcher, dialog, is_caller);
}

static bool is_success(const struct sim_phone_witness *watcher)
{
    return !watcher->message.is_request && watcher->message.status / 100 == 2 &&
           watcher->routing.cseq.method == AHOY_METHOD_INVITE;
}

/* Whether the request at hand, which is no ACK, has been seen before. */
static bool is_again(struct sim_phone_witness *watcher)
{
    uint64_t branch = sim_hash(watcher->routing.via.branch);
    for (size_t i = 0; i < BRANCHES_KEPT; i++) {
        if (watcher->branches[i] == branch)
            return true;
    }
    watcher->branches[watcher->branch_count++ % BRANCHES_KEPT] = branch;
    return false;
}

/* Laws 13 and 15: a request in a dialog. */
static void judge_request(struct sim_phone_witness *watcher, const struct ahoy_ip *phone)
{
    const struct ahoy_routing *routing = &watcher->routing;
    uint64_t call = name_call(routing->call_id, routing->from_tag);
    struct dialog *dialog = find(watcher, phone, name_dialog(call, routing->to_tag));
    if (routing->to_tag.size == 0 ||
        (watcher->message.method != AHOY_METHOD_ACK && is_again(watcher)) || dialog == NULL)
        return;
    /* A fork that was given up is acknowledged by what its 2xx says, each time that one comes. */
    bool is_late = watcher->message.method == AHOY_METHOD_ACK && dialog->is_ended;
    if (!is_late && !has_routes_of(&watcher->message, dialog))
        sim_witness_break(watcher->witness, 15, "a phone's request has another route set");
    if (watcher->message.method == AHOY_METHOD_ACK)
        return;
    dialog->is_ended |= watcher->message.method == AHOY_METHOD_BYE;
    if (routing->cseq.number <= dialog->local_cseq)
        sim_witness_break(watcher->witness, 13, "CSeq %u after %u", routing->cseq.number,
                          dialog->local_cseq);
    dialog->local_cseq = routing->cseq.number;
}

static struct asked *find_asked(struct sim_phone_witness *watcher, const struct ahoy_ip *phone)
{
    uint64_t branch = sim_hash(watcher->routing.via.branch);
    for (size_t i = 0; i < ASKED_LIMIT; i++) {
        struct asked *asked = &watcher->asked[i];
        if (asked->branch == branch && ahoy_ip_equal_host(&asked->phone, phone))
            return asked;
    }
    return NULL;
}

/* An INVITE or a CANCEL leaves. */
static void note_invite(struct sim_phone_witness *watcher, const struct ahoy_ip *phone)
{
    const struct ahoy_routing *routing = &watcher->routing;
    uint64_t end_ms = sim_world_now(watcher->witness->world) + SIM_64T1_MS;
    struct asked *asked = find_asked(watcher, phone);
    if (watcher->message.method == AHOY_METHOD_CANCEL && asked != NULL && !asked->has_end) {
        asked->has_end = true;
        asked->gives_up_ms = end_ms;
    }
    if (watcher->message.method != AHOY_METHOD_INVITE || asked != NULL)
        return;
    watcher->asked[watcher->asked_count++ % ASKED_LIMIT] =
        (struct asked){ .phone = *phone,
                        .branch = sim_hash(routing->via.branch),
                        .call = name_call(routing->call_id, routing->from_tag),
                        .cseq = routing->cseq.number,
                        .gives_up_ms = end_ms };
}

/* A response to one has come in time: how long more may come. */
static void note_answer(const struct sim_phone_witness *watcher, struct asked *asked)
{
    if (asked->has_end)
        return;
    asked->gives_up_ms = UINT64_MAX;
    asked->has_end = watcher->message.status / 100 == 2;
    if (asked->has_end)
        asked->gives_up_ms = sim_world_now(watcher->witness->world) + SIM_64T1_MS;
}

static void see_sent(struct sim_phone_witness *watcher, const struct ahoy_ip *phone)
{
    const struct ahoy_routing *routing = &watcher->routing;
    if (is_success(watcher))
        begin(watcher, phone,
              name_dialog(name_call(routing->call_id, routing->to_tag), routing->from_tag), false);
    if (!watcher->message.is_request)
        return;
    note_invite(watcher, phone);
    if (watcher->message.method == AHOY_METHOD_ACK &&
        watcher->owed_ack == name_call(routing->call_id, routing->from_tag))
        watcher->owed_ack = 0;
    if (watcher->message.method != AHOY_METHOD_CANCEL)
        judge_request(watcher, phone);
}

/* Law 8: the ACK leaves in the same instant. */
static void judge_acks(struct sim_phone_witness *watcher)
{
    if (watcher->owed_ack != 0 && sim_world_now(watcher->witness->world) > watcher->owed_ms)
        sim_witness_break(watcher->witness, 8, "a phone does not acknowledge a 2xx");
}

/* Whether all values of |header| are addresses, and sip ones where they must be. */
static bool has_addresses(const struct ahoy_message *message, enum ahoy_header header, bool must)
{
    struct ahoy_values values = ahoy_message_values(message, header);
    struct span text;
    struct ahoy_address address;
    while (ahoy_values_next(&values, &text, NULL)) {
        if (!ahoy_address_parse(text, &address, NULL) ||
            (must && address.uri.scheme == AHOY_SCHEME_OTHER))
            return false;
    }
    return true;
}

/* Whether the response at hand came to |phone|, and answers |asked|, which is found by its branch:
 * 17.1.3, 18.1.2.  What else it says names nothing. */
static bool is_answer(const struct sim_phone_witness *watcher, const struct ahoy_ip *phone,
                      const struct asked *asked)
{
    const struct ahoy_routing *routing = &watcher->routing;
    struct ahoy_ip sent_by;
    return asked != NULL && !watcher->message.is_request &&
           routing->cseq.method == AHOY_METHOD_INVITE &&
           sim_world_now(watcher->witness->world) < asked->gives_up_ms &&
           ahoy_ip_parse(routing->via.host, &sent_by) && ahoy_ip_equal_host(&sent_by, phone) &&
           sim_sent_by_port(&routing->via) == phone->port;
}

/* Whether the 2xx at hand says whom to send the ACK to: 12.1.2 needs Contact and Record-Route.  A
 * route with a URI that nobody knows is one all the same. */
static bool makes_dialog(const struct ahoy_message *message)
{
    return ahoy_message_check(message, NULL) &&
           ahoy_message_first(message, AHOY_HEADER_CONTACT) != NULL &&
           has_addresses(message, AHOY_HEADER_CONTACT, true) &&
           has_addresses(message, AHOY_HEADER_RECORD_ROUTE, false);
}

/* Whether the ACK to it goes by UDP, which is all that a phone here has: 12.2.1.1, 8.1.2.  What
 * cannot be located goes to the server. */
static bool is_acked_by_datagram(const struct ahoy_message *message)
{
    struct span list[ROUTES_LIMIT];
    struct ahoy_address contact, next;
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    if (list_routes(message, AHOY_HEADER_CONTACT, false, list) == 0 ||
        !ahoy_address_parse(list[0], &contact, NULL))
        return true;
    size_t count = list_routes(message, AHOY_HEADER_RECORD_ROUTE, true, list);
    if (count == 0 || !ahoy_address_parse(list[0], &next, NULL))
        next = contact;
    if (contact.uri.scheme == AHOY_SCHEME_SIPS || next.uri.scheme == AHOY_SCHEME_SIPS)
        return false; /* By TLS, or not at all. */
    return !ahoy_locate(&next.uri, &transport, &ip, NULL) || transport == AHOY_UDP;
}

static void see_arrived(struct sim_phone_witness *watcher, const struct ahoy_ip *phone)
{
    const struct ahoy_routing *routing = &watcher->routing;
    uint64_t transaction = sim_hash(routing->via.branch);
    struct asked *asked = find_asked(watcher, phone);
    if (!is_answer(watcher, phone, asked))
        return;
    uint64_t name = name_dialog(asked->call, routing->to_tag);
    note_answer(watcher, asked);
    if (watcher->message.status >= 300)
        begin(watcher, phone, transaction, true); /* Whatever comes behind it means nothing. */
    if (!is_success(watcher) || routing->to_tag.size == 0 || !makes_dialog(&watcher->message) ||
        find(watcher, phone, transaction) != NULL)
        return;
    bool is_new = find(watcher, phone, name) == NULL;
    asked->forks += is_new;
    watcher->routing.cseq.number = asked->cseq; /* Whatever it says: 12.1.2. */
    begin(watcher, phone, name, true);
    if (!is_new || watcher->dialog_count == DIALOGS_LIMIT ||
        asked->forks > 1 + AHOY_SESSION_FORKS_LIMIT || !is_acked_by_datagram(&watcher->message))
        return; /* It has forgotten, and rightly; or never wanted to know. */
    watcher->owed_ack = asked->call;
    watcher->owed_ms = sim_world_now(watcher->witness->world);
}

void sim_phone_witness_see(struct sim_phone_witness *watcher, enum sim_passage passage,
                           const struct sim_packet *packet)
{
    judge_acks(watcher);
    bool is_sent = passage != SIM_ARRIVED && is_watched(watcher, &packet->from);
    bool has_come = passage == SIM_ARRIVED && is_watched(watcher, &packet->to);
    if ((!is_sent && !has_come) || !ahoy_message_parse(packet->bytes, &watcher->message, NULL) ||
        !ahoy_message_routing(&watcher->message, &watcher->routing, NULL))
        return;
    if (is_sent)
        see_sent(watcher, &packet->from);
    else
        see_arrived(watcher, &packet->to);
}

void sim_laws_print(const struct sim_world *world, enum sim_passage passage,
                    const struct sim_packet *packet)
{
    static struct ahoy_message message;
    struct ahoy_via via = { 0 };
    const struct sim_node *from = sim_world_node(world, &packet->from);
    const struct sim_node *to = sim_world_node(world, &packet->to);
    bool is_sent = from != NULL && strcmp(from->name, "proxy") == 0;
    if ((packet->kind != SIM_DATAGRAM && packet->kind != SIM_BYTES) ||
        passage == (is_sent ? SIM_ARRIVED : SIM_LEFT))
        return;
    (void)ahoy_message_parse(packet->bytes, &message, NULL); /* Then little is known of it. */
    (void)ahoy_via_parse(ahoy_message_value(&message, AHOY_HEADER_VIA), &via, NULL); /* Too. */
    struct span cseq = ahoy_message_value(&message, AHOY_HEADER_CSEQ);
    struct span call_id = ahoy_message_value(&message, AHOY_HEADER_CALL_ID);
    struct span line = ahoy_span_trim(message.start_line);
    printf("[%7llu] %-6s> %-6s %.*s  (%.*s, %.*s, %.*s)%s%s\n",
           (unsigned long long)(sim_world_now(world) - sim_world_epoch()),
           from == NULL ? "?" : from->name, to == NULL ? "?" : to->name, (int)line.size, line.at,
           (int)cseq.size, cseq.at, (int)call_id.size, call_id.at, (int)via.branch.size,
           via.branch.at, packet->kind == SIM_BYTES ? "  bytes" : "",
           passage == SIM_LOST_ON_ITS_WAY ? "  lost" : "");
}
