/* Reason phrases (RFC 3261 21 and the registry of SIP response codes). */
#include "libahoy/syntax/status.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Written once: STATUS(code, reason phrase, meaning, source), in the order of the codes, so that it
 * can be halved. */
/* clang-format off */
#define STATUSES(STATUS)                                                                           \
    STATUS(100, "Trying",                                                                          \
           "the next hop has the request and is working on it; it is not sent again",              \
           "RFC 3261 21.1.1")                                                                      \
    STATUS(180, "Ringing", "the callee's phone rings", "RFC 3261 21.1.2")                          \
    STATUS(181, "Call Is Being Forwarded", "the call goes on to somewhere else",                   \
           "RFC 3261 21.1.3")                                                                      \
    STATUS(182, "Queued", "the callee is busy and the call waits for its turn",                    \
           "RFC 3261 21.1.4")                                                                      \
    STATUS(183, "Session Progress", "the call makes progress; media may already come",             \
           "RFC 3261 21.1.5")                                                                      \
    STATUS(199, "Early Dialog Terminated", "one of several phones that rang is out",               \
           "RFC 6228 11.1")                                                                        \
    STATUS(200, "OK", "done", "RFC 3261 21.2.1")                                                   \
    STATUS(202, "Accepted", "understood, the outcome is still open", "RFC 6665 8.3.1")             \
    STATUS(204, "No Notification", "done, and there is no news", "RFC 5839 7.1")                   \
    STATUS(300, "Multiple Choices", "there are several addresses to choose from, in Contact",      \
           "RFC 3261 21.3.1")                                                                      \
    STATUS(301, "Moved Permanently", "the user has a new address for good, in Contact",            \
           "RFC 3261 21.3.2")                                                                      \
    STATUS(302, "Moved Temporarily", "try the address in Contact this time", "RFC 3261 21.3.3")    \
    STATUS(305, "Use Proxy", "it must go through the proxy in Contact", "RFC 3261 21.3.4")         \
    STATUS(380, "Alternative Service", "the call failed, but something else is offered",           \
           "RFC 3261 21.3.5")                                                                      \
    STATUS(400, "Bad Request", "the request cannot be understood", "RFC 3261 21.4.1")              \
    STATUS(401, "Unauthorized", "who are you? send it again with the answer to WWW-Authenticate",  \
           "RFC 3261 21.4.2")                                                                      \
    STATUS(402, "Payment Required", "kept for later use", "RFC 3261 21.4.3")                       \
    STATUS(403, "Forbidden", "understood, and refused; a password does not help",                  \
           "RFC 3261 21.4.4")                                                                      \
    STATUS(404, "Not Found", "there is nobody of that name here", "RFC 3261 21.4.5")               \
    STATUS(405, "Method Not Allowed",                                                              \
           "this method is not for that address; Allow says which are", "RFC 3261 21.4.6")         \
    STATUS(406, "Not Acceptable", "it cannot answer in a form that Accept allows",                 \
           "RFC 3261 21.4.7")                                                                      \
    STATUS(407, "Proxy Authentication Required",                                                   \
           "who are you? send it again with the answer to Proxy-Authenticate", "RFC 3261 21.4.8")  \
    STATUS(408, "Request Timeout", "nobody answered in time", "RFC 3261 21.4.9")                   \
    STATUS(410, "Gone", "there was somebody of that name, and is no more", "RFC 3261 21.4.10")     \
    STATUS(412, "Conditional Request Failed", "what SIP-If-Match names is not there any more",     \
           "RFC 3903 11.2.1")                                                                      \
    STATUS(413, "Request Entity Too Large", "the body is larger than it takes",                    \
           "RFC 3261 21.4.11")                                                                     \
    STATUS(414, "Request-URI Too Long", "the Request-URI is longer than it takes",                 \
           "RFC 3261 21.4.12")                                                                     \
    STATUS(415, "Unsupported Media Type",                                                          \
           "it cannot read a body of this type; Accept says which it can", "RFC 3261 21.4.13")     \
    STATUS(416, "Unsupported URI Scheme", "it does not know this kind of URI",                     \
           "RFC 3261 21.4.14")                                                                     \
    STATUS(417, "Unknown Resource-Priority", "it knows none of the priorities", "RFC 4412 4.6.2")  \
    STATUS(420, "Bad Extension",                                                                   \
           "it does not know an extension that was required; Unsupported says which",              \
           "RFC 3261 21.4.15")                                                                     \
    STATUS(421, "Extension Required",                                                              \
           "it needs an extension that the caller did not offer; see Require",                     \
           "RFC 3261 21.4.16")                                                                     \
    STATUS(422, "Session Interval Too Small",                                                      \
           "the session would be refreshed too often; Min-SE says how long it must be",            \
           "RFC 4028 6")                                                                           \
    STATUS(423, "Interval Too Brief",                                                              \
           "that is too short a time; Min-Expires says how long it must be", "RFC 3261 21.4.17")   \
    STATUS(424, "Bad Location Information", "the place that was stated cannot be used",            \
           "RFC 6442 4.3")                                                                         \
    STATUS(425, "Bad Alert Message", "the alert cannot be understood", "RFC 8876 5.1")             \
    STATUS(428, "Use Identity Header", "the request must be signed", "RFC 8224 6.2.2")             \
    STATUS(429, "Provide Referrer Identity", "who refers must prove who he is", "RFC 3892 5")      \
    STATUS(430, "Flow Failed", "the connection to the phone broke", "RFC 5626 11.5")               \
    STATUS(433, "Anonymity Disallowed", "the callee takes no anonymous calls", "RFC 5079 5")       \
    STATUS(436, "Bad Identity Info", "the signer's certificate cannot be fetched",                 \
           "RFC 8224 6.2.2")                                                                       \
    STATUS(437, "Unsupported Credential", "the signer's certificate is not trusted",               \
           "RFC 8224 6.2.2")                                                                       \
    STATUS(438, "Invalid Identity Header", "the signature does not hold", "RFC 8224 6.2.2")        \
    STATUS(439, "First Hop Lacks Outbound Support",                                                \
           "the first proxy cannot keep a connection for the phone", "RFC 5626 11.6")              \
    STATUS(440, "Max-Breadth Exceeded", "the request would fork into more branches than allowed",  \
           "RFC 5393 5.3.3")                                                                       \
    STATUS(469, "Bad Info Package", "it does not take this kind of INFO", "RFC 6086 11.6")         \
    STATUS(470, "Consent Needed", "the receiver must agree first", "RFC 5360 5.9.2")               \
    STATUS(480, "Temporarily Unavailable", "the callee cannot be reached now",                     \
           "RFC 3261 21.4.18")                                                                     \
    STATUS(481, "Call/Transaction Does Not Exist", "it knows no such call or transaction",         \
           "RFC 3261 21.4.19")                                                                     \
    STATUS(482, "Loop Detected", "the request came round to where it was", "RFC 3261 21.4.20")     \
    STATUS(483, "Too Many Hops", "Max-Forwards is used up", "RFC 3261 21.4.21")                    \
    STATUS(484, "Address Incomplete", "the number is not complete", "RFC 3261 21.4.22")            \
    STATUS(485, "Ambiguous", "several users are meant by that", "RFC 3261 21.4.23")                \
    STATUS(486, "Busy Here", "the callee is busy at this phone", "RFC 3261 21.4.24")               \
    STATUS(487, "Request Terminated", "the request was ended by CANCEL or BYE",                    \
           "RFC 3261 21.4.25")                                                                     \
    STATUS(488, "Not Acceptable Here", "the offered media do not suit this phone; see Warning",    \
           "RFC 3261 21.4.26")                                                                     \
    STATUS(489, "Bad Event", "it does not know this event package", "RFC 6665 8.3.2")              \
    STATUS(491, "Request Pending",                                                                 \
           "both sides changed the call at once; try again a little later", "RFC 3261 21.4.27")    \
    STATUS(493, "Undecipherable", "the body cannot be decrypted", "RFC 3261 21.4.28")              \
    STATUS(494, "Security Agreement Required", "both sides must agree on security first",          \
           "RFC 3329 2.3.1")                                                                       \
    STATUS(500, "Server Internal Error", "something unexpected happened in the server",            \
           "RFC 3261 21.5.1")                                                                      \
    STATUS(501, "Not Implemented", "the server does not know this method", "RFC 3261 21.5.2")      \
    STATUS(502, "Bad Gateway", "the server further on answered something that makes no sense",     \
           "RFC 3261 21.5.3")                                                                      \
    STATUS(503, "Service Unavailable",                                                             \
           "the server is overloaded or being looked after; Retry-After says until when",          \
           "RFC 3261 21.5.4")                                                                      \
    STATUS(504, "Server Time-out", "a server further on did not answer in time",                   \
           "RFC 3261 21.5.5")                                                                      \
    STATUS(505, "Version Not Supported", "it does not know this version of SIP",                   \
           "RFC 3261 21.5.6")                                                                      \
    STATUS(513, "Message Too Large", "the message is longer than it takes", "RFC 3261 21.5.7")     \
    STATUS(555, "Push Notification Service Not Supported",                                         \
           "it cannot wake a phone by this push service", "RFC 8599 8.1")                          \
    STATUS(580, "Precondition Failure", "what must be there before it rings cannot be had",        \
           "RFC 3312 8")                                                                           \
    STATUS(600, "Busy Everywhere", "the callee is busy at all phones", "RFC 3261 21.6.1")          \
    STATUS(603, "Decline", "the callee does not want to take the call", "RFC 3261 21.6.2")         \
    STATUS(604, "Does Not Exist Anywhere", "there is no such user anywhere", "RFC 3261 21.6.3")    \
    STATUS(606, "Not Acceptable", "the offered media suit no phone of the callee; see Warning",    \
           "RFC 3261 21.6.4")                                                                      \
    STATUS(607, "Unwanted", "the callee does not want such calls", "RFC 8197 5.1")                 \
    STATUS(608, "Rejected", "something that analyses calls refused this one", "RFC 8688 5.1")

