/* A Replaces, read, compared and printed. */
#include "libahoy/tu/replaces.h"

#include "libahoy/syntax/value.h"

static const struct span no_tag = SPAN_INIT("0"); /* What stands for none: RFC 3891 6.1. */

bool ahoy_replaces_read(struct span text, struct ahoy_replaces *replaces)
{
    struct ahoy_value value;
    struct span flag;
    if (!ahoy_value_parse(AHOY_HEADER_REPLACES, text, &value, NULL) ||
        !ahoy_value_param(&value, SPAN("to-tag"), &replaces->to_tag) ||
        !ahoy_value_param(&value, SPAN("from-tag"), &replaces->from_tag))
        return false;
    replaces->call_id = value.head;
    replaces->early_only = ahoy_value_param(&value, SPAN("early-only"), &flag);
    return true;
}

static bool is_tag(struct span given, struct span tag)
{
    return ahoy_span_equal_nocase(given, tag) || (tag.size == 0 && ahoy_span_equal(given, no_tag));
}

bool ahoy_replaces_matches(const struct ahoy_replaces *replaces, const struct ahoy_dialog *dialog)
{
    return ahoy_span_equal(replaces->call_id, dialog->call_id) &&
           is_tag(replaces->to_tag, dialog->local_tag) &&
           is_tag(replaces->from_tag, dialog->remote_tag);
}

void ahoy_replaces_print(const struct ahoy_replaces *replaces, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, replaces->call_id);
    ahoy_buf_put(buf, SPAN(";to-tag="));
    ahoy_buf_put(buf, replaces->to_tag);
    ahoy_buf_put(buf, SPAN(";from-tag="));
    ahoy_buf_put(buf, replaces->from_tag);
    if (replaces->early_only)
        ahoy_buf_put(buf, SPAN(";early-only"));
}

struct ahoy_replaces ahoy_replaces_of(const struct ahoy_dialog *dialog)
{
    return (struct ahoy_replaces){
        .call_id = dialog->call_id,
        .to_tag = dialog->remote_tag.size > 0 ? dialog->remote_tag : no_tag,
        .from_tag = dialog->local_tag,
    };
}
