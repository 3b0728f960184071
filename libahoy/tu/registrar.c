/* The registrar's rules: RFC 3261 10.3, steps 6 to 8. */
#include "libahoy/tu/registrar.h"

#include "libahoy/base/unset.h"
#include "libahoy/tu/push.h"
#include "libahoy/tu/registrar_gruu.h"
#include "libahoy/tu/registrar_outbound.h"

enum {
    EXPIRES_WHERE_UNREADABLE_S = 3600, /* 20.10, 20.19 */
    MIN_EXPIRES_BELOW_S = 3600         /* Only a shorter wish may be answered 423. */
};

/* delta-seconds: more than 32 bits hold is as long as can be; what is no number is an hour. */
static uint32_t read_delta_seconds(struct span text)
{
    uint64_t value;
    if (ahoy_span_number(text, UINT32_MAX, &value))
        return (uint32_t)value;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return EXPIRES_WHERE_UNREADABLE_S;
    }
    return text.size > 0 ? UINT32_MAX : EXPIRES_WHERE_UNREADABLE_S;
}

/* What counts for a contact without an expires parameter: R3261-10.3-17, -18. */
static uint32_t common_expires(const struct ahoy_message *request,
                               const struct ahoy_registrar_limits *limits)
{
    if (ahoy_message_first(request, AHOY_HEADER_EXPIRES) == NULL)
        return limits->default_expires_s;
    return read_delta_seconds(ahoy_message_value(request, AHOY_HEADER_EXPIRES));
}

/* qvalue: "0.5" in thousandths; at most three decimals, and none but zeros behind a one. */
bool ahoy_registrar_read_q(struct span text, uint16_t *q)
{
    uint64_t decimals = 0;
    struct span tail = text.size > 2 ? ahoy_span_after(text, 2) : SPAN("");
    if (text.size == 0 || text.size > 5 || (text.at[0] != '0' && text.at[0] != '1'))
        return false;
    if (text.size > 1 && text.at[1] != '.')
        return false;
    if (tail.size > 0 && !ahoy_span_number(tail, 999, &decimals))
        return false;
    for (size_t i = tail.size; i < 3; i++)
        decimals *= 10;
    if (text.at[0] == '1' && decimals > 0)
        return false;
    *q = (uint16_t)(text.at[0] == '1' ? 1000 : decimals);
    return true;
}

/* Those of a contact that mean something here. */
enum contact_param { EXPIRES, Q, INSTANCE, REG_ID, CONTACT_PARAMS };

/* Each is read where it stays: a copy of what was written by parts just now makes a processor
 * wait. */
struct contact_params {
    const struct ahoy_param *found[CONTACT_PARAMS]; /* Without a name where they are absent. */
    struct ahoy_param space[CONTACT_PARAMS + 1];    /* The last is for one that means nothing. */
};

static enum contact_param meaning_of(struct span name)
{
    static const struct span names[CONTACT_PARAMS] = { [EXPIRES] = SPAN_INIT("expires"),
                                                       [Q] = SPAN_INIT("q"),
                                                       [INSTANCE] = SPAN_INIT("+sip.instance"),
                                                       [REG_ID] = SPAN_INIT("reg-id") };
    size_t i = 0;
    while (i < CONTACT_PARAMS && !ahoy_span_equal_nocase(name, names[i]))
        i++;
    return (enum contact_param)i;
}

static void find_contact_params(struct span params, struct contact_params *read)
{
    static const struct ahoy_param none = { .name = SPAN_INIT(""), .value = SPAN_INIT("") };
    struct ahoy_param *next = read->space;
    for (size_t i = 0; i < CONTACT_PARAMS; i++)
        read->found[i] = &none;
    while (ahoy_param_next(&params, next, NULL)) {
        enum contact_param which = meaning_of(next->name);
        if (which < CONTACT_PARAMS && read->found[which] == &none) /* The first one counts. */
            read->found[which] = next++;
    }
}

