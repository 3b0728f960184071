/* What each header field is for, and how it looks (RFC 3261 20 and extensions). */
#include "libahoy/explain/parts.h"

/* clang-format off */
static const struct span meanings[AHOY_HEADER_COUNT] = {
    [AHOY_HEADER_VIA] =
        SPAN_INIT("the way back: one entry a hop, the last hop on top; answers follow it"),
    [AHOY_HEADER_FROM] = SPAN_INIT("who sends the request, as he calls himself"),
    [AHOY_HEADER_TO] = SPAN_INIT("who it is meant for; with a tag, it belongs to a dialog"),
    [AHOY_HEADER_CALL_ID] = SPAN_INIT("names the call: the same in all its messages"),
    [AHOY_HEADER_CSEQ] =
        SPAN_INIT("numbers the requests of a dialog, and says which one an answer is for"),
    [AHOY_HEADER_CONTACT] =
        SPAN_INIT("where the sender, or the user who registers, is reached directly"),
    [AHOY_HEADER_MAX_FORWARDS] = SPAN_INIT("how many more hops it may take"),
    [AHOY_HEADER_ROUTE] = SPAN_INIT("the proxies that it still has to pass, the next one first"),
    [AHOY_HEADER_RECORD_ROUTE] =
        SPAN_INIT("the proxies that want to see the later requests of this dialog too"),
    [AHOY_HEADER_CONTENT_LENGTH] = SPAN_INIT("bytes of the body"),
    [AHOY_HEADER_CONTENT_TYPE] = SPAN_INIT("what the body is"),
    [AHOY_HEADER_CONTENT_ENCODING] = SPAN_INIT("how the body is packed"),
    [AHOY_HEADER_CONTENT_LANGUAGE] = SPAN_INIT("the language of the body"),
    [AHOY_HEADER_CONTENT_DISPOSITION] = SPAN_INIT("what to do with the body"),
    [AHOY_HEADER_MIME_VERSION] = SPAN_INIT("the version of MIME that the body follows"),
    [AHOY_HEADER_AUTHORIZATION] = SPAN_INIT("the proof of the user, for the server that it is for"),
    [AHOY_HEADER_PROXY_AUTHORIZATION] = SPAN_INIT("the proof of the user, for a proxy on the way"),
    [AHOY_HEADER_WWW_AUTHENTICATE] = SPAN_INIT("the challenge of the server: prove who you are"),
    [AHOY_HEADER_PROXY_AUTHENTICATE] = SPAN_INIT("the challenge of a proxy: prove who you are"),
    [AHOY_HEADER_AUTHENTICATION_INFO] =
        SPAN_INIT("the server's own proof, and what holds for the next request"),
    [AHOY_HEADER_EXPIRES] = SPAN_INIT("for how many seconds it holds"),
    [AHOY_HEADER_MIN_EXPIRES] = SPAN_INIT("the shortest time that the server takes, in seconds"),
    [AHOY_HEADER_REQUIRE] = SPAN_INIT("extensions that the receiver must know, or refuse with 420"),
    [AHOY_HEADER_PROXY_REQUIRE] =
        SPAN_INIT("extensions that each proxy must know, or refuse with 420"),
    [AHOY_HEADER_SUPPORTED] = SPAN_INIT("extensions that the sender knows"),
    [AHOY_HEADER_UNSUPPORTED] = SPAN_INIT("extensions that were required and are not known"),
    [AHOY_HEADER_ALLOW] = SPAN_INIT("methods that the sender takes"),
    [AHOY_HEADER_ACCEPT] = SPAN_INIT("media types of bodies that the sender reads"),
    [AHOY_HEADER_ACCEPT_ENCODING] = SPAN_INIT("packings that the sender can undo"),
    [AHOY_HEADER_ACCEPT_LANGUAGE] = SPAN_INIT("languages that the sender's user reads"),
    [AHOY_HEADER_ALERT_INFO] = SPAN_INIT("how to ring"),
    [AHOY_HEADER_CALL_INFO] = SPAN_INIT("more about the caller or the callee"),
    [AHOY_HEADER_ERROR_INFO] = SPAN_INIT("more about why it failed"),
    [AHOY_HEADER_IN_REPLY_TO] = SPAN_INIT("the calls that this one returns"),
    [AHOY_HEADER_REPLY_TO] = SPAN_INIT("where to call back"),
    [AHOY_HEADER_USER_AGENT] = SPAN_INIT("the sender's software"),
    [AHOY_HEADER_SERVER] = SPAN_INIT("the software of whoever answers"),
    [AHOY_HEADER_SUBJECT] = SPAN_INIT("what the call is about"),
    [AHOY_HEADER_ORGANIZATION] = SPAN_INIT("the organization that the sender belongs to"),
    [AHOY_HEADER_PRIORITY] = SPAN_INIT("how urgent it is to the sender"),
    [AHOY_HEADER_DATE] = SPAN_INIT("when it was first sent"),
    [AHOY_HEADER_TIMESTAMP] =
        SPAN_INIT("when it was sent, by the sender's clock, to measure the way"),
    [AHOY_HEADER_RETRY_AFTER] = SPAN_INIT("when to try again, in seconds"),
    [AHOY_HEADER_WARNING] = SPAN_INIT("what else there is to say about the status"),
    [AHOY_HEADER_RSEQ] = SPAN_INIT("numbers a provisional answer that wants to be confirmed"),
    [AHOY_HEADER_RACK] = SPAN_INIT("which provisional answer this confirms"),
    [AHOY_HEADER_PRIVACY] = SPAN_INIT("what to hide about the sender"),
    [AHOY_HEADER_P_ASSERTED_IDENTITY] = SPAN_INIT("who the sender is, as the network vouches"),
    [AHOY_HEADER_P_PREFERRED_IDENTITY] =
        SPAN_INIT("which of his identities the sender wants the network to vouch for"),
    [AHOY_HEADER_REASON] = SPAN_INIT("why this request was sent"),
    [AHOY_HEADER_PATH] = SPAN_INIT("the proxies that later requests to this binding must pass"),
    [AHOY_HEADER_SECURITY_CLIENT] = SPAN_INIT("the ways of security that the client offers"),
    [AHOY_HEADER_SECURITY_SERVER] = SPAN_INIT("the ways of security that the server offers"),
    [AHOY_HEADER_SECURITY_VERIFY] =
        SPAN_INIT("what the server offered, repeated, so that nobody can have changed it"),
    [AHOY_HEADER_REFER_TO] = SPAN_INIT("where the receiver is asked to send a request"),
    [AHOY_HEADER_SERVICE_ROUTE] = SPAN_INIT("the proxies that the user's own requests shall pass"),
    [AHOY_HEADER_ACCEPT_CONTACT] = SPAN_INIT("what the target should be able to do"),
    [AHOY_HEADER_REJECT_CONTACT] = SPAN_INIT("what the target should not be"),
    [AHOY_HEADER_REQUEST_DISPOSITION] =
        SPAN_INIT("how proxies shall treat it: fork or not, queue or not"),
    [AHOY_HEADER_REPLACES] = SPAN_INIT("the call whose place this one takes"),
    [AHOY_HEADER_REFERRED_BY] = SPAN_INIT("who asked for this request"),
    [AHOY_HEADER_SIP_ETAG] = SPAN_INIT("the name of the state that was published"),
    [AHOY_HEADER_SIP_IF_MATCH] = SPAN_INIT("the published state that this one changes"),
    [AHOY_HEADER_JOIN] = SPAN_INIT("the call that this one joins"),
    [AHOY_HEADER_SESSION_EXPIRES] =
        SPAN_INIT("after how many seconds without a refresh the session ends"),
    [AHOY_HEADER_MIN_SE] = SPAN_INIT("the shortest such time that somebody on the way takes"),
    [AHOY_HEADER_RESOURCE_PRIORITY] =
        SPAN_INIT("how much it matters, where there is not enough for all"),
    [AHOY_HEADER_ACCEPT_RESOURCE_PRIORITY] = SPAN_INIT("the priorities that the server knows"),
    [AHOY_HEADER_REFER_SUB] = SPAN_INIT("whether progress of the REFER is to be told"),
    [AHOY_HEADER_TARGET_DIALOG] = SPAN_INIT("the dialog that gives the sender the right to ask"),
    [AHOY_HEADER_P_EARLY_MEDIA] =
        SPAN_INIT("which media before the answer the network lets through"),
    [AHOY_HEADER_MAX_BREADTH] = SPAN_INIT("into how many branches at once it may fork"),
    [AHOY_HEADER_FLOW_TIMER] =
        SPAN_INIT("how often the phone must show that its connection lives, in seconds"),
    [AHOY_HEADER_INFO_PACKAGE] = SPAN_INIT("which application the INFO is for"),
    [AHOY_HEADER_RECV_INFO] = SPAN_INIT("the kinds of INFO that the sender takes"),
    [AHOY_HEADER_EVENT] = SPAN_INIT("what is subscribed to, or told of"),
    [AHOY_HEADER_ALLOW_EVENTS] = SPAN_INIT("the event packages that the sender knows"),
    [AHOY_HEADER_SUBSCRIPTION_STATE] = SPAN_INIT("how the subscription stands"),
    [AHOY_HEADER_FEATURE_CAPS] = SPAN_INIT("what a proxy on the way can do"),
    [AHOY_HEADER_HISTORY_INFO] = SPAN_INIT("the addresses that it was sent to before"),
    [AHOY_HEADER_SESSION_ID] =
        SPAN_INIT("names the session, also where exchanges change the Call-ID"),
    [AHOY_HEADER_IDENTITY] = SPAN_INIT("a signature over who calls whom"),
};

