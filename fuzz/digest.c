/* Digests on both sides: a row of a stranger's is read, answered as a client would answer it, and
 * that answer is read and verified as a server does, with counts and names. */
#include "fuzz/target.h"
#include "libahoy/auth/replay.h"
#include "libahoy/tu/account.h"

static const struct ahoy_account account = { .user = SPAN_INIT("al\"ice\\"),
                                             .realm = SPAN_INIT("atlanta.example"),
                                             .password = SPAN_INIT("wonderland") };
static const struct ahoy_digested request = { .method = SPAN_INIT("REGISTER"),
                                              .body = SPAN_INIT("body") };

/* Whatever the row is, nobody's digest is right. */
static void verify(struct span text)
{
    char space[255];
    struct ahoy_challenge credentials;
    struct ahoy_buf name = ahoy_buf_over(space, sizeof space);
    struct ahoy_digest_hex ha1 = { .size = 64 };
    if (!ahoy_challenge_parse(text, &credentials, NULL) || !credentials.is_digest)
        return;
    if (ahoy_challenge_print_user(&credentials, &name))
        MUST(name.size > 0 && !name.overflow);
    memset(ha1.text, '!', sizeof ha1.text);
    MUST(!ahoy_digest_verify(&credentials, &ha1, &request));
}

static struct ahoy_message response;

/* The credentials that the challenge |text| gets are right, and are one row. */
static void answer(struct span text)
{
    static char space[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_credentials credentials = { .proofs[0].tries = 0 };
    struct ahoy_rng rng = { .counter = 0 };
    struct ahoy_challenge read;
    struct ahoy_digest_hex ha1;
    char row[sizeof credentials];
    ahoy_buf_put(&buf, SPAN("SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: "));
    ahoy_buf_put(&buf, text);
    ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
    if (buf.overflow || !ahoy_message_parse(ahoy_buf_text(&buf), &response, NULL) ||
        !ahoy_credentials_answer(&credentials, &account, &response, &request, SPAN("sip:a"), &rng))
        return;
    struct ahoy_buf out = ahoy_buf_over(row, sizeof row);
    ahoy_credentials_put(&credentials, &out);
    struct span sent = ahoy_buf_text(&out);
    MUST(ahoy_span_find(sent, '\n') == sent.size - 1);
    sent = ahoy_span_trim(ahoy_span_after(sent, strlen("Authorization:")));
    MUST(ahoy_challenge_parse(sent, &read, NULL));
    MUST(ahoy_digest_ha1(read.algorithm, account.user, account.realm, account.password, &ha1));
    /* Only where the realm came in other letters is it another digest. */
    if (ahoy_span_equal(read.realm, account.realm))
        MUST(ahoy_digest_verify(&read, &ha1, &request));
    MUST(
        !ahoy_credentials_answer(&credentials, &account, &response, &request, SPAN("sip:a"), &rng));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size };
    verify(text);
    answer(text);
    return 0;
}
