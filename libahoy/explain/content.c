/* What is within a body: a session description, several parts (RFC 2046 5.1, RFC 5621), or a piece
 * of a message (RFC 3420).  A server does not look at it, so nothing in it is a fault. */
#include "libahoy/explain/parts.h"
#include "libahoy/syntax/fragment.h"
#include "libahoy/syntax/media.h"
#include "libahoy/syntax/sipfrag.h"

#define TEXT(...) AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

static struct span number(struct ahoy_explainer *explainer, uint64_t value)
{
    return ahoy_remark_number(explainer->remarks, value);
}

/* An explainer of what is within the body, one deeper; its message is what was indexed last. */
static struct ahoy_explainer inner_of(const struct ahoy_explainer *explainer)
{
    return (struct ahoy_explainer){ .message = explainer->inner,
                                    .inner = explainer->inner,
                                    .remarks = explainer->remarks,
                                    .bytes = explainer->bytes,
                                    .is_excerpt = true,
                                    .depth = explainer->depth + 1,
                                    .walk = explainer->walk };
}

static void explain_body_fault(struct ahoy_explainer *explainer, const struct ahoy_err *err,
                               struct span subject, struct span source)
{
    struct ahoy_remark *remark =
        ahoy_explain_fault(explainer, err, subject, false, source, SPAN(""));
    remark->consequence = ahoy_explain_body_refusal();
}

static void explain_fragment(struct ahoy_explainer *explainer, struct span content)
{
    struct ahoy_explainer inner = inner_of(explainer);
    if (explainer->depth >= AHOY_MULTIPART_DEPTH_LIMIT) {
        ahoy_fail(&inner.fault, 400, content.at, "at most 4 bodies within each other");
        explain_body_fault(explainer, &inner.fault, SPAN("fragment"), SPAN("RFC 3420 2"));
        return;
    }
    if (ahoy_sipfrag_parse(content, inner.inner, &inner.fault))
        inner.fault.expected = NULL;
    if (inner.message->start_line.size > 0)
        ahoy_explain_start_line(&inner);
    ahoy_explain_rows(&inner);
    ahoy_explain_unsaid(&inner, SPAN("fragment"), SPAN("RFC 3420 2"));
    struct span type = ahoy_message_value(inner.message, AHOY_HEADER_CONTENT_TYPE);
    struct span coding = ahoy_message_value(inner.message, AHOY_HEADER_CONTENT_ENCODING);
    if (inner.message->body.size > 0)
        ahoy_explain_content(&inner, type, coding, inner.message->body);
}

/* The line that ends in front of |at|, in |body|. */
static struct span line_before(struct span body, const char *at)
{
    const char *begin = at > body.at ? at - 1 : at;
    while (begin > body.at && begin[-1] != '\n')
        begin--;
    return ahoy_span_between(begin, at);
}

static void explain_part(struct ahoy_explainer *explainer, const struct ahoy_part *part,
                         struct span boundary)
{
    struct ahoy_explainer inner = inner_of(explainer);
    struct ahoy_remark *line =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE, boundary, explainer->remarks->within);
    line->text =
        TEXT(number(explainer, part->content.size), SPAN(" bytes of "),
             ahoy_span_trim((struct span){ part->type.at, ahoy_span_find(part->type, ';') }));
    line->source = SPAN("RFC 2046 5.1");
    if (ahoy_fragment_parse(part->rows, AHOY_PART, inner.inner, &inner.fault))
        inner.fault.expected = NULL;
    ahoy_explain_rows(&inner);
    struct span coding = ahoy_message_value(inner.message, AHOY_HEADER_CONTENT_ENCODING);
    ahoy_explain_content(&inner, part->type, coding.size > 0 ? coding : part->encoding,
                         part->content);
}

/* What stands in front of the first part, or behind the last. */
static void explain_surplus(struct ahoy_explainer *explainer, const char *at, const char *end)
{
    struct span surplus = ahoy_span_trim(ahoy_span_between(at, end));
    if (surplus.size == 0)
        return;
    struct ahoy_remark *note = ahoy_remark_add(explainer->remarks, AHOY_REMARK_NOTE,
                                               ahoy_remark_quote(surplus), SPAN("multipart"));
    note->text = SPAN("in no part, so it is passed over");
    note->source = SPAN("RFC 2046 5.1.1");
}

static bool open_walk(struct ahoy_explainer *explainer, struct ahoy_multipart *walk,
                      struct span type, struct span body, struct ahoy_err *err)
{
    struct ahoy_part part = { .type = type, .content = body };
    return explainer->walk == NULL ? ahoy_multipart_open(walk, type, body, err)
                                   : ahoy_multipart_enter(walk, explainer->walk, &part, err);
}

static void explain_multipart(struct ahoy_explainer *explainer, struct span type, struct span body)
{
    struct span within = explainer->remarks->within;
    bool is_part = explainer->walk != NULL;
    struct ahoy_explainer inner = *explainer;
    struct ahoy_multipart walk;
    struct ahoy_part part;
    struct ahoy_err err = { .expected = NULL };
    bool is_open = open_walk(explainer, &walk, type, body, &err);
    const char *at = body.at;
    inner.walk = &walk;
    for (size_t i = 1; is_open && ahoy_multipart_next(&walk, &part, &err); i++) {
        struct span boundary = line_before(body, part.rows.at);
        if (i == 1)
            explain_surplus(explainer, body.at, boundary.at);
        explainer->remarks->within = TEXT(is_part ? within : SPAN("part"),
                                          is_part ? SPAN(".") : SPAN(" "), number(explainer, i));
        explain_part(&inner, &part, boundary);
        explainer->remarks->within = within;
        at = walk.rest.at;
    }
    if (err.expected != NULL) {
        explain_body_fault(explainer, &err, SPAN("multipart"), SPAN("RFC 2046 5.1.1"));
        return;
    }
    struct ahoy_remark *line = ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE,
                                               line_before(body, at), SPAN("multipart"));
    line->text = SPAN("the end of the last part");
    line->source = SPAN("RFC 2046 5.1.1");
    explain_surplus(explainer, at, ahoy_span_end(body));
}

/* Whether |coding| leaves the bytes as they are (RFC 2045 6.2). */
static bool is_plain(struct span coding)
{
    static const struct span plain[] = { SPAN_INIT(""), SPAN_INIT("7bit"), SPAN_INIT("8bit"),
                                         SPAN_INIT("binary"), SPAN_INIT("identity") };
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (ahoy_span_equal_nocase(coding, plain[i]))
            return true;
    }
    return false;
}

void ahoy_explain_content(struct ahoy_explainer *explainer, struct span type, struct span coding,
                          struct span content)
{
    if (!is_plain(coding))
        return;
    if (ahoy_media_is(type, SPAN("application/sdp")))
        ahoy_explain_sdp(explainer, content);
    else if (ahoy_media_is(type, SPAN("multipart/")))
        explain_multipart(explainer, type, content);
    else if (ahoy_media_is(type, SPAN("message/sipfrag")) ||
             ahoy_media_is(type, SPAN("message/sip")))
        explain_fragment(explainer, content);
}
