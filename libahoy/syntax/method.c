/* The names of methods (RFC 3261 7.1). */
#include "libahoy/syntax/method.h"

struct row {
    struct span name;
    bool forms_dialog;
};

#define AHOY_METHOD_ROW(name, dialog, ...) { { #name, sizeof #name - 1 }, dialog },
static const struct row rows[AHOY_METHOD_COUNT] = { { { "", 0 }, false },
                                                    AHOY_METHODS(AHOY_METHOD_ROW) };
#undef AHOY_METHOD_ROW

/* Apart from the names, which are looked through for each message. */
#define AHOY_METHOD_MEANING(name, dialog, meaning, source)                                         \
    { SPAN_INIT(meaning), SPAN_INIT(source) },
static const struct ahoy_meaning meanings[AHOY_METHOD_COUNT] = {
    { SPAN_INIT(""), SPAN_INIT("") }, AHOY_METHODS(AHOY_METHOD_MEANING)
};
#undef AHOY_METHOD_MEANING

enum ahoy_method ahoy_method_parse(struct span text)
{
    for (unsigned i = 1; i < AHOY_METHOD_COUNT; i++) {
        if (ahoy_span_equal(rows[i].name, text))
            return (enum ahoy_method)i;
    }
    return AHOY_METHOD_OTHER;
}

struct span ahoy_method_name(enum ahoy_method method)
{
    return rows[method].name;
}

bool ahoy_method_forms_dialog(enum ahoy_method method)
{
    return rows[method].forms_dialog;
}

const struct ahoy_meaning *ahoy_method_meaning(enum ahoy_method method)
{
    return method == AHOY_METHOD_OTHER ? NULL : &meanings[method];
}
