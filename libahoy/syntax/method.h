/* The methods that Ahoy knows by name; any other token is a method too (RFC 3261 7.1, 25.1). */
#pragma once

#include "libahoy/base/span.h"

/* Written once: METHOD(name, whether it can form a dialog). */
#define AHOY_METHODS(METHOD)                                                                       \
    METHOD(INVITE, true)                                                                           \
    METHOD(ACK, false)                                                                             \
    METHOD(BYE, false)                                                                             \
    METHOD(CANCEL, false)                                                                          \
    METHOD(REGISTER, false)                                                                        \
    METHOD(OPTIONS, false)                                                                         \
    METHOD(PRACK, false)                                                                           \
    METHOD(SUBSCRIBE, true)                                                                        \
    METHOD(NOTIFY, false)                                                                          \
    METHOD(PUBLISH, false)                                                                         \
    METHOD(INFO, false)                                                                            \
    METHOD(REFER, true)                                                                            \
    METHOD(MESSAGE, false)                                                                         \
    METHOD(UPDATE, false)

#define AHOY_METHOD_CONSTANT(name, dialog) AHOY_METHOD_##name,
enum ahoy_method { AHOY_METHOD_OTHER, AHOY_METHODS(AHOY_METHOD_CONSTANT) AHOY_METHOD_COUNT };
#undef AHOY_METHOD_CONSTANT

/* Methods are case-sensitive; an unknown one is AHOY_METHOD_OTHER. */
enum ahoy_method ahoy_method_parse(struct span text);
/* "INVITE"; empty for AHOY_METHOD_OTHER. */
struct span ahoy_method_name(enum ahoy_method method);
/* Whether its 2xx makes a dialog, so that a proxy puts a Record-Route (RFC 3261 12, 16.6 step
 * 4). */
bool ahoy_method_forms_dialog(enum ahoy_method method);
