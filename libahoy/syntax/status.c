/* Reason phrases (RFC 3261 21 and the registry of SIP response codes). */
#include "libahoy/syntax/status.h"

struct row {
    unsigned status;
    struct span reason;
};

/* clang-format off */
#define ROW(status, reason) { status, { reason, sizeof reason - 1 } }
/* In the order of the codes, so that it can be halved. */
static const struct row rows[] = {
    ROW(100, "Trying"), ROW(180, "Ringing"), ROW(181, "Call Is Being Forwarded"),
    ROW(182, "Queued"), ROW(183, "Session Progress"), ROW(199, "Early Dialog Terminated"),
    ROW(200, "OK"), ROW(202, "Accepted"), ROW(204, "No Notification"),
    ROW(300, "Multiple Choices"), ROW(301, "Moved Permanently"), ROW(302, "Moved Temporarily"),
    ROW(305, "Use Proxy"), ROW(380, "Alternative Service"),
    ROW(400, "Bad Request"), ROW(401, "Unauthorized"), ROW(402, "Payment Required"),
    ROW(403, "Forbidden"), ROW(404, "Not Found"), ROW(405, "Method Not Allowed"),
    ROW(406, "Not Acceptable"), ROW(407, "Proxy Authentication Required"),
    ROW(408, "Request Timeout"), ROW(410, "Gone"), ROW(412, "Conditional Request Failed"),
    ROW(413, "Request Entity Too Large"), ROW(414, "Request-URI Too Long"),
    ROW(415, "Unsupported Media Type"), ROW(416, "Unsupported URI Scheme"),
    ROW(417, "Unknown Resource-Priority"), ROW(420, "Bad Extension"),
    ROW(421, "Extension Required"), ROW(422, "Session Interval Too Small"),
    ROW(423, "Interval Too Brief"), ROW(424, "Bad Location Information"),
    ROW(425, "Bad Alert Message"), ROW(428, "Use Identity Header"),
    ROW(429, "Provide Referrer Identity"), ROW(430, "Flow Failed"),
    ROW(433, "Anonymity Disallowed"), ROW(436, "Bad Identity Info"),
    ROW(437, "Unsupported Credential"), ROW(438, "Invalid Identity Header"),
    ROW(439, "First Hop Lacks Outbound Support"), ROW(440, "Max-Breadth Exceeded"),
    ROW(469, "Bad Info Package"), ROW(470, "Consent Needed"),
    ROW(480, "Temporarily Unavailable"), ROW(481, "Call/Transaction Does Not Exist"),
    ROW(482, "Loop Detected"), ROW(483, "Too Many Hops"), ROW(484, "Address Incomplete"),
    ROW(485, "Ambiguous"), ROW(486, "Busy Here"), ROW(487, "Request Terminated"),
    ROW(488, "Not Acceptable Here"), ROW(489, "Bad Event"), ROW(491, "Request Pending"),
    ROW(493, "Undecipherable"), ROW(494, "Security Agreement Required"),
    ROW(500, "Server Internal Error"), ROW(501, "Not Implemented"), ROW(502, "Bad Gateway"),
    ROW(503, "Service Unavailable"), ROW(504, "Server Time-out"),
    ROW(505, "Version Not Supported"), ROW(513, "Message Too Large"),
    ROW(555, "Push Notification Service Not Supported"), ROW(580, "Precondition Failure"),
    ROW(600, "Busy Everywhere"), ROW(603, "Decline"), ROW(604, "Does Not Exist Anywhere"),
    ROW(606, "Not Acceptable"), ROW(607, "Unwanted"), ROW(608, "Rejected"),
};

static const struct span classes[] = {
    { "Unknown", 7 }, { "Provisional", 11 }, { "Success", 7 }, { "Redirection", 11 },
    { "Client Failure", 14 }, { "Server Failure", 14 }, { "Global Failure", 14 },
};
/* clang-format on */

struct span ahoy_status_reason(unsigned status)
{
    size_t low = 0;
    size_t high = sizeof rows / sizeof rows[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rows[middle].status == status)
            return rows[middle].reason;
        if (rows[middle].status < status)
            low = middle + 1;
        else
            high = middle;
    }
    return classes[status >= 100 && status <= 699 ? status / 100 : 0];
}
