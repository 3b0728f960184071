/* What is said of a call, for people. */
#include "ahoyd/case.h"

#include "ahoyd/mask.h"
#include "libahoy/syntax/status.h"
#include "libahoy/syntax/via.h"

static struct span text_of(const struct ahoyd_case_name *name)
{
    return (struct span){ name->at, name->size };
}

/* "udp 192.0.2.1:5060" */
static void put_end(const struct ahoyd_case_end *end, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, ahoy_transport_uri_name((enum ahoy_transport)end->transport));
    ahoy_buf_put_byte(buf, ' ');
    ahoy_ip_print(&end->remote, buf);
}

/* "61.2 s" */
static void put_seconds(uint64_t ms, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, ms / 1000);
    ahoy_buf_put_byte(buf, '.');
    ahoy_buf_put_number(buf, ms % 1000 / 100);
    ahoy_buf_put(buf, SPAN(" s"));
}

static void put_source(const char *source, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN(" ("));
    ahoy_buf_put(buf, ahoy_span(source));
    ahoy_buf_put_byte(buf, ')');
}

const char *ahoyd_case_fate(enum ahoy_wire_fate fate)
{
    static const char *const words[] = {
        [AHOY_FATE_NONE] = "the connection was lost",
        [AHOY_FATE_REFUSED] = "nobody listens there",
        [AHOY_FATE_LATE] = "the connection took too long to open",
        [AHOY_FATE_INSECURE] = "TLS failed: no certificate that is trusted, or no cipher in common",
        [AHOY_FATE_UNPROVED] = "the certificate is for other names than the one that is called",
    };
    return fate < sizeof words / sizeof *words ? words[fate] : "";
}

/* A name that a stranger chose: cut, without passwords, and safe for a terminal. */
static void put_detail(struct span detail, struct ahoy_buf *buf)
{
    char space[2 * AHOYD_CASE_NAME_LIMIT];
    struct ahoy_buf masked = ahoy_buf_over(space, sizeof space);
    if (detail.size > AHOYD_CASE_NAME_LIMIT)
        detail.size = AHOYD_CASE_NAME_LIMIT;
    ahoyd_mask(detail, &masked);
    ahoy_buf_put(buf, SPAN(": "));
    ahoy_buf_put_escaped(buf, ahoy_buf_text(&masked));
}

void ahoyd_case_print_cause(enum ahoy_cause cause, struct span detail,
                            const struct ahoyd_case_end *place, struct ahoy_buf *buf)
{
    const struct ahoy_cause_row *row = &ahoy_cause_rows[cause];
    ahoy_buf_put(buf, ahoy_span(row->words));
    if (detail.size > 0)
        put_detail(detail, buf);
    if (place->remote.family != AHOY_NO_FAMILY) {
        ahoy_buf_put(buf, SPAN(", "));
        put_end(place, buf);
    }
    put_source(row->section, buf);
}

/* A connection did not come to stand. */
static void put_fate(const struct ahoyd_case *call, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, ahoy_span(ahoyd_case_fate(call->fate)));
    if (call->domain.size > 0) {
        ahoy_buf_put(buf, SPAN(": "));
        ahoy_buf_put_escaped(buf, text_of(&call->domain));
    }
    ahoy_buf_put(buf, SPAN(", "));
    put_end(&call->place, buf);
    put_source(call->fate == AHOY_FATE_UNPROVED   ? "RFC 5922 7.3"
               : call->fate == AHOY_FATE_INSECURE ? "RFC 3261 26.3.1"
                                                  : "RFC 3261 16.9",
               buf);
}

static bool is_about_media(unsigned status)
{
    return status == 488 || status == 606 || status == 415;
}

/* Somebody refused it. */
static void put_heard(const struct ahoyd_case *call, struct ahoy_buf *buf)
{
    const struct ahoy_meaning *meaning = ahoy_status_meaning(call->said.status);
    put_end(&call->said.end, buf);
    ahoy_buf_put(buf, SPAN(" says "));
    ahoy_buf_put_number(buf, call->said.status);
    ahoy_buf_put(buf, SPAN(": "));
    if (is_about_media(call->said.status) && call->offer.size > 0) {
        ahoy_buf_put(buf, SPAN("no codec in common; the caller offers "));
        ahoy_buf_put_escaped(buf, text_of(&call->offer));
        put_source("RFC 3264 6", buf);
        return;
    }
    ahoy_buf_put(buf, meaning != NULL ? meaning->text : ahoy_status_reason(call->said.status));
    if (meaning != NULL)
        put_source(meaning->source.at, buf);
}

static void put_failure(const struct ahoyd_case *call, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, call->status);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, ahoy_status_reason(call->status));
    ahoy_buf_put(buf, SPAN(": "));
    if (call->cancelled && call->status == 487) {
        ahoy_buf_put(buf, SPAN("the caller hung up after "));
        put_seconds(call->since_ms - call->begun_ms, buf);
        ahoy_buf_put(buf, SPAN(", before anybody answered"));
        put_source("RFC 3261 9", buf);
    } else if (call->is_passed_on || (call->said.status != 0 && call->cause == AHOY_CAUSE_COUNT)) {
        put_heard(call, buf);
    } else if (call->fate != AHOY_FATE_NONE) {
        put_fate(call, buf);
    } else if (call->cause != AHOY_CAUSE_COUNT &&
               ahoy_cause_rows[call->cause].weight > AHOY_CAUSE_STEP) {
        ahoyd_case_print_cause(call->cause, text_of(&call->detail), &call->place, buf);
    } else if (call->said.status != 0) {
        put_heard(call, buf);
    } else {
        const struct ahoy_meaning *meaning = ahoy_status_meaning(call->status);
        ahoy_buf_put(buf, meaning != NULL ? meaning->text : SPAN("this server says so"));
    }
}

void ahoyd_case_print(const struct ahoyd_case *call, struct ahoy_buf *buf)
{
    switch (call->state) {
    case AHOYD_CASE_ASKED:
        ahoy_buf_put(buf, SPAN("nobody has answered yet"));
        return;
    case AHOYD_CASE_RINGING:
        ahoy_buf_put(buf, SPAN("it rings"));
        return;
    case AHOYD_CASE_FAILED:
        put_failure(call, buf);
        return;
    case AHOYD_CASE_ANSWERED:
    case AHOYD_CASE_ENDED:
        break;
    }
    ahoy_buf_put(buf, SPAN("answered after "));
    put_seconds(call->answered_ms - call->begun_ms, buf);
    if (call->state == AHOYD_CASE_ANSWERED)
        return;
    ahoy_buf_put(buf, call->caller_ended ? SPAN(", ended by the caller after ")
                                         : SPAN(", ended by the callee after "));
    put_seconds(call->since_ms - call->answered_ms, buf);
}

const char *ahoyd_case_label(const struct ahoyd_case *call)
{
    if (call->state != AHOYD_CASE_FAILED)
        return "";
    if (call->cancelled && call->status == 487)
        return "cancelled";
    if (call->is_passed_on || call->cause == AHOY_CAUSE_COUNT)
        return call->said.status != 0 ? "refused_by_peer" : "";
    return ahoy_cause_rows[call->cause].label;
}

const char *ahoyd_case_state_name(enum ahoyd_case_state state)
{
    static const char *const names[] = { [AHOYD_CASE_ASKED] = "asked",
                                         [AHOYD_CASE_RINGING] = "ringing",
                                         [AHOYD_CASE_ANSWERED] = "answered",
                                         [AHOYD_CASE_ENDED] = "ended",
                                         [AHOYD_CASE_FAILED] = "failed" };
    return names[state];
}
