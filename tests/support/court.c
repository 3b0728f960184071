/* What is said in a court. */
#include "tests/support/court.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

const struct ahoy_ip court_caller = { AHOY_IPV4, 5060, 0, { 192, 0, 2, 7 } };
const struct ahoy_ip court_callee = { AHOY_IPV4, 5060, 0, { 192, 0, 2, 8 } };

static struct court {
    struct sim_world *world;
    struct sim_host *host;
    struct sim_witness *witness;
    char text[4096];
} court;

static bool lose_nothing(void *context, const struct ahoy_ip *to, struct span bytes)
{
    (void)context;
    (void)to;
    (void)bytes;
    return false;
}

int court_begin(void **state)
{
    static const char config[] = "listen 'udp:192.0.2.1' listen 'tcp:192.0.2.1' store 'memory:'\n"
                                 "domain('atlanta.example', { auth = 'none', insecure = true })";
    static const char *const nobody[] = { NULL };
    (void)state;
    court.world = sim_world_new(1, &(struct sim_link){ .delay_ms = 10 });
    court.host = sim_host_new(court.world, "proxy", config, lose_nothing, NULL);
    court.witness = calloc(1, sizeof *court.witness);
    if (court.host == NULL || court.witness == NULL)
        return 1;
    sim_witness_init(court.witness, court.world, court.host, nobody);
    return 0;
}

int court_end(void **state)
{
    (void)state;
    sim_witness_fini(court.witness);
    free(court.witness);
    sim_host_free(court.host);
    sim_world_free(court.world);
    return 0;
}

struct span court_message(const char *line, const char *vias, unsigned call)
{
    bool is_response = strncmp(line, "SIP/2.0 ", 8) == 0;
    const char *method = strncmp(line, "ACK", 3) == 0      ? "ACK"
                         : strncmp(line, "CANCEL", 6) == 0 ? "CANCEL"
                                                           : "INVITE";
    int size = snprintf(court.text, sizeof court.text,
                        "%s\r\n%sFrom: <sip:frank@atlanta.example>;tag=f\r\n"
                        "To: <sip:grace@atlanta.example>%s\r\nCall-ID: call-%u\r\nCSeq: %u %s\r\n"
                        "Record-Route: <sip:192.0.2.1:5060;lr>\r\n"
                        "Contact: <sip:grace@192.0.2.8>\r\nMax-Forwards: %d\r\n"
                        "Content-Length: 0\r\n\r\n",
                        line, vias, is_response ? ";tag=g" : "", call, call, method,
                        strstr(vias, "our") != NULL ? 69 : 70);
    assert_true(size > 0 && (size_t)size < sizeof court.text);
    return (struct span){ court.text, (size_t)size };
}

struct sim_witness *court_witness(void)
{
    return court.witness;
}

void court_comes(uint64_t stream, const struct ahoy_ip *from, struct span bytes)
{
    court.witness->eyes.receives(court.witness, stream, from, bytes);
}

void court_goes(uint64_t stream, const struct ahoy_ip *to, struct span bytes)
{
    court.witness->eyes.sends(court.witness, stream, to, bytes);
}

void court_loses(uint64_t stream)
{
    court.witness->eyes.loses(court.witness, stream);
}

void court_turn(uint64_t ms)
{
    court.witness->eyes.rests(court.witness);
    sim_world_run(court.world, sim_world_now(court.world) + ms);
}

void court_expect(unsigned law)
{
    if (court.witness->law != law)
        print_error("law %u: %s\n", court.witness->law, court.witness->what);
    assert_int_equal(court.witness->law, law);
}

void court_forward(unsigned call, uint64_t stream, unsigned branches)
{
    char vias[256];
    snprintf(vias, sizeof vias, THEIRS "%u;rport\r\n", call);
    court_comes(0, &court_caller,
                court_message("INVITE sip:grace@atlanta.example SIP/2.0", vias, call));
    for (unsigned i = 1; i <= branches; i++) {
        snprintf(vias, sizeof vias, OURS "%u%u;rport\r\n" THEIRS "%u" MARKED, call, i, call);
        court_goes(i == 1 ? stream : 0, &court_callee,
                   court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, call));
    }
    court_turn(100);
}

void court_answer(unsigned call, uint64_t stream, unsigned branch, unsigned hers, const char *line)
{
    char vias[256];
    snprintf(vias, sizeof vias, OURS "%u%u;rport\r\n" THEIRS "%u" MARKED, call, branch, hers);
    court_comes(stream, &court_callee, court_message(line, vias, call));
}

void court_pass_on(unsigned call, unsigned hers, const char *line)
{
    char vias[256];
    snprintf(vias, sizeof vias, THEIRS "%u" MARKED, hers);
    court_goes(0, &court_caller, court_message(line, vias, call));
}

void court_acknowledge(unsigned call, uint64_t stream, unsigned branch)
{
    char vias[256];
    snprintf(vias, sizeof vias, OURS "%u%u;rport\r\n", call, branch);
    court_goes(stream, &court_callee, court_message("ACK sip:grace@192.0.2.8 SIP/2.0", vias, call));
}
