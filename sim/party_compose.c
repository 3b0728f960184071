/* How a party's messages are made: from a ladder's line, and from what it has sent and got. */
#include <stddef.h>
#include <stdio.h>

#include "libahoy/syntax/compose.h"
#include "sim/party_inside.h"
#include "sim/text.h"

/* A browser does not know its address, and invents a name (RFC 7118 5.3.1). */
static void put_own_host(const struct sim_party *party, struct ahoy_buf *buf)
{
    if (ahoy_transport_is_websocket(party->kind.transport))
        sim_put(buf, "%s.invalid", party->name);
    else
        ahoy_ip_print(&party->node.ip, buf);
}

static void put_via(struct sim_party *party, struct ahoy_buf *buf)
{
    struct span name = ahoy_transport_name(party->kind.transport);
    sim_put(buf, "Via: SIP/2.0/%.*s ", (int)name.size, name.at);
    put_own_host(party, buf);
    if (!party->kind.old)
        sim_put(buf, ";branch=" AHOY_BRANCH_COOKIE "-%s-%u", party->name, ++party->requests);
    sim_put(buf, "\r\n");
}

static void put_contact(const struct sim_party *party, const char *scheme, struct ahoy_buf *buf)
{
    sim_put(buf, "Contact: <%s:%s@", scheme, party->name);
    if (party->host != NULL)
        sim_put(buf, "%s", party->host);
    else
        put_own_host(party, buf);
    sim_put(buf, "%s>\r\n", sim_party_parameter(party));
}

/* A request outside any dialog: to a user, or to the server itself (10.2). */
static void compose_first(struct sim_party *party, const struct sim_saying *saying,
                          struct ahoy_buf *buf)
{
    const char *method = saying->method, *callee = saying->callee;
    const char *scheme = strncmp(callee, "sips:", 5) == 0 ? "sips" : "sip";
    bool again = (saying->flaws & (SIM_PROVED | SIM_WRONG)) != 0;
    callee += scheme[3] == 's' ? 5 : 0;
    bool to_server = strcmp(callee, "proxy") == 0 || strcmp(method, "REGISTER") == 0;
    const char *at = strchr(callee, '@');
    const char *domain = at != NULL ? at + 1 : party->kind.domain;
    int size = (int)(at != NULL ? at - callee : (ptrdiff_t)strlen(callee));
    if (!again) {
        party->calls++;
        party->proof_count = 0;
    }
    sim_put(buf, "%s %s:%.*s%s%s SIP/2.0\r\n", method, scheme, to_server ? 0 : size, callee,
            to_server ? "" : "@", domain);
    put_via(party, buf);
    sim_put(buf, "Max-Forwards: 70\r\nFrom: <%s:%s@%s>%s%s\r\n", scheme, party->name,
            party->kind.domain, party->kind.old ? "" : ";tag=tag-",
            party->kind.old ? "" : party->name);
    sim_put(buf, "To: <%s:%.*s@%s>\r\n", scheme, size, callee, domain);
    sim_put(buf, "Call-ID: call-%u-%s\r\nCSeq: %u %s\r\n", party->calls, party->name, ++party->cseq,
            method);
    for (size_t i = 0; again && i < party->proof_count; i++)
        sim_put(buf, "%s", party->proofs[i]);
    put_contact(party, scheme, buf);
    sim_put(buf, "Content-Length: 0\r\n\r\n");
}

/* The route set, from the Record-Route rows of |message|: reversed for the caller (12.1.2). */
static void put_routes(const struct ahoy_message *message, bool reversed, struct ahoy_buf *buf)
{
    struct span routes[16];
    size_t count = 0;
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RECORD_ROUTE);
    while (count < 16 && ahoy_values_next(&values, &routes[count], NULL))
        count++;
    for (size_t i = 0; i < count; i++) {
        struct span route = routes[reversed ? count - 1 - i : i];
        sim_put(buf, "Route: %.*s\r\n", (int)route.size, route.at);
    }
}

static struct span value(const struct ahoy_message *message, enum ahoy_header header)
{
    return ahoy_message_value(message, header);
}

/* The message that made the dialog: our INVITE's 2xx, or as long as there is none a provisional
 * response, or the INVITE that we answered; in |own| the answer that we gave to that.  NULL where
 * there is no dialog, early ones included. */
static const struct kept *find_dialog(struct sim_party *party, const struct kept **own)
{
    const struct kept *answer = sim_party_find(party, false, 200, 299, "INVITE");
    *own = NULL;
    if (answer != NULL)
        return answer;
    *own = sim_party_find(party, true, 200, 299, "INVITE");
    if (*own == NULL)
        answer = sim_party_find(party, false, 101, 199, "INVITE");
    if (answer != NULL)
        return answer;
    if (*own == NULL)
        *own = sim_party_find(party, true, 101, 199, "INVITE");
    return *own == NULL ? NULL : sim_party_find(party, false, 0, 0, "INVITE");
}

/* The requests that may move the remote target (12.2). */
static bool refreshes_target(const char *method)
{
    return strcmp(method, "INVITE") == 0 || strcmp(method, "UPDATE") == 0 ||
           strcmp(method, "REFER") == 0;
}

