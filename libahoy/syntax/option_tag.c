/* The table of option tags (RFC 3261 19.2 and the registry). */
#include "libahoy/syntax/option_tag.h"

/* clang-format off */
static const struct ahoy_word words[] = {
    AHOY_WORD("100rel", "provisional answers are confirmed by PRACK", "RFC 3262 8.1"),
    AHOY_WORD("answermode", "a call may be answered without the callee doing anything",
              "RFC 5373 2"),
    AHOY_WORD("early-session", "media before the answer get a session description of their own",
              "RFC 3959 6"),
    AHOY_WORD("eventlist", "one subscription for a list of resources", "RFC 4662 4.1"),
    AHOY_WORD("explicitsub", "a REFER whose progress is subscribed to apart", "RFC 7614 6"),
    AHOY_WORD("from-change", "the identity in From may change within a call", "RFC 4916 3"),
    AHOY_WORD("geolocation-http", "places may be fetched by HTTP", "RFC 6442 4.6"),
    AHOY_WORD("geolocation-sip", "places may be fetched by SIP", "RFC 6442 4.6"),
    AHOY_WORD("gin", "an exchange registers all its numbers at once", "RFC 6140 5.1"),
    AHOY_WORD("gruu", "addresses that name one device", "RFC 5627 4.1"),
    AHOY_WORD("histinfo", "the way that a request took is told", "RFC 7044 14.1"),
    AHOY_WORD("ice", "a way for media through NATs is found by ICE", "RFC 5768 5"),
    AHOY_WORD("join", "a new call may join one that goes on", "RFC 3911 7.2"),
    AHOY_WORD("multiple-refer", "a REFER to many targets", "RFC 5368 4"),
    AHOY_WORD("norefersub", "a REFER without a subscription to its progress", "RFC 4488 4"),
    AHOY_WORD("nosub", "a REFER without a subscription to its progress", "RFC 7614 6"),
    AHOY_WORD("outbound", "requests come down the connections that a phone opened",
              "RFC 5626 4.2.1"),
    AHOY_WORD("path", "proxies note that requests must come back through them", "RFC 3327 4"),
    AHOY_WORD("policy", "rules for sessions are fetched from a policy server", "RFC 6794 4.4.1"),
    AHOY_WORD("precondition", "a call rings only when its resources are there", "RFC 3312 11"),
    AHOY_WORD("pref", "the caller's wishes about the target are obeyed", "RFC 3841 5"),
    AHOY_WORD("privacy", "what tells about the caller is hidden", "RFC 3323 4.3"),
    AHOY_WORD("recipient-list-invite", "an INVITE to many", "RFC 5366 3"),
    AHOY_WORD("recipient-list-message", "a MESSAGE to many", "RFC 5365 5"),
    AHOY_WORD("recipient-list-subscribe", "a subscription to a list that the body holds",
              "RFC 5367 3"),
    AHOY_WORD("record-aware", "it knows that calls may be recorded", "RFC 7866 11.1.2"),
    AHOY_WORD("replaces", "a new call may take the place of another", "RFC 3891 6.2"),
    AHOY_WORD("resource-priority", "calls that matter more go first", "RFC 4412 3.4"),
    AHOY_WORD("sdp-anat", "a choice of addresses for media", "RFC 4092"),
    AHOY_WORD("sec-agree", "both sides agree on security first", "RFC 3329 2.3.1"),
    AHOY_WORD("siprec", "a call that records another", "RFC 7866 11.1.1"),
    AHOY_WORD("tdialog", "a request that belongs to another dialog", "RFC 4538 3"),
    AHOY_WORD("timer", "a session ends if it is not refreshed in time", "RFC 4028 3"),
    AHOY_WORD("trickle-ice", "candidates for media come one by one", "RFC 8840 4"),
    AHOY_WORD("uui", "data from user to user along a call", "RFC 7433 6.6"),
};
/* clang-format on */

const struct ahoy_meaning *ahoy_option_tag(struct span name)
{
    return ahoy_meaning_find(words, sizeof words / sizeof words[0], name);
}
