/* What NOTIFYs tell. */
#include "ahoy/told.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define PIDF  "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:b@b.example\">"
#define TUPLE "<tuple id=\"a\"><status><basic>open</basic></status></tuple>"

/* Each item as "state|about|note;", or "refused". */
static const char *read(const char *package, const char *document)
{
    static char text[8192];
    static struct phone_told told;
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    const struct ahoy_event_package *known = ahoy_event_package_find(ahoy_span(package));
    if (!phone_told_read(known, ahoy_span(document), &told)) {
        assert_int_equal(told.count, 0);
        return "refused";
    }
    for (size_t i = 0; i < told.count; i++) {
        const struct phone_told_item *item = &told.items[i];
        ahoy_buf_put(&buf, (struct span){ item->state.at, item->state.size });
        ahoy_buf_put_byte(&buf, '|');
        ahoy_buf_put(&buf, (struct span){ item->about.at, item->about.size });
        ahoy_buf_put_byte(&buf, '|');
        ahoy_buf_put(&buf, (struct span){ item->note.at, item->note.size });
        ahoy_buf_put_byte(&buf, ';');
    }
    assert_false(buf.overflow);
    text[buf.size] = '\0';
    return text;
}

/* RFC 3863 4.3.1, with a prefix; R3863-4.1-2, R3863-4.2.3-2. */
static void presence(void **state)
{
    (void)state;
    assert_string_equal(
        read("presence",
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<impp:presence xmlns:impp=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:a@b\">\n"
             "<impp:tuple id=\"ub93s3\"><impp:status><impp:basic>\n open </impp:basic>"
             "<im xmlns=\"urn:x\">busy</im></impp:status>"
             "<impp:contact priority=\"0.8\">im:a@b</impp:contact>"
             "<impp:note>Caf\xc3\xa9 &lt;now&gt; &amp; here</impp:note></impp:tuple>"
             "<impp:tuple id=\"eg92n8\"><impp:status><impp:basic>closed</impp:basic></impp:status>"
             "</impp:tuple><impp:note>in Tokyo</impp:note></impp:presence>"),
        "open|im:a@b|Caf\xc3\xa9 <now> & here;closed||;||in Tokyo;");
    assert_string_equal(read("presence", PIDF "</presence>"), "");
    /* R3863-4.1.3-1 */
    assert_string_equal(read("presence", PIDF "<tuple id=\"a\"><status><im xmlns=\"urn:x\"/>"
                                              "</status></tuple></presence>"),
                        "||;");
}

/* R3863-4.2.3-1, -3: by name or by namespace, with all that is within. */
static void unknown_elements(void **state)
{
    (void)state;
    assert_string_equal(
        read("presence", PIDF
             "<x>" TUPLE "</x><tuple xmlns=\"urn:x\" id=\"a\"><status/></tuple>"
             "<tuple id=\"a\"><y><basic>closed</basic></y><status><z>"
             "<basic>closed</basic></z><basic u:mustUnderstand=\"1\" xmlns:u=\"urn:ietf:params:xml:"
             "ns:pidf\">open</basic></status></tuple>"
             "</presence>"),
        "open||;");
}

/* R3863-4.1.1-1, R3863-4.1.1-3, R3863-4.1.2-1; and what is no XML. */
static void refused(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "",
        "open",
        PIDF,
        PIDF TUPLE "</presence><presence/>",
        PIDF "<a></b></presence>",
        PIDF "&unknown;</presence>",
        PIDF "\xff</presence>",
        PIDF "<tuple><status/></tuple></presence>",
        "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"/>",
        "<presence entity=\"pres:b@b.example\"/>",
        "<presence xmlns=\"urn:ietf:params:xml:ns:pidf:x\" entity=\"pres:b@b.example\"/>",
        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" entity=\"sip:b@b.example\"/>",
        "<!DOCTYPE presence>" PIDF "</presence>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]>" PIDF "<note>&b;</note></presence>",
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">" PIDF "</presence>",
    };
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        assert_string_equal(read("presence", documents[i]), "refused");
}

