/* One row: which header it is, and its values one by one. */
#include "libahoy/explain/parts.h"

#define TEXT(...) AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

static void note(struct ahoy_explainer *explainer, struct span where, struct span subject,
                 struct span text, struct span source)
{
    struct ahoy_remark *remark =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_NOTE, where, subject);
    remark->text = text;
    remark->source = source;
}

static void explain_name(struct ahoy_explainer *explainer, const struct ahoy_field *field)
{
    struct span name = ahoy_header_name(field->header);
    if (field->header == AHOY_HEADER_OTHER && ahoy_explain_body_row(field->name) == NULL) {
        note(explainer, field->name, TEXT(field->name),
             SPAN("a header that Ahoy does not know: it passes on unchanged, and whoever does not "
                  "know it passes over it"),
             SPAN("RFC 3261 8.2.2"));
    } else if (field->name.size == 1 && name.size > 1) {
        note(explainer, field->name, name, TEXT(SPAN("the compact form of "), name),
             SPAN("RFC 3261 7.3.3"));
    }
}

/* Whether whoever cannot read the row refuses the message: ahoy_message_check reads it, or the
 * message cannot be framed or forwarded without it. */
static bool is_needed(enum ahoy_header header)
{
    return ahoy_header_is_checked(header) || header == AHOY_HEADER_CONTENT_LENGTH ||
           header == AHOY_HEADER_MAX_FORWARDS;
}

/* A value of which the parsers say something is wrong. */
static void explain_bad(struct ahoy_explainer *explainer, enum ahoy_header header,
                        const struct ahoy_err *err)
{
    ahoy_explain_fault(explainer, err, ahoy_header_name(header), is_needed(header),
                       ahoy_header_source(header), ahoy_explain_example(header));
}

static void explain_one(struct ahoy_explainer *explainer, enum ahoy_header header, struct span text)
{
    struct ahoy_value value;
    struct ahoy_err err;
    if (!ahoy_value_parse(header, text, &value, &err)) {
        explain_bad(explainer, header, &err);
        return;
    }
    ahoy_explain_value(explainer, &value);
    ahoy_explain_oddities(explainer, &value);
}

static void explain_list(struct ahoy_explainer *explainer, const struct ahoy_field *field)
{
    struct span rest = field->value;
    struct span item;
    struct ahoy_err err;
    if (rest.size == 0 && ahoy_header_kind(field->header) != AHOY_MAYBE) {
        ahoy_fail(&err, 400, rest.at, "a value");
        explain_bad(explainer, field->header, &err);
        return;
    }
    while (ahoy_header_next(field->header, &rest, &item, &err))
        explain_one(explainer, field->header, item);
    if (err.expected != NULL)
        explain_bad(explainer, field->header, &err);
}

void ahoy_explain_row(struct ahoy_explainer *explainer, const struct ahoy_field *field)
{
    enum ahoy_header header = field->header;
    bool is_known = header != AHOY_HEADER_OTHER;
    struct ahoy_remark *line =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE, field->row,
                        is_known ? ahoy_header_name(header) : TEXT(field->name));
    const struct ahoy_meaning *meaning = is_known ? NULL : ahoy_explain_body_row(field->name);
    line->text = meaning != NULL ? meaning->text : ahoy_explain_header(header);
    line->source = meaning != NULL ? meaning->source : ahoy_header_source(header);
    explain_name(explainer, field);
    if (ahoy_header_is_list(header))
        explain_list(explainer, field);
    else if (is_known)
        explain_one(explainer, header, field->value);
}
