/* Contacts are strangers' bytes: all of them are escaped, and what XML cannot hold at all becomes
 * U+FFFD. */
#include "libahoy/tu/reginfo.h"

#include "libahoy/base/utf8.h"
#include "libahoy/syntax/params.h"
#include "libahoy/tu/push.h"
#include "libahoy/tu/registrar.h"
#include "libahoy/tu/subscription.h"

const struct ahoy_event_package ahoy_event_reg = {
    .name = SPAN_INIT("reg"),
    .media_type = SPAN_INIT("application/reginfo+xml"),
    .default_s = 3761, /* RFC 3680 4.4 */
    .pause_ms = 5000,  /* RFC 3680 4.10 */
    .print = ahoy_reginfo_print,
};

static const struct {
    struct span word;
    bool is_active;
} events[] = {
    [AHOY_REGINFO_REGISTERED] = { SPAN_INIT("registered"), true },
    [AHOY_REGINFO_REFRESHED] = { SPAN_INIT("refreshed"), true },
    [AHOY_REGINFO_EXPIRED] = { SPAN_INIT("expired"), false },
    [AHOY_REGINFO_UNREGISTERED] = { SPAN_INIT("unregistered"), false },
};

/* Of two contacts that differ as text, or are flows of another instance, the ids differ. */
static uint64_t id_of(const struct ahoy_binding *binding)
{
    static const struct ahoy_hash_key key; /* Nobody gains by ids that are alike: they are his. */
    const struct span reg_id = { (const char *)&binding->reg_id, sizeof binding->reg_id };
    const struct span parts[] = { binding->contact, SPAN(">"), binding->instance, reg_id };
    return ahoy_siphash_parts(&key, parts, 4);
}

static const struct ahoy_binding *find(const struct ahoy_bindings *bindings, uint64_t id)
{
    for (size_t i = 0; bindings != NULL && i < bindings->count; i++) {
        if (id_of(&bindings->list[i]) == id)
            return &bindings->list[i];
    }
    return NULL;
}

static void add(struct ahoy_reginfo *reginfo, const struct ahoy_binding *binding, uint64_t id,
                enum ahoy_reginfo_event event)
{
    reginfo->contacts[reginfo->count++] =
        (struct ahoy_reginfo_contact){ .binding = binding, .event = event, .id = id };
}

void ahoy_reginfo_compare(struct ahoy_reginfo *reginfo, const struct ahoy_bindings *told,
                          const struct ahoy_bindings *current, uint64_t now_ms)
{
    reginfo->now_ms = now_ms;
    reginfo->count = 0;
    for (size_t i = 0; i < current->count; i++) {
        const struct ahoy_binding *binding = &current->list[i];
        uint64_t id = id_of(binding);
        const struct ahoy_binding *before = find(told, id);
        bool is_fresh = before != NULL && (before->updated_ms != binding->updated_ms ||
                                           before->cseq != binding->cseq);
        add(reginfo, binding, id, is_fresh ? AHOY_REGINFO_REFRESHED : AHOY_REGINFO_REGISTERED);
    }
    for (size_t i = 0; told != NULL && i < told->count; i++) {
        const struct ahoy_binding *binding = &told->list[i];
        uint64_t id = id_of(binding);
        if (find(current, id) == NULL)
            add(reginfo, binding, id,
                binding->expires_ms <= now_ms ? AHOY_REGINFO_EXPIRED : AHOY_REGINFO_UNREGISTERED);
    }
}

/* Takes the first character off |text|; 0xfffd for what is none, or none that XML has. */
static uint32_t next_character(struct span *text)
{
    uint32_t character = (unsigned char)text->at[0];
    size_t size = 1;
    if (character >= 0x80) {
        size = ahoy_utf8_wide(*text, &character);
        if (size == 0 || character == 0xfffe || character == 0xffff)
            character = 0xfffd;
    } else if (character < ' ' && character != '\t' && character != '\n' && character != '\r') {
        character = 0xfffd;
    }
    *text = ahoy_span_after(*text, size == 0 ? 1 : size);
    return character;
}

/* As it may stand in an attribute and in an element: R3680-5.1-1, R3680-5.1-2. */
static void put_text(struct ahoy_buf *buf, struct span text)
{
    while (text.size > 0) {
        const char *at = text.at;
        uint32_t character = next_character(&text);
        bool is_plain = character >= ' ' && character != '<' && character != '>' &&
                        character != '&' && character != '"' && character != 0xfffd;
        if (is_plain) {
            ahoy_buf_put(buf, ahoy_span_between(at, text.at));
            continue;
        }
        ahoy_buf_put(buf, SPAN("&#"));
        ahoy_buf_put_number(buf, character);
        ahoy_buf_put_byte(buf, ';');
    }
}

