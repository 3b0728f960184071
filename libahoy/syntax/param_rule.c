/* Parameters that stand twice (RFC 3261 7.3.1). */
#include "libahoy/syntax/param_rule.h"

#include "libahoy/syntax/params.h"

bool ahoy_params_check(enum ahoy_header header, struct span params, struct ahoy_err *err)
{
    (void)header;
    struct span rest = params;
    struct ahoy_param param;
    while (ahoy_param_next(&rest, &param, NULL)) {
        struct ahoy_param first;
        if (ahoy_params_find(params, param.name, &first) && first.name.at != param.name.at)
            return ahoy_fail(err, 400, param.name.at, "each parameter once");
    }
    return true;
}
