/* The parts of explain.h, each of which adds the remarks of its own. */
#pragma once

#include "libahoy/explain/explain.h"
#include "libahoy/syntax/multipart.h"
#include "libahoy/syntax/value.h"

/* What is being explained. */
struct ahoy_explainer {
    const struct ahoy_message *message;
    struct ahoy_message *inner; /* Where what is within the body is indexed, one at a time. */
    struct ahoy_remarks *remarks;
    struct span bytes;     /* All there is, more than the message perhaps. */
    struct ahoy_err fault; /* Of ahoy_message_parse; |expected| is NULL without. */
    bool is_excerpt;
    unsigned depth;                        /* How many bodies it is within; then no fault counts. */
    const struct ahoy_multipart *walk;     /* Over the parts that it is one of, or NULL. */
    bool is_unreadable[AHOY_HEADER_COUNT]; /* A row is there, and not in the index. */
    const char *refusal;                   /* What the first fault wanted, or NULL. */
    unsigned status;                       /* And what answers it. */
};

/* A part of the line at hand and what it means; nothing where |where| is empty. */
void ahoy_explain_part(struct ahoy_explainer *explainer, struct span subject, struct span where,
                       struct span meaning, struct span source);
/* The same with the meaning looked up; |unknown| is said where |meaning| is NULL. */
void ahoy_explain_word(struct ahoy_explainer *explainer, struct span subject, struct span where,
                       const struct ahoy_meaning *meaning, struct span unknown);

/* Adds a fault: what was |expected| at |err->at| and what stood there, what a receiver does, and
 * what to write, |example| among it where that is not empty.  |is_needed|: the message is refused;
 * else it is a warning, for those who do not need that row pass over it (8.2.2). */
struct ahoy_remark *ahoy_explain_fault(struct ahoy_explainer *explainer, const struct ahoy_err *err,
                                       struct span subject, bool is_needed, struct span source,
                                       struct span example);
/* Adds a fault or warning in words of its own; consequence and mend are the caller's to fill. */
struct ahoy_remark *ahoy_explain_problem(struct ahoy_explainer *explainer, bool is_fault,
                                         struct span where, struct span subject, struct span text,
                                         struct span source);
/* Says the fault that the parser found, if no part has. */
void ahoy_explain_unsaid(struct ahoy_explainer *explainer, struct span subject, struct span source);
/* What a receiver does who refuses the message with |status|. */
struct span ahoy_explain_refusal(struct ahoy_explainer *explainer, unsigned status);
/* What becomes of a body that cannot be read. */
struct span ahoy_explain_body_refusal(void);

void ahoy_explain_start_line(struct ahoy_explainer *explainer);
/* All rows, and what stands between them. */
void ahoy_explain_rows(struct ahoy_explainer *explainer);
void ahoy_explain_row(struct ahoy_explainer *explainer, const struct ahoy_field *field);
void ahoy_explain_value(struct ahoy_explainer *explainer, const struct ahoy_value *value);
void ahoy_explain_uri(struct ahoy_explainer *explainer, const struct ahoy_uri *uri);
/* What is odd about a value by itself: numbers that do not go together, tags, cookies. */
void ahoy_explain_oddities(struct ahoy_explainer *explainer, const struct ahoy_value *value);
/* What is missing or does not go together, seen from the whole. */
void ahoy_explain_whole(struct ahoy_explainer *explainer);
/* The body: whether it is as long as it should be, and what it is. */
void ahoy_explain_body(struct ahoy_explainer *explainer);
/* What is within a body, or a part of one, where somebody can tell: |type| is its Content-Type,
 * |coding| how it is packed, empty where it is not. */
void ahoy_explain_content(struct ahoy_explainer *explainer, struct span type, struct span coding,
                          struct span content);
void ahoy_explain_sdp(struct ahoy_explainer *explainer, struct span body);
void ahoy_explain_verdict(struct ahoy_explainer *explainer);

/* Words about bodies: media types, dispositions, and the rows that only they have. */
const struct ahoy_meaning *ahoy_explain_media(struct span type);
const struct ahoy_meaning *ahoy_explain_disposition(struct span disposition);
const struct ahoy_meaning *ahoy_explain_body_row(struct span name);

/* What |header| is for; empty for AHOY_HEADER_OTHER. */
struct span ahoy_explain_header(enum ahoy_header header);
/* How a value of |form| looks; empty where that depends on the header. */
struct span ahoy_explain_example(enum ahoy_header header);
