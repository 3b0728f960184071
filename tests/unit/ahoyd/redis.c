/* What the Redis engine reads: URLs, slots, replies.  The rest: tests/live/test_cluster.py. */
#include "ahoyd/store/redis_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The examples of the Redis Cluster Specification, and what redis-cli says. */
static void test_slots(void **state)
{
    static const struct {
        const char *key;
        uint16_t slot;
    } cases[] = {
        { "123456789", 0x31c3 },
        { "foo", 12182 },
        { "", 0 },
        { "foo{}{bar}", 8363 },
        { "foo{{bar}}zap", 4015 },
        { "foo{bar}{zap}", 5061 },
        { "{user1000}.following", 3443 },
        { "{user1000}.followers", 3443 },
    };
    (void)state; /* There is none. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(redis_slot(ahoy_span(cases[i].key)), cases[i].slot);
}

static void test_urls(void **state)
{
    struct redis_url url;
    const char *fault;
    (void)state; /* There is none. */
    assert_true(redis_url_parse(SPAN("redis-cluster://ahoy:p%40ss@h:7000,[::1]:7001,c?wait=2"
                                     "&wait_ms=70"),
                                &url, &fault));
    assert_string_equal(url.user, "ahoy");
    assert_string_equal(url.password, "p@ss");
    assert_int_equal(url.seed_count, 3);
    assert_string_equal(url.seeds[1].host, "::1");
    assert_int_equal(url.seeds[1].port, 7001);
    assert_int_equal(url.seeds[2].port, REDIS_PORT);
    assert_int_equal(url.wait, 2);
    assert_int_equal(url.wait_ms, 70);
    assert_true(redis_url_parse(SPAN("redis-cluster://h"), &url, &fault));
    assert_int_equal(url.wait, 0);
    assert_int_equal(url.password[0], 0);
}

static void test_faulty_urls(void **state)
{
    static const char *const urls[] = {
        "redis://h",
        "redis-cluster://",
        "redis-cluster://h:0",
        "redis-cluster://h:70000",
        "redis-cluster://h,",
        "redis-cluster://[::1",
        "redis-cluster://user@h",
        "redis-cluster://user:@h",
        "redis-cluster://user:%4@h",
        "redis-cluster://user:%00@h",
        "redis-cluster://h?wait=17",
        "redis-cluster://h?wait_ms=0",
        "redis-cluster://h?wait_ms=1001",
        "redis-cluster://h?tls=1",
        "redis-cluster://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
    };
    struct redis_url url;
    (void)state; /* There is none. */
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const char *fault = NULL;
        assert_false(redis_url_parse(ahoy_span(urls[i]), &url, &fault));
        assert_non_null(fault);
    }
}

static redisReply *read_reply(const char *text)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    redisReaderFeed(reader, text, strlen(text));
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

static void test_errors(void **state)
{
    static const struct {
        const char *text;
        enum redis_remedy remedy;
    } cases[] = {
        { "+OK\r\n", REDIS_NO_ERROR },
        { "-MOVED 1 127.0.0.1:1\r\n", REDIS_REROUTE },
        { "-READONLY You can't write\r\n", REDIS_REROUTE },
        { "-ASK 3999 10.0.0.1:6381\r\n", REDIS_ASK },
        { "-ASK 3999 x\r\n", REDIS_AGAIN },
        { "-TRYAGAIN x\r\n", REDIS_AGAIN },
        { "-CLUSTERDOWN x\r\n", REDIS_AGAIN },
        { "-LOADING x\r\n", REDIS_AGAIN },
        { "-NOSCRIPT x\r\n", REDIS_PLAIN },
        { "-OOM x\r\n", REDIS_HOPELESS },
        { "-MOVEDX\r\n", REDIS_HOPELESS },
    };
    struct redis_address address = { 0 };
    (void)state; /* There is none. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        redisReply *reply = read_reply(cases[i].text);
        assert_int_equal(redis_reply_remedy(reply, &address), cases[i].remedy);
        freeReplyObject(reply);
    }
    assert_string_equal(address.host, "10.0.0.1");
    assert_int_equal(address.port, 6381);
}

static void test_rows(void **state)
{
    static const struct {
        const char *text;
        bool sound;
        bool done;
        uint64_t version;
    } cases[] = {
        { ":1\r\n", true, true, 0 },
        { "*2\r\n$-1\r\n$-1\r\n", true, false, 0 },
        { "*2\r\n$2\r\n42\r\n$3\r\nrow\r\n", true, false, 42 },
        { "*2\r\n$1\r\n0\r\n$3\r\nrow\r\n", false, false, 0 },
        { "*2\r\n$1\r\nx\r\n$3\r\nrow\r\n", false, false, 0 },
        { "*2\r\n$1\r\n1\r\n$-1\r\n", false, false, 0 },
        { "*1\r\n$1\r\n1\r\n", false, false, 0 },
        { "$1\r\n1\r\n", false, false, 0 },
        { ":2\r\n", false, false, 0 },
    };
    (void)state; /* There is none. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shared_row row = { .version = 0 };
        bool done;
        redisReply *reply = read_reply(cases[i].text);
        assert_int_equal(redis_reply_swap(reply, &done, &row), cases[i].sound);
        assert_int_equal(done, cases[i].done);
        if (cases[i].sound)
            assert_int_equal(row.version, cases[i].version);
        freeReplyObject(reply);
    }
}

static void test_map(void **state)
{
    static struct redis_map map;
    const struct redis_address asked = { .port = 7, .host = "asked" };
    (void)state; /* There is none. */
    redisReply *reply = read_reply("*2\r\n*4\r\n:0\r\n:8000\r\n*2\r\n$1\r\na\r\n:7000\r\n"
                                   "*2\r\n$1\r\nb\r\n:7001\r\n"
                                   "*3\r\n:8002\r\n:16383\r\n*2\r\n$-1\r\n:7002\r\n");
    assert_true(redis_map_read(&map, reply, &asked));
    freeReplyObject(reply);
    assert_int_equal(map.master_count, 2);
    assert_int_equal(map.node_count, 3);
    assert_int_equal(map.replicas[0], 1);
    assert_int_equal(map.replicas[1], 0);
    assert_int_equal(map.master_of[8000], 0);
    assert_int_equal(map.master_of[8001], REDIS_NO_MASTER);
    assert_int_equal(map.master_of[16383], 1);
    assert_string_equal(map.masters[1].host, "asked");
    static const char *const faulty[] = {
        "*0\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:7000\r\n",
        "*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n$1\r\na\r\n:7000\r\n",
        "*1\r\n*3\r\n:-1\r\n:4\r\n*2\r\n$1\r\na\r\n:7000\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\na\r\n:70000\r\n",
        "*1\r\n*2\r\n:0\r\n:4\r\n",
        "-ERR\r\n",
    };
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        reply = read_reply(faulty[i]);
        assert_false(redis_map_read(&map, reply, &asked));
        freeReplyObject(reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),       cmocka_unit_test(test_urls),
        cmocka_unit_test(test_faulty_urls), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
