/* The methods that Ahoy knows by name; any other token is a method too (RFC 3261 7.1, 25.1). */
#pragma once

#include "libahoy/syntax/meaning.h"

/* Written once: METHOD(name, whether it can form a dialog, meaning, source). */
/* clang-format off */
#define AHOY_METHODS(METHOD)                                                                       \
    METHOD(INVITE, true, "asks somebody into a call, or changes one", "RFC 3261 13")               \
    METHOD(ACK, false, "tells the callee that the final answer to the INVITE has come",            \
           "RFC 3261 13")                                                                          \
    METHOD(BYE, false, "ends a call", "RFC 3261 15")                                               \
    METHOD(CANCEL, false, "calls back a request that is not answered yet", "RFC 3261 9")           \
    METHOD(REGISTER, false, "says at which address a user is reached", "RFC 3261 10")              \
    METHOD(OPTIONS, false, "asks what the other side can do, or whether it is there",              \
           "RFC 3261 11")                                                                          \
    METHOD(PRACK, false, "confirms a provisional answer that had to be confirmed", "RFC 3262 6")   \
    METHOD(SUBSCRIBE, true, "asks to be told of changes", "RFC 6665 3.1")                          \
    METHOD(NOTIFY, false, "tells of a change", "RFC 6665 3.2")                                     \
    METHOD(PUBLISH, false, "hands in one's own state, such as presence", "RFC 3903 4")             \
    METHOD(INFO, false, "carries data of an application along a call", "RFC 6086 4")               \
    METHOD(REFER, true, "asks the other side to send a request somewhere: a transfer",             \
           "RFC 3515 2")                                                                           \
    METHOD(MESSAGE, false, "carries a short message of text", "RFC 3428 4")                        \
    METHOD(UPDATE, false, "changes a session, answered or not", "RFC 3311 5")
/* clang-format on */

#define AHOY_METHOD_CONSTANT(name, ...) AHOY_METHOD_##name,
enum ahoy_method { AHOY_METHOD_OTHER, AHOY_METHODS(AHOY_METHOD_CONSTANT) AHOY_METHOD_COUNT };
#undef AHOY_METHOD_CONSTANT

/* Methods are case-sensitive; an unknown one is AHOY_METHOD_OTHER. */
enum ahoy_method ahoy_method_parse(struct span text);
/* "INVITE"; empty for AHOY_METHOD_OTHER. */
struct span ahoy_method_name(enum ahoy_method method);
/* Whether its 2xx makes a dialog, so that a proxy puts a Record-Route (RFC 3261 12, 16.6 step
 * 4). */
bool ahoy_method_forms_dialog(enum ahoy_method method);
/* What the method asks for; NULL for AHOY_METHOD_OTHER. */
const struct ahoy_meaning *ahoy_method_meaning(enum ahoy_method method);
