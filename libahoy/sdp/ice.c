/* a=candidate, a=ice-ufrag, a=ice-pwd, a=ice-options, a=ice-pacing, a=ice-lite and
 * a=remote-candidates: RFC 8839 5. */
#include "libahoy/sdp/ice.h"

enum { USER_MIN = 4, WORD_MIN = 22, FOUNDATION_MAX = 32, PACING_MS = 50, NOWHERE_PORT = 9 };

static const struct span kinds[] = {
    [AHOY_CANDIDATE_HOST] = SPAN_INIT("host"),
    [AHOY_CANDIDATE_SERVER] = SPAN_INIT("srflx"),
    [AHOY_CANDIDATE_PEER] = SPAN_INIT("prflx"),
    [AHOY_CANDIDATE_RELAYED] = SPAN_INIT("relay"),
};

/* A medium's own, else the session's (5.4). */
static bool find(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                 struct span name, struct span *value)
{
    return ahoy_sdp_attribute(media->lines, name, value) ||
           ahoy_sdp_attribute(session->lines, name, value);
}

static bool read_number(struct span word, uint64_t most, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.at[i] < '0' || word.at[i] > '9' || i == 10)
            return false;
        *number = *number * 10 + (uint64_t)(word.at[i] - '0');
    }
    return word.size > 0 && *number <= most;
}

static bool read_ip(struct span address, struct span port, struct ahoy_ip *ip)
{
    uint64_t number;
    if (!ahoy_ip_parse(address, ip) || !read_number(port, UINT16_MAX, &number))
        return false;
    ip->port = (uint16_t)number;
    return true;
}

/* "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr ..." (5.1).  Kinds that nobody knows are
 * reached as others are. */
static bool read_candidate(struct span value, struct ahoy_candidate *candidate)
{
    struct span foundation = ahoy_sdp_word(&value);
    struct span component = ahoy_sdp_word(&value);
    struct span protocol = ahoy_sdp_word(&value);
    struct span priority = ahoy_sdp_word(&value);
    struct span address = ahoy_sdp_word(&value);
    struct span port = ahoy_sdp_word(&value);
    struct span typ = ahoy_sdp_word(&value);
    struct span kind = ahoy_sdp_word(&value);
    uint64_t number;
    *candidate = (struct ahoy_candidate){ .kind = AHOY_CANDIDATE_HOST,
                                          .foundation = ahoy_span_hash(foundation) };
    for (uint8_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (ahoy_span_equal(kind, kinds[i]))
            candidate->kind = i;
    }
    if (foundation.size == 0 || foundation.size > FOUNDATION_MAX ||
        !ahoy_span_equal(component, SPAN("1")) || !ahoy_span_equal_nocase(protocol, SPAN("UDP")) ||
        !ahoy_span_equal(typ, SPAN("typ")) || kind.size == 0 ||
        !read_number(priority, INT32_MAX, &number) || number == 0 ||
        !read_ip(address, port, &candidate->ip))
        return false;
    candidate->priority = (uint32_t)number;
    return candidate->ip.port != 0 && !ahoy_ip_is_wildcard(&candidate->ip) &&
           !ahoy_ip_is_multicast(&candidate->ip);
}

/* Zeros, a name, or no candidates so far do not say that somebody has changed it (4.2.5). */
static bool is_mismatch(const struct ahoy_sdp_media *media)
{
    struct ahoy_sdp_attribute attribute;
    struct ahoy_candidate candidate;
    struct ahoy_ip ip;
    struct span rest = media->lines;
    bool is_other = false;
    if (!ahoy_ip_parse(media->connection.address, &ip) ||
        (ahoy_ip_is_wildcard(&ip) && media->port == NOWHERE_PORT))
        return false;
    ip.port = media->port;
    while (ahoy_sdp_attribute_next(&rest, &attribute)) {
        if (!ahoy_span_equal(attribute.name, SPAN("candidate")))
            continue;
        if (!read_candidate(attribute.value, &candidate) || ahoy_ip_equal(&candidate.ip, &ip))
            return false;
        is_other = true;
    }
    return is_other;
}

static bool has_words(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                      struct span *user, struct span *word)
{
    struct span value;
    return find(session, media, SPAN("ice-ufrag"), user) &&
           find(session, media, SPAN("ice-pwd"), word) &&
           ahoy_sdp_attribute(media->lines, SPAN("rtcp-mux"), &value);
}

bool ahoy_sdp_is_mismatch(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media)
{
    struct span user, word;
    return has_words(session, media, &user, &word) && is_mismatch(media);
}

