/* The tables of parameters: of header fields (RFC 3261 25.1 and extensions), of the features that
 * a target may state (RFC 3840), and of SIP URIs (RFC 3261 19.1.1, RFC 3969). */
#include "libahoy/syntax/param_rule.h"

#include "libahoy/base/ip.h"
#include "libahoy/base/unset.h"
#include "libahoy/syntax/host.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

enum { OPTIONAL = false, REQUIRED = true };

#define RULE(name, shape, need, meaning, source)                                                   \
    {                                                                                              \
        SPAN_INIT(name), AHOY_SHAPE_##shape, need, SPAN_INIT(meaning), SPAN_INIT(source)           \
    }
#define FEATURE(name, meaning, source) RULE(name, ANY, OPTIONAL, meaning, source)
#define PARAM(header, name, ...)                                                                   \
    {                                                                                              \
        AHOY_HEADER_##header, "the parameter " name, RULE(name, __VA_ARGS__)                       \
    }

/* Rows of one header stand together.  A shape is ANY where the RFC is strict and phones are not, or
 * where the RFC itself tells what a value that cannot be read counts as (Contact's expires,
 * 10.2.1.1). */
/* clang-format off */
static const struct header_row {
    enum ahoy_header header;
    const char *missing; /* What is expected where a required one is absent. */
    struct ahoy_param_rule rule;
} header_rows[] = {
    PARAM(VIA, "branch", ANY, OPTIONAL, "what marks this transaction at this hop",
          "RFC 3261 8.1.1.7"),
    PARAM(VIA, "received", HOST, OPTIONAL, "the address that the request really came from",
          "RFC 3261 18.2.1"),
    PARAM(VIA, "rport", PORT, OPTIONAL,
          "the port that the request really came from; empty, it asks for that", "RFC 3581 3"),
    PARAM(VIA, "maddr", HOST, OPTIONAL, "the multicast address that the request was sent to",
          "RFC 3261 18.1.1"),
    PARAM(VIA, "ttl", TTL, OPTIONAL, "how far multicast may carry it", "RFC 3261 18.1.1"),
    PARAM(VIA, "alias", FLAG, OPTIONAL, "this connection may serve requests the other way too",
          "RFC 5923 5"),
    PARAM(VIA, "keep", ANY, OPTIONAL,
          "keep-alives are offered; with a number, asked for every so many seconds", "RFC 6223"),
    PARAM(VIA, "comp", TOKEN, OPTIONAL, "how answers may be compressed", "RFC 3486 4"),
    PARAM(VIA, "sigcomp-id", QUOTED, OPTIONAL, "who shares the state of the compression",
          "RFC 5049 9.1"),
    PARAM(VIA, "received-realm", QUOTED, OPTIONAL, "the network that the request came from, signed",
          "RFC 8055 5"),
    PARAM(VIA, "oc", ANY, OPTIONAL, "overload control: how much to shed", "RFC 7339 4.1"),
    PARAM(VIA, "oc-algo", QUOTED, OPTIONAL, "overload control: how to shed", "RFC 7339 4.2"),
    PARAM(VIA, "oc-validity", ANY, OPTIONAL, "overload control: for how many milliseconds",
          "RFC 7339 4.3"),
    PARAM(VIA, "oc-seq", TOKEN, OPTIONAL, "overload control: which news is the newest",
          "RFC 7339 4.4"),
    PARAM(FROM, "tag", ANY, OPTIONAL, "the caller's half of the dialog's name", "RFC 3261 19.3"),
    PARAM(TO, "tag", ANY, OPTIONAL, "the callee's half of the dialog's name", "RFC 3261 19.3"),
    PARAM(CONTACT, "q", QVALUE, OPTIONAL, "how much this target is preferred, 0 to 1",
          "RFC 3261 20.10"),
    PARAM(CONTACT, "expires", ANY, OPTIONAL, "seconds until the binding ends; 0 removes it",
          "RFC 3261 20.10"),
    PARAM(CONTACT, "+sip.instance", QUOTED, OPTIONAL, "which device this is, whatever its address",
          "RFC 5626 4.1"),
    PARAM(CONTACT, "reg-id", NUMBER, OPTIONAL, "which of the device's flows this is",
          "RFC 5626 4.2.1"),
    PARAM(CONTACT, "pub-gruu", QUOTED, OPTIONAL, "the device's public address, for anybody to use",
          "RFC 5627 4.2"),
    PARAM(CONTACT, "temp-gruu", QUOTED, OPTIONAL, "the device's anonymous address", "RFC 5627 4.2"),
    PARAM(CONTACT, "temp-gruu-cookie", ANY, OPTIONAL,
          "from what an exchange makes anonymous addresses", "RFC 6140 7.1.2.1"),
    PARAM(CONTACT, "rc", ANY, OPTIONAL, "the target changed, the user stayed: from this index",
          "RFC 7044 5"),
    PARAM(CONTACT, "mp", ANY, OPTIONAL, "another user was taken: from this index", "RFC 7044 5"),
    PARAM(CONTACT, "np", ANY, OPTIONAL, "nothing changed: from this index", "RFC 7044 5"),
    PARAM(CONTENT_TYPE, "charset", ANY, OPTIONAL, "the characters of the body", "RFC 3261 20.15"),
    PARAM(CONTENT_TYPE, "boundary", ANY, OPTIONAL, "what parts the parts of the body",
          "RFC 2046 5.1.1"),
    PARAM(CONTENT_TYPE, "type", ANY, OPTIONAL, "the media type of the root part", "RFC 2387 3.1"),
    PARAM(CONTENT_TYPE, "start", ANY, OPTIONAL, "the Content-ID of the root part", "RFC 2387 3.2"),
    PARAM(CONTENT_TYPE, "version", ANY, OPTIONAL, "the version of the media type", "RFC 3204 3.1"),
    PARAM(CONTENT_TYPE, "base", ANY, OPTIONAL, "the national version of the signalling inside",
          "RFC 3204 3.1"),
    PARAM(CONTENT_TYPE, "access-type", ANY, OPTIONAL, "how the body is fetched from elsewhere",
          "RFC 4483 5.4"),
    PARAM(CONTENT_TYPE, "url", ANY, OPTIONAL, "where the body is fetched from", "RFC 4483 5.4"),
    PARAM(CONTENT_TYPE, "expiration", ANY, OPTIONAL, "until when the body can be fetched",
          "RFC 4483 5.7"),
    PARAM(CONTENT_TYPE, "size", ANY, OPTIONAL, "how large the body elsewhere is", "RFC 4483 5.9"),
    PARAM(CONTENT_DISPOSITION, "handling", TOKEN, OPTIONAL,
          "whether whoever cannot read the body must refuse", "RFC 3261 20.11"),
    PARAM(CONTENT_DISPOSITION, "filename", ANY, OPTIONAL, "what to call the body if it is kept",
          "RFC 2183 2.3"),
    PARAM(CONTENT_DISPOSITION, "size", ANY, OPTIONAL, "how large it is", "RFC 2183 2.7"),
    PARAM(AUTHORIZATION, "username", ANY, OPTIONAL, "who wants in", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "username*", ANY, OPTIONAL, "who wants in, in any script", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "userhash", ANY, OPTIONAL, "whether the user's name is hidden",
          "RFC 7616 3.4.4"),
    PARAM(AUTHORIZATION, "realm", ANY, OPTIONAL, "whose password is meant", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "nonce", ANY, OPTIONAL, "the server's challenge, repeated",
          "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "uri", ANY, OPTIONAL, "the Request-URI, which the proof covers",
          "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "response", ANY, OPTIONAL, "the proof that the password is known",
          "RFC 7616 3.4.1"),
    PARAM(AUTHORIZATION, "algorithm", ANY, OPTIONAL, "the digest's algorithm", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "cnonce", ANY, OPTIONAL, "the client's own challenge", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "opaque", ANY, OPTIONAL, "what the server wants back unchanged",
          "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "qop", ANY, OPTIONAL,
          "what the proof covers: the request, or the body too", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "nc", ANY, OPTIONAL, "how often the nonce was used", "RFC 7616 3.4"),
    PARAM(AUTHORIZATION, "auts", ANY, OPTIONAL, "the SIM and the network lost step",
          "RFC 3310 3.4"),
    PARAM(WWW_AUTHENTICATE, "realm", ANY, OPTIONAL, "whose password is asked for", "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "domain", ANY, OPTIONAL, "for which URIs the answer holds",
          "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "nonce", ANY, OPTIONAL, "the challenge", "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "opaque", ANY, OPTIONAL, "what is to come back unchanged",
          "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "stale", ANY, OPTIONAL,
          "true: the password was right, the nonce too old", "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "algorithm", ANY, OPTIONAL, "the digest's algorithm", "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "qop", ANY, OPTIONAL, "what the proof may cover", "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "charset", ANY, OPTIONAL, "the characters of name and password",
          "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "userhash", ANY, OPTIONAL, "whether the user's name may be hidden",
          "RFC 7616 3.3"),
    PARAM(WWW_AUTHENTICATE, "authz_server", ANY, OPTIONAL, "who gives out tokens", "RFC 8898 4"),
    PARAM(WWW_AUTHENTICATE, "scope", ANY, OPTIONAL, "what a token must allow", "RFC 8898 4"),
    PARAM(WWW_AUTHENTICATE, "error", ANY, OPTIONAL, "what was wrong with the token", "RFC 8898 4"),
    PARAM(AUTHENTICATION_INFO, "nextnonce", ANY, OPTIONAL, "the challenge of the next request",
          "RFC 7616 3.5"),
    PARAM(AUTHENTICATION_INFO, "rspauth", ANY, OPTIONAL,
          "the server's proof that it knows the password", "RFC 7616 3.5"),
    PARAM(AUTHENTICATION_INFO, "qop", ANY, OPTIONAL, "what that proof covers", "RFC 7616 3.5"),
    PARAM(AUTHENTICATION_INFO, "cnonce", ANY, OPTIONAL, "the client's challenge, repeated",
          "RFC 7616 3.5"),
    PARAM(AUTHENTICATION_INFO, "nc", ANY, OPTIONAL, "how often the nonce was used", "RFC 7616 3.5"),
    PARAM(ACCEPT, "q", QVALUE, OPTIONAL, "how much this type is preferred, 0 to 1",
          "RFC 3261 20.1"),
    PARAM(ACCEPT_ENCODING, "q", QVALUE, OPTIONAL, "how much this encoding is preferred, 0 to 1",
          "RFC 3261 20.2"),
    PARAM(ACCEPT_LANGUAGE, "q", QVALUE, OPTIONAL, "how much this language is preferred, 0 to 1",
          "RFC 3261 20.3"),
    PARAM(ALERT_INFO, "appearance", NUMBER, OPTIONAL, "which line of a shared set rings",
          "RFC 7463 7"),
    PARAM(CALL_INFO, "purpose", TOKEN, OPTIONAL,
          "what is found there: an icon, a card, information", "RFC 3261 20.9"),
    PARAM(RETRY_AFTER, "duration", NUMBER, OPTIONAL,
          "how many seconds the callee will then be reachable", "RFC 3261 20.33"),
    PARAM(PRIVACY, "header", FLAG, OPTIONAL, "hide what headers tell about the user",
          "RFC 3323 4.2"),
    PARAM(PRIVACY, "session", FLAG, OPTIONAL, "hide where media comes from", "RFC 3323 4.2"),
    PARAM(PRIVACY, "user", FLAG, OPTIONAL, "hide the user's name and address", "RFC 3323 4.2"),
    PARAM(PRIVACY, "none", FLAG, OPTIONAL, "hide nothing", "RFC 3323 4.2"),
    PARAM(PRIVACY, "critical", FLAG, OPTIONAL, "refuse the request where it cannot be hidden",
          "RFC 3323 4.2"),
    PARAM(PRIVACY, "id", FLAG, OPTIONAL, "hide the identity that the network asserts",
          "RFC 3325 9.3"),
    PARAM(PRIVACY, "history", FLAG, OPTIONAL, "hide the way that the request took",
          "RFC 7044 10.1.1"),
    PARAM(REASON, "cause", NUMBER, OPTIONAL, "the code of the protocol named before", "RFC 3326 2"),
    PARAM(REASON, "text", ANY, OPTIONAL, "the same in words", "RFC 3326 2"),
    PARAM(REASON, "ppi", ANY, OPTIONAL, "which PASSporT of several is meant", "RFC 9410 5"),
    PARAM(REASON, "location", TOKEN, OPTIONAL, "which part of the telephone network says so",
          "RFC 8606 4"),
    PARAM(SECURITY_CLIENT, "q", QVALUE, OPTIONAL, "how much this mechanism is preferred, 0 to 1",
          "RFC 3329 2.2"),
    PARAM(SECURITY_CLIENT, "d-alg", TOKEN, OPTIONAL, "the digest's algorithm", "RFC 3329 2.2"),
    PARAM(SECURITY_CLIENT, "d-qop", TOKEN, OPTIONAL, "what the digest covers", "RFC 3329 2.2"),
    PARAM(SECURITY_CLIENT, "d-ver", QUOTED, OPTIONAL,
          "a digest over the mechanisms, against a man between", "RFC 3329 2.2"),
    PARAM(REFERRED_BY, "cid", QUOTED, OPTIONAL, "which body part proves who refers", "RFC 3892 3"),
    PARAM(ACCEPT_CONTACT, "require", FLAG, OPTIONAL, "take no target that lacks these features",
          "RFC 3841 5.2"),
    PARAM(ACCEPT_CONTACT, "explicit", FLAG, OPTIONAL,
          "a target that does not say counts as lacking them", "RFC 3841 5.2"),
    PARAM(REPLACES, "to-tag", TOKEN, REQUIRED,
          "the To tag of the dialog meant, seen by its receiver", "RFC 3891 6.1"),
    PARAM(REPLACES, "from-tag", TOKEN, REQUIRED, "its From tag", "RFC 3891 6.1"),
    PARAM(REPLACES, "early-only", FLAG, OPTIONAL, "only while that dialog is not answered yet",
          "RFC 3891 6.1"),
    PARAM(JOIN, "to-tag", TOKEN, REQUIRED, "the To tag of the dialog meant, seen by its receiver",
          "RFC 3911 7.1"),
    PARAM(JOIN, "from-tag", TOKEN, REQUIRED, "its From tag", "RFC 3911 7.1"),
    PARAM(TARGET_DIALOG, "local-tag", TOKEN, REQUIRED,
          "the tag of the dialog meant at its receiver", "RFC 4538 7"),
    PARAM(TARGET_DIALOG, "remote-tag", TOKEN, REQUIRED, "its tag at the sender", "RFC 4538 7"),
    PARAM(SESSION_EXPIRES, "refresher", TOKEN, OPTIONAL,
          "who refreshes the session: uac, the caller, or uas", "RFC 4028 4"),
    PARAM(EVENT, "id", TOKEN, OPTIONAL, "which of several subscriptions is meant",
          "RFC 6665 8.2.1"),
    PARAM(EVENT, "call-id", ANY, OPTIONAL, "the Call-ID of the dialog that is watched",
          "RFC 4235 3.2"),
    PARAM(EVENT, "to-tag", TOKEN, OPTIONAL, "the To tag of the dialog that is watched",
          "RFC 4235 3.2"),
    PARAM(EVENT, "from-tag", TOKEN, OPTIONAL, "the From tag of the dialog that is watched",
          "RFC 4235 3.2"),
    PARAM(EVENT, "include-session-description", FLAG, OPTIONAL, "send the SDP along",
          "RFC 4235 3.2"),
    PARAM(EVENT, "profile-type", TOKEN, OPTIONAL, "which settings are wanted", "RFC 6080 6.2.1"),
    PARAM(EVENT, "vendor", ANY, OPTIONAL, "who made the device", "RFC 6080 6.2.2"),
    PARAM(EVENT, "model", ANY, OPTIONAL, "the device's model", "RFC 6080 6.2.2"),
    PARAM(EVENT, "version", ANY, OPTIONAL, "the version of its software", "RFC 6080 6.2.2"),
    PARAM(EVENT, "effective-by", NUMBER, OPTIONAL, "within how many seconds the settings must hold",
          "RFC 6080 6.2.3"),
    PARAM(EVENT, "min-rate", ANY, OPTIONAL, "news at least so often", "RFC 6446 6.1"),
    PARAM(EVENT, "max-rate", ANY, OPTIONAL, "news at most so often", "RFC 6446 5.1"),
    PARAM(EVENT, "adaptive-min-rate", ANY, OPTIONAL, "news at least so often on average",
          "RFC 6446 7.1"),
    PARAM(SUBSCRIPTION_STATE, "reason", TOKEN, OPTIONAL, "why the subscription ended",
          "RFC 6665 4.1.3"),
    PARAM(SUBSCRIPTION_STATE, "expires", NUMBER, OPTIONAL, "seconds until it ends",
          "RFC 6665 4.1.3"),
    PARAM(SUBSCRIPTION_STATE, "retry-after", NUMBER, OPTIONAL, "seconds before another try",
          "RFC 6665 4.1.3"),
    PARAM(SUBSCRIPTION_STATE, "min-rate", ANY, OPTIONAL, "news at least so often", "RFC 6446 6.2"),
    PARAM(SUBSCRIPTION_STATE, "max-rate", ANY, OPTIONAL, "news at most so often", "RFC 6446 5.2"),
    PARAM(SUBSCRIPTION_STATE, "adaptive-min-rate", ANY, OPTIONAL,
          "news at least so often on average", "RFC 6446 7.2"),
    PARAM(FEATURE_CAPS, "+sip.pns", QUOTED, OPTIONAL, "which push services this proxy serves",
          "RFC 8599 8.2"),
    PARAM(FEATURE_CAPS, "+sip.vapid", QUOTED, OPTIONAL,
          "the key by which it is known to the push service", "RFC 8599 8.3"),
    PARAM(FEATURE_CAPS, "+sip.pnsreg", QUOTED, OPTIONAL,
          "how many seconds before the end it wants to be asked again", "RFC 8599 8.4"),
    PARAM(FEATURE_CAPS, "+sip.pnspurr", QUOTED, OPTIONAL,
          "how a request within a dialog names the push", "RFC 8599 8.6"),
    PARAM(FEATURE_CAPS, "+sip.607", ANY, OPTIONAL, "calls may be refused as unwanted",
          "RFC 8197 5.2"),
    PARAM(FEATURE_CAPS, "+sip.608", ANY, OPTIONAL, "calls may be refused by what analyses them",
          "RFC 8688 5.2"),
    PARAM(HISTORY_INFO, "index", ANY, REQUIRED, "the place of this step on the way", "RFC 7044 5"),
    PARAM(HISTORY_INFO, "rc", ANY, OPTIONAL, "the target changed, the user stayed: from this index",
          "RFC 7044 5"),
    PARAM(HISTORY_INFO, "mp", ANY, OPTIONAL, "another user was taken: from this index",
          "RFC 7044 5"),
    PARAM(HISTORY_INFO, "np", ANY, OPTIONAL, "nothing changed: from this index", "RFC 7044 5"),
    PARAM(SESSION_ID, "remote", TOKEN, OPTIONAL, "the other end's half of the session's name",
          "RFC 7989 5"),
    PARAM(SESSION_ID, "logme", FLAG, OPTIONAL, "log what belongs to this session", "RFC 8497 3.1"),
    PARAM(IDENTITY, "info", ANY, REQUIRED, "where the signer's certificate is found", "RFC 8224 4"),
    PARAM(IDENTITY, "alg", TOKEN, OPTIONAL, "the algorithm of the signature", "RFC 8224 4"),
    PARAM(IDENTITY, "ppt", ANY, OPTIONAL, "what kind of claim is signed", "RFC 8224 4"),
};

