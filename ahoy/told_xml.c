/* Documents of XML by expat, which says that they are well formed.  What they may hold is a table
 * of places and of the elements that lead from one to the next; an element that is in none is
 * passed over with all that it holds (R3863-4.2.3-1).  A document type is refused, and with it all
 * entities (attack 35). */
#include <expat.h>
#include <string.h>

#include "ahoy/told.h"

#define PIDF    "urn:ietf:params:xml:ns:pidf "
#define DIALOG  "urn:ietf:params:xml:ns:dialog-info "
#define REGINFO "urn:ietf:params:xml:ns:reginfo "

enum place { OUTSIDE, ROOT, LIST, ITEM, WITHIN, STATE, ABOUT, NOTE, ELSEWHERE };

struct edge {
    const char *element; /* Its namespace and its name. */
    enum place from, to;
    bool begins;              /* An item begins. */
    const char *required;     /* An attribute without which it is refused, or NULL. */
    const char *state, *note; /* Attributes that say these. */
};

/* clang-format off */
static const struct edge edges[] = {
    /* R3863-4.1.1-1 and -3, R3863-4.1.2-1 */
    { PIDF "presence", OUTSIDE, ROOT, false, "entity", NULL, NULL },
    { PIDF "note", ROOT, NOTE, true, NULL, NULL, NULL },
    { PIDF "tuple", ROOT, ITEM, true, "id", NULL, NULL },
    { PIDF "status", ITEM, WITHIN, false, NULL, NULL, NULL },
    { PIDF "basic", WITHIN, STATE, false, NULL, NULL, NULL },
    { PIDF "contact", ITEM, ABOUT, false, NULL, NULL, NULL },
    { PIDF "note", ITEM, NOTE, false, NULL, NULL, NULL },
    /* RFC 4235 4.1 */
    { DIALOG "dialog-info", OUTSIDE, ROOT, false, "entity", NULL, NULL },
    { DIALOG "dialog", ROOT, ITEM, true, "id", NULL, "direction" },
    { DIALOG "state", ITEM, STATE, false, NULL, NULL, NULL },
    { DIALOG "remote", ITEM, WITHIN, false, NULL, NULL, NULL },
    { DIALOG "identity", WITHIN, ABOUT, false, NULL, NULL, NULL },
    /* RFC 3680 5.1 */
    { REGINFO "reginfo", OUTSIDE, ROOT, false, "version", NULL, NULL },
    { REGINFO "registration", ROOT, LIST, false, "aor", NULL, NULL },
    { REGINFO "contact", LIST, ITEM, true, "id", "state", "event" },
    { REGINFO "uri", ITEM, ABOUT, false, NULL, NULL, NULL },
};
/* clang-format on */

/* Which document is of which package. */
static const struct {
    struct span package;
    const char *root;
} roots[] = {
    { SPAN_INIT("presence"), PIDF "presence" },
    { SPAN_INIT("dialog"), DIALOG "dialog-info" },
    { SPAN_INIT("reg"), REGINFO "reginfo" },
};

struct reader {
    XML_Parser parser;
    const char *root;
    struct phone_told *told;
    size_t depth;
    enum place places[PHONE_TOLD_DEPTH + 1]; /* Where we are, and how we came there. */
};

static void refuse(struct reader *reader)
{
    XML_StopParser(reader->parser, XML_FALSE);
}

/* What |name| leads to from here; NULL: nowhere that we know. */
static const struct edge *find(const struct reader *reader, const char *name)
{
    enum place from = reader->places[reader->depth];
    if (from == OUTSIDE && strcmp(name, reader->root) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        if (edges[i].from == from && strcmp(edges[i].element, name) == 0)
            return &edges[i];
    }
    return NULL;
}

/* The value of an attribute, or NULL. */
static const char *find_attribute(const char *const *attributes, const char *name)
{
    for (; name != NULL && attributes[0] != NULL; attributes += 2) {
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    }
    return NULL;
}

static void add_attribute(struct phone_told_text *to, const char *value)
{
    if (value != NULL)
        phone_told_add(to, ahoy_span(value));
}

static struct phone_told_item *last_item(const struct reader *reader)
{
    return &reader->told->items[reader->told->count - 1];
}

static void start(void *context, const char *name, const char **attributes)
{
    struct reader *reader = context;
    const struct edge *edge = find(reader, name);
    enum place to = edge != NULL ? edge->to : ELSEWHERE;
    bool lacks = edge != NULL && edge->required != NULL &&
                 find_attribute((const char *const *)attributes, edge->required) == NULL;
    if (reader->depth == PHONE_TOLD_DEPTH || lacks || (edge == NULL && reader->depth == 0)) {
        refuse(reader);
        return;
    }
    if (edge != NULL && edge->begins) {
        if (reader->told->count == PHONE_TOLD_ITEMS) {
            to = ELSEWHERE;
        } else {
            reader->told->items[reader->told->count++] =
                (struct phone_told_item){ .state.size = 0 };
            add_attribute(&last_item(reader)->state,
                          find_attribute((const char *const *)attributes, edge->state));
            add_attribute(&last_item(reader)->note,
                          find_attribute((const char *const *)attributes, edge->note));
        }
    }
    reader->places[++reader->depth] = to;
}

static void end(void *context, const char *name)
{
    struct reader *reader = context;
    (void)name; /* It is the one that began, or one that was refused. */
    if (reader->depth > 0)
        reader->depth--;
}

static void read_text(void *context, const char *at, int size)
{
    struct reader *reader = context;
    struct span text = { at, (size_t)size };
    enum place place = reader->places[reader->depth];
    if (place == STATE)
        phone_told_add(&last_item(reader)->state, text);
    else if (place == ABOUT)
        phone_told_add(&last_item(reader)->about, text);
    else if (place == NOTE)
        phone_told_add(&last_item(reader)->note, text);
}

static void refuse_type(void *context, const char *name, const char *system, const char *public,
                        int has_own)
{
    (void)name; /* Whatever it is. */
    (void)system;
    (void)public;
    (void)has_own;
    refuse(context);
}

bool phone_told_read_xml(const struct ahoy_event_package *package, struct span document,
                         struct phone_told *told)
{
    struct reader reader = { .parser = XML_ParserCreateNS(NULL, ' '), .told = told };
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (ahoy_span_equal(roots[i].package, package->name))
            reader.root = roots[i].root;
    }
    if (reader.parser == NULL || reader.root == NULL) {
        XML_ParserFree(reader.parser);
        return false;
    }
    XML_SetUserData(reader.parser, &reader);
    XML_SetElementHandler(reader.parser, start, end);
    XML_SetCharacterDataHandler(reader.parser, read_text);
    XML_SetStartDoctypeDeclHandler(reader.parser, refuse_type);
    bool is_read =
        document.size <= AHOY_MESSAGE_LIMIT &&
        XML_Parse(reader.parser, document.at, (int)document.size, XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(reader.parser);
    return is_read;
}
