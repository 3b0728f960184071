/* A description begins with v= and o=, in this order (RFC 8866 5), so what differs is one line. */
#include "libahoy/sdp/repeated.h"

#include <assert.h>

#include "libahoy/sdp/field.h"

static struct ahoy_sdp_manner manner_of(const struct ahoy_sdp_local *local)
{
    return (struct ahoy_sdp_manner){ .media = local->media,
                                     .direction = local->direction,
                                     .codecs = local->codecs,
                                     .opus = local->opus,
                                     .events = { local->events[0], local->events[1] } };
}

static bool is_as(const struct ahoy_sdp_manner *manner, const struct ahoy_sdp_local *local)
{
    static_assert(AHOY_EVENT_CLOCKS == 2, "two numbers are compared");
    return ahoy_ip_equal(&manner->media, &local->media) && manner->direction == local->direction &&
           manner->codecs == local->codecs && manner->opus == local->opus &&
           manner->events[0] == local->events[0] && manner->events[1] == local->events[1];
}

static struct span before(const struct ahoy_sdp_kept *kept)
{
    return (struct span){ kept->bytes, kept->from };
}

static struct span behind(const struct ahoy_sdp_kept *kept)
{
    return (struct span){ kept->bytes + kept->to, kept->size - kept->to };
}

/* The value of o= in a description that begins as it should; false for another. */
static bool find_origin(struct span text, struct span *value)
{
    struct ahoy_err err;
    char type;
    return ahoy_sdp_line(&text, &type, value, &err) && ahoy_sdp_line(&text, &type, value, &err) &&
           type == 'o';
}

static void keep(struct ahoy_sdp_kept *kept, struct span text, const char *from, const char *to)
{
    kept->size = text.size;
    kept->from = (size_t)(from - text.at);
    kept->to = (size_t)(to - text.at);
    memcpy(kept->bytes, text.at, text.size);
}

/* Keeps an offer of ours: the next has another number, and another version. */
static void keep_said(struct ahoy_sdp_repeated *repeated, struct span text,
                      const struct ahoy_sdp_local *local)
{
    struct span rest;
    repeated->said.size = 0;
    if (text.size > sizeof repeated->said.bytes || !find_origin(text, &rest))
        return;
    (void)ahoy_sdp_word(&rest); /* The user, who is always the same. */
    const char *id = rest.at;
    (void)ahoy_sdp_word(&rest); /* It is known where it ends by ... */
    struct span version = ahoy_sdp_word(&rest);
    keep(&repeated->said, text, id, ahoy_span_end(version));
    repeated->saying = manner_of(local);
}

void ahoy_sdp_print_first(struct ahoy_sdp_repeated *repeated, const struct ahoy_sdp_local *local,
                          struct ahoy_buf *buf)
{
    bool is_plain = local->security.wish == AHOY_SECURITY_OFF;
    if (is_plain && repeated->said.size > 0 && is_as(&repeated->saying, local)) {
        ahoy_buf_put(buf, before(&repeated->said));
        ahoy_buf_put_number(buf, local->session_id);
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put_number(buf, local->version);
        ahoy_buf_put(buf, behind(&repeated->said));
        return;
    }
    size_t begun = buf->size;
    ahoy_sdp_print_offer(local, NULL, buf);
    if (is_plain && !buf->overflow)
        keep_said(repeated, ahoy_span_after(ahoy_buf_text(buf), begun), local);
}

/* Whether it is what was heard before, with an o= that is sound, whatever it says. */
static bool is_heard(const struct ahoy_sdp_kept *heard, struct span text)
{
    struct ahoy_sdp_origin origin;
    struct ahoy_err err;
    struct span value;
    char type;
    if (heard->size > 0 && ahoy_span_equal(text, (struct span){ heard->bytes, heard->size }))
        return true;
    if (heard->size == 0 || text.size < heard->from ||
        memcmp(text.at, heard->bytes, heard->from) != 0)
        return false;
    struct span rest = ahoy_span_after(text, heard->from - 2); /* "o=" */
    return ahoy_sdp_line(&rest, &type, &value, &err) &&
           ahoy_sdp_read_origin(value, &origin, NULL) && ahoy_span_equal(rest, behind(heard));
}

static void keep_heard(struct ahoy_sdp_repeated *repeated, struct span text,
                       const struct ahoy_sdp_local *local, const struct ahoy_sdp_agreed *agreed)
{
    struct span value;
    repeated->heard.size = 0;
    if (text.size > sizeof repeated->heard.bytes || !find_origin(text, &value))
        return;
    struct span rest = ahoy_span_between(value.at, ahoy_span_end(text));
    rest = ahoy_span_after(rest, ahoy_span_find(rest, '\n') + 1);
    keep(&repeated->heard, text, value.at, rest.at);
    repeated->asking = manner_of(local);
    repeated->agreed = *agreed;
}

bool ahoy_sdp_hear_answer(struct ahoy_sdp_repeated *repeated, struct span text,
                          const struct ahoy_sdp_local *local, struct ahoy_sdp *sdp,
                          struct ahoy_sdp_agreed *agreed)
{
    bool is_plain = local->security.wish == AHOY_SECURITY_OFF;
    if (is_plain && is_heard(&repeated->heard, text) && is_as(&repeated->asking, local)) {
        *agreed = repeated->agreed;
        return true;
    }
    if (!ahoy_sdp_parse(text, sdp, NULL) || !ahoy_sdp_read_answer(sdp, local, agreed))
        return false;
    if (is_plain)
        keep_heard(repeated, text, local, agreed);
    return true;
}
