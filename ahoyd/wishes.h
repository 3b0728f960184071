/* What a caller wishes of the domain that he calls (RFC 3841): how his request is handled
 * (Request-Disposition, 9.1), and by which of the user's phones it is answered (7.2). */
#pragma once

#include "ahoyd/serving.h"
#include "libahoy/tu/preferences.h"

/* Not to be copied. */
struct ahoyd_wishes {
    /* The other of each two is what is done anyway. */
    bool no_cancel, no_fork, no_recurse;
    bool parallel, sequential; /* At most one of them; neither: as the domain has it. */
    struct ahoy_preferences preferences;
};

/* Reads those of |request|.  Faults: 400, as ahoy_preferences_read. */
bool ahoyd_wishes_read(const struct ahoy_message *request, struct ahoyd_wishes *wishes,
                       struct ahoy_err *err);

/* Leaves of |bindings| those that suit, and writes to |scores| how well each does.  Where none
 * suits what was only implied, all stay (7.2.4). */
void ahoyd_wishes_narrow(const struct ahoyd_wishes *wishes, struct ahoy_bindings *bindings,
                         uint16_t scores[AHOY_BINDINGS_LIMIT]);

/* A target on its way into the order in which all are tried. */
struct ahoyd_choice {
    struct ahoy_proxy_target target;
    uint16_t score;
};

/* Sorts |choices| by q and score, as the domain and the caller want it, and writes them to
 * |targets| with a q that says which ring together.  Returns how many of them are to be rung. */
size_t ahoyd_wishes_order(const struct ahoyd_wishes *wishes, const struct ahoyd_domain *domain,
                          struct ahoyd_choice *choices, size_t count,
                          struct ahoy_proxy_target *targets);
