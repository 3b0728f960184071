/* What the server itself can do, and what it cannot (RFC 3261 11.2, 8.2.1, 8.2.2.3). */
#include "ahoyd/answer.h"
#include "ahoyd/serve.h"
#include "ahoyd/why.h"

#include "libahoy/syntax/compose.h"
#include "libahoy/tu/subscription.h"

/* What the server answers by itself; it forwards every method. */
#define ALLOW "Allow: OPTIONS, REGISTER, SUBSCRIBE\r\n"

/* The registrar's: RFC 3327, RFC 5626, RFC 5627. */
#define EXTENSIONS "path, outbound, gruu"
/* And the proxy's: RFC 3841 5.  It needs to know no other. */
#define PROXY_EXTENSIONS "pref"

void ahoyd_serve_options(struct ahoyd_server *server, const struct ahoy_event *event)
{
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    /* No body is taken. */
    ahoy_buf_put(&rows,
                 SPAN(ALLOW "Accept: \r\nSupported: " EXTENSIONS ", " PROXY_EXTENSIONS "\r\n"));
    ahoy_event_put_allow(&rows);
    ahoyd_answer_with(server, event, 200, ahoy_buf_text(&rows));
}

void ahoyd_serve_not_allowed(struct ahoyd_server *server, const struct ahoy_event *event)
{
    ahoyd_answer_with(server, event, 405, SPAN(ALLOW)); /* R3261-8.2.1-2 */
}

bool ahoyd_serve_extensions(struct ahoyd_server *server, const struct ahoy_event *event,
                            enum ahoy_header header)
{
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    bool registers = event->message->method == AHOY_METHOD_REGISTER;
    ahoy_compose_unsupported(&rows, event->message, header, /* R3261-16.3-10 */
                             registers                             ? SPAN(EXTENSIONS)
                             : header == AHOY_HEADER_PROXY_REQUIRE ? SPAN(PROXY_EXTENSIONS)
                                                                   : SPAN(""));
    if (rows.size == 0 && !rows.overflow)
        return true;
    ahoyd_why(server, event, AHOY_CAUSE_NO_EXTENSION, ahoy_message_value(event->message, header));
    ahoyd_answer_with(server, event, 420, ahoy_buf_text(&rows));
    return false;
}

void ahoyd_serve_later(struct ahoyd_server *server, const struct ahoy_event *event)
{
    ahoyd_why(server, event, AHOY_CAUSE_DRAINING, SPAN(""));
    ahoyd_answer_with(server, event, 503, SPAN("Retry-After: 10\r\n"));
}