/* Attack 35: depth, number and length. */
static void bounds(void **state)
{
    (void)state;
    static char document[16384];
    for (int depth = PHONE_TOLD_DEPTH - 2; depth <= PHONE_TOLD_DEPTH; depth++) {
        int size = snprintf(document, sizeof document, "%s", PIDF);
        for (int i = 0; i < 2 * depth; i++)
            size += snprintf(document + size, sizeof document - (size_t)size,
                             i < depth ? "<a>" : "</a>");
        (void)snprintf(document + size, sizeof document - (size_t)size, "</presence>");
        assert_string_equal(read("presence", document), depth < PHONE_TOLD_DEPTH ? "" : "refused");
    }
    int size = snprintf(document, sizeof document, "%s", PIDF);
    for (int i = 0; i <= PHONE_TOLD_ITEMS; i++)
        size += snprintf(document + size, sizeof document - (size_t)size, "%s<note>%0300d</note>",
                         TUPLE, i);
    (void)snprintf(document + size, sizeof document - (size_t)size, "</presence>");
    const char *told = read("presence", document);
    assert_int_equal(strlen(told),
                     PHONE_TOLD_ITEMS / 2 * (strlen("open||;||;") + PHONE_TOLD_TEXT_SIZE));
}

/* RFC 4235 4.2 and 6: who called, and with whom. */
static void calls(void **state)
{
    (void)state;
    assert_string_equal(
        read("dialog",
             "<?xml version=\"1.0\"?>\n<dialog-info "
             "xmlns=\"urn:ietf:params:xml:ns:dialog-info\"\n"
             " version=\"1\" state=\"full\" entity=\"sip:alice@example.com\">\n"
             "<dialog id=\"123456\" direction=\"recipient\"><state>confirmed</state>"
             "<duration>274</duration><local><identity>sip:alice@example.com</identity></local>"
             "<remote><identity display=\"Bob\">\n   sip:bob@example.org</identity>"
             "<target uri=\"sip:bob@pc.example.org\"/></remote></dialog>\n"
             "<dialog id=\"2\"><state event=\"rejected\">terminated</state></dialog>"
             "</dialog-info>"),
        "confirmed|sip:bob@example.org|recipient;terminated||;");
}

/* RFC 3680 5.1; R3680-5.1-4, -7 and -12: what others add, at each depth. */
static void registrations(void **state)
{
    (void)state;
    static const char other[] = "<contact xmlns=\"urn:x\" id=\"2\"><uri>sip:x@x</uri></contact>";
    char document[2048];
    (void)snprintf(document, sizeof document,
                   "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">"
                   "%s<registration aor=\"sip:a@b\" id=\"r\" state=\"active\">%s<contact id=\"1\" "
                   "state=\"active\" event=\"refreshed\" duration-registered=\"7\">%s"
                   "<uri>sip:a@c</uri><unknown-param name=\"x\">y</unknown-param></contact>"
                   "</registration>%s</reginfo>",
                   other, other, other, other);
    assert_string_equal(read("reg", document), "active|sip:a@c|refreshed;");
}

/* RFC 3842 3.5 and 5.2; R3842-3.5-5. */
static void messages(void **state)
{
    (void)state;
    static const struct {
        const char *document, *told;
    } rows[] = {
        { "Messages-Waiting: no", "no messages||;" },
        { "messages-waiting : YES\r\n", "messages||;" },
        { "Messages-Waiting: yes\r\nMessage-Account: sip:a@b\r\nVoice-Message: 2/8 (0/2)\r\n"
          "Fax-Message:1 / 0\r\n\r\nTo: <b>\r\nnonsense",
          "messages|sip:a@b|;2 new, 8 old|Voice-Message|urgent: 0 new, 2 old;"
          "1 new, 0 old|Fax-Message|;" },
        { "Messages-Waiting: yes\r\nx: 4294967295/4294967296\r\n",
          "messages||;4294967295 new, 4294967295 old|x|;" },
        { "", "refused" },
        { "\r\nMessages-Waiting: yes\r\n", "refused" },
        { "Messages-Waiting: perhaps\r\n", "refused" },
        { "Voice-Message: 1/0\r\n", "refused" },
        { "Messages-Waiting: yes\r\nVoice-Message: 1\r\n", "refused" },
        { "Messages-Waiting: yes\r\nVoice-Message: -1/0\r\n", "refused" },
        { "Messages-Waiting: yes\r\nVoice-Message: 1/0 (1/0\r\n", "refused" },
        { "Messages-Waiting: yes\r\nVoice-Message: 1/0 (1)\r\n", "refused" },
        { "Messages-Waiting: yes\r\n: 1/0\r\n", "refused" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(read("message-summary", rows[i].document), rows[i].told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presence), cmocka_unit_test(unknown_elements),
        cmocka_unit_test(refused),  cmocka_unit_test(bounds),
        cmocka_unit_test(calls),    cmocka_unit_test(registrations),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
