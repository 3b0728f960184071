/* The parts of a URI (RFC 3261 19.1). */
#include "libahoy/explain/parts.h"
#include "libahoy/syntax/param_rule.h"
#include "libahoy/syntax/scan.h"

/* Takes the next ";name[=value]" off |rest|; |all| is without the ";". */
static bool next_param(struct span *rest, struct span *name, struct span *all)
{
    if (rest->size < 2)
        return false;
    *rest = ahoy_span_after(*rest, 1);
    *all = (struct span){ rest->at, ahoy_span_find(*rest, ';') };
    *name = (struct span){ rest->at, ahoy_span_find(*all, '=') };
    *rest = ahoy_span_after(*rest, all->size);
    return true;
}

static void explain_params(struct ahoy_explainer *explainer, struct span params)
{
    struct span name;
    struct span all;
    while (next_param(&params, &name, &all)) {
        const struct ahoy_param_rule *rule = ahoy_uri_param_rule(name);
        if (rule != NULL)
            ahoy_explain_part(explainer, name, all, rule->meaning, rule->source);
        else
            ahoy_explain_part(explainer, name, all,
                              SPAN("a parameter that Ahoy does not know; it is kept as it is"),
                              SPAN("RFC 3261 19.1.1"));
    }
}

static struct span scheme_meaning(const struct ahoy_uri *uri)
{
    if (uri->scheme == AHOY_SCHEME_SIP)
        return SPAN("a SIP address");
    if (uri->scheme == AHOY_SCHEME_SIPS)
        return SPAN("a SIP address that is reached by TLS on every hop");
    if (ahoy_span_equal_nocase(uri->name, SPAN("tel")))
        return SPAN("a telephone number");
    return SPAN("an address of another kind, which is passed on as it is");
}

/* The digits behind the host. */
static struct span port_of(const struct ahoy_uri *uri)
{
    if (uri->port == 0)
        return SPAN("");
    const char *at = ahoy_span_end(uri->host) + 1;
    return ahoy_span_between(at, ahoy_skip(at, ahoy_span_end(uri->text), AHOY_DIGIT));
}

void ahoy_explain_uri(struct ahoy_explainer *explainer, const struct ahoy_uri *uri)
{
    struct span source = SPAN("RFC 3261 19.1.1");
    bool is_tel = ahoy_span_equal_nocase(uri->name, SPAN("tel"));
    ahoy_explain_part(explainer, SPAN("scheme"), uri->name, scheme_meaning(uri),
                      is_tel ? SPAN("RFC 3966 3") : source);
    if (uri->scheme == AHOY_SCHEME_OTHER) {
        ahoy_explain_part(explainer, is_tel ? SPAN("number") : SPAN("rest"), uri->opaque,
                          is_tel ? SPAN("the number, and what is said about it") : SPAN(""),
                          is_tel ? SPAN("RFC 3966 3") : SPAN(""));
        return;
    }
    ahoy_explain_part(explainer, SPAN("user"), uri->user, SPAN("who at that host"), source);
    ahoy_explain_part(explainer, SPAN("password"), uri->password,
                      SPAN("a password for anybody to read: do not write one"), source);
    ahoy_explain_part(explainer, SPAN("host"), uri->host,
                      uri->has_user ? SPAN("the domain or address that user belongs to")
                                    : SPAN("the domain or address itself"),
                      source);
    ahoy_explain_part(explainer, SPAN("port"), port_of(uri),
                      SPAN("the port there, so that no SRV record is asked"), SPAN("RFC 3263 4.2"));
    explain_params(explainer, uri->params);
    ahoy_explain_part(explainer, SPAN("headers"), uri->headers,
                      SPAN("headers of a request that is made from this address"), source);
}
