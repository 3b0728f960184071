/* `ahoy explain`: what it reads, and how it shows what there is to say. */
#pragma once

#include "libahoy/explain/explain.h"

enum { AHOY_EXPLAIN_FILE_LIMIT = 64 * 1024 * 1024 /* Bytes of what is to be explained. */ };

struct explain_options {
    const char *path; /* "-" for standard input. */
    bool json;
};

/* What was read, with CRLF line ends. */
struct explain_input {
    struct span bytes;
    bool had_lf;   /* Lines ended in LF alone. */
    size_t indent; /* White space that stood before every line. */
    bool is_trace; /* Lines of JSON as docs/trace.md has them. */
    char *space;   /* Where |bytes| are; freed by explain_input_free. */
};

/* Reads all of |path|.  False, said, where it cannot be read or is too large. */
bool explain_input_read(struct explain_input *input, const char *path);
void explain_input_free(struct explain_input *input);

/* Takes the next message off |rest|: by its Content-Length where what follows is another message or
 * the end; else up to the next start line behind an empty line.  |scratch| is written to. */
bool explain_input_next(struct span *rest, struct ahoy_message *scratch, struct span *message);

/* One line of a trace (docs/trace.md). */
struct explain_entry {
    struct span us, dir, transport, local, remote, size; /* As written, strings without quotes. */
    bool is_malformed;
    struct span message; /* The rows that the line tells of, as a message. */
    char space[16 * 1024];
};

/* Takes the next line off |rest|, empty ones aside.  False at the end.  A line that is no entry has
 * an empty |entry->message|; |line| is always the line. */
bool explain_trace_next(struct span *rest, struct explain_entry *entry, struct span *line);

/* Where a message stands in the input, and what came with it. */
struct explain_place {
    const struct explain_input *input;
    unsigned number;                   /* From 1. */
    struct span bytes;                 /* Of the message. */
    size_t line;                       /* That it begins in, from 1. */
    const struct explain_entry *entry; /* Of a trace, or NULL. */
    const struct ahoy_remark *first;   /* About the input, to be said with this message, or NULL. */
};

/* Shows what there is to say, for people or as one JSON object in one line. */
void explain_print_text(const struct explain_place *place,
                        const struct ahoy_explanation *explanation);
void explain_print_json(const struct explain_place *place,
                        const struct ahoy_explanation *explanation);
/* The line of the input that |at|, within the message, is in, and the column, both from 1; 0 where
 * it is in none. */
void explain_locate(const struct explain_place *place, const char *at, size_t *line,
                    size_t *column);