/* Their values are judged where targets are compared. */
static const struct ahoy_param_rule features[] = {
    FEATURE("audio", "it takes audio", "RFC 3840 10.1"),
    FEATURE("application", "it takes media for applications", "RFC 3840 10.2"),
    FEATURE("data", "it takes media of data", "RFC 3840 10.3"),
    FEATURE("control", "it takes media that steer others", "RFC 3840 10.4"),
    FEATURE("video", "it takes video", "RFC 3840 10.5"),
    FEATURE("text", "it takes text", "RFC 3840 10.6"),
    FEATURE("automata", "a machine answers, no person", "RFC 3840 10.7"),
    FEATURE("class", "business or personal", "RFC 3840 10.8"),
    FEATURE("duplex", "whether it sends, receives or both", "RFC 3840 10.9"),
    FEATURE("mobility", "fixed or mobile", "RFC 3840 10.10"),
    FEATURE("description", "what it is, in words", "RFC 3840 10.11"),
    FEATURE("events", "the event packages that it knows", "RFC 3840 10.12"),
    FEATURE("priority", "the priorities of calls that it takes", "RFC 3840 10.13"),
    FEATURE("methods", "the methods that it knows", "RFC 3840 10.14"),
    FEATURE("extensions", "the extensions that it knows", "RFC 3840 10.15"),
    FEATURE("schemes", "the URI schemes that it knows", "RFC 3840 10.16"),
    FEATURE("actor", "who answers: the user, a clerk, a recorder, or a machine",
         "RFC 3840 10.17"),
    FEATURE("isfocus", "it is the centre of a conference", "RFC 3840 10.18"),
    FEATURE("language", "the languages that are spoken", "RFC 3840 9"),
    FEATURE("type", "the media types that it takes", "RFC 3840 9"),
    FEATURE("+sip.byeless", "it cannot end a call", "RFC 4235 5.1"),
    FEATURE("+sip.rendering", "whether it plays the media that come", "RFC 4235 5.2"),
    FEATURE("+sip.app-subtype", "which media of type application it takes",
         "RFC 5688 3"),
    FEATURE("+sip.ice", "it finds a way through NATs by ICE", "RFC 5768 4"),
    FEATURE("+sip.pnsreg", "it can keep its binding awake without a push",
         "RFC 8599 8.5"),
    FEATURE("+sip.src", "it records calls", "RFC 7866 11.2.1"),
    FEATURE("+sip.srs", "it keeps recordings", "RFC 7866 11.2.2"),
};

