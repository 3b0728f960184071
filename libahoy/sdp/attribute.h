/* The attributes of media that have a structure of their own: RFC 8866 6, RFC 3605.  Others are
 * names and values: ahoy_sdp_attribute_next. */
#pragma once

#include "libahoy/sdp/sdp.h"

/* a=rtpmap:99 h263-1998/90000 (6.6) */
struct ahoy_sdp_rtpmap {
    uint8_t payload;      /* 0 to 127 */
    struct span encoding; /* "h263-1998" */
    uint32_t clock_hz;
    uint32_t channels; /* 1 where none are written. */
};

/* a=fmtp:96 profile-level-id=42e016 (6.15) */
struct ahoy_sdp_fmtp {
    struct span format; /* "96" */
    struct span params; /* "profile-level-id=42e016" */
};

/* a=rtcp:53020 IN IP4 126.16.64.4 (RFC 3605 2.1) */
struct ahoy_sdp_rtcp {
    uint16_t port;
    struct ahoy_sdp_connection connection; /* Empty where only a port is written. */
};

/* Each reads the value of an attribute.  False with |err| filled (400). */
bool ahoy_sdp_read_rtpmap(struct span value, struct ahoy_sdp_rtpmap *map, struct ahoy_err *err);
bool ahoy_sdp_read_fmtp(struct span value, struct ahoy_sdp_fmtp *fmtp, struct ahoy_err *err);
bool ahoy_sdp_read_rtcp(struct span value, struct ahoy_sdp_rtcp *rtcp, struct ahoy_err *err);
/* ptime and maxptime (6.4, 6.5), which are milliseconds with any number of decimals; those beyond
 * the third are dropped. */
bool ahoy_sdp_read_ptime(struct span value, uint64_t *time_us, struct ahoy_err *err);

/* The rtpmap of |payload| in |media|; false where there is none that can be read. */
bool ahoy_sdp_find_rtpmap(const struct ahoy_sdp_media *media, uint8_t payload,
                          struct ahoy_sdp_rtpmap *map);