static bool read_contact_params(struct span params, uint32_t expires_s,
                                struct ahoy_asked_contact *asked, struct ahoy_err *err)
{
    AHOY_UNSET struct contact_params read;
    find_contact_params(params, &read);
    const struct ahoy_param *expires = read.found[EXPIRES], *q = read.found[Q];
    asked->q = 1000;
    asked->expires_s = expires_s;
    if (expires->name.size > 0)
        asked->expires_s = read_delta_seconds(expires->value); /* R3261-10.3-16 */
    if (q->name.size > 0 && !ahoy_registrar_read_q(q->value, &asked->q))
        return ahoy_fail(err, 400, q->name.at, "a q from 0 to 1 with three decimals at most");
    return ahoy_registrar_read_instance(read.found[INSTANCE], read.found[REG_ID], asked, err);
}

static bool keep_to_limits(const struct ahoy_registrar_limits *limits, struct span contact,
                           struct ahoy_asked_contact *asked, struct ahoy_err *err)
{
    if (asked->expires_s > 0 && asked->expires_s < limits->min_expires_s &&
        asked->expires_s < MIN_EXPIRES_BELOW_S)
        return ahoy_fail(err, 423, contact.at, "a longer interval"); /* R3261-10.3-19 */
    if (asked->expires_s > limits->max_expires_s)
        asked->expires_s = limits->max_expires_s;
    return true;
}

static bool read_contact(struct span text, const struct ahoy_address *known, uint32_t expires_s,
                         const struct ahoy_registrar_limits *limits, struct ahoy_register *read,
                         struct ahoy_err *err)
{
    struct ahoy_asked_contact *asked = &read->asks.asked[read->asks.count];
    AHOY_UNSET struct ahoy_address other;
    const struct ahoy_address *address = known;
    if (known == NULL || known->text.at != text.at || known->text.size != text.size) {
        address = &other;
        if (!ahoy_address_parse(text, &other, err))
            return false;
    }
    if (address->uri.scheme == AHOY_SCHEME_OTHER)
        return ahoy_fail(err, 403, text.at, "a sip or sips URI"); /* R5627-5.1-3 */
    if (address->uri.text.size > AHOY_CONTACT_LIMIT)
        return ahoy_fail(err, 400, text.at, "a contact of at most 1,024 bytes");
    read->uris[read->asks.count] = address->uri;
    asked->contact = address->uri.text;
    asked->params = ahoy_span_trim(address->params);
    if (asked->params.size > AHOY_CONTACT_PARAMS_LIMIT)
        return ahoy_fail(err, 400, text.at, "at most 512 bytes of parameters");
    return read_contact_params(address->params, expires_s, asked, err) &&
           keep_to_limits(limits, text, asked, err);
}

/* "Contact: *" is for all bindings, and for removing them only: R3261-10.2.2-1, R3261-10.3-12. */
static bool read_star(const struct ahoy_message *request, struct span star,
                      struct ahoy_registration *registration, struct ahoy_err *err)
{
    uint64_t expires;
    struct span value = ahoy_message_value(request, AHOY_HEADER_EXPIRES);
    if (!ahoy_span_number(value, UINT64_MAX, &expires) || expires != 0)
        return ahoy_fail(err, 400, star.at, "Expires: 0 beside Contact: *");
    registration->remove_all = true;
    return true;
}

static bool read_contacts(const struct ahoy_message *request, const struct ahoy_address *known,
                          const struct ahoy_registrar_limits *limits, struct ahoy_register *read,
                          struct ahoy_err *err)
{
    struct ahoy_registration *registration = &read->asks;
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_CONTACT);
    struct span text;
    struct ahoy_err fault;
    uint32_t expires_s = common_expires(request, limits);
    while (ahoy_values_next(&values, &text, &fault)) {
        bool is_star = ahoy_span_equal(text, SPAN("*"));
        if (registration->remove_all || (is_star && registration->count > 0))
            return ahoy_fail(err, 400, text.at, "no contact beside *");
        if (is_star) {
            if (!read_star(request, text, registration, err))
                return false;
            continue;
        }
        if (registration->count == AHOY_BINDINGS_LIMIT)
            return ahoy_fail(err, 403, text.at, "fewer contacts");
        if (!read_contact(text, known, expires_s, limits, read, err))
            return false;
        registration->count++;
    }
    return fault.expected == NULL || ahoy_fail(err, fault.status, fault.at, fault.expected);
}