static bool compose_next(struct sim_party *party, const char *method, struct ahoy_buf *buf)
{
    const struct kept *own;
    const struct kept *base = find_dialog(party, &own);
    struct ahoy_message message, reply;
    struct ahoy_address contact;
    if (base == NULL || !ahoy_message_parse(sim_party_bytes(base), &message, NULL) ||
        !ahoy_address_parse(value(&message, AHOY_HEADER_CONTACT), &contact, NULL))
        return false;
    struct span from = value(&message, AHOY_HEADER_FROM), to = value(&message, AHOY_HEADER_TO);
    if (own != NULL) {
        if (!ahoy_message_parse(sim_party_bytes(own), &reply, NULL))
            return false;
        from = value(&reply, AHOY_HEADER_TO);
        to = value(&reply, AHOY_HEADER_FROM);
    }
    sim_put(buf, "%s %.*s SIP/2.0\r\n", method, (int)contact.uri.text.size, contact.uri.text.at);
    put_via(party, buf);
    put_routes(&message, own == NULL, buf);
    sim_put(buf, "Max-Forwards: 70\r\nFrom: %.*s\r\nTo: %.*s\r\n", (int)from.size, from.at,
            (int)to.size, to.at);
    struct span call_id = value(&message, AHOY_HEADER_CALL_ID);
    struct ahoy_cseq cseq = { 0 };
    if (strcmp(method, "ACK") == 0)
        ahoy_cseq_parse(value(&message, AHOY_HEADER_CSEQ), &cseq, NULL);
    else
        cseq.number = ++party->cseq;
    sim_put(buf, "Call-ID: %.*s\r\nCSeq: %u %s\r\n", (int)call_id.size, call_id.at, cseq.number,
            method);
    if (refreshes_target(method))
        put_contact(party, "sip", buf); /* 12.2.1.1 */
    sim_put(buf, "Content-Length: 0\r\n\r\n");
    return true;
}

/* CANCEL, or the ACK to a failure (or to whatever came last): made of our own INVITE (9.1,
 * 17.1.1.3). */
static bool compose_following(struct sim_party *party, const char *method, struct ahoy_buf *buf)
{
    const struct kept *invite = sim_party_find(party, true, 0, 0, "INVITE");
    const struct kept *failure = sim_party_find(party, false, 100, 699, "INVITE");
    struct ahoy_message message, response;
    if (invite == NULL || !ahoy_message_parse(sim_party_bytes(invite), &message, NULL))
        return false;
    if (strcmp(method, "CANCEL") == 0) {
        ahoy_compose_cancel(buf, &message, SPAN(""));
        return true;
    }
    if (failure == NULL || !ahoy_message_parse(sim_party_bytes(failure), &response, NULL))
        return false;
    ahoy_compose_ack(buf, &message, &response);
    return true;
}

/* Whether the last final response to our INVITE was a failure. */
static bool has_failed(struct sim_party *party)
{
    const struct kept *final = sim_party_find(party, false, 200, 699, "INVITE");
    return final != NULL && final->status >= 300;
}

/* The call again, with what the last 401 or 407 asked for. */
static bool compose_proved(struct sim_party *party, const struct sim_saying *saying,
                           struct ahoy_buf *buf)
{
    const struct kept *asked = sim_party_find(party, true, 0, 0, saying->method);
    struct ahoy_message message;
    if (asked == NULL || !ahoy_message_parse(sim_party_bytes(asked), &message, NULL) ||
        !sim_party_prove(party, saying->method, message.request_uri,
                         (saying->flaws & SIM_WRONG) != 0))
        return false;
    compose_first(party, saying, buf);
    return true;
}

bool sim_party_compose_request(struct sim_party *party, const struct sim_saying *saying,
                               struct ahoy_buf *buf)
{
    const char *method = saying->method;
    bool ack = strcmp(method, "ACK") == 0;
    if (strcmp(method, "CANCEL") == 0 ||
        (ack && ((saying->flaws & SIM_HOPBYHOP) != 0 || has_failed(party))))
        return compose_following(party, method, buf);
    if (ack || strcmp(method, "BYE") == 0 || saying->callee == NULL)
        return compose_next(party, method, buf);
    if (saying->flaws & (SIM_PROVED | SIM_WRONG))
        return compose_proved(party, saying, buf);
    compose_first(party, saying, buf);
    return true;
}

bool sim_party_compose_response(const struct sim_party *party, const struct sim_saying *saying,
                                const struct kept *request, struct ahoy_buf *buf)
{
    char rows[2048];
    char tag[32];
    struct ahoy_message message;
    if (!ahoy_message_parse(sim_party_bytes(request), &message, NULL))
        return false;
    const char *scheme =
        ahoy_span_starts_nocase(message.request_uri, SPAN("sips:")) ? "sips" : "sip";
    struct ahoy_buf headers = ahoy_buf_over(rows, sizeof rows);
    struct ahoy_values values = ahoy_message_values(&message, AHOY_HEADER_RECORD_ROUTE);
    struct span route;
    while (ahoy_values_next(&values, &route, NULL))
        sim_put(&headers, "Record-Route: %.*s\r\n", (int)route.size, route.at);
    put_contact(party, scheme, &headers);
    snprintf(tag, sizeof tag, "tag-%s%s", party->name, saying->flaws & SIM_FORKED ? "-too" : "");
    const struct ahoy_response response = { .status = saying->status,
                                            .to_tag = ahoy_span(tag),
                                            .headers = ahoy_buf_text(&headers) };
    ahoy_compose_response(buf, &message, &response);
    return true;
}
