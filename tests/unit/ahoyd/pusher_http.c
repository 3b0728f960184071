/* The hook that wakes phones, by real sockets: what it is asked, and what its answers mean. */
#include "ahoyd/pusher_http.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/loopback.h"

struct hook {
    struct ahoyd_push_owner owner; /* First. */
    struct ahoyd_hook config;
    struct ahoyd_pusher *pusher;
    char url[64];
    int fd;
    pthread_mutex_t lock; /* Of the next two. */
    pthread_cond_t told;
    unsigned failed;
    char request[4096]; /* The last one. */
};

static void note_failure(struct ahoyd_push_owner *owner, uint64_t key)
{
    struct hook *hook = (struct hook *)owner;
    pthread_mutex_lock(&hook->lock);
    hook->failed += key == 7;
    pthread_cond_signal(&hook->told);
    pthread_mutex_unlock(&hook->lock);
}

static int setup(void **state)
{
    struct hook *hook = calloc(1, sizeof *hook);
    uint16_t port;
    assert_non_null(hook);
    hook->owner.failed = note_failure;
    pthread_mutex_init(&hook->lock, NULL);
    pthread_cond_init(&hook->told, NULL);
    hook->fd = loopback_socket(AHOY_IPV4, SOCK_STREAM, &port);
    snprintf(hook->url, sizeof hook->url, "http://127.0.0.1:%u/wake", port);
    hook->config.url = hook->url;
    hook->pusher = ahoyd_pusher_open(&hook->config, NULL);
    assert_non_null(hook->pusher);
    *state = hook;
    return 0;
}

static int teardown(void **state)
{
    struct hook *hook = *state;
    ahoyd_pusher_close(hook->pusher);
    close(hook->fd);
    pthread_mutex_destroy(&hook->lock);
    pthread_cond_destroy(&hook->told);
    free(hook);
    return 0;
}

static bool asks(struct hook *hook)
{
    const struct ahoyd_push push = { .provider = SPAN("fcm"),
                                     .prid = SPAN("a%2Fb%22"),
                                     .aor = SPAN("100%25@a.example"),
                                     .method = SPAN("INVITE"),
                                     .call_id = SPAN("%"),
                                     .key = 7,
                                     .owner = &hook->owner };
    return hook->pusher->ask(hook->pusher, &push);
}

/* Waits until a push has failed |count| times. */
static void await_failures(struct hook *hook, unsigned count)
{
    pthread_mutex_lock(&hook->lock);
    while (hook->failed < count)
        pthread_cond_wait(&hook->told, &hook->lock);
    assert_int_equal(hook->failed, count);
    pthread_mutex_unlock(&hook->lock);
}

/* Takes a request, whose body ends in "}". */
static int take(struct hook *hook)
{
    int fd = accept(hook->fd, NULL, NULL);
    size_t size = 0;
    assert_true(fd >= 0);
    do {
        ssize_t more = read(fd, hook->request + size, sizeof hook->request - 1 - size);
        assert_true(more > 0);
        size += (size_t)more;
        hook->request[size] = '\0';
    } while (hook->request[size - 1] != '}');
    return fd;
}

static void answer(struct hook *hook, const char *text)
{
    int fd = take(hook);
    size_t size = strlen(text);
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
    close(fd);
}

#define NO_BODY "Content-Length: 0\r\nConnection: close\r\n\r\n"

static void a_yes_and_many_noes(void **state)
{
    struct hook *hook = *state;
    assert_int_equal(listen(hook->fd, 8), 0);
    assert_true(asks(hook));
    answer(hook, "HTTP/1.1 204 No Content\r\n" NO_BODY);
    assert_non_null(strstr(hook->request, "POST /wake HTTP/1.1\r\n"));
    assert_non_null(strstr(hook->request, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(
        hook->request, "\r\n\r\n{\"provider\":\"fcm\",\"prid\":\"a/b\\\"\","
                       "\"aor\":\"100%25@a.example\",\"method\":\"INVITE\",\"call_id\":\"%\"}"));
    static const char *const noes[] = { "HTTP/1.1 500 X\r\n" NO_BODY,
                                        "HTTP/1.1 302 X\r\nLocation: /x\r\n" NO_BODY,
                                        "nonsense\r\n\r\n", "" };
    for (unsigned i = 0; i < sizeof noes / sizeof *noes; i++) {
        assert_true(asks(hook));
        answer(hook, noes[i]);
        await_failures(hook, i + 1);
    }
}

/* No more is read than AHOYD_PUSH_ANSWER_LIMIT, of a head neither. */
static void an_endless_answer_ends(void **state)
{
    struct hook *hook = *state;
    static const char *const heads[] = { "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 500 X\r\nX: " };
    char zeros[4096];
    memset(zeros, '0', sizeof zeros);
    assert_int_equal(listen(hook->fd, 8), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(asks(hook));
        int fd = take(hook);
        ssize_t sent = send(fd, heads[i], strlen(heads[i]), MSG_NOSIGNAL);
        while (sent > 0)
            sent = send(fd, zeros, sizeof zeros, MSG_NOSIGNAL);
        close(fd);
    }
    await_failures(hook, 1); /* The 200 was a yes. */
}

/* Nobody listens. */
static void a_hook_is_not_there(void **state)
{
    struct hook *hook = *state;
    assert_true(asks(hook));
    await_failures(hook, 1);
}

/* It says nothing: what waits is bounded, and ends with the server, untold. */
static void a_silent_hook_is_left(void **state)
{
    struct hook *hook = *state;
    unsigned count = 0;
    assert_int_equal(listen(hook->fd, 8), 0);
    while (asks(hook))
        count++;
    assert_in_range(count, AHOYD_PUSHES_LIMIT, AHOYD_PUSHES_LIMIT + AHOYD_PUSHES_AT_ONCE_LIMIT);
}

/* What no JSON can say is asked of nobody. */
static void bytes_that_are_no_text(void **state)
{
    struct hook *hook = *state;
    const struct ahoyd_push push = { .provider = SPAN("fcm"), .prid = SPAN("%ff") };
    assert_false(hook->pusher->ask(hook->pusher, &push));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { TEST(a_yes_and_many_noes), TEST(an_endless_answer_ends),
                                        TEST(a_hook_is_not_there), TEST(a_silent_hook_is_left),
                                        TEST(bytes_that_are_no_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