/* What is reached safely only must be registered safely (R5630-5.2-2, R5630-5.2-3). */
static bool check_schemes(const struct ahoy_registration *registration,
                          const struct ahoy_uri *request_uri, struct ahoy_err *err)
{
    size_t safe = 0;
    for (size_t i = 0; i < registration->count; i++)
        safe += ahoy_span_starts_nocase(registration->asked[i].contact, SPAN("sips:"));
    bool all = safe == registration->count && request_uri->scheme == AHOY_SCHEME_SIPS;
    return safe == 0 || all ||
           ahoy_fail(err, 400, request_uri->text.at, "sips in all contacts and the Request-URI");
}

bool ahoy_register_parse(const struct ahoy_message *request, const struct ahoy_routing *routing,
                         const struct ahoy_address *contact, const struct ahoy_hop *hop,
                         const struct ahoy_registrar_limits *limits, struct ahoy_register *read,
                         struct ahoy_err *err)
{
    struct ahoy_registration *registration = &read->asks;
    registration->remove_all = false;
    registration->count = 0;
    registration->call_id = routing->call_id;
    registration->cseq = routing->cseq.number;
    registration->hop = *hop;
    registration->contacts = limits->contacts;
    registration->is_pushed = ahoy_push_is_done(request);
    if (routing->call_id.size > AHOY_BINDING_CALL_ID_LIMIT)
        return ahoy_fail(err, 400, routing->call_id.at, "a Call-ID of at most 256 bytes");
    return read_contacts(request, contact, limits, read, err) &&
           check_schemes(registration, &routing->request_uri, err) &&
           ahoy_registrar_read_outbound(request, read, err);
}

/* A contact, which is parsed where its text alone does not tell. */
struct place {
    struct span text;
    bool is_parsed;
    struct ahoy_uri uri;
};

/* What a request does to the bindings that there are. */
struct change {
    const struct ahoy_bindings *current;
    const struct ahoy_registration *registration;
    uint64_t now_ms;
    struct place *places;              /* Of what is asked. */
    bool settled[AHOY_BINDINGS_LIMIT]; /* Each asked contact that has had its effect. */
};

enum { NOT_ASKED = AHOY_BINDINGS_LIMIT };

/* What a binding is known by. */
struct key {
    struct place *place;
    struct span instance;
    uint32_t reg_id;
};

static bool parse_place(struct place *place)
{
    place->is_parsed = place->is_parsed || ahoy_uri_parse(place->text, &place->uri, NULL);
    return place->is_parsed;
}

static bool is_same_place(struct place *a, struct place *b)
{
    return ahoy_span_equal(a->text, b->text) ||
           (parse_place(a) && parse_place(b) && ahoy_uri_equal(&a->uri, &b->uri));
}

static struct key key_of_asked(const struct change *change, size_t index)
{
    const struct ahoy_asked_contact *asked = &change->registration->asked[index];
    return (struct key){ &change->places[index], asked->instance, asked->reg_id };
}

/* A flow of an instance is known by that and nothing else: RFC 5626 6. */
static bool is_same(const struct key *a, const struct key *b)
{
    if (a->reg_id != b->reg_id)
        return false;
    return a->reg_id != 0 ? ahoy_span_equal(a->instance, b->instance)
                          : is_same_place(a->place, b->place);
}

/* Whether the contact that is asked for means the binding of |key|.  To be removed it may be named
 * by its URI alone. */
static bool means(const struct change *change, size_t index, const struct key *key)
{
    struct key asked = key_of_asked(change, index);
    bool removes = change->registration->asked[index].expires_s == 0 && asked.reg_id == 0;
    return is_same(&asked, key) || (removes && is_same_place(asked.place, key->place));
}

