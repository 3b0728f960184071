/* Laws 20 to 24: RFC 3261 10.3, by what the store holds at the end of each turn. */
#include "sim/laws.h"

#include "libahoy/syntax/params.h"

enum { AOR_LIMIT = 128, LOOK_EVERY = 8 };

static struct span print_aor(const struct ahoy_uri *uri, char space[AOR_LIMIT])
{
    struct ahoy_buf buf = ahoy_buf_over(space, AOR_LIMIT);
    ahoy_uri_print_aor(uri, &buf);
    return ahoy_buf_text(&buf);
}

/* The shelf that |request| is about, by To; NULL where it is not looked after. */
static struct sim_shelf *shelf_of(struct sim_witness *witness, const struct ahoy_message *request)
{
    char space[AOR_LIMIT];
    struct ahoy_address to;
    if (!ahoy_address_parse(ahoy_message_value(request, AHOY_HEADER_TO), &to, NULL))
        return NULL;
    return sim_witness_shelf(witness, print_aor(&to.uri, space));
}

/* Law 20: a REGISTER that wanted something changed has been granted. */
void sim_law_register_granted(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *upper = news->upper;
    if (news->message->is_request || news->message->status != 200 || upper == NULL ||
        upper->method != AHOY_METHOD_REGISTER)
        return;
    const struct ahoy_message *request = sim_witness_request(witness, upper->bytes, upper->size);
    struct sim_shelf *shelf = shelf_of(witness, request);
    if (shelf == NULL || ahoy_message_first(request, AHOY_HEADER_CONTACT) == NULL ||
        upper->final_turn != witness->turn || news->is_again)
        return;
    if (upper->is_doubtful)
        shelf->excused_ms = sim_witness_now(witness);
    shelf->granted++;
    shelf->grantee = upper;
}

/* How long |value|, a contact of |request|, is asked to be kept: seconds, 0 for not at all. */
static uint64_t expiry_of(const struct ahoy_message *request, const struct ahoy_address *contact)
{
    struct ahoy_param param;
    uint64_t seconds = 3600;
    struct span expires = ahoy_message_value(request, AHOY_HEADER_EXPIRES);
    (void)ahoy_span_number(expires, UINT32_MAX, &seconds); /* Else the default holds. */
    if (ahoy_params_find(contact->params, SPAN("expires"), &param))
        (void)ahoy_span_number(param.value, UINT32_MAX, &seconds);
    return seconds;
}

/* What has expired is not, whatever the store thinks. */
static bool is_kept(const struct sim_witness *witness, const struct ahoy_uri *uri)
{
    const struct ahoy_bindings *bindings = &witness->bindings;
    uint64_t now_ms = sim_witness_now(witness);
    struct ahoy_uri kept;
    for (size_t i = 0; i < bindings->count; i++) {
        if (bindings->list[i].expires_ms > now_ms &&
            ahoy_uri_parse(bindings->list[i].contact, &kept, NULL) && ahoy_uri_equal(&kept, uri))
            return true;
    }
    return false;
}

/* Whether the URI is named again behind |values|: then that counts. */
static bool is_named_again(struct ahoy_values values, const struct ahoy_uri *uri)
{
    struct span text;
    struct ahoy_address contact;
    while (ahoy_values_next(&values, &text, NULL)) {
        if (ahoy_address_parse(text, &contact, NULL) && ahoy_uri_equal(&contact.uri, uri))
            return true;
    }
    return false;
}

/* Law 20: all contacts that were asked for are there, and all that were given up are not. */
static void judge_grant(struct sim_witness *witness, const struct sim_shelf *shelf)
{
    const struct ahoy_message *request =
        sim_witness_request(witness, shelf->grantee->bytes, shelf->grantee->size);
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_CONTACT);
    struct span text;
    while (ahoy_values_next(&values, &text, NULL)) {
        struct ahoy_address contact;
        if (ahoy_span_equal(text, SPAN("*"))) {
            if (witness->bindings.count > 0)
                sim_witness_break(witness, 20, "%s: all were to go", shelf->aor);
            return;
        }
        if (!ahoy_address_parse(text, &contact, NULL))
            return;
        bool is_wanted = expiry_of(request, &contact) > 0;
        if (!is_named_again(values, &contact.uri) && is_kept(witness, &contact.uri) != is_wanted)
            sim_witness_break(witness, 20, "%s: a contact that was %s is%s there", shelf->aor,
                              is_wanted ? "kept" : "given up", is_wanted ? " not" : "");
    }
}

