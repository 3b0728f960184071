/* A session description in its canonical spelling: RFC 8866 9. */
#include "libahoy/sdp/sdp.h"

static void put_line(struct ahoy_buf *buf, char type, struct span value)
{
    ahoy_buf_put_byte(buf, type);
    ahoy_buf_put_byte(buf, '=');
    ahoy_buf_put(buf, value);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

/* A line of fields, with one space between them. */
static void put_fields(struct ahoy_buf *buf, char type, struct span rest)
{
    ahoy_buf_put_byte(buf, type);
    for (char separator = '='; rest.size > 0;) {
        struct span word = ahoy_sdp_word(&rest);
        if (word.size == 0)
            continue;
        ahoy_buf_put_byte(buf, separator);
        ahoy_buf_put(buf, word);
        separator = ' ';
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static void put_any(struct ahoy_buf *buf, char type, struct span value)
{
    switch (type) {
    case 'k': /* R8866-5.12-2 */
        break;
    case 'o':
    case 'c':
    case 't':
    case 'r':
    case 'z':
    case 'm':
        put_fields(buf, type, value);
        break;
    case 's': /* R8866-5.3-2 */
        put_line(buf, type, value.size > 0 ? value : SPAN("-"));
        break;
    default:
        put_line(buf, type, value);
        break;
    }
}

static void put_media(struct ahoy_buf *buf, const struct ahoy_sdp_media *media)
{
    struct span rest = media->lines;
    struct span value;
    struct ahoy_err err;
    char type;
    put_fields(buf, 'm', ahoy_span_between(media->type.at, ahoy_span_end(media->formats)));
    while (ahoy_sdp_line(&rest, &type, &value, &err))
        put_any(buf, type, value);
}

void ahoy_sdp_print(const struct ahoy_sdp *sdp, struct ahoy_buf *buf)
{
    struct span rest = sdp->lines;
    struct span value;
    struct ahoy_err err;
    bool lacks_time = sdp->timing.size == 0;
    char type;
    while (ahoy_sdp_line(&rest, &type, &value, &err)) {
        if (type == 'a' && lacks_time) {
            put_line(buf, 't', SPAN("0 0"));
            lacks_time = false;
        }
        put_any(buf, type, value);
    }
    if (lacks_time)
        put_line(buf, 't', SPAN("0 0"));
    for (size_t i = 0; i < sdp->media_count; i++)
        put_media(buf, &sdp->media[i]);
}