bool ahoy_sdp_has_ice(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                      uint64_t *mark)
{
    struct span user, word, value;
    *mark = 0;
    if (!has_words(session, media, &user, &word) ||
        ahoy_sdp_attribute(media->lines, SPAN("ice-mismatch"), &value) || is_mismatch(media))
        return false;
    *mark = (ahoy_span_hash(user) * 3 + ahoy_span_hash(word)) | 1;
    return true;
}

const struct ahoy_sdp_media *ahoy_sdp_find_ice(const struct ahoy_sdp *sdp)
{
    uint64_t mark;
    for (size_t i = 0; i < sdp->media_count; i++) {
        const struct ahoy_sdp_media *media = &sdp->media[i];
        if (media->port != 0 && ahoy_span_equal(media->type, SPAN("audio")) &&
            ahoy_sdp_has_ice(sdp, media, &mark))
            return media;
    }
    return NULL;
}

static bool is_of_ice(struct span name)
{
    return ahoy_span_equal(name, SPAN("candidate")) ||
           ahoy_span_equal(name, SPAN("remote-candidates")) ||
           (name.size > 4 && memcmp(name.at, "ice-", 4) == 0);
}

static void copy_lines(struct span lines, struct ahoy_buf *buf)
{
    struct ahoy_sdp_attribute attribute;
    while (ahoy_sdp_attribute_next(&lines, &attribute)) {
        if (!is_of_ice(attribute.name) ||
            buf->size + attribute.name.size + attribute.value.size + 5 > buf->capacity)
            continue;
        ahoy_buf_put(buf, SPAN("a="));
        ahoy_buf_put(buf, attribute.name);
        ahoy_buf_put_byte(buf, ':');
        ahoy_buf_put(buf, attribute.value);
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
}

void ahoy_sdp_copy_ice(const struct ahoy_sdp *sdp, struct ahoy_buf *buf)
{
    const struct ahoy_sdp_media *media = ahoy_sdp_find_ice(sdp);
    if (media == NULL)
        return;
    copy_lines(media->lines, buf);
    copy_lines(sdp->lines, buf); /* Where both have one, the medium's counts: 5.4. */
}

static void keep_word(struct span value, size_t least, char room[AHOY_ICE_WORD_LIMIT], size_t *size)
{
    if (*size > 0 || value.size < least || value.size > AHOY_ICE_WORD_LIMIT)
        return;
    memcpy(room, value.at, value.size);
    *size = value.size;
}

static void read_options(struct span value, struct ahoy_ice_peer *peer)
{
    while (value.size > 0)
        peer->is_modern |= ahoy_span_equal(ahoy_sdp_word(&value), SPAN("ice2"));
}

/* "1 192.0.2.3 45664 2 ..." (5.2); the order of components says nothing. */
static bool read_ours(struct span value, struct ahoy_ip *ours)
{
    while (value.size > 0) {
        struct span component = ahoy_sdp_word(&value);
        struct span address = ahoy_sdp_word(&value);
        struct ahoy_ip ip;
        if (!read_ip(address, ahoy_sdp_word(&value), &ip))
            return false;
        if (ahoy_span_equal(component, SPAN("1"))) {
            *ours = ip;
            return true;
        }
    }
    return false;
}

bool ahoy_sdp_read_chosen(const struct ahoy_sdp_media *media, struct ahoy_ip *ours)
{
    struct span value;
    return ahoy_sdp_attribute(media->lines, SPAN("remote-candidates"), &value) &&
           read_ours(value, ours);
}

static void read_line(const struct ahoy_sdp_attribute *line, struct ahoy_ice_peer *peer)
{
    uint64_t number;
    if (ahoy_span_equal(line->name, SPAN("ice-ufrag")))
        keep_word(line->value, USER_MIN, peer->user, &peer->user_size);
    else if (ahoy_span_equal(line->name, SPAN("ice-pwd")))
        keep_word(line->value, WORD_MIN, peer->word, &peer->word_size);
    else if (ahoy_span_equal(line->name, SPAN("ice-lite")))
        peer->is_lite = true;
    else if (ahoy_span_equal(line->name, SPAN("ice-options")))
        read_options(line->value, peer);
    else if (ahoy_span_equal(line->name, SPAN("ice-pacing")) &&
             read_number(line->value, UINT32_MAX, &number))
        peer->pacing_ms = (uint32_t)number;
    else if (ahoy_span_equal(line->name, SPAN("remote-candidates")))
        (void)read_ours(line->value, &peer->ours); /* Or he does not say. */
    else if (ahoy_span_equal(line->name, SPAN("candidate")) &&
             peer->count < AHOY_CANDIDATES_LIMIT &&
             read_candidate(line->value, &peer->candidates[peer->count]))
        peer->count++;
}

bool ahoy_sdp_read_ice(struct span lines, struct ahoy_ice_peer *peer)
{
    struct ahoy_sdp_attribute line;
    *peer = (struct ahoy_ice_peer){ .pacing_ms = PACING_MS };
    while (ahoy_sdp_attribute_next(&lines, &line))
        read_line(&line, peer);
    return peer->user_size > 0 && peer->word_size > 0;
}

void ahoy_sdp_put_ice_options(struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("a=ice-options:ice2\r\n"));
}

