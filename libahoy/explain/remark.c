/* The list of remarks and the texts that belong to it. */
#include "libahoy/explain/remark.h"

void ahoy_remarks_clear(struct ahoy_remarks *remarks)
{
    remarks->count = 0;
    memset(remarks->counts, 0, sizeof remarks->counts);
    remarks->within = SPAN("");
    remarks->texts = ahoy_buf_over(remarks->space, sizeof remarks->space);
}

struct ahoy_remark *ahoy_remark_add(struct ahoy_remarks *remarks, enum ahoy_remark_kind kind,
                                    struct span where, struct span subject)
{
    bool is_full = remarks->count == AHOY_REMARKS_LIMIT;
    struct ahoy_remark *remark = is_full ? &remarks->surplus : &remarks->list[remarks->count++];
    struct span none = SPAN("");
    remarks->counts[kind]++;
    *remark = (struct ahoy_remark){ kind, where, subject, remarks->within, none, none, none, none };
    return remark;
}

/* The text that was written behind the first |start| bytes. */
static struct span text_from(struct ahoy_remarks *remarks, size_t start)
{
    struct ahoy_buf *texts = &remarks->texts;
    if (!texts->overflow)
        return (struct span){ texts->at + start, texts->size - start };
    /* What was written before stays good; a shorter text may still find room. */
    *texts = ahoy_buf_over(remarks->space, sizeof remarks->space);
    texts->size = start;
    return SPAN("...");
}

/* Whether |text| was written by this list, and so is escaped already. */
static bool is_ours(const struct ahoy_remarks *remarks, struct span text)
{
    uintptr_t offset = (uintptr_t)text.at - (uintptr_t)remarks->space;
    return offset < sizeof remarks->space;
}

struct span ahoy_remark_join(struct ahoy_remarks *remarks, const struct span *pieces, size_t count)
{
    size_t start = remarks->texts.size;
    for (size_t i = 0; i < count; i++) {
        if (is_ours(remarks, pieces[i]))
            ahoy_buf_put(&remarks->texts, pieces[i]);
        else
            ahoy_buf_put_escaped(&remarks->texts, pieces[i]);
    }
    return text_from(remarks, start);
}

struct span ahoy_remark_number(struct ahoy_remarks *remarks, uint64_t number)
{
    size_t start = remarks->texts.size;
    ahoy_buf_put_number(&remarks->texts, number);
    return text_from(remarks, start);
}

struct span ahoy_remark_quote(struct span text)
{
    size_t size = 0;
    while (size < text.size && size < AHOY_REMARK_QUOTE_LIMIT && text.at[size] != '\r' &&
           text.at[size] != '\n')
        size++;
    return (struct span){ text.at, size };
}