/* Those that people get wrong. */
static const struct span examples[AHOY_HEADER_COUNT] = {
    [AHOY_HEADER_VIA] = SPAN_INIT("Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds"),
    [AHOY_HEADER_FROM] = SPAN_INIT("From: Alice <sip:alice@atlanta.com>;tag=1928301774"),
    [AHOY_HEADER_TO] = SPAN_INIT("To: Bob <sip:bob@biloxi.com>"),
    [AHOY_HEADER_CALL_ID] = SPAN_INIT("Call-ID: a84b4c76e66710@pc33.atlanta.com"),
    [AHOY_HEADER_CSEQ] = SPAN_INIT("CSeq: 314159 INVITE"),
    [AHOY_HEADER_CONTACT] = SPAN_INIT("Contact: <sip:alice@pc33.atlanta.com>"),
    [AHOY_HEADER_MAX_FORWARDS] = SPAN_INIT("Max-Forwards: 70"),
    [AHOY_HEADER_ROUTE] = SPAN_INIT("Route: <sip:p1.example.com;lr>"),
    [AHOY_HEADER_RECORD_ROUTE] = SPAN_INIT("Record-Route: <sip:p1.example.com;lr>"),
    [AHOY_HEADER_CONTENT_LENGTH] = SPAN_INIT("Content-Length: 0"),
    [AHOY_HEADER_CONTENT_TYPE] = SPAN_INIT("Content-Type: application/sdp"),
    [AHOY_HEADER_AUTHORIZATION] =
        SPAN_INIT("Authorization: Digest username=\"bob\", realm=\"biloxi.com\", ..."),
    [AHOY_HEADER_PROXY_AUTHORIZATION] =
        SPAN_INIT("Proxy-Authorization: Digest username=\"alice\", realm=\"atlanta.com\", ..."),
    [AHOY_HEADER_WWW_AUTHENTICATE] =
        SPAN_INIT("WWW-Authenticate: Digest realm=\"biloxi.com\", qop=\"auth\", nonce=\"dcd98b\""),
    [AHOY_HEADER_PROXY_AUTHENTICATE] =
        SPAN_INIT("Proxy-Authenticate: Digest realm=\"atlanta.com\", qop=\"auth\", nonce=\"wf8\""),
    [AHOY_HEADER_EXPIRES] = SPAN_INIT("Expires: 3600"),
    [AHOY_HEADER_DATE] = SPAN_INIT("Date: Sat, 13 Nov 2010 23:29:00 GMT"),
    [AHOY_HEADER_PATH] = SPAN_INIT("Path: <sip:p1.example.com;lr>"),
    [AHOY_HEADER_REFER_TO] = SPAN_INIT("Refer-To: <sip:carol@chicago.com>"),
    [AHOY_HEADER_REASON] = SPAN_INIT("Reason: Q.850;cause=16;text=\"Terminated\""),
    [AHOY_HEADER_WARNING] =
        SPAN_INIT("Warning: 307 isi.edu \"Session parameter 'foo' not understood\""),
    [AHOY_HEADER_SESSION_EXPIRES] = SPAN_INIT("Session-Expires: 1800;refresher=uac"),
    [AHOY_HEADER_REPLACES] =
        SPAN_INIT("Replaces: 425928@bobster.example.org;to-tag=7743;from-tag=6472"),
    [AHOY_HEADER_EVENT] = SPAN_INIT("Event: presence"),
    [AHOY_HEADER_SUBSCRIPTION_STATE] = SPAN_INIT("Subscription-State: active;expires=3600"),
    [AHOY_HEADER_TIMESTAMP] = SPAN_INIT("Timestamp: 54"),
    [AHOY_HEADER_RACK] = SPAN_INIT("RAck: 776656 1 INVITE"),
    [AHOY_HEADER_USER_AGENT] = SPAN_INIT("User-Agent: Softphone Beta1.5"),
};
/* clang-format on */

struct span ahoy_explain_header(enum ahoy_header header)
{
    return meanings[header];
}

struct span ahoy_explain_example(enum ahoy_header header)
{
    return examples[header];
}
