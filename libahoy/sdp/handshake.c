/* a=fingerprint, a=setup. */
#include "libahoy/sdp/handshake.h"

#include "libahoy/sdp/attribute.h"

static const struct span setups[] = {
    [AHOY_SETUP_ACTIVE] = SPAN_INIT("active"),
    [AHOY_SETUP_PASSIVE] = SPAN_INIT("passive"),
    [AHOY_SETUP_ACTPASS] = SPAN_INIT("actpass"),
};

/* A medium's own, else the session's. */
static bool find(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                 struct span name, struct span *value)
{
    return ahoy_sdp_attribute(media->lines, name, value) ||
           ahoy_sdp_attribute(session->lines, name, value);
}

static int digit_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* "sha-256 4A:AD:B9:..."; SHA-256 is what all have (RFC 8122 5). */
static bool read_print(struct span value, uint8_t print[AHOY_PRINT_SIZE])
{
    struct span name = ahoy_sdp_word(&value);
    if (!ahoy_span_equal_nocase(name, SPAN("sha-256")) || value.size != AHOY_PRINT_SIZE * 3 - 1)
        return false;
    for (size_t i = 0; i < AHOY_PRINT_SIZE; i++) {
        int high = digit_of(value.at[3 * i]);
        int low = digit_of(value.at[3 * i + 1]);
        if (high < 0 || low < 0 || (i + 1 < AHOY_PRINT_SIZE && value.at[3 * i + 2] != ':'))
            return false;
        print[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Where nothing is said, he says hello (RFC 4145 4.1). */
static enum ahoy_setup read_setup(const struct ahoy_sdp *session,
                                  const struct ahoy_sdp_media *media)
{
    struct span value;
    enum ahoy_setup setup = AHOY_SETUP_ACTIVE;
    if (!find(session, media, SPAN("setup"), &value))
        return setup;
    while (setup < AHOY_SETUP_OTHER && !ahoy_span_equal(value, setups[setup]))
        setup++;
    return setup;
}

bool ahoy_sdp_read_greeting(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                            struct ahoy_sdp_greeting *greeting)
{
    struct span value;
    *greeting = (struct ahoy_sdp_greeting){ .setup = read_setup(session, media) };
    greeting->has_ice = ahoy_sdp_has_ice(session, media, &greeting->ice_mark);
    greeting->is_mismatch = ahoy_sdp_is_mismatch(session, media);
    return find(session, media, SPAN("fingerprint"), &value) && read_print(value, greeting->print);
}

static void put_print(const uint8_t print[AHOY_PRINT_SIZE], struct ahoy_buf *buf)
{
    static const char digits[] = "0123456789ABCDEF";
    ahoy_buf_put(buf, SPAN("a=fingerprint:sha-256 "));
    for (size_t i = 0; i < AHOY_PRINT_SIZE; i++) {
        if (i > 0)
            ahoy_buf_put_byte(buf, ':');
        ahoy_buf_put_byte(buf, digits[print[i] >> 4]);
        ahoy_buf_put_byte(buf, digits[print[i] & 15]);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

void ahoy_sdp_put_handshake(const struct ahoy_sdp_handshake *ours, enum ahoy_setup setup,
                            struct ahoy_buf *buf)
{
    put_print(ours->print, buf);
    ahoy_buf_put(buf, SPAN("a=setup:"));
    ahoy_buf_put(buf, setups[setup]);
    ahoy_buf_put(buf, SPAN("\r\n"));
}
