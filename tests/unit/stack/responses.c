/* Where a response to a request of ours may come from, and how (RFC 3261 18.1.1, 18.1.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "tests/support/stack_rig.h"

enum by { BY_DATAGRAM, BY_THE_CONNECTION, BY_A_NEW_ONE };

struct way {
    const char *what;
    enum ahoy_transport transport; /* Of the request. */
    enum by by;
    uint8_t listener; /* That the response comes to. */
    const char *from;
};

/* R3261-18.1.1-6 to -10, R3261-18.1.2-2, R3581-3-2, -3. */
static const struct way ways[] = {
    { "the address and port that it left from", AHOY_UDP, BY_DATAGRAM, RIG_UDP4, "198.51.100.7" },
    { "the same, from another address", AHOY_UDP, BY_DATAGRAM, RIG_UDP4, "203.0.113.9" },
    { "another address of ours", AHOY_UDP, BY_DATAGRAM, RIG_UDP6, "2001:db8::9" },
    { "the connection that it went by", AHOY_TCP, BY_THE_CONNECTION, RIG_TCP4, "198.51.100.7" },
    { "a new connection to sent-by", AHOY_TCP, BY_A_NEW_ONE, RIG_TCP4, "198.51.100.7" },
    { "one from elsewhere", AHOY_TCP, BY_A_NEW_ONE, RIG_TCP4, "203.0.113.9" },
    { "one to another address of ours", AHOY_TCP, BY_A_NEW_ONE, RIG_TCP6, "2001:db8::9" },
};

/* The request that left, after its connection stood where it needs one. */
static struct ahoy_handle send(struct rig *rig, enum ahoy_transport transport)
{
    struct ahoy_handle connection = { 0, 0 };
    assert_true(rig_request(rig, transport, rig_ip("198.51.100.7", 5060), 7, 0).generation != 0);
    rig_poll(rig);
    if (transport == AHOY_TCP) {
        connection = rig->effects[0].hop.connection;
        rig_forget(rig);
        rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    }
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 1);
    assert_int_equal(rig_sent(rig, 0)->hop.listener, transport == AHOY_UDP ? RIG_UDP4 : RIG_TCP4);
    return connection;
}

static void responses_are_taken_wherever_they_come(void **state)
{
    (void)state;
    static struct ahoy_message request;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct rig *rig = calloc(1, sizeof *rig);
        assert_non_null(rig);
        rig_init(rig, 0, 1);
        char text[2048];
        struct ahoy_handle connection = send(rig, ways[i].transport);
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        const struct ahoy_response response = { .status = 200, .to_tag = SPAN("far") };
        assert_true(ahoy_message_parse(rig_sent(rig, 0)->bytes, &request, NULL));
        ahoy_compose_response(&buf, &request, &response);
        const struct ahoy_ip from = rig_ip(ways[i].from, 5071);
        if (ways[i].by == BY_A_NEW_ONE)
            connection = rig_accept(rig, ways[i].listener, from);
        if (ways[i].by == BY_DATAGRAM)
            rig_datagram(rig, ways[i].listener, from, ahoy_buf_text(&buf));
        else
            rig_bytes(rig, connection, ahoy_buf_text(&buf));
        if (rig_seen_count(rig, AHOY_EVENT_RESPONSE, 7) != 1)
            fail_msg("%s", ways[i].what);
        rig_fini(rig);
        free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses_are_taken_wherever_they_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