/* The asked contact that means |key|; the last one where the request names it twice. */
static size_t find_asked(const struct change *change, const struct key *key)
{
    for (size_t i = change->registration->count; i > 0; i--) {
        if (means(change, i - 1, key))
            return i - 1;
    }
    return NOT_ASKED;
}

static size_t find_binding(const struct change *change, const struct ahoy_binding *binding)
{
    AHOY_UNSET struct place place;
    const struct key key = { &place, binding->instance, binding->reg_id };
    place.text = binding->contact;
    place.is_parsed = false;
    return find_asked(change, &key);
}

/* Of one call a later request only may change a binding: R3261-10.3-14, -15, -21, -22. */
static bool check_order(const struct change *change, const struct ahoy_binding *binding,
                        struct ahoy_err *err)
{
    const struct ahoy_registration *registration = change->registration;
    if (ahoy_span_equal(binding->call_id, registration->call_id) &&
        registration->cseq <= binding->cseq)
        return ahoy_fail(err, 500, registration->call_id.at, "a higher CSeq");
    return true;
}

static bool put_asked(struct change *change, size_t index, struct ahoy_bindings *next,
                      struct ahoy_err *err)
{
    const struct ahoy_registration *registration = change->registration;
    const struct ahoy_asked_contact *asked = &registration->asked[index];
    if (change->settled[index] || asked->expires_s == 0)
        return true;
    change->settled[index] = true;
    const struct ahoy_binding binding = {
        .contact = asked->contact,
        .params = asked->params,
        .instance = asked->instance,
        .reg_id = asked->reg_id,
        .path = registration->path,
        .updated_ms = change->now_ms,
        .era_ms =
            ahoy_registrar_era(change->current, registration, asked->instance, change->now_ms),
        .call_id = registration->call_id,
        .cseq = registration->cseq,
        .q = asked->q,
        .expires_ms = change->now_ms + asked->expires_s * UINT64_C(1000),
        .hop = registration->hop,
    };
    return ahoy_bindings_add(next, &binding) ||
           ahoy_fail(err, 403, asked->contact.at, "fewer contacts");
}

/* One that the request does not name, but perhaps its instance: R5627-5.1-6. */
static bool keep_old(const struct change *change, const struct ahoy_binding *binding,
                     struct ahoy_bindings *next)
{
    struct ahoy_binding kept = *binding;
    kept.era_ms = ahoy_registrar_era(change->current, change->registration, binding->instance,
                                     change->now_ms);
    return ahoy_bindings_add(next, &kept);
}

/* What becomes of the bindings that there are, each in its place. */
static bool change_old(struct change *change, struct ahoy_bindings *next, struct ahoy_err *err)
{
    for (size_t i = 0; i < change->current->count; i++) {
        const struct ahoy_binding *binding = &change->current->list[i];
        if (binding->expires_ms <= change->now_ms)
            continue;
        size_t index = NOT_ASKED;
        if (!change->registration->remove_all)
            index = find_binding(change, binding);
        bool touched = change->registration->remove_all || index != NOT_ASKED;
        if (touched && !check_order(change, binding, err))
            return false;
        if (!touched && !keep_old(change, binding, next))
            return ahoy_fail(err, 403, binding->contact.at, "fewer contacts");
        if (index != NOT_ASKED && !put_asked(change, index, next, err))
            return false;
    }
    return true;
}

/* Whether the request does not name the same binding again behind this one. */
static bool is_last(const struct change *change, size_t index)
{
    const struct key key = key_of_asked(change, index);
    for (size_t i = index + 1; i < change->registration->count; i++) {
        const struct key other = key_of_asked(change, i);
        if (is_same(&key, &other))
            return false;
    }
    return true;
}

/* Bindings that there were not, each once.  Those that were there may be more than are allowed
 * now: they are refreshed, and no other is added. */
