/* What a party answers to a challenge (RFC 3261 22.2, 22.3). */
#include <stdio.h>

#include "libahoy/syntax/challenge.h"
#include "libahoy/tu/account.h"
#include "sim/party_inside.h"

/* Answers the strongest challenge of |realm|. */
static bool prove_realm(struct sim_party *party, const struct ahoy_message *response,
                        struct span realm, struct span method, struct span uri, bool wrong)
{
    const struct ahoy_account account = { .user = ahoy_span(party->name),
                                          .realm = realm,
                                          .password =
                                              ahoy_span(wrong ? "guessed" : party->kind.password) };
    struct ahoy_credentials credentials = { .tries = 0 };
    if (party->proof_count == PROOFS_LIMIT ||
        !ahoy_credentials_answer(&credentials, &account, response, method, uri,
                                 sim_world_rng(party->world)))
        return false;
    struct span row = ahoy_credentials_row(&credentials);
    snprintf(party->proofs[party->proof_count++], sizeof party->proofs[0], "%.*s", (int)row.size,
             row.at);
    return true;
}

bool sim_party_prove(struct sim_party *party, const char *method, struct span uri, bool wrong)
{
    const struct kept *kept = sim_party_find(party, false, 401, 407, method);
    struct ahoy_message response;
    struct ahoy_challenge challenge;
    struct span last = SPAN("");
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
