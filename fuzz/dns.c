/* Answers of the DNS (attacks 42 and 43): whatever they say, a search ends after its three rounds,
 * with no more servers than the limit, all of them by means that we have. */
#include "fuzz/target.h"
#include "libahoy/resolve/search.h"

/* The next message of the input: two bytes of size, then so much of what there is. */
static struct span next_message(struct span *input)
{
    size_t size = 0;
    if (input->size >= 2) {
        size = (size_t)(unsigned char)input->at[0] << 8 | (unsigned char)input->at[1];
        *input = ahoy_span_after(*input, 2);
    }
    struct span message = { input->at, size < input->size ? size : input->size };
    *input = ahoy_span_after(*input, message.size);
    return message;
}

static void check_server(const struct ahoy_search *search, const struct ahoy_server *server)
{
    bool is_v4 = server->ip.family == AHOY_IPV4;
    MUST(is_v4 || server->ip.family == AHOY_IPV6);
    MUST(((is_v4 ? search->means.v4 : search->means.v6) >> server->transport & 1) != 0);
    MUST(!search->is_secure || server->transport == AHOY_TLS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span uris[] = { SPAN_INIT("sip:example.com"), SPAN_INIT("sips:example.com"),
                                        SPAN_INIT("sip:example.com;transport=tcp"),
                                        SPAN_INIT("sip:example.com:5060") };
    const struct ahoy_search_options options = {
        .means = { 1 << AHOY_UDP | 1 << AHOY_TLS, 1 << AHOY_UDP | 1 << AHOY_TCP | 1 << AHOY_TLS }
    };
    const uint64_t seed[2] = { 1, size };
    struct span input = { (const char *)data, size };
    struct ahoy_search search;
    struct ahoy_question question;
    struct ahoy_rng rng;
    struct ahoy_uri uri;
    if (size == 0)
        return 0;
    ahoy_rng_init(&rng, seed);
    MUST(ahoy_uri_parse(uris[data[0] % 4], &uri, NULL));
    input = ahoy_span_after(input, 1);
    MUST(ahoy_search_begin(&search, &uri, &options, NULL));
    unsigned asked = 0;
    while (!search.done) {
        MUST(ahoy_search_poll(&search, &question));
        MUST(question.name->size > 0 && question.name->size <= AHOY_DNS_NAME_LIMIT);
        MUST(++asked <= 1 + AHOY_LEADS_LIMIT + 2 * AHOY_SERVERS_LIMIT);
        ahoy_search_step(&search, question.number, next_message(&input), &rng);
    }
    MUST(search.count <= AHOY_SERVERS_LIMIT);
    for (size_t i = 0; i < search.count; i++)
        check_server(&search, &search.servers[i]);
    return 0;
}