static void put_place(const struct ahoy_ip *ip, struct ahoy_buf *buf)
{
    ahoy_ip_print_bare(ip, buf);
}

static void put_candidate(const struct ahoy_candidate *candidate, const struct ahoy_ip *base,
                          struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("a=candidate:"));
    ahoy_buf_put_number(buf, candidate->foundation);
    ahoy_buf_put(buf, SPAN(" 1 UDP "));
    ahoy_buf_put_number(buf, candidate->priority);
    ahoy_buf_put_byte(buf, ' ');
    put_place(&candidate->ip, buf);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put_number(buf, candidate->ip.port);
    ahoy_buf_put(buf, SPAN(" typ "));
    ahoy_buf_put(buf, kinds[candidate->kind]);
    if (candidate->kind != AHOY_CANDIDATE_HOST) {
        ahoy_buf_put(buf, SPAN(" raddr "));
        put_place(base, buf);
        ahoy_buf_put(buf, SPAN(" rport "));
        ahoy_buf_put_number(buf, base->port);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

/* What it is related to (5.1): its base, as far as that was told too. */
static const struct ahoy_ip *base_of(const struct ahoy_sdp_ice *ice,
                                     const struct ahoy_candidate *candidate,
                                     const struct ahoy_ip *media)
{
    if (candidate->kind == AHOY_CANDIDATE_RELAYED)
        return &candidate->related;
    for (size_t i = 0; i < ice->count; i++) {
        const struct ahoy_candidate *other = &ice->candidates[i];
        if (other->kind == AHOY_CANDIDATE_HOST && other->base == candidate->base)
            return &other->ip;
    }
    return media;
}

static void put_candidates(const struct ahoy_sdp_ice *ice, const struct ahoy_ip *media,
                           struct ahoy_buf *buf)
{
    const struct ahoy_candidate only = {
        .ip = *media,
        .kind = AHOY_CANDIDATE_HOST,
        .priority = ahoy_candidate_priority(AHOY_CANDIDATE_HOST, 65535),
        .foundation = 1,
    };
    if (ice->settled.is_settled) {
        const struct ahoy_candidate *ours = &ice->settled.ours;
        put_candidate(ours, base_of(ice, ours, media), buf);
        return;
    }
    if (ice->count == 0)
        put_candidate(&only, media, buf);
    for (size_t i = 0; i < ice->count; i++)
        put_candidate(&ice->candidates[i], base_of(ice, &ice->candidates[i], media), buf);
}

void ahoy_sdp_put_ice(const struct ahoy_sdp_ice *ice, const struct ahoy_ip *media, bool is_offer,
                      struct ahoy_buf *buf)
{
    const struct ahoy_sdp_settled *settled = &ice->settled;
    ahoy_buf_put(buf, SPAN("a=ice-ufrag:"));
    ahoy_buf_put(buf, (struct span){ ice->words.user, sizeof ice->words.user });
    ahoy_buf_put(buf, SPAN("\r\na=ice-pwd:"));
    ahoy_buf_put(buf, (struct span){ ice->words.word, sizeof ice->words.word });
    ahoy_buf_put(buf, SPAN("\r\n"));
    put_candidates(ice, media, buf);
    if (!is_offer || !settled->is_settled || !settled->controls)
        return;
    ahoy_buf_put(buf, SPAN("a=remote-candidates:1 "));
    put_place(&settled->theirs, buf);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put_number(buf, settled->theirs.port);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

bool ahoy_sdp_ice_equal(const struct ahoy_sdp_ice *a, const struct ahoy_sdp_ice *b)
{
    const struct ahoy_sdp_settled *mine = &a->settled, *other = &b->settled;
    return memcmp(&a->words, &b->words, sizeof a->words) == 0 &&
           mine->is_settled == other->is_settled &&
           (!mine->is_settled ||
            (mine->controls == other->controls && ahoy_ip_equal(&mine->ours.ip, &other->ours.ip) &&
             ahoy_ip_equal(&mine->theirs, &other->theirs)));
}
