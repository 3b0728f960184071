/* What there is to say about a message, as a list: the parts, what is odd or wrong with them, and
 * what it comes to.  Pure data: who shows it (a terminal, JSON, a console) is elsewhere. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/syntax/meaning.h"

enum {
    AHOY_REMARKS_LIMIT = 4096,            /* Remarks on one message. */
    AHOY_REMARKS_TEXT_LIMIT = 512 * 1024, /* Bytes of their texts. */
    AHOY_REMARK_QUOTE_LIMIT = 64          /* Bytes of a message that a text quotes at once. */
};

enum ahoy_remark_kind {
    AHOY_REMARK_LINE,    /* A line begins: the start line, a row, a line of SDP. */
    AHOY_REMARK_PART,    /* A part of that line, and what it means. */
    AHOY_REMARK_NOTE,    /* Worth knowing. */
    AHOY_REMARK_WARNING, /* Not as the RFC says, but the message passes. */
    AHOY_REMARK_FAULT,   /* The message is refused, or dropped. */
    AHOY_REMARK_VERDICT, /* About the whole. */
    AHOY_REMARK_KIND_COUNT
};

/* Texts are safe for a terminal: control bytes in what they quote are escaped.  |where| is as
 * received.  What does not apply is empty. */
struct ahoy_remark {
    enum ahoy_remark_kind kind;
    struct span where;       /* What it is about, within the message's bytes. */
    struct span subject;     /* "Via", "branch", "sender" */
    struct span within;      /* "body", "part 2", "part 2.1"; empty about the message itself. */
    struct span text;        /* What it means; expected and found; what is odd. */
    struct span source;      /* "RFC 3261 20.42" */
    struct span consequence; /* What happens because of it. */
    struct span mend;        /* What to write instead. */
};

/* Some megabyte, so that it is better kept than put on a stack. */
struct ahoy_remarks {
    size_t count;
    size_t counts[AHOY_REMARK_KIND_COUNT]; /* Also of those that found no room. */
    struct span within; /* What remarks are about that are added from now on, as above. */
    struct ahoy_buf texts;
    struct ahoy_remark list[AHOY_REMARKS_LIMIT];
    struct ahoy_remark surplus; /* Written to when the list is full. */
    char space[AHOY_REMARKS_TEXT_LIMIT];
};

/* Empties the list; to be called before its first use too. */
void ahoy_remarks_clear(struct ahoy_remarks *remarks);

/* Adds a remark, whose other members are the caller's to fill.  When the list is full it only
 * counts. */
struct ahoy_remark *ahoy_remark_add(struct ahoy_remarks *remarks, enum ahoy_remark_kind kind,
                                    struct span where, struct span subject);

/* Joins |pieces| to a text that lives as long as the list, escaped; "..." when there is no room. */
struct span ahoy_remark_join(struct ahoy_remarks *remarks, const struct span *pieces, size_t count);
#define AHOY_REMARK_TEXT(remarks, ...)                                                             \
    ahoy_remark_join(remarks, (const struct span[]){ __VA_ARGS__ },                                \
                     sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))

/* |number| as text of the list. */
struct span ahoy_remark_number(struct ahoy_remarks *remarks, uint64_t number);
/* As much of |text| as a remark quotes: the first line, and of that not too much. */
struct span ahoy_remark_quote(struct span text);
