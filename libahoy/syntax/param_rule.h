/* The parameters that Ahoy knows: of which header or URI, what their value looks like, and what
 * they mean.  To add one, add a line. */
#pragma once

#include "libahoy/base/err.h"
#include "libahoy/syntax/header.h"

enum { AHOY_PARAMS_LIMIT = 64 /* Parameters of one value: each is compared with each. */ };

/* What a parameter's value must look like. */
enum ahoy_param_shape {
    AHOY_SHAPE_ANY,  /* generic-param: nothing, a token, a host or a quoted string. */
    AHOY_SHAPE_FLAG, /* No value: ;lr */
    AHOY_SHAPE_TOKEN,
    AHOY_SHAPE_QUOTED,
    AHOY_SHAPE_NUMBER, /* 1*DIGIT, below 2^32. */
    AHOY_SHAPE_QVALUE, /* 0 to 1 with three decimals. */
    AHOY_SHAPE_HOST,
    AHOY_SHAPE_PORT, /* rport: nothing, or a number. */
    AHOY_SHAPE_TTL,  /* 0 to 255. */
    AHOY_SHAPE_BOOL, /* "true" or "false". */
    AHOY_SHAPE_COUNT
};

struct ahoy_param_rule {
    struct span name;
    enum ahoy_param_shape shape;
    bool is_required;
    struct span meaning; /* For a person: "how much this target is preferred". */
    struct span source;  /* "RFC 3261 20.10" */
};

/* The rule for the header parameter |name| of |header|, case aside; NULL where Ahoy knows none, and
 * any generic-param will do. */
const struct ahoy_param_rule *ahoy_param_rule(enum ahoy_header header, struct span name);
/* Whether |name| is that of a feature (RFC 3841 7.2.1): one of the base tags, or any with a "+". */
bool ahoy_param_is_feature(struct span name);
/* The rule for a parameter of a SIP URI (RFC 3261 19.1.1, and the registry), for its meaning. */
const struct ahoy_param_rule *ahoy_uri_param_rule(struct span name);

/* Checks well-formed |text| against the rules of |header|: shapes, those required, and none
 * twice (R3261-7.3.1-4).  False at a fault (400). */
bool ahoy_params_check(enum ahoy_header header, struct span text, struct ahoy_err *err);
