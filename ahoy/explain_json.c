/* Remarks as JSON: one object a message, in one line. */
#include <stdio.h>

#include "ahoy/explain.h"
#include "ahoy/json.h"

/* As much as is escaped at once. */
enum { PIECE_SIZE = 16 * 1024 };

static const char *const kinds[AHOY_REMARK_KIND_COUNT] = {
    [AHOY_REMARK_LINE] = "line",   [AHOY_REMARK_PART] = "part",
    [AHOY_REMARK_NOTE] = "note",   [AHOY_REMARK_WARNING] = "warning",
    [AHOY_REMARK_FAULT] = "fault", [AHOY_REMARK_VERDICT] = "verdict",
};

/* The inside of a string; |text| is safe for a terminal already. */
static void put_text(struct span text)
{
    char space[2 * PIECE_SIZE];
    while (text.size > 0) {
        struct span piece = { text.at, text.size < PIECE_SIZE ? text.size : PIECE_SIZE };
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        phone_json_put(&buf, piece);
        fwrite(space, 1, buf.size, stdout);
        text = ahoy_span_after(text, piece.size);
    }
}

static void put_bytes(struct span bytes)
{
    char escaped[4 * PIECE_SIZE];
    while (bytes.size > 0) {
        struct span piece = { bytes.at, bytes.size < PIECE_SIZE ? bytes.size : PIECE_SIZE };
        struct ahoy_buf buf = ahoy_buf_over(escaped, sizeof escaped);
        ahoy_buf_put_escaped(&buf, piece);
        put_text(ahoy_buf_text(&buf));
        bytes = ahoy_span_after(bytes, piece.size);
    }
}

/* A member that is left out where it is empty; |is_safe|: no bytes of a message. */
static void put_member(const char *name, struct span value, bool is_safe)
{
    if (value.size == 0)
        return;
    printf(",\"%s\":\"", name);
    if (is_safe)
        put_text(value);
    else
        put_bytes(value);
    putchar('"');
}

static void put_remark(const struct explain_place *place, const struct ahoy_remark *remark)
{
    size_t line;
    size_t column;
    explain_locate(place, remark->where.at, &line, &column);
    printf("{\"kind\":\"%s\"", kinds[remark->kind]);
    if (line > 0)
        printf(",\"line\":%zu,\"column\":%zu,\"offset\":%zu,\"size\":%zu", line, column,
               (size_t)(remark->where.at - place->bytes.at), remark->where.size);
    put_member("bytes", ahoy_span_trim(remark->where), false);
    put_member("subject", remark->subject, true);
    put_member("within", remark->within, true);
    put_member("text", remark->text, true);
    put_member("source", remark->source, true);
    put_member("consequence", remark->consequence, true);
    put_member("mend", remark->mend, true);
    putchar('}');
}

static void put_entry(const struct explain_entry *entry)
{
    put_member("us", entry->us, false);
    put_member("dir", entry->dir, false);
    put_member("transport", entry->transport, false);
    put_member("local", entry->local, false);
    put_member("remote", entry->remote, false);
}

void explain_print_json(const struct explain_place *place,
                        const struct ahoy_explanation *explanation)
{
    const struct ahoy_remarks *remarks = &explanation->remarks;
    printf("{\"message\":%u,\"size\":%zu", place->number, place->bytes.size);
    if (place->entry != NULL)
        put_entry(place->entry);
    put_member("start", ahoy_span_trim(explanation->message.start_line), false);
    printf(",\"faults\":%zu,\"warnings\":%zu,\"notes\":%zu,\"remarks\":[",
           remarks->counts[AHOY_REMARK_FAULT] + (place->first != NULL),
           remarks->counts[AHOY_REMARK_WARNING], remarks->counts[AHOY_REMARK_NOTE]);
    if (place->first != NULL)
        put_remark(place, place->first);
    for (size_t i = 0; i < remarks->count; i++) {
        if (i > 0 || place->first != NULL)
            putchar(',');
        put_remark(place, &remarks->list[i]);
    }
    printf("]}\n");
}
