/* The values of single lines (RFC 8866 5 and 9); for the one who reads descriptions. */
#pragma once

#include "libahoy/sdp/sdp.h"

/* Whether |text| is a token: not that of SIP. */
bool ahoy_sdp_is_token(struct span text);

/* Each reads all of |value|.  False with |err| filled (400). */
bool ahoy_sdp_read_origin(struct span value, struct ahoy_sdp_origin *origin, struct ahoy_err *err);
bool ahoy_sdp_read_connection(struct span value, struct ahoy_sdp_connection *connection,
                              struct ahoy_err *err);
bool ahoy_sdp_read_bandwidth(struct span value, struct ahoy_sdp_bandwidth *bandwidth,
                             struct ahoy_err *err);
bool ahoy_sdp_read_time(struct span value, struct ahoy_sdp_time *time, struct ahoy_err *err);
bool ahoy_sdp_read_repeat(struct span value, struct ahoy_sdp_repeat *repeat, struct ahoy_err *err);
bool ahoy_sdp_check_zones(struct span value, struct ahoy_err *err);
bool ahoy_sdp_read_attribute(struct span value, struct ahoy_sdp_attribute *attribute,
                             struct ahoy_err *err);
/* Fills what the m= line says; leaves the rest. */
bool ahoy_sdp_read_media(struct span value, struct ahoy_sdp_media *media, struct ahoy_err *err);
