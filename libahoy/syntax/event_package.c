/* The table of event packages (RFC 6665 and the registry). */
#include "libahoy/syntax/event_package.h"

/* clang-format off */
static const struct ahoy_word words[] = {
    AHOY_WORD("call-completion", "when somebody who was busy can be called", "RFC 6910 9.1"),
    AHOY_WORD("certificate", "the certificates of a user", "RFC 6072 6.1"),
    AHOY_WORD("conference", "who takes part in a conference, and how", "RFC 4575 3.1"),
    AHOY_WORD("consent-pending-additions", "who of a list has agreed to be on it", "RFC 5362 5.1"),
    AHOY_WORD("credential", "a user's own keys", "RFC 6072 7.1"),
    AHOY_WORD("dialog", "the calls of a phone, as its busy lamps show them", "RFC 4235 3.1"),
    AHOY_WORD("http-monitor", "changes of a web resource", "RFC 5989 4.1"),
    AHOY_WORD("kpml", "digits that are pressed", "RFC 4730"),
    AHOY_WORD("load-control", "which calls are to be held back under load", "RFC 7200 4.1"),
    AHOY_WORD("message-summary", "messages that wait in a mailbox", "RFC 3842 3.1"),
    AHOY_WORD("poc-settings", "settings for push to talk", "RFC 4354 5.1"),
    AHOY_WORD("presence", "whether somebody is there, and how to reach him", "RFC 3856 6.1"),
    AHOY_WORD("refer", "how a request that REFER asked for is getting on", "RFC 3515 3.1"),
    AHOY_WORD("reg", "where a user is registered", "RFC 3680 4.1"),
    AHOY_WORD("session-spec-policy", "rules for one session", "RFC 6795 3.1"),
    AHOY_WORD("spirits-INDPs", "calls on the telephone network, as they happen", "RFC 3910"),
    AHOY_WORD("spirits-user-prof", "users of the telephone network", "RFC 3910"),
    AHOY_WORD("ua-profile", "the settings of a device", "RFC 6080 6.1"),
    AHOY_WORD("vq-rtcpxr", "how well media came through", "RFC 6035 4.1"),
    AHOY_WORD("xcap-diff", "changes of documents kept by XCAP", "RFC 5875"),
};
/* clang-format on */

static const struct ahoy_meaning winfo = { SPAN_INIT("who watches it"), SPAN_INIT("RFC 3857 4.1") };

const struct ahoy_meaning *ahoy_event_package(struct span name)
{
    struct span ending = SPAN(".winfo");
    if (name.size > ending.size &&
        ahoy_span_equal_nocase(ahoy_span_after(name, name.size - ending.size), ending))
        return &winfo;
    return ahoy_meaning_find(words, sizeof words / sizeof words[0], name);
}
