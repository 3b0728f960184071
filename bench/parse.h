/* What bench-parse measures: a parser of SIP, ours or a peer's, asked twice. */
#pragma once

#include "libahoy/base/span.h"

struct parser {
    const char *name;
    void (*init)(void); /* Called once; NULL where there is nothing to do. */
    /* Reads |message| as far as the parser must before anything can be asked of it.  False at a
     * fault. */
    bool (*index)(struct span message);
    /* Reads |message|, and then all that routing needs, as users of the parser would.  Returns how
     * many fields it found, the same for all parsers: the hosts of the Request-URI, the topmost
     * Via, From, To and of every Contact, Route and Record-Route; branch and rport of that Via,
     * the tags, Call-ID, CSeq, Max-Forwards. */
    unsigned (*route)(struct span message);
};

extern const struct parser parser_ahoy;
extern const struct parser parser_osip;  /* libosip2 */
extern const struct parser parser_re;    /* libre */
extern const struct parser parser_sofia; /* sofia-sip */
