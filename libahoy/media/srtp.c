/* libsrtp keeps a rollover counter and a window of what came for each source (RFC 3711 3.3). */
#include "libahoy/media/srtp.h"

#include <assert.h>
#include <stdlib.h>

#ifdef AHOY_HAS_SRTP

#include <srtp2/srtp.h>

#include "libahoy/media/octets.h"

enum {
    GROWTH = SRTP_MAX_TRAILER_LEN + 4, /* What libsrtp wants there to be. */
    RTP_SSRC_AT = 8,
    RTCP_SSRC_AT = 4,
    WINDOW = 128 /* Packets that may come late: R3711-3.3.2-1. */
};

struct way {
    srtp_t context; /* NULL without a key. */
    enum ahoy_suite suite;
    uint8_t master[AHOY_MASTER_LIMIT];
};

struct ahoy_srtp {
    struct way ways[AHOY_SRTP_WAYS];
    size_t source_count;
    uint32_t sources[AHOY_SRTP_SOURCES_LIMIT];
    _Alignas(uint64_t) char bytes[AHOY_SRTP_PACKET_LIMIT + GROWTH];
};

bool ahoy_srtp_is_there(void)
{
    return true;
}

struct ahoy_srtp *ahoy_srtp_new(void)
{
    static bool is_ready;
    if (!is_ready && srtp_init() != srtp_err_status_ok)
        return NULL;
    is_ready = true;
    return calloc(1, sizeof(struct ahoy_srtp));
}

static void close_way(struct way *way)
{
    if (way->context != NULL)
        (void)srtp_dealloc(way->context); /* It fails only for what it has not made. */
    explicit_bzero(way, sizeof *way);
}

void ahoy_srtp_free(struct ahoy_srtp *srtp)
{
    if (srtp == NULL)
        return;
    for (int i = 0; i < AHOY_SRTP_WAYS; i++)
        close_way(&srtp->ways[i]);
    explicit_bzero(srtp->bytes, sizeof srtp->bytes);
    free(srtp);
}

/* RTCP has a tag of 80 bits by any suite: R3711-5.2-3, RFC 4568 6.2.2. */
static void set_policy(enum ahoy_suite suite, srtp_policy_t *policy)
{
    switch (suite) {
    case AHOY_AES_256_SHA1_80:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtp);
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
        return;
    case AHOY_AES_128_SHA1_32:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
        srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
        return;
    default:
        srtp_crypto_policy_set_rtp_default(&policy->rtp);
        srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
    }
}

bool ahoy_srtp_key(struct ahoy_srtp *srtp, enum ahoy_srtp_way which, enum ahoy_suite suite,
                   const uint8_t *master)
{
    struct way *way = &srtp->ways[which];
    size_t size = ahoy_suite_master_size(suite);
    assert(suite != AHOY_NO_SUITE);
    if (way->suite == suite && memcmp(way->master, master, size) == 0)
        return true;
    close_way(way);
    if (which == AHOY_SRTP_IN)
        srtp->source_count = 0;
    memcpy(way->master, master, size);
    srtp_policy_t policy = { .key = way->master, .window_size = WINDOW };
    policy.ssrc.type = which == AHOY_SRTP_OUT ? ssrc_any_outbound : ssrc_any_inbound;
    set_policy(suite, &policy);
    if (srtp_create(&way->context, &policy) != srtp_err_status_ok) {
        way->context = NULL;
        close_way(way);
        return false;
    }
    way->suite = suite;
    return true;
}

static bool take(struct ahoy_srtp *srtp, enum ahoy_srtp_way way, struct span packet)
{
    if (srtp->ways[way].context == NULL || packet.size > AHOY_SRTP_PACKET_LIMIT)
        return false;
    memcpy(srtp->bytes, packet.at, packet.size);
    return true;
}

bool ahoy_srtp_protect(struct ahoy_srtp *srtp, bool is_rtcp, struct span packet,
                       struct span *secured)
{
    srtp_t context = srtp->ways[AHOY_SRTP_OUT].context;
    int size = (int)packet.size;
    if (!take(srtp, AHOY_SRTP_OUT, packet))
        return false;
    srtp_err_status_t status = is_rtcp ? srtp_protect_rtcp(context, srtp->bytes, &size)
                                       : srtp_protect(context, srtp->bytes, &size);
    *secured = (struct span){ srtp->bytes, (size_t)size };
    return status == srtp_err_status_ok;
}

/* Its place, or the place of a new one. */
static size_t find_source(const struct ahoy_srtp *srtp, uint32_t source)
{
    size_t i = 0;
    while (i < srtp->source_count && srtp->sources[i] != source)
        i++;
    return i;
}

bool ahoy_srtp_unprotect(struct ahoy_srtp *srtp, bool is_rtcp, struct span packet,
                         struct span *plain)
{
    srtp_t context = srtp->ways[AHOY_SRTP_IN].context;
    size_t at = is_rtcp ? RTCP_SSRC_AT : RTP_SSRC_AT;
    int size = (int)packet.size;
    if (packet.size < at + 4 || !take(srtp, AHOY_SRTP_IN, packet))
        return false;
    uint32_t source = ahoy_octets_four(packet.at + at);
    size_t place = find_source(srtp, source);
    if (place == AHOY_SRTP_SOURCES_LIMIT)
        return false;
    srtp_err_status_t status = is_rtcp ? srtp_unprotect_rtcp(context, srtp->bytes, &size)
                                       : srtp_unprotect(context, srtp->bytes, &size);
    if (status != srtp_err_status_ok)
        return false;
    if (place == srtp->source_count)
        srtp->sources[srtp->source_count++] = source;
    *plain = (struct span){ srtp->bytes, (size_t)size };
    return true;
}

#else

bool ahoy_srtp_is_there(void)
{
    return false;
}

struct ahoy_srtp *ahoy_srtp_new(void)
{
    return NULL;
}

/* Nobody has one to call these with. */
void ahoy_srtp_free(struct ahoy_srtp *srtp)
{
    assert(srtp == NULL);
}

bool ahoy_srtp_key(struct ahoy_srtp *srtp, enum ahoy_srtp_way way, enum ahoy_suite suite,
                   const uint8_t *master)
{
    assert(srtp != NULL && way < AHOY_SRTP_WAYS && suite != AHOY_NO_SUITE && master != NULL);
    return false;
}

bool ahoy_srtp_protect(struct ahoy_srtp *srtp, bool is_rtcp, struct span packet,
                       struct span *secured)
{
    assert(srtp != NULL && (is_rtcp || packet.size > 0) && secured != NULL);
    return false;
}

bool ahoy_srtp_unprotect(struct ahoy_srtp *srtp, bool is_rtcp, struct span packet,
                         struct span *plain)
{
    return ahoy_srtp_protect(srtp, is_rtcp, packet, plain);
}

#endif
