/* Where libosip2 refuses what Ahoy takes: what there is about the line that it does not take. */
#include "tests/osip/classes.h"

/* A line, or the body, that libosip2 does not take. */
struct culprit {
    const struct ahoy_message *message;
    struct span text;
    enum ahoy_header header; /* OTHER for the start line and the body. */
};

typedef bool predicate(const struct culprit *culprit);

static bool is_row(const struct culprit *culprit)
{
    return culprit->text.at > culprit->message->start_line.at &&
           culprit->text.at < culprit->message->bytes.at + culprit->message->headers_end;
}

/* A response whose "SIP/2.0" has small letters. */
static bool is_small_version(const struct culprit *culprit)
{
    return culprit->text.at == culprit->message->start_line.at &&
           ahoy_span_starts_nocase(culprit->text, SPAN("SIP/")) &&
           memcmp(culprit->text.at, "SIP/", 4) != 0;
}

/* What stands in front of the first colon of the URI: behind "<", the method, or the name. */
static struct span scheme_of(const struct culprit *culprit)
{
    struct span text = culprit->text;
    size_t bracket = ahoy_span_find(text, '<');
    if (!is_row(culprit))
        text = osip_drop(text, ahoy_span_find(text, ' ') + 1);
    else if (bracket < text.size)
        text = osip_drop(text, bracket + 1);
    else
        text = osip_drop(text, ahoy_span_find(text, ':') + 1);
    text.size = ahoy_span_find(text, ':');
    return ahoy_span_trim(text);
}

static bool has_uri(const struct culprit *culprit)
{
    return !is_row(culprit) || ahoy_header_form(culprit->header) == AHOY_FORM_ADDRESS ||
           ahoy_header_form(culprit->header) == AHOY_FORM_ROUTE;
}

static bool is_other_scheme(const struct culprit *culprit)
{
    struct span scheme = scheme_of(culprit);
    return has_uri(culprit) && culprit->text.at != culprit->message->body.at &&
           !ahoy_span_equal_nocase(scheme, SPAN("sip")) &&
           !ahoy_span_equal_nocase(scheme, SPAN("sips"));
}

/* "<sip:a>" */
static bool is_short_uri(const struct culprit *culprit)
{
    struct span text = culprit->text;
    if (!has_uri(culprit) || !is_row(culprit))
        return false;
    size_t bracket = ahoy_span_find(text, '<');
    text = osip_drop(text, bracket < text.size ? bracket + 1 : ahoy_span_find(text, ':') + 1);
    text.size =
        bracket < culprit->text.size ? ahoy_span_find(text, '>') : ahoy_span_find(text, ';');
    return ahoy_span_trim(text).size < 6;
}

/* A NUL in quotes, escaped as it must be. */
static bool has_nul(const struct culprit *culprit)
{
    return is_row(culprit) && ahoy_span_find(culprit->text, '\0') < culprit->text.size;
}

/* A row that is folded twice, with nothing but white space in between. */
static bool has_blank_fold(const struct culprit *culprit)
{
    struct span rest = culprit->text;
    bool blank = false;
    for (; rest.size > 2; rest = osip_drop(rest, 1)) {
        bool is_end = *rest.at == '\n';
        if (is_end && blank)
            return is_row(culprit);
        blank = is_end || (blank && (*rest.at == ' ' || *rest.at == '\t' || *rest.at == '\r'));
    }
    return false;
}

/* "sip:user:@host" */
static bool has_empty_password(const struct culprit *culprit)
{
    struct span text = culprit->text;
    size_t at_sign = ahoy_span_find(text, '@');
    return at_sign > 0 && at_sign < text.size && text.at[at_sign - 1] == ':';
}

/* A tab where another would write a space. */
static bool has_tab(const struct culprit *culprit)
{
    return ahoy_span_find(culprit->text, '\t') < culprit->text.size && is_row(culprit);
}

/* A display name that is UTF-8 without quotes. */
static bool is_bare_utf8(const struct culprit *culprit)
{
    size_t bracket = ahoy_span_find(culprit->text, '<');
    if (!has_uri(culprit) || !is_row(culprit))
        return false;
    for (size_t i = 0; i < bracket; i++) {
        if ((unsigned char)culprit->text.at[i] >= 0x80)
            return true;
    }
    return false;
}

/* A bracket in a parameter of Via: a comment for libosip2, as in RFC 2543. */
static bool is_comment(const struct culprit *culprit)
{
    return culprit->header == AHOY_HEADER_VIA &&
           ahoy_span_find(culprit->text, '(') < culprit->text.size;
}

/* A header that ahoy_message_check leaves to those who need it. */
static bool is_not_read(const struct culprit *culprit)
{
    static const enum ahoy_form read[] = { AHOY_FORM_VIA, AHOY_FORM_ADDRESS, AHOY_FORM_ROUTE,
                                           AHOY_FORM_CSEQ, AHOY_FORM_CHALLENGE };
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
        if (ahoy_header_form(culprit->header) == read[i])
            return false;
    }
    return is_row(culprit);
}

static bool is_body(const struct culprit *culprit)
{
    return culprit->text.at == culprit->message->body.at && culprit->text.size > 0;
}

static const struct {
    const char *name;
    predicate *holds;
} classes[] = {
    { "version-case", is_small_version },
    { "other-scheme", is_other_scheme },
    { "short-uri", is_short_uri },
    { "nul", has_nul },
    { "utf8-name", is_bare_utf8 },
    { "tab", has_tab },
    { "blank-fold", has_blank_fold },
    { "comment", is_comment },
    { "empty-password", has_empty_password },
    { "header-not-read", is_not_read },
    { "body-not-read", is_body },
};

static enum ahoy_header header_of(const struct ahoy_message *message, struct span culprit)
{
    for (unsigned i = 0; i < message->field_count; i++) {
        if (message->fields[i].row.at == culprit.at)
            return message->fields[i].header;
    }
    return AHOY_HEADER_OTHER;
}

const char *osip_class_of_culprit(const struct ahoy_message *message, struct span culprit)
{
    struct culprit line = { message, culprit, header_of(message, culprit) };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (classes[i].holds(&line))
            return classes[i].name;
    }
    return NULL;
}

const char *osip_class_of_culprits(size_t i)
{
    return i < sizeof classes / sizeof classes[0] ? classes[i].name : NULL;
}
