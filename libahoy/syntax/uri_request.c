/* What of a URI becomes a Request-URI: RFC 3261 19.1.5 and table 1 of 19.1.1. */
#include "libahoy/syntax/uri.h"

#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/uri_part.h"

void ahoy_uri_print_request(const struct ahoy_uri *uri, struct ahoy_buf *buf)
{
    struct span method;
    struct span rest = uri->params;
    if (uri->headers.size == 0 && !ahoy_uri_param(uri, SPAN("method"), &method)) {
        ahoy_buf_put(buf, uri->text);
        return;
    }
    const char *end = rest.size > 0 ? rest.at : uri->headers.at - 1;
    ahoy_buf_put(buf, ahoy_span_between(uri->text.at, end));
    struct ahoy_uri_part part;
    for (const char *at = rest.at; ahoy_uri_part_next(&rest, ';', AHOY_PARAMCHAR, &part);
         at = rest.at) {
        if (!ahoy_span_equal_nocase(part.name, SPAN("method"))) /* R3261-19.1.5-3 */
            ahoy_buf_put(buf, ahoy_span_between(at, rest.at));
    }
}