static bool add_new(struct change *change, struct ahoy_bindings *next, struct ahoy_err *err)
{
    const struct ahoy_registration *registration = change->registration;
    for (size_t i = 0; i < registration->count; i++) {
        const struct ahoy_asked_contact *asked = &registration->asked[i];
        if (change->settled[i] || asked->expires_s == 0 || !is_last(change, i))
            continue;
        if (registration->contacts > 0 && next->count >= registration->contacts)
            return ahoy_fail(err, 403, asked->contact.at, "fewer contacts");
        if (!put_asked(change, i, next, err))
            return false;
    }
    return true;
}

bool ahoy_registrar_apply(const struct ahoy_bindings *current,
                          const struct ahoy_registration *registration, uint64_t now_ms,
                          struct ahoy_bindings *next, struct ahoy_err *err)
{
    AHOY_UNSET struct place places[AHOY_BINDINGS_LIMIT];
    AHOY_UNSET struct change change;
    change.places = places;
    change.current = current;
    change.registration = registration;
    change.now_ms = now_ms;
    ahoy_bindings_init(next);
    for (size_t i = 0; i < registration->count; i++) {
        change.settled[i] = false;
        places[i].text = registration->asked[i].contact;
        places[i].is_parsed = false;
    }
    return change_old(&change, next, err) && add_new(&change, next, err);
}

void ahoy_registrar_print_q(uint16_t q, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("0."));
    ahoy_buf_put_byte(buf, (char)('0' + q / 100));
    ahoy_buf_put_byte(buf, (char)('0' + q / 10 % 10));
    ahoy_buf_put_byte(buf, (char)('0' + q % 10));
}

bool ahoy_registrar_is_ours(struct span name)
{
    static const struct span names[] = { SPAN_INIT("expires"), SPAN_INIT("q"),
                                         SPAN_INIT("pub-gruu"), SPAN_INIT("temp-gruu") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ahoy_span_equal_nocase(name, names[i]))
            return true;
    }
    return false;
}

static void print_params(struct span params, struct ahoy_buf *buf)
{
    struct ahoy_param param;
    while (ahoy_param_next(&params, &param, NULL)) {
        if (ahoy_registrar_is_ours(param.name))
            continue;
        ahoy_buf_put_byte(buf, ';');
        ahoy_buf_put(buf, param.name);
        if (param.has_value)
            ahoy_buf_put_byte(buf, '=');
        ahoy_buf_put(buf, param.value);
    }
}

/* One with |contact| in place of its own URI. */
static void print_contact(const struct ahoy_binding *binding, struct span contact, uint64_t now_ms,
                          struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("Contact: <"));
    ahoy_buf_put(buf, contact);
    ahoy_buf_put(buf, SPAN(">;expires=")); /* R3261-10.3-26 */
    /* A second that has begun counts: who asked for 60 shall read 60. */
    ahoy_buf_put_number(buf, (binding->expires_ms - now_ms + 999) / 1000);
    if (binding->q < 1000) {
        ahoy_buf_put(buf, SPAN(";q="));
        ahoy_registrar_print_q(binding->q, buf);
    }
    print_params(binding->params, buf);
}

void ahoy_registrar_print_contact(const struct ahoy_binding *binding, uint64_t now_ms,
                                  struct ahoy_buf *buf)
{
    print_contact(binding, binding->contact, now_ms, buf);
}

void ahoy_registrar_print(const struct ahoy_bindings *bindings, uint64_t now_ms,
                          struct ahoy_buf *buf)
{
    for (size_t i = 0; i < bindings->count; i++) {
        const struct ahoy_binding *binding = &bindings->list[i];
        char space[AHOY_CONTACT_LIMIT];
        struct ahoy_buf contact = ahoy_buf_over(space, sizeof space);
        if (binding->expires_ms <= now_ms)
            continue;
        ahoy_push_print_public(binding->contact, &contact); /* R8599-13-3 */
        print_contact(binding, ahoy_buf_text(&contact), now_ms, buf);
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
}