static void put_attribute(struct ahoy_buf *buf, const char *name, struct span value)
{
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, ahoy_span(name));
    ahoy_buf_put(buf, SPAN("=\""));
    put_text(buf, value);
    ahoy_buf_put_byte(buf, '"');
}

static void put_number(struct ahoy_buf *buf, const char *name, uint64_t number)
{
    char space[24];
    struct ahoy_buf digits = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put_number(&digits, number);
    put_attribute(buf, name, ahoy_buf_text(&digits));
}

static void put_id(struct ahoy_buf *buf, uint64_t id)
{
    char space[AHOY_TOKEN_SIZE];
    ahoy_token_print(id, space);
    put_attribute(buf, "id", (struct span){ space, sizeof space });
}

/* Of a Contact's parameters those that RFC 3261 does not have. */
static void put_params(struct ahoy_buf *buf, struct span params)
{
    struct ahoy_param param;
    while (ahoy_param_next(&params, &param, NULL)) {
        if (ahoy_registrar_is_ours(param.name))
            continue;
        ahoy_buf_put(buf, SPAN("<unknown-param"));
        put_attribute(buf, "name", param.name);
        ahoy_buf_put_byte(buf, '>');
        put_text(buf, param.value);
        ahoy_buf_put(buf, SPAN("</unknown-param>"));
    }
}

/* Not all of it is for those who watch: R8599-4.1-3, R8599-13-4. */
static void put_uri(struct ahoy_buf *buf, struct span contact)
{
    char space[AHOY_CONTACT_LIMIT];
    struct ahoy_buf uri = ahoy_buf_over(space, sizeof space);
    ahoy_push_print_public(contact, &uri);
    ahoy_buf_put(buf, SPAN("><uri>"));
    put_text(buf, ahoy_buf_text(&uri));
    ahoy_buf_put(buf, SPAN("</uri>"));
}

static void put_contact(struct ahoy_buf *buf, const struct ahoy_reginfo_contact *contact,
                        uint64_t now_ms)
{
    const struct ahoy_binding *binding = contact->binding;
    bool is_active = events[contact->event].is_active;
    ahoy_buf_put(buf, SPAN("<contact"));
    put_id(buf, contact->id);
    put_attribute(buf, "state", is_active ? SPAN("active") : SPAN("terminated"));
    put_attribute(buf, "event", events[contact->event].word);
    if (is_active)
        put_number(buf, "expires", (binding->expires_ms - now_ms + 999) / 1000);
    if (binding->q < 1000) {
        char space[8];
        struct ahoy_buf q = ahoy_buf_over(space, sizeof space);
        ahoy_registrar_print_q(binding->q, &q);
        put_attribute(buf, "q", ahoy_buf_text(&q));
    }
    put_attribute(buf, "callid", binding->call_id);
    put_number(buf, "cseq", binding->cseq);
    put_uri(buf, binding->contact);
    put_params(buf, binding->params);
    if (contact->gruu.size > 0) { /* RFC 5628 */
        ahoy_buf_put(buf, SPAN("<gr:pub-gruu"));
        put_attribute(buf, "uri", contact->gruu);
        ahoy_buf_put(buf, SPAN("/>"));
    }
    ahoy_buf_put(buf, SPAN("</contact>\n"));
}

/* "terminated" once, while there is a contact to tell of that has gone; then "init" again. */
static struct span state_of(const struct ahoy_reginfo *reginfo)
{
    for (size_t i = 0; i < reginfo->count; i++) {
        if (events[reginfo->contacts[i].event].is_active)
            return SPAN("active");
    }
    return reginfo->count > 0 ? SPAN("terminated") : SPAN("init");
}

void ahoy_reginfo_print(const void *resource, struct ahoy_buf *body)
{
    const struct ahoy_reginfo *reginfo = resource;
    char space[1024];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&aor, SPAN("sip:"));
    ahoy_buf_put(&aor, reginfo->aor);
    ahoy_buf_put(body, SPAN("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                            "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\""
                            " xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\""));
    put_number(body, "version", reginfo->version);
    ahoy_buf_put(body, SPAN(" state=\"full\">\n<registration"));
    put_attribute(body, "aor", ahoy_buf_text(&aor));
    put_attribute(body, "id", SPAN("r")); /* The only one of a subscription. */
    put_attribute(body, "state", state_of(reginfo));
    ahoy_buf_put(body, SPAN(">\n"));
    for (size_t i = 0; i < reginfo->count; i++)
        put_contact(body, &reginfo->contacts[i], reginfo->now_ms);
    ahoy_buf_put(body, SPAN("</registration>\n</reginfo>\n"));
}
