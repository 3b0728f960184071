/* An explanation: whatever the bytes are, remarks point into them, their texts are safe for a
 * terminal, and faults are there exactly when a parser refuses the message. */
#include "fuzz/target.h"
#include "libahoy/explain/explain.h"

static struct ahoy_explanation explanation;
static struct ahoy_message message;

static void check_text(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        MUST((unsigned char)text.at[i] >= 0x20 && text.at[i] != 0x7f);
}

static void check_remark(const struct ahoy_remark *remark, struct span bytes)
{
    if (remark->where.size > 0)
        MUST(remark->where.at >= bytes.at && ahoy_span_end(remark->where) <= ahoy_span_end(bytes));
    check_text(remark->subject);
    check_text(remark->text);
    check_text(remark->source);
    check_text(remark->consequence);
    check_text(remark->mend);
    bool is_problem = remark->kind == AHOY_REMARK_FAULT || remark->kind == AHOY_REMARK_WARNING;
    MUST(!is_problem ||
         (remark->text.size > 0 && remark->consequence.size > 0 && remark->mend.size > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = { (const char *)data, size };
    struct ahoy_routing routing;
    struct ahoy_err err;
    ahoy_explain(bytes, true, &explanation);
    ahoy_explain(bytes, false, &explanation);
    MUST(explanation.remarks.count > 0);
    for (size_t i = 0; i < explanation.remarks.count; i++)
        check_remark(&explanation.remarks.list[i], bytes);
    bool sound = ahoy_message_parse(bytes, &message, &err) &&
                 ahoy_message_routing(&message, &routing, &err) &&
                 ahoy_message_check(&message, &err);
    MUST(sound == (explanation.remarks.counts[AHOY_REMARK_FAULT] == 0));
    return 0;
}
