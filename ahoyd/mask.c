/* Line by line, so that a message that nobody can parse is masked as well. */
#include "ahoyd/mask.h"

/* What is secret in a line that holds |mark|, and, where |row| is not empty, belongs to such a row:
 * behind the mark and any of |skips|, all up to one of |ends|. */
struct secret {
    struct span row, mark;
    const char *skips, *ends;
};

static const struct secret secrets[] = {
    { SPAN_INIT("authorization"), SPAN_INIT("response"), "= \t\"", "\"," },
    { SPAN_INIT("proxy-authorization"), SPAN_INIT("response"), "= \t\"", "\"," },
    { SPAN_INIT("authorization"), SPAN_INIT("basic"), " \t", "" },
    { SPAN_INIT("proxy-authorization"), SPAN_INIT("basic"), " \t", "" },
    { SPAN_INIT("authentication-info"), SPAN_INIT("rspauth"), "= \t\"", "\"," },
    { SPAN_INIT("a=crypto:"), SPAN_INIT("inline:"), "", "| " },
    { SPAN_INIT("a=key-mgmt:"), SPAN_INIT(" "), " ", "" },
    { SPAN_INIT("k="), SPAN_INIT(":"), "", "" },
    { SPAN_INIT("a=ice-pwd"), SPAN_INIT(":"), "", "" },
    { SPAN_INIT(""), SPAN_INIT("password"), "\"'=: \t>", "\"'&;,< " },
};

/* Rows whose further lines are not shown at all (RFC 3261 7.3.1: a row may go on in the next). */
static const struct span proofs[] = { SPAN_INIT("authorization"), SPAN_INIT("proxy-authorization"),
                                      SPAN_INIT("authentication-info") };

/* Where |mark| stands in |text|, case aside; its size where it does not. */
static size_t find(struct span text, struct span mark)
{
    for (size_t i = 0; i + mark.size <= text.size; i++) {
        if (ahoy_span_starts_nocase(ahoy_span_after(text, i), mark))
            return i;
    }
    return text.size;
}

/* The secret of |line| by |secret|, with what stands before it; false where there is none. */
static bool find_secret(struct span line, struct span row, const struct secret *secret,
                        struct span *found)
{
    if (secret->row.size > 0 && !ahoy_span_starts_nocase(row, secret->row))
        return false;
    size_t at = find(line, secret->mark);
    if (at == line.size)
        return false;
    *found = ahoy_span_after(line, at + secret->mark.size);
    while (found->size > 0 && *found->at != '\0' && strchr(secret->skips, *found->at) != NULL)
        *found = ahoy_span_after(*found, 1);
    size_t size = 0;
    while (size < found->size && found->at[size] != '\r' && found->at[size] != '\n' &&
           strchr(secret->ends, found->at[size]) == NULL)
        size++;
    found->size = size;
    return size > 0;
}

/* "sip:alice:secret@host": what stands between the second colon and the "@". */
static bool find_uri_password(struct span line, struct span *found)
{
    for (size_t at = find(line, SPAN("sip")); at < line.size;) {
        struct span rest = ahoy_span_after(line, at);
        size_t scheme = 1 + ahoy_span_find(rest, ':');
        size_t size = scheme;
        size_t colon = 0;
        while (size < rest.size && strchr("@<> \"\r\n,/?;", rest.at[size]) == NULL) {
            if (rest.at[size] == ':' && colon == 0)
                colon = size;
            size++;
        }
        if (scheme <= 5 && colon > 0 && size < rest.size && rest.at[size] == '@') {
            *found = (struct span){ rest.at + colon + 1, size - colon - 1 };
            return found->size > 0;
        }
        struct span next = ahoy_span_after(rest, 3);
        at = line.size - next.size + find(next, SPAN("sip"));
    }
    return false;
}

/* The first secret in |line|, which belongs to |row|. */
static bool find_first(struct span line, struct span row, struct span *first)
{
    struct span found;
    bool any = find_uri_password(line, first);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        if (!find_secret(line, row, &secrets[i], &found) || (any && found.at >= first->at))
            continue;
        *first = found;
        any = true;
    }
    return any;
}

static void mask_line(struct span line, struct span row, struct ahoy_buf *buf)
{
    struct span secret = SPAN("");
    while (find_first(line, row, &secret)) {
        ahoy_buf_put(buf, ahoy_span_between(line.at, secret.at));
        ahoy_buf_put(buf, SPAN("***"));
        line = ahoy_span_between(ahoy_span_end(secret), ahoy_span_end(line));
    }
    ahoy_buf_put(buf, line);
}

static bool is_proof(struct span row)
{
    for (size_t i = 0; i < sizeof proofs / sizeof *proofs; i++) {
        if (ahoy_span_starts_nocase(row, proofs[i]))
            return true;
    }
    return false;
}

void ahoyd_mask(struct span message, struct ahoy_buf *buf)
{
    struct span row = SPAN("");
    while (message.size > 0) {
        size_t size = ahoy_span_find(message, '\n');
        struct span line = { message.at, size < message.size ? size + 1 : size };
        bool goes_on = line.at[0] == ' ' || line.at[0] == '\t';
        if (!goes_on)
            row = line;
        if (goes_on && is_proof(row))
            ahoy_buf_put(buf, SPAN(" ***\r\n"));
        else
            mask_line(line, row, buf);
        message = ahoy_span_after(message, line.size);
    }
}