static const struct sim_shelved *find(const struct sim_shelf *shelf, uint64_t contact)
{
    for (size_t i = 0; i < shelf->count; i++) {
        if (shelf->list[i].contact == contact)
            return &shelf->list[i];
    }
    return NULL;
}

/* Law 22. */
static void judge_order(struct sim_witness *witness, const struct sim_shelf *before,
                        const struct sim_shelf *now)
{
    uint64_t now_ms = sim_witness_now(witness);
    for (size_t i = 0; i < before->count; i++) {
        const struct sim_shelved *old = &before->list[i];
        const struct sim_shelved *kept = find(now, old->contact);
        if (old->expires_ms > now_ms && kept != NULL && kept->call_id == old->call_id &&
            kept->cseq < old->cseq)
            sim_witness_break(witness, 22, "%s: CSeq %u overwrote %u", now->aor, kept->cseq,
                              old->cseq);
    }
}

static bool has_changed(const struct sim_shelved *old, const struct sim_shelved *new)
{
    return old == NULL || new == NULL || old->call_id != new->call_id || old->cseq != new->cseq ||
           old->expires_ms != new->expires_ms;
}

/* Laws 21 and 24: nobody was told that anything has changed. */
static void judge_silence(struct sim_witness *witness, const struct sim_shelf *before,
                          const struct sim_shelf *now, bool may_appear)
{
    uint64_t now_ms = sim_witness_now(witness);
    for (size_t i = 0; i < before->count; i++) {
        const struct sim_shelved *old = &before->list[i];
        if (old->expires_ms > now_ms && has_changed(old, find(now, old->contact)))
            sim_witness_break(witness, 21, "%s: a binding was lost or changed", now->aor);
    }
    for (size_t i = 0; i < now->count && !may_appear; i++) {
        if (find(before, now->list[i].contact) == NULL)
            sim_witness_break(witness, 24, "%s: a binding appeared", now->aor);
    }
}

/* Whether somebody whose answers cannot be seen may have changed |shelf|. */
static bool is_blurred(struct sim_witness *witness, const struct sim_shelf *shelf)
{
    if (sim_witness_now(witness) <= shelf->excused_ms)
        return true;
    for (size_t i = witness->first_upper; i < witness->upper_count; i++) {
        const struct sim_upper *upper = &witness->uppers[i];
        if (upper->method == AHOY_METHOD_REGISTER && upper->stream != 0 &&
            !sim_witness_has_stream(witness, upper->stream) &&
            shelf_of(witness, sim_witness_request(witness, upper->bytes, upper->size)) == shelf)
            return true;
    }
    return false;
}

/* Law 22: what was set has the CSeq of the REGISTER that set it. */
static void judge_cseq(struct sim_witness *witness, const struct sim_shelf *before,
                       const struct sim_shelf *now)
{
    struct ahoy_cseq cseq;
    const struct ahoy_message *request =
        sim_witness_request(witness, before->grantee->bytes, before->grantee->size);
    if (!ahoy_cseq_parse(ahoy_message_value(request, AHOY_HEADER_CSEQ), &cseq, NULL))
        return;
    for (size_t i = 0; i < now->count; i++) {
        const struct sim_shelved *new = &now->list[i];
        if (has_changed(find(before, new->contact), new) && new->cseq != cseq.number)
            sim_witness_break(witness, 22, "%s: CSeq %u was kept for %u", now->aor, new->cseq,
                              cseq.number);
    }
}

/* Where several are granted in one turn, one may have taken away what the next puts there again,
 * and what is taken away has no CSeq any more (10.3 step 7). */
static void judge_shelf(struct sim_witness *witness, struct sim_shelf *shelf, bool may_appear)
{
    struct sim_shelf now;
    sim_witness_look(witness, shelf, &now);
    bool is_open = is_blurred(witness, shelf);
    if (shelf->granted == 1 && !is_open) {
        judge_grant(witness, shelf);
        judge_cseq(witness, shelf, &now);
        judge_order(witness, shelf, &now);
    } else if (shelf->granted == 0 && !is_open) {
        judge_silence(witness, shelf, &now, may_appear);
    }
    *shelf = now;
    shelf->granted = 0;
    shelf->grantee = NULL;
}

/* Laws 20 to 22 and 24.  What changes while it is excused must be known when it is so no more. */
void sim_law_bindings_kept(struct sim_witness *witness)
{
    for (size_t i = 0; i < witness->shelf_count; i++) {
        const struct sim_shelf *shelf = &witness->shelves[i];
        if (shelf->granted > 0 || witness->turn % LOOK_EVERY == 0 ||
            sim_witness_now(witness) <= shelf->excused_ms)
            judge_shelf(witness, &witness->shelves[i], false);
    }
}

