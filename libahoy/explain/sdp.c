/* A session description line by line (RFC 8866). */
#include "libahoy/sdp/sdp.h"

#include "libahoy/explain/parts.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define TEXT(...)    AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

/* clang-format off */
static const struct ahoy_word lines[] = {
    AHOY_WORD("v", "the version of SDP", "RFC 8866 5.1"),
    AHOY_WORD("o", "who made this description, and which version of it this is", "RFC 8866 5.2"),
    AHOY_WORD("s", "a name for the session; calls write \"-\" or a space", "RFC 8866 5.3"),
    AHOY_WORD("i", "what the session is about", "RFC 8866 5.4"),
    AHOY_WORD("u", "a web page about it", "RFC 8866 5.5"),
    AHOY_WORD("e", "an email address", "RFC 8866 5.6"),
    AHOY_WORD("p", "a telephone number", "RFC 8866 5.6"),
    AHOY_WORD("c", "the address that media are to be sent to", "RFC 8866 5.7"),
    AHOY_WORD("b", "how much bandwidth it may take", "RFC 8866 5.8"),
    AHOY_WORD("t", "from when to when; \"0 0\" is without end, as in calls", "RFC 8866 5.9"),
    AHOY_WORD("r", "when it is repeated", "RFC 8866 5.10"),
    AHOY_WORD("z", "changes of the time zone", "RFC 8866 5.11"),
    AHOY_WORD("k", "a key; not to be used any more", "RFC 8866 5.12"),
    AHOY_WORD("a", "an attribute", "RFC 8866 5.13"),
    AHOY_WORD("m", "one stream of media: its kind, port, transport and formats", "RFC 8866 5.14"),
};

static const struct ahoy_word attributes[] = {
    AHOY_WORD("rtpmap", "what a number of a format stands for", "RFC 8866 6.6"),
    AHOY_WORD("fmtp", "parameters of a format", "RFC 8866 6.15"),
    AHOY_WORD("ptime", "milliseconds of media in a packet", "RFC 8866 6.4"),
    AHOY_WORD("maxptime", "at most so many milliseconds in a packet", "RFC 8866 6.5"),
    AHOY_WORD("sendrecv", "both sides send", "RFC 8866 6.7.2"),
    AHOY_WORD("sendonly", "the writer sends and wants nothing: hold", "RFC 8866 6.7.3"),
    AHOY_WORD("recvonly", "the writer listens only", "RFC 8866 6.7.1"),
    AHOY_WORD("inactive", "nobody sends", "RFC 8866 6.7.4"),
    AHOY_WORD("framerate", "pictures a second", "RFC 8866 6.13"),
    AHOY_WORD("quality", "how good pictures should be", "RFC 8866 6.14"),
    AHOY_WORD("lang", "the language", "RFC 8866 6.12"),
    AHOY_WORD("sdplang", "the language of this description", "RFC 8866 6.11"),
    AHOY_WORD("charset", "the characters of this description", "RFC 8866 6.10"),
    AHOY_WORD("tool", "the program that wrote it", "RFC 8866 6.3"),
    AHOY_WORD("type", "the kind of conference", "RFC 8866 6.9"),
    AHOY_WORD("orient", "how to hold the screen", "RFC 8866 6.8"),
    AHOY_WORD("cat", "a category", "RFC 8866 6.1"),
    AHOY_WORD("keywds", "words to find it by", "RFC 8866 6.2"),
    AHOY_WORD("rtcp", "where reports on the media go", "RFC 3605 2.1"),
    AHOY_WORD("rtcp-mux", "reports come on the port of the media", "RFC 5761 5.1.1"),
    AHOY_WORD("rtcp-fb", "which feedback is wanted", "RFC 4585 4.2"),
    AHOY_WORD("crypto", "the key of SRTP, as good as the way that this message takes",
              "RFC 4568 4"),
    AHOY_WORD("setup", "who opens the connection", "RFC 4145 4"),
    AHOY_WORD("connection", "whether a new connection is wanted", "RFC 4145 5"),
    AHOY_WORD("fingerprint", "the certificate by which DTLS is checked", "RFC 8122 5"),
    AHOY_WORD("candidate", "an address that media may be tried at", "RFC 8839 5.1"),
    AHOY_WORD("ice-ufrag", "the name under which addresses are tried", "RFC 8839 5.4"),
    AHOY_WORD("ice-pwd", "the password under which they are tried", "RFC 8839 5.4"),
    AHOY_WORD("ice-options", "what its ICE can do", "RFC 8839 5.6"),
    AHOY_WORD("ice-lite", "it only answers tries", "RFC 8839 5.3"),
    AHOY_WORD("remote-candidates", "the pair that was chosen", "RFC 8839 5.2"),
    AHOY_WORD("mid", "the name of this stream", "RFC 5888 4"),
    AHOY_WORD("group", "streams that belong together", "RFC 5888 5"),
    AHOY_WORD("ssrc", "what is said about one source of RTP", "RFC 5576 4.1"),
    AHOY_WORD("ssrc-group", "sources that belong together", "RFC 5576 4.2"),
    AHOY_WORD("label", "the stream's name for others", "RFC 4574 4"),
    AHOY_WORD("extmap", "an extension of RTP's header", "RFC 8285 5"),
    AHOY_WORD("curr", "which resources are there", "RFC 3312 4"),
    AHOY_WORD("des", "which resources are wanted", "RFC 3312 4"),
    AHOY_WORD("conf", "tell when these resources are there", "RFC 3312 4"),
};
/* clang-format on */