static const struct ahoy_param_rule uri_rows[] = {
    RULE("transport", TOKEN, OPTIONAL, "by which transport it is reached", "RFC 3261 19.1.1"),
    RULE("maddr", HOST, OPTIONAL, "the address to send to instead of the host", "RFC 3261 19.1.1"),
    RULE("ttl", TTL, OPTIONAL, "how far multicast may carry it", "RFC 3261 19.1.1"),
    RULE("user", TOKEN, OPTIONAL, "phone: the user part is a telephone number", "RFC 3261 19.1.1"),
    RULE("method", TOKEN, OPTIONAL, "the method of a request made from this URI",
         "RFC 3261 19.1.1"),
    RULE("lr", FLAG, OPTIONAL, "this proxy routes loosely, by Route", "RFC 3261 19.1.1"),
    RULE("ob", FLAG, OPTIONAL, "requests go down the flow that registered it", "RFC 5626 4.3"),
    RULE("gr", ANY, OPTIONAL, "it names one device: a GRUU", "RFC 5627 3.1"),
    RULE("comp", TOKEN, OPTIONAL, "how messages to it may be compressed", "RFC 3486 4"),
    RULE("sigcomp-id", ANY, OPTIONAL, "who shares the state of the compression", "RFC 5049 9.1"),
    RULE("cause", NUMBER, OPTIONAL, "why the call was sent to this service", "RFC 4458 2.2"),
    RULE("target", ANY, OPTIONAL, "whose mailbox is meant", "RFC 4458 2.1"),
    RULE("aai", ANY, OPTIONAL, "what the dialogue's script is given", "RFC 5552 2.1"),
    RULE("ccxml", ANY, OPTIONAL, "which CCXML script steers the call", "RFC 5552 2.1"),
    RULE("voicexml", ANY, OPTIONAL, "which script speaks to the caller", "RFC 5552 2.1"),
    RULE("maxage", ANY, OPTIONAL, "how old a copy of the script may be", "RFC 5552 2.1"),
    RULE("maxstale", ANY, OPTIONAL, "how long past its time a copy may be used", "RFC 5552 2.1"),
    RULE("postbody", ANY, OPTIONAL, "what the script is fetched with", "RFC 5552 2.1"),
    RULE("play", ANY, OPTIONAL, "which announcement is played", "RFC 4240 3"),
    RULE("repeat", ANY, OPTIONAL, "how often it is played", "RFC 4240 3"),
    RULE("delay", NUMBER, OPTIONAL, "milliseconds between two times", "RFC 4240 3"),
    RULE("duration", NUMBER, OPTIONAL, "milliseconds after which it ends", "RFC 4240 3"),
    RULE("locale", ANY, OPTIONAL, "the language of the announcement", "RFC 4240 3"),
    RULE("param", ANY, OPTIONAL, "a variable of the announcement", "RFC 4240 3"),
    RULE("content-type", ANY, OPTIONAL, "the media type of the announcement", "RFC 4240 3"),
    RULE("bnc", FLAG, OPTIONAL, "one binding for all numbers of an exchange", "RFC 6140 5.1"),
    RULE("sg", ANY, OPTIONAL, "which device behind an exchange", "RFC 6140 7.1.1"),
    RULE("iotl", ANY, OPTIONAL, "which leg of the call this is, at home or abroad", "RFC 7549 5"),
    RULE("pn-provider", ANY, OPTIONAL, "the push service that wakes this device", "RFC 8599 8.7"),
    RULE("pn-param", ANY, OPTIONAL, "what the push service needs besides", "RFC 8599 8.7"),
    RULE("pn-prid", ANY, OPTIONAL, "the device's name at the push service", "RFC 8599 8.7"),
    RULE("pn-purr", ANY, OPTIONAL, "the binding that a push within a dialog is for",
         "RFC 8599 8.7"),
};

