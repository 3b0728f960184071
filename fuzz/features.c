/* Values of features: having one in common is the same from both sides, and counted before it is
 * looked for.  The input is two parameters, with a line between. */
#include "fuzz/target.h"
#include "libahoy/tu/features.h"

static bool read_param(struct span text, struct ahoy_param *param)
{
    return ahoy_param_next(&text, param, NULL);
}

/* What is alone and plain has itself in common with itself. */
static bool is_plain(const struct ahoy_param *param)
{
    return !param->has_value || (param->value.size > 0 && param->value.at[0] != '"' &&
                                 memchr("!#", param->value.at[0], 2) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size };
    size_t line = ahoy_span_find(text, '\n');
    struct ahoy_param first, second;
    if (line == size || !read_param((struct span){ text.at, line }, &first) ||
        !read_param(ahoy_span_after(text, line + 1), &second))
        return 0;
    MUST(ahoy_features_meet(&first, &second) == ahoy_features_meet(&second, &first));
    MUST(!is_plain(&first) || ahoy_features_meet(&first, &first));
    MUST(ahoy_features_count(&first) >= 1 && ahoy_features_count(&first) <= size + 1);
    return 0;
}