/* clang-format off */
static const struct ahoy_word origin[] = {
    AHOY_WORD("user", "who, or \"-\"", "RFC 8866 5.2"),
    AHOY_WORD("session", "a number of this session", "RFC 8866 5.2"),
    AHOY_WORD("version", "rises with each change of the description", "RFC 3264 8"),
    AHOY_WORD("network", "IN: the Internet", "RFC 8866 5.2"),
    AHOY_WORD("family", "IP4 or IP6", "RFC 8866 5.2"),
    AHOY_WORD("address", "the machine that wrote it; media do not go there", "RFC 8866 5.2"),
};

static const struct ahoy_word connection[] = {
    AHOY_WORD("network", "IN: the Internet", "RFC 8866 5.7"),
    AHOY_WORD("family", "IP4 or IP6", "RFC 8866 5.7"),
    AHOY_WORD("address", "where media are to be sent", "RFC 8866 5.7"),
};

static const struct ahoy_word times[] = {
    AHOY_WORD("start", "seconds since 1900; 0 is without a begin", "RFC 8866 5.9"),
    AHOY_WORD("stop", "seconds since 1900; 0 is without end", "RFC 8866 5.9"),
};

static const struct ahoy_word media[] = {
    AHOY_WORD("media", "audio, video, text, application, message or image", "RFC 8866 5.14"),
    AHOY_WORD("port", "where media are to be sent; 0 refuses or ends the stream", "RFC 3264 6"),
    AHOY_WORD("transport", "RTP/AVP is plain RTP, RTP/SAVP encrypted", "RFC 8866 5.14"),
    AHOY_WORD("formats", "formats, the best first; what a number means stands in rtpmap",
              "RFC 8866 5.14"),
};

static const struct ahoy_word rtpmap[] = {
    AHOY_WORD("format", "the number that stands in m= and in each packet", "RFC 8866 6.6"),
    AHOY_WORD("encoding", "the name of the codec, ticks a second, and perhaps channels",
              "RFC 8866 6.6"),
};

static const struct ahoy_word fmtp[] = {
    AHOY_WORD("format", "a format of m=", "RFC 8866 6.15"),
    AHOY_WORD("parameters", "what the format itself knows how to read", "RFC 8866 6.15"),
};
/* clang-format on */

/* What the words of a line are, or those behind the colon of an attribute. */
static const struct {
    struct span name; /* Of the line, "m=", or of the attribute. */
    const struct ahoy_word *words;
    size_t count;
} layouts[] = {
    { SPAN_INIT("o="), origin, COUNT(origin) },
    { SPAN_INIT("c="), connection, COUNT(connection) },
    { SPAN_INIT("t="), times, COUNT(times) },
    { SPAN_INIT("m="), media, COUNT(media) },
    { SPAN_INIT("rtpmap"), rtpmap, COUNT(rtpmap) },
    { SPAN_INIT("fmtp"), fmtp, COUNT(fmtp) },
};

/* Explains the words of |rest| by the layout |name|, if there is one: they are parted by single
 * spaces, and the last takes all the rest. */
static void explain_words(struct ahoy_explainer *explainer, struct span name, struct span rest)
{
    for (size_t i = 0; i < COUNT(layouts); i++) {
        if (!ahoy_span_equal(layouts[i].name, name))
            continue;
        for (size_t k = 0; k < layouts[i].count && rest.size > 0; k++) {
            const struct ahoy_word *kind = &layouts[i].words[k];
            struct span word = k + 1 == layouts[i].count ? rest : ahoy_sdp_word(&rest);
            ahoy_explain_part(explainer, kind->name, word, kind->meaning.text,
                              kind->meaning.source);
        }
    }
}

static void explain_attribute(struct ahoy_explainer *explainer, struct span value)
{
    struct span name = { value.at, ahoy_span_find(value, ':') };
    ahoy_explain_word(explainer, name, value,
                      ahoy_meaning_find(attributes, COUNT(attributes), name),
                      SPAN("an attribute that Ahoy does not know; whoever does not know it passes "
                           "over it"));
    if (name.size < value.size)
        explain_words(explainer, name, ahoy_span_after(value, name.size + 1));
}

static void explain_line(struct ahoy_explainer *explainer, struct span line, struct span value)
{
    struct span name = { line.at, 2 };
    const struct ahoy_meaning *meaning =
        ahoy_meaning_find(lines, COUNT(lines), (struct span){ line.at, 1 });
    struct ahoy_remark *remark =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE, line, TEXT(name));
    if (meaning != NULL) {
        remark->text = meaning->text;
        remark->source = meaning->source;
    } else {
        remark->text = SPAN("a line of an unknown kind; it is passed over");
    }
    if (line.at[0] == 'a')
        explain_attribute(explainer, value);
    else
        explain_words(explainer, name, value);
}

void ahoy_explain_sdp(struct ahoy_explainer *explainer, struct span body)
{
    struct span rest = body;
    struct span value;
    struct ahoy_err err;
    struct ahoy_sdp sdp;
    char type;
    for (const char *at = rest.at; ahoy_sdp_line(&rest, &type, &value, &err); at = rest.at)
        explain_line(explainer, ahoy_span_between(at, rest.at), value);
    if (ahoy_sdp_parse(body, &sdp, &err))
        return;
    /* A proxy does not look at it: the message passes. */
    struct ahoy_remark *remark = ahoy_explain_fault(explainer, &err, SPAN("session description"),
                                                    false, SPAN("RFC 8866 5"), SPAN(""));
    remark->consequence = SPAN("a proxy passes it on; the phone answers 400 or 488, and there is "
                               "no call");
}