static const struct row {
    unsigned status;
    struct span reason;
} rows[] = {
#define ROW(status, reason, meaning, source) { status, SPAN_INIT(reason) },
    STATUSES(ROW)
#undef ROW
};

/* Apart from the phrases, which are looked for whenever a response is written. */
static const struct ahoy_meaning meanings[] = {
#define ROW(status, reason, meaning, source) { SPAN_INIT(meaning), SPAN_INIT(source) },
    STATUSES(ROW)
#undef ROW
};

static const struct span classes[] = {
    { "Unknown", 7 }, { "Provisional", 11 }, { "Success", 7 }, { "Redirection", 11 },
    { "Client Failure", 14 }, { "Server Failure", 14 }, { "Global Failure", 14 },
};
/* clang-format on */

/* The index of |status| in the tables, or their size. */
static size_t find(unsigned status)
{
    size_t low = 0;
    size_t high = COUNT(rows);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rows[middle].status == status)
            return middle;
        if (rows[middle].status < status)
            low = middle + 1;
        else
            high = middle;
    }
    return COUNT(rows);
}

struct span ahoy_status_reason(unsigned status)
{
    size_t index = find(status);
    if (index < COUNT(rows))
        return rows[index].reason;
    return classes[status >= 100 && status <= 699 ? status / 100 : 0];
}

const struct ahoy_meaning *ahoy_status_meaning(unsigned status)
{
    size_t index = find(status);
    return index < COUNT(rows) ? &meanings[index] : NULL;
}
