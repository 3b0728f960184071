/* libsrtp2, with the NSS that it is built with, is opened when the first call is secured.
 * libahoy_media calls these instead: what a program defines itself comes before its libraries. */
#include <dlfcn.h>
#include <srtp2/srtp.h>
#include <stdio.h>

#include "ahoy/late.h"

#define SRTP_CALLS(CALL)                                                                           \
    CALL(srtp_init)                                                                                \
    CALL(srtp_create)                                                                              \
    CALL(srtp_dealloc)                                                                             \
    CALL(srtp_protect)                                                                             \
    CALL(srtp_protect_rtcp)                                                                        \
    CALL(srtp_unprotect)                                                                           \
    CALL(srtp_unprotect_rtcp)                                                                      \
    CALL(srtp_crypto_policy_set_rtp_default)                                                       \
    CALL(srtp_crypto_policy_set_rtcp_default)                                                      \
    CALL(srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32)                                           \
    CALL(srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80)

static struct {
    SRTP_CALLS(PHONE_LATE_FIELD)
} calls;

/* Nothing else is called before this, nor after it has failed. */
srtp_err_status_t srtp_init(void)
{
    static const char *const names[] = { SRTP_CALLS(PHONE_LATE_NAME) };
    if (phone_late_open("libsrtp2.so.1", names, sizeof names / sizeof names[0], &calls) != NULL)
        return calls.srtp_init();
    fprintf(stderr, "ahoy: nothing can be secured: %s\n", dlerror());
    return srtp_err_status_init_fail;
}

srtp_err_status_t srtp_create(srtp_t *session, const srtp_policy_t *policy)
{
    return calls.srtp_create(session, policy);
}

srtp_err_status_t srtp_dealloc(srtp_t session)
{
    return calls.srtp_dealloc(session);
}

srtp_err_status_t srtp_protect(srtp_t session, void *packet, int *size)
{
    return calls.srtp_protect(session, packet, size);
}

srtp_err_status_t srtp_protect_rtcp(srtp_t session, void *packet, int *size)
{
    return calls.srtp_protect_rtcp(session, packet, size);
}

srtp_err_status_t srtp_unprotect(srtp_t session, void *packet, int *size)
{
    return calls.srtp_unprotect(session, packet, size);
}

srtp_err_status_t srtp_unprotect_rtcp(srtp_t session, void *packet, int *size)
{
    return calls.srtp_unprotect_rtcp(session, packet, size);
}

void srtp_crypto_policy_set_rtp_default(srtp_crypto_policy_t *policy)
{
    calls.srtp_crypto_policy_set_rtp_default(policy);
}

void srtp_crypto_policy_set_rtcp_default(srtp_crypto_policy_t *policy)
{
    calls.srtp_crypto_policy_set_rtcp_default(policy);
}

void srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(srtp_crypto_policy_t *policy)
{
    calls.srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(policy);
}

void srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(srtp_crypto_policy_t *policy)
{
    calls.srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(policy);
}
