/* What a party answers to a challenge (RFC 3261 22.2, 22.3). */
#include <string.h>

#include "libahoy/syntax/challenge.h"
#include "libahoy/tu/account.h"
#include "sim/party_inside.h"

/* Answers the first challenge of |realm|. */
static bool prove_realm(struct sim_party *party, const struct ahoy_message *response,
                        struct span realm, struct span method, struct span uri, bool wrong)
{
    const struct ahoy_account account = { .user = ahoy_span(party->name),
                                          .realm = realm,
                                          .password =
                                              ahoy_span(wrong ? "guessed" : party->kind.password) };
    const struct ahoy_digested digested = { .method = method };
    struct ahoy_credentials credentials = { .proofs[0].tries = 0 };
    if (party->proof_count == PROOFS_LIMIT ||
        !ahoy_credentials_answer(&credentials, &account, response, &digested, uri,
                                 sim_world_rng(party->world)))
        return false;
    char *place = party->proofs[party->proof_count++];
    struct ahoy_buf row = ahoy_buf_over(place, sizeof party->proofs[0] - 1);
    ahoy_credentials_put(&credentials, &row);
    place[row.size] = '\0';
    return !row.overflow;
}

/* What was proved before is proved again, for the next request: by the next count of its nonce
 * (RFC 7616 3.4), which is written into the row, and the response that belongs to it. */
static void renew(const struct sim_party *party, char *row, struct span method)
{
    static const char digits[] = "0123456789abcdef";
    const struct ahoy_digested digested = { .method = method };
    struct span text = ahoy_span(row);
    size_t colon = ahoy_span_find(text, ':');
    struct ahoy_challenge proof;
    struct ahoy_digest_hex ha1, response;
    if (colon == text.size ||
        !ahoy_challenge_parse(ahoy_span_trim(ahoy_span_after(text, colon + 1)), &proof, NULL) ||
        proof.nc.size != 8)
        return;
    char *digit = row + (ahoy_span_end(proof.nc) - 1 - row);
    for (; digit >= proof.nc.at && *digit == 'f'; digit--)
        *digit = '0';
    *digit = strchr(digits, *digit)[1];
    if (ahoy_digest_ha1(proof.algorithm, proof.username, proof.realm,
                        ahoy_span(party->kind.password), &ha1) &&
        ahoy_digest_response(&proof, &ha1, &digested, &response))
        memcpy(row + (proof.response.at - row), response.text, response.size);
}

bool sim_party_prove(struct sim_party *party, const char *method, struct span uri, bool wrong)
{
    const struct kept *kept = sim_party_find(party, false, 401, 407, method);
    struct ahoy_message response;
    struct ahoy_challenge challenge;
    struct span last = SPAN("");
    for (size_t i = 0; i < party->proof_count; i++)
        renew(party, party->proofs[i], ahoy_span(method));
    if (kept != NULL && kept->order == party->proved)
        return true;
    if (kept == NULL || !ahoy_message_parse(sim_party_bytes(kept), &response, NULL))
        return false;
    enum ahoy_header header =
        response.status == 401 ? AHOY_HEADER_WWW_AUTHENTICATE : AHOY_HEADER_PROXY_AUTHENTICATE;
    const struct ahoy_field *field = ahoy_message_first(&response, header);
    for (; field != NULL; field = ahoy_message_next(&response, field)) {
        /* A realm is asked for in rows that stand together, one for each algorithm. */
        if (!ahoy_challenge_parse(field->value, &challenge, NULL) ||
            ahoy_span_equal(challenge.realm, last))
            continue;
        last = challenge.realm;
        if (!prove_realm(party, &response, last, ahoy_span(method), uri, wrong))
            return false;
    }
    party->proved = kept->order;
    return last.size > 0;
}
