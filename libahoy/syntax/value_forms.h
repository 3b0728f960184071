/* The parsers and printers of the forms in header.h, and what they share.  Only value.c, which
 * holds the table of them, print.c and the files value_*.c include this.
 *
 * A parser finds value->text trimmed and not empty (but for AHOY_FORM_TEXT), with everything
 * behind it blank; it fills head, params and what of |as| belongs to its form. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/syntax/value.h"

typedef bool ahoy_value_parser(struct ahoy_value *value, struct ahoy_err *err);
typedef void ahoy_value_printer(const struct ahoy_value *value, struct ahoy_buf *buf);

/* value_word.c: one word, and parameters behind it. */
ahoy_value_parser ahoy_value_parse_text, ahoy_value_parse_token, ahoy_value_parse_item,
    ahoy_value_parse_call_id, ahoy_value_parse_dialog, ahoy_value_parse_features,
    ahoy_value_parse_priority, ahoy_value_parse_session, ahoy_value_parse_identity;

/* value_media.c: what a body may be. */
ahoy_value_parser ahoy_value_parse_media, ahoy_value_parse_language, ahoy_value_parse_version;

/* value_address.c: URIs, and who stands behind them. */
ahoy_value_parser ahoy_value_parse_address, ahoy_value_parse_route, ahoy_value_parse_via,
    ahoy_value_parse_uri;
ahoy_value_printer ahoy_value_print_address, ahoy_value_print_via, ahoy_value_print_uri;

/* value_number.c */
ahoy_value_parser ahoy_value_parse_number, ahoy_value_parse_interval, ahoy_value_parse_cseq,
    ahoy_value_parse_rack, ahoy_value_parse_timestamp;
ahoy_value_printer ahoy_value_print_number, ahoy_value_print_interval, ahoy_value_print_cseq,
    ahoy_value_print_rack, ahoy_value_print_timestamp;

/* value_challenge.c: names and values with "=" between. */
ahoy_value_parser ahoy_value_parse_challenge, ahoy_value_parse_pairs;
ahoy_value_printer ahoy_value_print_challenge, ahoy_value_print_pairs;

/* value_date.c */
ahoy_value_parser ahoy_value_parse_date;
ahoy_value_printer ahoy_value_print_date;

/* value_prose.c: what is written for people. */
ahoy_value_parser ahoy_value_parse_products, ahoy_value_parse_warning;
ahoy_value_printer ahoy_value_print_products, ahoy_value_print_warning;

/* Behind the comment that begins at |at|, those within it included; NULL where it does not end
 * (25.1). */
const char *ahoy_skip_comment(const char *at, const char *end);

/* Ends a value whose form has parameters: the head ends at |at|, only parameters follow. */
bool ahoy_value_take_params(struct ahoy_value *value, const char *at, struct ahoy_err *err);
/* Ends a value whose form has none: the head ends at |at|, and so must the text. */
bool ahoy_value_take_end(struct ahoy_value *value, const char *at, struct ahoy_err *err);

/* value_print.c.  Each copies a text, and differs in what becomes of its white space. */
void ahoy_print_packed(struct span text, struct ahoy_buf *buf);   /* Left out. */
void ahoy_print_words(struct span text, struct ahoy_buf *buf);    /* One space. */
void ahoy_print_unfolded(struct span text, struct ahoy_buf *buf); /* One space where folded. */

/* The head packed, and the parameters: for most forms. */
ahoy_value_printer ahoy_value_print_word;
/* The text unfolded. */
ahoy_value_printer ahoy_value_print_text;
void ahoy_print_params(struct span params, struct ahoy_buf *buf);
/* The host in lower case, all else as written. */
void ahoy_print_uri(const struct ahoy_uri *uri, struct ahoy_buf *buf);
void ahoy_print_lower(struct span text, struct ahoy_buf *buf);
