/* Looking for names in the order of RFC 5922 7.1. */
#include "libahoy/io/identity.h"

#include <openssl/x509v3.h>

static bool is_name(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.at[i];
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        bool digit = byte >= '0' && byte <= '9';
        if (!letter && !digit && byte != '-' && byte != '_' && byte != '.' && byte != '*')
            return false;
    }
    return text.size > 0 && text.size <= AHOY_PEER_NAME_LIMIT;
}

/* Adds |text| to one of the two lists of |identity|. */
static void keep(struct ahoy_identity *identity, struct span text, struct span *list, size_t *count)
{
    const struct ahoy_peer *peer = &identity->peer;
    if (*count == AHOY_PEER_NAMES_LIMIT ||
        text.size >= AHOY_PEER_TEXT_LIMIT - identity->used - peer->count - peer->user_count)
        return;
    char *at = identity->text + identity->used;
    memcpy(at, text.at, text.size);
    identity->used += text.size;
    list[(*count)++] = (struct span){ at, text.size };
}

static void add(struct ahoy_identity *identity, struct span name)
{
    keep(identity, name, identity->peer.names, &identity->peer.count);
}

static struct span text_of(const ASN1_STRING *string)
{
    int size = ASN1_STRING_length(string);
    if (size <= 0)
        return SPAN("");
    return (struct span){ (const char *)ASN1_STRING_get0_data(string), (size_t)size };
}

/* The host of "sip:host", which may have a port and parameters; false where the URI names a user or
 * has another scheme (R5922-7.1-4, R5922-7.1-5, R5922-7.1-6). */
static bool host_of(struct span uri, struct span *host)
{
    const struct span scheme = SPAN("sip:");
    if (!ahoy_span_starts_nocase(uri, scheme) || ahoy_span_find(uri, '@') < uri.size)
        return false;
    *host = ahoy_span_after(uri, scheme.size);
    for (size_t i = 0; i < host->size; i++) {
        char byte = host->at[i];
        if (byte == ':' || byte == ';' || byte == '?') {
            host->size = i;
            break;
        }
    }
    return is_name(*host);
}

/* Whether |uri| is a sip URI of a user, without a byte that could make it look like another. */
static bool is_user(struct span uri)
{
    for (size_t i = 0; i < uri.size; i++) {
        if (uri.at[i] <= ' ' || uri.at[i] > '~')
            return false;
    }
    return uri.size <= AHOY_PEER_NAME_LIMIT && ahoy_span_starts_nocase(uri, SPAN("sip:")) &&
           ahoy_span_find(uri, '@') < uri.size;
}

static void add_uris(struct ahoy_identity *identity, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        struct span uri, host;
        if (name->type != GEN_URI)
            continue;
        uri = text_of(name->d.uniformResourceIdentifier);
        if (host_of(uri, &host))
            add(identity, host);
        else if (is_user(uri))
            keep(identity, uri, identity->peer.users, &identity->peer.user_count);
    }
}

static void add_hosts(struct ahoy_identity *identity, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && is_name(text_of(name->d.dNSName)))
            add(identity, text_of(name->d.dNSName));
    }
}

static void add_addresses(struct ahoy_identity *identity, const GENERAL_NAMES *names)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_IPADD)
            continue;
        struct span bytes = text_of(name->d.iPAddress);
        struct ahoy_ip ip = { .family = bytes.size == 4 ? AHOY_IPV4 : AHOY_IPV6 };
        char space[64];
        if (bytes.size != 4 && bytes.size != sizeof ip.bytes)
            continue;
        memcpy(ip.bytes, bytes.at, bytes.size);
        add(identity, ahoy_identity_of_ip(&ip, space));
    }
}

/* The last common name is the nearest to the subject (RFC 2818 3.1: "the most specific"). */
static void add_common_name(struct ahoy_identity *identity, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int last = -1;
    for (int at; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0;)
        last = at;
    if (last < 0)
        return;
    struct span name = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    if (is_name(name) && ahoy_span_find(name, '*') == name.size)
        add(identity, name);
}

void ahoy_identity_read(struct ahoy_identity *identity, const X509 *certificate)
{
    int found;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, NULL);
    identity->used = 0;
    identity->peer.count = identity->peer.user_count = 0;
    if (names == NULL) {
        if (found == -1) /* It is absent, rather than unreadable or there twice. */
            add_common_name(identity, certificate);
        return;
    }
    add_uris(identity, names);
    if (identity->peer.count == 0)
        add_hosts(identity, names); /* R5922-7.1-7 */
    add_addresses(identity, names);
    GENERAL_NAMES_free(names);
}

struct span ahoy_identity_of_ip(const struct ahoy_ip *ip, char space[64])
{
    struct ahoy_buf buf = ahoy_buf_over(space, 64);
    ahoy_ip_print_bare(ip, &buf);
    return ahoy_buf_text(&buf);
}
