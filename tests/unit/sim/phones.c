/* What the simulator demands of a phone that gets a 2xx (laws 8 and 15): by what it says of the way
 * of the ACK. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/laws_phone.h"

#define LR "<sip:192.0.2.1:5060;lr>"

static const struct ahoy_ip phone = { AHOY_IPV4, 5060, 0, { 192, 0, 2, 2 } };
static const struct ahoy_ip server = { AHOY_IPV4, 5060, 0, { 192, 0, 2, 1 } };

static struct sim_world *world;
static struct sim_witness *witness;
static struct sim_phone_witness *watcher;
static unsigned acks;

static void see(enum sim_passage passage, const char *text)
{
    struct sim_packet packet = { .kind = SIM_DATAGRAM, .from = phone, .to = server };
    if (passage == SIM_ARRIVED) {
        packet.from = server;
        packet.to = phone;
    }
    packet.bytes = ahoy_span(text);
    sim_phone_witness_see(watcher, passage, &packet);
}

static void ask(void)
{
    see(SIM_LEFT, "INVITE sip:bob@atlanta.example SIP/2.0\r\n"
                  "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
                  "From: <sip:alice@atlanta.example>;tag=a\r\nTo: <sip:bob@atlanta.example>\r\n"
                  "Call-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.2>\r\n"
                  "Content-Length: 0\r\n\r\n");
}

static int begin(void **state)
{
    (void)state;
    world = sim_world_new(1, &(struct sim_link){ .delay_ms = 10 });
    witness = calloc(1, sizeof *witness);
    if (world == NULL || witness == NULL)
        return 1;
    witness->world = world;
    watcher = sim_phone_witness_new(witness);
    sim_phone_witness_add(watcher, &phone);
    acks = 0;
    ask();
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_phone_witness_free(watcher);
    free(witness);
    sim_world_free(world);
    return 0;
}

/* A 2xx arrives, with |routes| in Record-Route. */
static void succeed(const char *sent_by, const char *routes, const char *contact)
{
    char text[1024];
    snprintf(text, sizeof text,
             "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKa\r\n"
             "From: <sip:alice@atlanta.example>;tag=a\r\nTo: <sip:bob@atlanta.example>;tag=b\r\n"
             "Call-ID: c\r\nCSeq: 1 INVITE\r\n%s%s%sContact: <%s>\r\nContent-Length: 0\r\n\r\n",
             sent_by, routes[0] != '\0' ? "Record-Route: " : "", routes,
             routes[0] != '\0' ? "\r\n" : "", contact);
    see(SIM_ARRIVED, text);
}

/* The ACK to it leaves. */
static void acknowledge(const char *uri, const char *route)
{
    char text[1024];
    snprintf(text, sizeof text,
             "ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKack%u\r\n"
             "Route: %s\r\nMax-Forwards: 70\r\nFrom: <sip:alice@atlanta.example>;tag=a\r\n"
             "To: <sip:bob@atlanta.example>;tag=b\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n"
             "Content-Length: 0\r\n\r\n",
             uri, ++acks, route);
    see(SIM_LEFT, text);
}

/* Time passes, and something else does. */
static void wait(void)
{
    sim_world_run(world, sim_world_now(world) + 100);
    see(SIM_LEFT, "");
}

static void expect(unsigned law)
{
    if (witness->law != law)
        print_error("law %u: %s\n", witness->law, witness->what);
    assert_int_equal(witness->law, law);
}

/* R3261-13.2.2.4-3 */
static void test_ack_is_owed(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3;transport=tcp");
    wait();
    expect(8);
}

static void test_ack_is_sent(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3");
    acknowledge("sip:bob@192.0.2.3", LR);
    wait();
    expect(0);
}

/* 18.1.2, 20.42: without a port it is 5060. */
static void test_port_is_left_out(void **state)
{
    (void)state;
    succeed("192.0.2.2", LR, "sip:bob@192.0.2.3");
    wait();
    expect(8);
}

static void test_port_is_another(void **state)
{
    (void)state;
    succeed("192.0.2.2:5070", LR, "sip:bob@192.0.2.3");
    wait();
    expect(0);
}

/* The phones here have no connections: the ACK waits for one that is never made. */
static void test_route_by_tcp(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", LR ", <sip:192.0.2.1:5060;transport=tcp;lr>", "sip:bob@192.0.2.3");
    wait();
    expect(0);
}

static void test_contact_by_tcp(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "", "sip:bob@192.0.2.3;transport=tcp");
    wait();
    expect(0);
}

static void test_contact_by_tls(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", LR, "sips:bob@192.0.2.3");
    wait();
    expect(0);
}

/* What cannot be located goes to the server, by UDP. */
static void test_route_by_name(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "<sip:edge.example;transport=tcp;lr>", "sip:bob@192.0.2.3");
    wait();
    expect(8);
}

/* 12.1.2: its URIs are the route set, whatever they are; so the first answer makes the dialog. */
static void test_route_of_no_scheme_of_ours(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "<siz:192.0.2.1:5060;lr>", "sip:bob@192.0.2.3");
    acknowledge("siz:192.0.2.1:5060;lr", "<sip:bob@192.0.2.3>");
    wait();
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3");
    acknowledge("siz:192.0.2.1:5060;lr", "<sip:bob@192.0.2.3>");
    wait();
    expect(0);
    acknowledge("sip:bob@192.0.2.3", LR);
    expect(15);
}

static void test_route_of_no_scheme_is_acknowledged(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "<siz:192.0.2.1:5060;lr>", "sip:bob@192.0.2.3");
    wait();
    expect(8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ack_is_owed, begin, end),
        cmocka_unit_test_setup_teardown(test_ack_is_sent, begin, end),
        cmocka_unit_test_setup_teardown(test_port_is_left_out, begin, end),
        cmocka_unit_test_setup_teardown(test_port_is_another, begin, end),
        cmocka_unit_test_setup_teardown(test_route_by_tcp, begin, end),
        cmocka_unit_test_setup_teardown(test_contact_by_tcp, begin, end),
        cmocka_unit_test_setup_teardown(test_contact_by_tls, begin, end),
        cmocka_unit_test_setup_teardown(test_route_by_name, begin, end),
        cmocka_unit_test_setup_teardown(test_route_of_no_scheme_of_ours, begin, end),
        cmocka_unit_test_setup_teardown(test_route_of_no_scheme_is_acknowledged, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