/* Law 21.  What had expired may be back where the clock has gone back. */
void sim_law_bindings_revived(struct sim_witness *witness)
{
    for (size_t i = 0; i < witness->shelf_count && !witness->is_full; i++)
        judge_shelf(witness, &witness->shelves[i], true);
}

static bool is_first_branch(const struct sim_witness *witness, const struct sim_news *news)
{
    return news->message->is_request && news->message->method != AHOY_METHOD_ACK &&
           news->message->method != AHOY_METHOD_CANCEL && news->upper != NULL &&
           news->lower != NULL && !news->is_again && news->upper->began_turn == witness->turn;
}

/* Law 23. */
void sim_law_contacts_live(struct sim_witness *witness, const struct sim_news *news)
{
    char space[AOR_LIMIT];
    struct ahoy_uri asked, target;
    if (!is_first_branch(witness, news) || news->upper->in_dialog)
        return;
    const struct ahoy_message *request =
        sim_witness_request(witness, news->upper->bytes, news->upper->size);
    if (!ahoy_uri_parse(request->request_uri, &asked, NULL) ||
        !ahoy_uri_parse(news->message->request_uri, &target, NULL))
        return;
    struct span aor = print_aor(&asked, space);
    if (sim_witness_shelf(witness, aor) == NULL)
        return;
    (void)ahoyd_store_find(sim_host_store(witness->host), aor, sim_witness_now(witness),
                           &witness->bindings); /* None is a finding too. */
    if (!is_kept(witness, &target))
        sim_witness_break(witness, 23, "%.*s is no contact of %.*s", (int)target.text.size,
                          target.text.at, (int)aor.size, aor.at);
}

/* Whether |header| of |request| proves its sender to be |user|, or anybody at all. */
static bool is_proven(const struct ahoy_message *request, enum ahoy_header header,
                      const struct span *user)
{
    const struct ahoy_field *field = ahoy_message_first(request, header);
    for (; field != NULL; field = ahoy_message_next(request, field)) {
        const struct ahoy_digested digested = { request->method_text, request->body };
        struct ahoy_challenge proof;
        struct ahoy_digest_hex ha1;
        if (ahoy_challenge_parse(field->value, &proof, NULL) &&
            (user == NULL || ahoy_span_equal(proof.username, *user)) &&
            ahoy_digest_ha1(proof.algorithm, proof.username, proof.realm, SPAN(SIM_PASSWORD),
                            &ha1) &&
            ahoy_digest_verify(&proof, &ha1, &digested))
            return true;
    }
    return false;
}

/* Law 24: what was forwarded or granted had been proved, ... */
void sim_law_proven(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *upper = news->upper;
    bool is_granted = !news->message->is_request && upper != NULL && !news->is_again &&
                      upper->method == AHOY_METHOD_REGISTER && news->message->status == 200;
    bool is_forwarded = is_first_branch(witness, news) && !upper->in_dialog;
    if (witness->is_strict && upper != NULL && !upper->is_foreign &&
        ((is_granted && !upper->is_proven) || (is_forwarded && !upper->is_proxy_proven)))
        sim_witness_break(witness, 24, "a request was served that nobody has proved");
}

/* ... by it or by another that came under its name: the first may have been answered already, and
 * nobody has seen it. */
void sim_law_proof_comes(struct sim_witness *witness, const struct sim_news *news)
{
    const struct ahoy_message *request = news->message;
    struct sim_upper *upper = news->upper;
    struct ahoy_address from;
    if (!witness->is_strict || !request->is_request || upper == NULL)
        return;
    bool is_ours = ahoy_address_parse(ahoy_message_value(request, AHOY_HEADER_FROM), &from, NULL) &&
                   ahoy_span_equal_nocase(from.uri.host, SPAN("atlanta.example"));
    upper->is_foreign |= !is_ours;
    upper->is_proven |= is_ours && is_proven(request, AHOY_HEADER_AUTHORIZATION, &from.uri.user);
    upper->is_proxy_proven |=
        is_ours && is_proven(request, AHOY_HEADER_PROXY_AUTHORIZATION, &from.uri.user);
    upper->has_proof |= is_ours && (is_proven(request, AHOY_HEADER_AUTHORIZATION, NULL) ||
                                    is_proven(request, AHOY_HEADER_PROXY_AUTHORIZATION, NULL));
}
