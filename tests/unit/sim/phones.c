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

/* How a response names what it answers. */
struct names {
    const char *sent_by, *branch, *from_tag, *call_id;
};

static const struct names right = { "192.0.2.2:5060", "z9hG4bKa", "a", "c" };

/* A 2xx arrives, with |routes| in Record-Route. */
static void succeed_as(const struct names *names, const char *routes, const char *contact)
{
    char text[1024];
    snprintf(text, sizeof text,
             "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s;branch=%s\r\n"
             "From: <sip:alice@atlanta.example>;tag=%s\r\n"
             "To: <sip:bob@atlanta.example>;tag=b\r\n"
             "Call-ID: %s\r\nCSeq: 1 INVITE\r\n%s%s%sContact: <%s>\r\nContent-Length: 0\r\n\r\n",
             names->sent_by, names->branch, names->from_tag, names->call_id,
             routes[0] != '\0' ? "Record-Route: " : "", routes, routes[0] != '\0' ? "\r\n" : "",
             contact);
    see(SIM_ARRIVED, text);
}

static void succeed(const char *sent_by, const char *routes, const char *contact)
{
    struct names names = right;
    names.sent_by = sent_by;
    succeed_as(&names, routes, contact);
}

/* A failure to what has that branch. */
static void refuse(const char *branch, const char *method)
{
    char text[1024];
    snprintf(text, sizeof text,
             "SIP/2.0 481 No\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=%s\r\n"
             "From: <sip:alice@atlanta.example>;tag=a\r\n"
             "To: <sip:bob@atlanta.example>;tag=x\r\n"
             "Call-ID: c\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
             branch, method);
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

/* 8.1.2: what is for a sips URI leaves by TLS or not at all, though its first route says UDP. */
static void test_contact_by_tls_route_by_udp(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "<sip:192.0.2.1:5060;transport=udp;lr>", "sips:bob@192.0.2.3");
    wait();
    expect(0);
}

static void test_route_by_tls_and_udp(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "<sips:192.0.2.1:5060;transport=udp;lr>", "sip:bob@192.0.2.3");
    wait();
    expect(0);
}

static void test_route_by_udp(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", "<sip:192.0.2.1:5060;transport=udp;lr>", "sip:bob@192.0.2.3");
    wait();
    expect(8);
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

/* A response belongs to the INVITE of its branch, whatever else it says (17.1.3), and the dialog
 * has the names that the INVITE gave it: the next 2xx is of the same one. */
static void test_other_names(void **state)
{
    const struct names cases[] = { { right.sent_by, right.branch, "a", "other" },
                                   { right.sent_by, right.branch, "other", "c" } };
    for (size_t i = 0; i < 2; i++) {
        succeed_as(&cases[i], LR, "sip:bob@192.0.2.3");
        acknowledge("sip:bob@192.0.2.3", LR);
        wait();
        succeed("192.0.2.2:5060", "<sip:192.0.2.9;lr>", "sip:bob@192.0.2.3");
        acknowledge("sip:bob@192.0.2.3", LR);
        wait();
        expect(0);
        assert_int_equal(end(state), 0);
        assert_int_equal(begin(state), 0);
    }
}

static void test_other_names_are_acknowledged(void **state)
{
    const struct names names = { right.sent_by, right.branch, "a", "other" };
    (void)state;
    succeed_as(&names, LR, "sip:bob@192.0.2.3");
    wait();
    expect(8);
}

static void test_other_names_have_routes(void **state)
{
    const struct names names = { right.sent_by, right.branch, "a", "other" };
    (void)state;
    succeed_as(&names, LR, "sip:bob@192.0.2.3");
    acknowledge("sip:bob@192.0.2.3", "<sip:192.0.2.9;lr>");
    expect(15);
}

static void test_other_branch(void **state)
{
    const struct names names = { right.sent_by, "z9hG4bKb", "a", "c" };
    (void)state;
    succeed_as(&names, LR, "sip:bob@192.0.2.3");
    wait();
    expect(0);
}

/* Two 2xx of one fork come in one instant, and only the second may be acknowledged by UDP: the
 * dialog, and with it the way of the ACK, is that of the first. */
static void test_first_by_tls(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", LR, "sips:bob@192.0.2.3");
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3");
    wait();
    expect(0);
}

static void test_second_by_tls(void **state)
{
    (void)state;
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3");
    succeed("192.0.2.2:5060", LR, "sips:bob@192.0.2.3");
    wait();
    expect(8);
}

/* Behind a failure the INVITE has ended: 17.1.1.2. */
static void test_failed_before(void **state)
{
    (void)state;
    refuse("z9hG4bKa", "INVITE");
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3");
    wait();
    expect(0);
}

/* Its CANCEL has the same branch (9.1), and ends nothing by failing. */
static void test_cancel_failed_before(void **state)
{
    (void)state;
    refuse("z9hG4bKa", "CANCEL");
    succeed("192.0.2.2:5060", LR, "sip:bob@192.0.2.3");
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
        cmocka_unit_test_setup_teardown(test_contact_by_tls_route_by_udp, begin, end),
        cmocka_unit_test_setup_teardown(test_route_by_tls_and_udp, begin, end),
        cmocka_unit_test_setup_teardown(test_route_by_udp, begin, end),
        cmocka_unit_test_setup_teardown(test_route_by_name, begin, end),
        cmocka_unit_test_setup_teardown(test_route_of_no_scheme_of_ours, begin, end),
        cmocka_unit_test_setup_teardown(test_route_of_no_scheme_is_acknowledged, begin, end),
        cmocka_unit_test_setup_teardown(test_other_names, begin, end),
        cmocka_unit_test_setup_teardown(test_other_names_are_acknowledged, begin, end),
        cmocka_unit_test_setup_teardown(test_other_names_have_routes, begin, end),
        cmocka_unit_test_setup_teardown(test_other_branch, begin, end),
        cmocka_unit_test_setup_teardown(test_first_by_tls, begin, end),
        cmocka_unit_test_setup_teardown(test_second_by_tls, begin, end),
        cmocka_unit_test_setup_teardown(test_failed_before, begin, end),
        cmocka_unit_test_setup_teardown(test_cancel_failed_before, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
