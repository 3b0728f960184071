/* What media types and dispositions of bodies mean, and the rows that only bodies have (RFC 2045,
 * RFC 2183, RFC 3261 20.11). */
#include "libahoy/explain/parts.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* clang-format off */
static const struct ahoy_word types[] = {
    AHOY_WORD("application/sdp", "a session description: which media, where, and how",
              "RFC 8866 8.1"),
    AHOY_WORD("multipart/mixed", "several parts, each for itself", "RFC 2046 5.1.3"),
    AHOY_WORD("multipart/alternative", "the same in several forms, the best one last",
              "RFC 2046 5.1.4"),
    AHOY_WORD("multipart/related", "parts that make up one thing; its root says how",
              "RFC 2387 3"),
    AHOY_WORD("multipart/digest", "several messages", "RFC 2046 5.1.5"),
    AHOY_WORD("multipart/parallel", "parts that are shown all at once", "RFC 2046 5.1.6"),
    AHOY_WORD("multipart/signed", "one part, and a signature over it", "RFC 3261 23.3"),
    AHOY_WORD("application/pkcs7-mime", "encrypted or signed", "RFC 3261 23.3"),
    AHOY_WORD("message/sipfrag", "a piece of a SIP message", "RFC 3420 2"),
    AHOY_WORD("message/sip", "a whole SIP message", "RFC 3261 27.5"),
    AHOY_WORD("message/cpim", "a message for people, in a form that gateways share",
              "RFC 3862 2"),
    AHOY_WORD("message/external-body", "no body, but where to fetch it", "RFC 4483 5"),
    AHOY_WORD("text/plain", "text", "RFC 2046 4.1.3"),
    AHOY_WORD("application/pidf+xml", "whether somebody is present", "RFC 3863 3.1"),
    AHOY_WORD("application/dialog-info+xml", "which calls somebody is in", "RFC 4235 4"),
    AHOY_WORD("application/reginfo+xml", "which bindings somebody has", "RFC 3680 5"),
    AHOY_WORD("application/conference-info+xml", "who is in a conference", "RFC 4575 4"),
    AHOY_WORD("application/watcherinfo+xml", "who watches whom", "RFC 3858 3"),
    AHOY_WORD("application/resource-lists+xml", "a list of addresses", "RFC 4826 3"),
    AHOY_WORD("application/simple-message-summary", "how many messages wait in a mailbox",
              "RFC 3842 3.5"),
    AHOY_WORD("application/isup", "a message of the telephone network", "RFC 3204 3.1"),
    AHOY_WORD("application/qsig", "a message between exchanges of firms", "RFC 3204 3.2"),
};

static const struct ahoy_word dispositions[] = {
    AHOY_WORD("session", "describes the session", "RFC 3261 20.11"),
    AHOY_WORD("render", "to be shown", "RFC 3261 20.11"),
    AHOY_WORD("icon", "a picture of the caller or the callee", "RFC 3261 20.11"),
    AHOY_WORD("alert", "how to ring", "RFC 3261 20.11"),
    AHOY_WORD("early-session", "describes the session until the call is answered",
              "RFC 3959 4"),
    AHOY_WORD("signal", "tunnels another network's signalling", "RFC 3204 6"),
    AHOY_WORD("aib", "says who sends the request, signed", "RFC 3893 2"),
    AHOY_WORD("by-reference", "belongs to whatever refers to it", "RFC 5621 9.4"),
    AHOY_WORD("recipient-list", "those to whom the request is to go", "RFC 5363 4.1"),
    AHOY_WORD("recipient-list-history", "those to whom the request went", "RFC 5364 7"),
    AHOY_WORD("info-package", "belongs to the INFO's package", "RFC 6086 4.3.1"),
    AHOY_WORD("recording-session", "about a session that is recorded", "RFC 7866 9.1"),
    AHOY_WORD("inline", "to be shown", "RFC 2183 2.1"),
    AHOY_WORD("attachment", "to be shown when the user asks for it", "RFC 2183 2.2"),
};

static const struct ahoy_word rows[] = {
    AHOY_WORD("Content-ID", "the name by which others refer to this body or part",
              "RFC 2045 7"),
    AHOY_WORD("Content-Transfer-Encoding", "how the bytes are written; in SIP mostly binary, "
              "as they are", "RFC 2045 6"),
    AHOY_WORD("Content-Description", "what it is, for people", "RFC 2045 8"),
};
/* clang-format on */

const struct ahoy_meaning *ahoy_explain_media(struct span type)
{
    return ahoy_meaning_find(types, COUNT(types), type);
}

const struct ahoy_meaning *ahoy_explain_disposition(struct span disposition)
{
    return ahoy_meaning_find(dispositions, COUNT(dispositions), disposition);
}

const struct ahoy_meaning *ahoy_explain_body_row(struct span name)
{
    return ahoy_meaning_find(rows, COUNT(rows), name);
}