/* Headers whose parameters are those of another. */
static const uint8_t like[AHOY_HEADER_COUNT] = {
    [AHOY_HEADER_PROXY_AUTHORIZATION] = AHOY_HEADER_AUTHORIZATION,
    [AHOY_HEADER_PROXY_AUTHENTICATE] = AHOY_HEADER_WWW_AUTHENTICATE,
    [AHOY_HEADER_SECURITY_SERVER] = AHOY_HEADER_SECURITY_CLIENT,
    [AHOY_HEADER_SECURITY_VERIFY] = AHOY_HEADER_SECURITY_CLIENT,
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Where the rows of each header begin and how many they are.  Filled once, before main, and only
 * read after. */
static struct {
    uint8_t first, count;
    bool requires_some;
} groups[AHOY_HEADER_COUNT];

__attribute__((constructor)) static void fill(void)
{
    for (size_t i = COUNT(header_rows); i-- > 0;) {
        groups[header_rows[i].header].first = (uint8_t)i;
        groups[header_rows[i].header].count++;
        groups[header_rows[i].header].requires_some |= header_rows[i].rule.is_required;
    }
}

static const struct ahoy_param_rule *find(const struct ahoy_param_rule *rules, size_t count,
                                          struct span name)
{
    for (size_t i = 0; i < count; i++) {
        if (ahoy_span_equal_nocase(rules[i].name, name))
            return &rules[i];
    }
    return NULL;
}

/* Whether the header states features of a target, or asks for them. */
static bool has_features(enum ahoy_header header)
{
    return header == AHOY_HEADER_CONTACT || header == AHOY_HEADER_ACCEPT_CONTACT ||
           header == AHOY_HEADER_REJECT_CONTACT || header == AHOY_HEADER_REFER_TO;
}

static const struct ahoy_param_rule *find_own(enum ahoy_header header, struct span name)
{
    if (like[header] != 0)
        header = (enum ahoy_header)like[header];
    const struct header_row *row = header_rows + groups[header].first;
    for (size_t i = 0; i < groups[header].count; i++) {
        if (ahoy_span_equal_nocase(row[i].rule.name, name))
            return &row[i].rule;
    }
    return NULL;
}

const struct ahoy_param_rule *ahoy_param_rule(enum ahoy_header header, struct span name)
{
    const struct ahoy_param_rule *own = find_own(header, name);
    return own == NULL && has_features(header) ? find(features, COUNT(features), name) : own;
}

bool ahoy_param_is_feature(struct span name)
{
    return (name.size > 0 && name.at[0] == '+') || find(features, COUNT(features), name) != NULL;
}

const struct ahoy_param_rule *ahoy_uri_param_rule(struct span name)
{
    return find(uri_rows, COUNT(uri_rows), name);
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static bool is_qvalue(struct span value)
{
    if (value.size == 0 || value.size > 5 || (value.at[0] != '0' && value.at[0] != '1'))
        return false;
    if (value.size > 1 && value.at[1] != '.')
        return false;
    for (size_t i = 2; i < value.size; i++) {
        if (!ahoy_is(value.at[i], AHOY_DIGIT) || (value.at[0] == '1' && value.at[i] != '0'))
            return false;
    }
    return true;
}

/* A host, or an IPv6 address without brackets, which received= has (RFC 5118 4.5). */
static bool is_host(struct span value)
{
    struct ahoy_ip ip;
    const char *end = ahoy_span_end(value);
    return value.size > 0 &&
           (ahoy_host_parse(value.at, end, NULL) == end || ahoy_ip_parse(value, &ip));
}

static bool is_token(struct span value)
{
    const char *end = ahoy_span_end(value);
    return value.size > 0 && ahoy_skip(value.at, end, AHOY_TOKEN) == end;
}

static bool is_number(struct span value, uint64_t limit)
{
    uint64_t number;
    return ahoy_span_number(value, limit, &number);
}

static bool fits(enum ahoy_param_shape shape, const struct ahoy_param *param)
{
    struct span value = param->value;
    switch (shape) {
    case AHOY_SHAPE_FLAG:
        return !param->has_value;
    case AHOY_SHAPE_TOKEN:
        return is_token(value);
    case AHOY_SHAPE_QUOTED:
        return value.size > 0 && value.at[0] == '"';
    case AHOY_SHAPE_NUMBER:
        return is_number(value, UINT32_MAX);
    case AHOY_SHAPE_QVALUE:
        return is_qvalue(value);
    case AHOY_SHAPE_HOST:
        return is_host(value);
    case AHOY_SHAPE_PORT:
        return !param->has_value || is_number(value, UINT16_MAX);
    case AHOY_SHAPE_TTL:
        return is_number(value, UINT8_MAX);
    case AHOY_SHAPE_BOOL:
        return ahoy_span_equal_nocase(value, SPAN("true")) ||
               ahoy_span_equal_nocase(value, SPAN("false"));
    case AHOY_SHAPE_ANY:
    case AHOY_SHAPE_COUNT:
        break;
    }
    return true;
}

/* What should have stood there, for a person. */
static const char *const wanted[AHOY_SHAPE_COUNT] = {
    [AHOY_SHAPE_FLAG] = "no value for this parameter",
    [AHOY_SHAPE_TOKEN] = "a token as this parameter's value",
    [AHOY_SHAPE_QUOTED] = "a quoted string as this parameter's value",
    [AHOY_SHAPE_NUMBER] = "a number below 2^32 as this parameter's value",
    [AHOY_SHAPE_QVALUE] = "a q of 0 to 1 with at most three decimals",
    [AHOY_SHAPE_HOST] = "a host as this parameter's value",
    [AHOY_SHAPE_PORT] = "a port as this parameter's value, or none",
    [AHOY_SHAPE_TTL] = "a number of 0 to 255 as this parameter's value",
    [AHOY_SHAPE_BOOL] = "\"true\" or \"false\"",
};

/* Features may have any value. */
static bool check_param(enum ahoy_header header, const struct ahoy_param *param,
                        struct ahoy_err *err)
{
    const struct ahoy_param_rule *rule = find_own(header, param->name);
    if (rule == NULL || fits(rule->shape, param))
        return true;
    return ahoy_fail(err, 400, param->value.at, wanted[rule->shape]);
}

/* Well-formed parameters, which are read once. */
struct params {
    size_t count;
    struct ahoy_param list[AHOY_PARAMS_LIMIT + 1];
};

static bool is_among(const struct params *params, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++) {
        if (ahoy_span_equal_nocase(params->list[i].name, name))
            return true;
    }
    return false;
}

/* R3261-7.3.1-4: a name that stands there stands there once. */
static bool read_params(struct span text, struct params *params, struct ahoy_err *err)
{
    params->count = 0;
    while (ahoy_param_next(&text, &params->list[params->count], NULL)) {
        const struct span name = params->list[params->count].name;
        if (params->count == AHOY_PARAMS_LIMIT)
            return ahoy_fail(err, 400, name.at, "at most 64 parameters");
        if (is_among(params, params->count, name))
            return ahoy_fail(err, 400, name.at, "each parameter once");
        params->count++;
    }
    return true;
}

static bool check_required(enum ahoy_header header, const struct params *params, const char *end,
                           struct ahoy_err *err)
{
    const struct header_row *row = header_rows + groups[header].first;
    for (size_t i = 0; i < groups[header].count; i++) {
        if (row[i].rule.is_required && !is_among(params, params->count, row[i].rule.name))
            return ahoy_fail(err, 400, end, row[i].missing);
    }
    return true;
}

bool ahoy_params_check(enum ahoy_header header, struct span text, struct ahoy_err *err)
{
    AHOY_UNSET struct params params;
    if (text.size == 0 && !groups[header].requires_some)
        return true;
    if (!read_params(text, &params, err) ||
        (groups[header].requires_some &&
         !check_required(header, &params, ahoy_span_end(text), err)))
        return false;
    for (size_t i = 0; i < params.count; i++) {
        if (!check_param(header, &params.list[i], err))
            return false;
    }
    return true;
}
