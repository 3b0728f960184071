/* What the Redis engine reads again, and when: in an order of the test's own, as its replies are
 * put where hiredis reads them, and nothing is sent.  The rest: tests/live/test_cluster.py. */
#include "ahoyd/store/redis_inside.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY "b:bob@b.example"

enum { ITS, OTHER, LINKS }; /* The master that has the row of KEY, and one that has not. */

static int listener; /* Where both of them seem to be. */
static struct redis *redis;

static int set_up(void **state)
{
    struct sockaddr_in own = { .sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof own;
    char fault[256] = "";
    const struct ahoyd_store_options options = { .path = "redis-cluster://127.0.0.1" };
    (void)state; /* It is static. */
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&own, size), 0);
    assert_int_equal(listen(listener, 2 * LINKS), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&own, &size), 0);
    redis = redis_engine.new(&options, fault, sizeof fault);
    assert_non_null(redis);
    redis->map.master_count = redis->link_count = LINKS;
    memset(redis->map.master_of, OTHER, sizeof redis->map.master_of);
    redis->map.master_of[redis_slot(SPAN(REDIS_PREFIX KEY))] = ITS;
    for (size_t i = 0; i < LINKS; i++) {
        struct redis_link *link = &redis->links[i];
        assert_true(redis_address_set(&link->address, SPAN("127.0.0.1"), ntohs(own.sin_port)));
        assert_true(redis_line_open(&link->data, &link->address, 0));
        assert_true(redis_line_open(&link->watch, &link->address, 0));
        shared_requests_init(&link->unproved);
        link->state = REDIS_LINK_UP;
        link->is_mapped = true;
        redis->link_of[i] = (uint8_t)i;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state; /* Likewise. */
    redis_engine.free(redis);
    return close(listener);
}

static void reply(struct redis_line *line, const char *text)
{
    redisReader *reader = line->context->reader;
    assert_int_equal(redisReaderFeed(reader, text, strlen(text)), REDIS_OK);
}

/* The next event is of that kind. */
static void expect(enum shared_event_kind kind)
{
    struct shared_event event;
    assert_true(redis_engine.event(redis, &event));
    assert_int_equal(event.kind, kind);
}

static void expect_nothing(void)
{
    struct shared_event event;
    assert_false(redis_engine.event(redis, &event));
}

/* As many rows are asked for as may be. */
static void fill(void)
{
    while (redis->looks < REDIS_LOOKS_LIMIT)
        assert_true(redis_engine.look(redis, SPAN(KEY)));
    assert_false(redis_engine.look(redis, SPAN(KEY)));
}

static void test_room_to_look(void **state)
{
    (void)state; /* It is static. */
    redis_engine.look_or_read(redis, SPAN(KEY));
    assert_int_equal(redis->looks, 1);
    assert_false(redis->links[ITS].is_unread || redis->links[OTHER].is_unread);
    reply(&redis->links[ITS].data, "*2\r\n$1\r\n7\r\n$3\r\nrow\r\n");
    expect(SHARED_ROW);
    expect_nothing();
}

/* All rows of that master are read again, and no other's. */
static void test_no_room_to_look(void **state)
{
    (void)state; /* It is static. */
    fill();
    expect_nothing();
    redis_engine.look_or_read(redis, SPAN(KEY));
    assert_true(redis->links[ITS].is_unread);
    assert_false(redis->links[OTHER].is_unread);
    expect(SHARED_READING);
    assert_ptr_equal(redis->read_now, &redis->links[ITS]);
}

/* Nobody has its slot just now: whoever will have it is read again. */
static void test_no_room_and_no_master(void **state)
{
    (void)state; /* It is static. */
    fill();
    redis->map.master_of[redis_slot(SPAN(REDIS_PREFIX KEY))] = REDIS_NO_MASTER;
    redis_engine.look_or_read(redis, SPAN(KEY));
    assert_true(redis->links[ITS].is_unread && redis->links[OTHER].is_unread);
}

/* Reads all rows of ITS up to the end of the scan, which is still to be answered. */
static void read_rows(void)
{
    redis->links[ITS].is_unread = true;
    expect(SHARED_READING);
    reply(&redis->links[ITS].data, "*2\r\n$1\r\n0\r\n*1\r\n$20\r\nahoy:" KEY "\r\n");
    expect_nothing();
    reply(&redis->links[ITS].data, "*2\r\n$1\r\n7\r\n$3\r\nrow\r\n");
    expect(SHARED_ROW);
    expect_nothing(); /* What was asked for that row is forgotten. */
}

static void expect_read_again(void)
{
    reply(&redis->links[ITS].data, "+PONG\r\n");
    expect(SHARED_READ);
    expect(SHARED_READING);
    assert_ptr_equal(redis->read_now, &redis->links[ITS]);
}

static void test_read_once(void **state)
{
    (void)state; /* It is static. */
    read_rows();
    reply(&redis->links[ITS].data, "+PONG\r\n");
    expect(SHARED_READ);
    expect_nothing();
}

/* The row has been read when it turns out that it is to be looked at: once more, then. */
static void test_no_room_while_reading(void **state)
{
    (void)state; /* It is static. */
    read_rows();
    fill();
    redis_engine.look_or_read(redis, SPAN(KEY));
    expect_read_again();
}

/* Likewise where Redis tells it, ... */
static void test_changed_while_reading(void **state)
{
    (void)state; /* It is static. */
    read_rows();
    fill();
    reply(&redis->links[ITS].watch, "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
                                    "*1\r\n$20\r\nahoy:" KEY "\r\n");
    expect_nothing();
    expect_read_again();
}

/* ... or that all of them went. */
static void test_flushed_while_reading(void **state)
{
    (void)state; /* It is static. */
    read_rows();
    reply(&redis->links[ITS].watch,
          "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*-1\r\n");
    expect_nothing();
    expect_read_again();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_room_to_look),          TEST(test_no_room_to_look),
        TEST(test_no_room_and_no_master), TEST(test_read_once),
        TEST(test_no_room_while_reading), TEST(test_changed_while_reading),
        TEST(test_flushed_while_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
