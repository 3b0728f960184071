/* Workers on real sockets: messages of one call that come to any door reach its worker, answers
 * leave through whoever has the connection, the store's answers come home, and all of them end
 * together.  Meant to run under ThreadSanitizer too. */
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoyd/worker.h"
#include "libahoy/io/socket.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/loopback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { WORKERS = 4, MESSAGES = 120 };

/* A whole server without its process: a UDP and a TCP listener, WORKERS workers. */
struct crew {
    char folder[32], path[64];
    struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoy_listener listeners[2];
    char texts[2][2][80];
    struct ahoyd_worker *workers[WORKERS];
    size_t count;
    int callee; /* Where calls to bench.example go. */
};

/* They are static, because a test that fails leaves threads behind. */

static void told(void *context, const char *file, int line, const char *what)
{
    (void)context;
    fail_msg("%s:%d: %s", file, line, what);
}

static void configure(struct crew *crew, const char *store)
{
    char text[1024];
    uint16_t port;
    struct ahoyd_config_faults faults = { .told = told };
    crew->callee = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &port);
    int size = snprintf(text, sizeof text,
                        "listen \"udp:127.0.0.1:5060\"\n"
                        "listen \"tcp:127.0.0.1:5060\"\n"
                        "domain(\"atlanta.example\", { auth = \"none\", insecure = true })\n"
                        "store \"%s\"\n"
                        "trunk(\"callee\", { \"sip:127.0.0.1:%u\" })\n"
                        "route { domain = \"bench.example\", to = \"callee\", from = \"anyone\" }\n"
                        "workers(%d)\n",
                        store, port, WORKERS);
    snprintf(crew->path, sizeof crew->path, "%s/ahoyd.lua", crew->folder);
    crew->config = ahoyd_config_parse(text, (size_t)size, crew->path, &faults);
    assert_non_null(crew->config);
}

static void open_store(struct crew *crew)
{
    char fault[256] = "";
    struct ahoyd_store_options options = { .kind = crew->config->store,
                                           .path = crew->config->store_path,
                                           .now_ms = ahoy_driver_now() };
    crew->store = ahoyd_store_open(&options, fault, sizeof fault);
    if (crew->store == NULL)
        fail_msg("%s", fault);
}

/* The first worker's driver lets the kernel choose the ports; now the others can share them. */
static void name_listeners(struct crew *crew, const struct ahoy_driver *driver)
{
    for (size_t i = 0; i < 2; i++) {
        struct ahoy_listener *listener = &crew->listeners[i];
        listener->local = ahoy_driver_local(driver, i);
        snprintf(crew->texts[i][0], 80, "127.0.0.1:%u", listener->local.port);
        snprintf(crew->texts[i][1], 80, "sip:127.0.0.1:%u;transport=%s", listener->local.port,
                 i == 0 ? "udp" : "tcp");
        listener->sent_by = ahoy_span(crew->texts[i][0]);
        listener->uri = ahoy_span(crew->texts[i][1]);
    }
}

static struct ahoy_driver *open_driver(struct crew *crew, uint16_t number)
{
    struct ahoy_driver_options options = { .listeners = crew->listeners,
                                           .listener_count = 2,
                                           .worker = number,
                                           .share_port = true,
                                           .first = number == 0 };
    size_t failed;
    struct ahoy_driver *driver = ahoy_driver_open(&options, &failed);
    assert_non_null(driver);
    if (number == 0)
        name_listeners(crew, driver);
    return driver;
}

static struct ahoyd_worker_options worker_options(struct crew *crew, uint16_t number)
{
    return (struct ahoyd_worker_options){
        .server = { .config = crew->config,
                    .store = crew->store,
                    .listeners = crew->listeners,
                    .listener_count = 2,
                    .worker = number,
                    .workers = WORKERS,
                    .ring_size = 1 << 20,
                    .seed = { 1, number },
                    .clocks = AHOY_DEFAULT_CLOCKS,
                    .timer_c_ms = 181000 },
        .driver = open_driver(crew, number),
        .workers = crew->workers,
    };
}

static void open_crew(struct crew *crew, const char *store)
{
    memset(crew, 0, sizeof *crew);
    snprintf(crew->folder, sizeof crew->folder, "/tmp/ahoy-worker-XXXXXX");
    assert_non_null(mkdtemp(crew->folder));
    configure(crew, store);
    open_store(crew);
    crew->listeners[0].transport = AHOY_UDP;
    crew->listeners[1].transport = AHOY_TCP;
    crew->listeners[0].local = crew->listeners[1].local = loopback_ip(AHOY_IPV4, 0);
    for (uint16_t i = 0; i < WORKERS; i++) {
        struct ahoyd_worker_options options = worker_options(crew, i);
        crew->workers[i] = ahoyd_worker_new(&options);
        assert_non_null(crew->workers[i]);
        crew->count++;
    }
}

static void start_crew(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        assert_true(ahoyd_worker_start(crew->workers[i]));
}

static void end_crew(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        ahoyd_worker_drain(crew->workers[i]);
    for (size_t i = 0; i < crew->count; i++)
        ahoyd_worker_join(crew->workers[i]);
}

static void close_crew(struct crew *crew)
{
    ahoyd_store_close(crew->store);
    for (size_t i = 0; i < crew->count; i++)
        ahoyd_worker_free(crew->workers[i]);
    ahoyd_config_free(crew->config);
    close(crew->callee);
    static const char *const files[] = { "ahoy.db", "ahoy.db-wal", "ahoy.db-shm" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(crew->path, sizeof crew->path, "%s/%s", crew->folder, files[i]);
        unlink(crew->path);
    }
    assert_int_equal(rmdir(crew->folder), 0);
}

struct sum {
    const char *name;
    uint64_t value;
    unsigned owners; /* Workers that counted any. */
};

static void add(void *context, const char *name, uint64_t value)
{
    struct sum *sum = context;
    if (strcmp(name, sum->name) == 0) {
        sum->value += value;
        sum->owners += value > 0;
    }
}

static struct sum sum_of(struct crew *crew, const char *name)
{
    struct sum sum = { .name = name };
    for (size_t i = 0; i < crew->count; i++)
        assert_true(ahoyd_worker_count(crew->workers[i], add, &sum));
    return sum;
}

/* A client with one socket. */
struct client {
    int fd;
    uint16_t port;
    const char *transport;
    char input[8192];
    size_t size;
};

static struct client open_client(const struct crew *crew, bool tcp)
{
    struct client client = { .transport = tcp ? "TCP" : "UDP" };
    if (tcp) {
        client.fd = loopback_call(&crew->listeners[1].local);
        struct ahoy_ip ip;
        assert_true(ahoy_socket_local(client.fd, &ip));
        client.port = ip.port;
        return client;
    }
    client.fd = loopback_socket(AHOY_IPV4, SOCK_DGRAM, &client.port);
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(&crew->listeners[0].local, &name);
    assert_int_equal(connect(client.fd, &name.any, size), 0);
    return client;
}

static void ask(const struct client *client, const char *method, const char *uri, unsigned call,
                const char *rows)
{
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "%s %s SIP/2.0\r\n"
                        "Via: SIP/2.0/%s 127.0.0.1:%u;branch=z9hG4bK%s%u\r\n"
                        "From: <sip:user%u@atlanta.example>;tag=f%u\r\n"
                        "To: <sip:user%u@atlanta.example>\r\n"
                        "Call-ID: call-%u\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n%s"
                        "Content-Length: 0\r\n\r\n",
                        method, uri, client->transport, client->port, method, call, call, call,
                        call, call, method, rows);
    assert_int_equal(send(client->fd, text, (size_t)size, MSG_NOSIGNAL), size);
}

/* The next message that comes, as a C string in the client; its status, 0 for a request. */
static unsigned hear(struct client *client)
{
    static const char end[] = "\r\n\r\n";
    char *stop;
    memmove(client->input, client->input + client->size, sizeof client->input - client->size);
    client->size = strnlen(client->input, sizeof client->input);
    while ((stop = strstr(client->input, end)) == NULL) {
        struct pollfd ready = { .fd = client->fd, .events = POLLIN };
        assert_int_equal(poll(&ready, 1, LOOPBACK_PATIENCE_MS), 1);
        ssize_t size = recv(client->fd, client->input + client->size,
                            sizeof client->input - client->size - 1, 0);
        assert_true(size > 0);
        client->size += (size_t)size;
        client->input[client->size] = '\0';
    }
    client->size = (size_t)(stop - client->input) + 4;
    unsigned status = 0;
    if (memcmp(client->input, "SIP/2.0 ", 8) == 0)
        status = (unsigned)strtoul(client->input + 8, NULL, 10);
    return status;
}

/* Each call has a worker of its own, whichever socket the kernel puts its datagrams into. */
static void calls_reach_their_workers(void **state)
{
    (void)state;
    for (int tcp = 0; tcp < 2; tcp++) {
        static struct crew crew;
        open_crew(&crew, "memory:");
        start_crew(&crew);
        struct client client = open_client(&crew, tcp);
        for (unsigned i = 0; i < MESSAGES; i++) {
            ask(&client, "OPTIONS", "sip:atlanta.example", i, "");
            assert_int_equal(hear(&client), 200);
        }
        /* One socket, so one worker got them all; four worked on them. */
        assert_int_equal(sum_of(&crew, "handed_off").owners, 1);
        assert_int_equal(sum_of(&crew, "handed_in").owners, WORKERS - 1);
        assert_int_equal(sum_of(&crew, "handed_in").value, sum_of(&crew, "handed_off").value);
        /* A datagram may leave from any worker's socket, bytes only through their connection. */
        if (tcp)
            assert_int_equal(sum_of(&crew, "sent_for_others").value,
                             sum_of(&crew, "handed_in").value);
        assert_int_equal(sum_of(&crew, "inbox_dropped").value, 0);
        close(client.fd);
        end_crew(&crew);
        close_crew(&crew);
    }
}

/* How many messages the workers have noted by now. */
static unsigned count_notes(struct crew *crew)
{
    static char piece[8192];
    unsigned count = 0;
    for (size_t i = 0; i < crew->count; i++) {
        uint64_t from = 0;
        size_t size;
        while ((size = ahoyd_worker_copy(crew->workers[i], &from, piece, sizeof piece, NULL)) > 0) {
            struct span bytes = { piece, size }, text;
            struct ahoy_note note;
            while (ahoy_note_next(&bytes, &note, &text))
                count += note.kind == AHOY_NOTE_IN || note.kind == AHOY_NOTE_OUT;
        }
    }
    return count;
}

/* Each message is noted once, by the worker of its call; reading them disturbs nobody. */
static void notes_are_read_while_calls_go_on(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    struct client client = open_client(&crew, true);
    for (unsigned i = 0; i < MESSAGES; i++) {
        ask(&client, "OPTIONS", "sip:atlanta.example", i, "");
        if (i % 8 == 0)
            assert_true(count_notes(&crew) <= 2 * (i + 1));
    }
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_int_equal(hear(&client), 200);
    assert_int_equal(count_notes(&crew), 2 * MESSAGES);
    close(client.fd);
    end_crew(&crew);
    close_crew(&crew);
}

/* Many at once, without waiting for the answers: nothing is lost, nothing comes twice. */
static void bursts_are_answered(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    struct client client = open_client(&crew, true);
    bool answered[MESSAGES] = { false };
    for (unsigned i = 0; i < MESSAGES; i++)
        ask(&client, "OPTIONS", "sip:atlanta.example", i, "");
    for (unsigned i = 0; i < MESSAGES; i++) {
        assert_int_equal(hear(&client), 200);
        const char *call = strstr(client.input, "Call-ID: call-");
        assert_non_null(call);
        unsigned long number = strtoul(call + 14, NULL, 10);
        assert_true(number < MESSAGES);
        assert_false(answered[number]);
        answered[number] = true;
    }
    close(client.fd);
    end_crew(&crew);
    close_crew(&crew);
}

/* A REGISTER is answered when its change has come back from the store, to the worker that asked. */
static void changes_come_home(void **state)
{
    (void)state;
    static const char *const stores[] = { "memory:", "sqlite:ahoy.db" };
    for (size_t s = 0; s < 2; s++) {
        static struct crew crew;
        open_crew(&crew, stores[s]);
        start_crew(&crew);
        struct client client = open_client(&crew, s == 0);
        for (unsigned i = 0; i < MESSAGES; i++) {
            char contact[80];
            snprintf(contact, sizeof contact, "Contact: <sip:user%u@127.0.0.1:%u>\r\n", i,
                     client.port);
            ask(&client, "REGISTER", "sip:atlanta.example", i, contact);
            assert_int_equal(hear(&client), 200);
        }
        assert_int_equal(sum_of(&crew, "changes").value, MESSAGES);
        assert_int_equal(sum_of(&crew, "changes").owners, WORKERS);
        close(client.fd);
        end_crew(&crew);
        close_crew(&crew);
    }
}

/* Makes a response of the request in |request|; all rows stay. */
static void answer(const struct crew *crew, const char *request, const char *line,
                   const struct ahoy_ip *to)
{
    char text[8192];
    const char *rows = strstr(request, "\r\n");
    assert_non_null(rows);
    int size = snprintf(text, sizeof text, "%s%s", line, rows);
    union ahoy_socket_name name;
    socklen_t name_size = ahoy_socket_name(to, &name);
    assert_int_equal(sendto(crew->callee, text, (size_t)size, 0, &name.any, name_size), size);
}

/* The next request that the server has forwarded. */
static void hear_forwarded(const struct crew *crew, char *request, size_t size)
{
    struct pollfd ready = { .fd = crew->callee, .events = POLLIN };
    assert_int_equal(poll(&ready, 1, LOOPBACK_PATIENCE_MS), 1);
    ssize_t count = recv(crew->callee, request, size - 1, 0);
    assert_true(count > 0);
    request[count] = '\0';
}

/* What is forwarded from a connection comes back through it: the answers of the other side arrive
 * at whichever door. */
static void forwarded_requests_are_answered(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    struct client client = open_client(&crew, true);
    for (unsigned i = 0; i < MESSAGES; i++) {
        char request[4096];
        char call[32];
        ask(&client, "MESSAGE", "sip:service@bench.example", i, "");
        hear_forwarded(&crew, request, sizeof request);
        snprintf(call, sizeof call, "Call-ID: call-%u\r\n", i);
        assert_non_null(strstr(request, call));
        answer(&crew, request, "SIP/2.0 200 OK", &crew.listeners[0].local);
        assert_int_equal(hear(&client), 200);
        assert_non_null(strstr(client.input, call));
    }
    assert_int_equal(sum_of(&crew, "forwarded").owners, WORKERS);
    close(client.fd);
    end_crew(&crew);
    close_crew(&crew);
}

/* A call that is being set up when the server is told to end is carried to its end, by all workers:
 * its answer may come to any of them.  New ones are refused. */
static void draining_finishes_calls(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    struct client client = open_client(&crew, false);
    char request[4096];
    ask(&client, "INVITE", "sip:service@bench.example", 1, "");
    hear_forwarded(&crew, request, sizeof request);
    assert_int_equal(hear(&client), 100);
    for (size_t i = 0; i < crew.count; i++)
        ahoyd_worker_drain(crew.workers[i]);
    unsigned call = 2;
    do { /* It may take a moment until all have heard. */
        ask(&client, "INVITE", "sip:service@bench.example", call++, "");
    } while (hear(&client) == 100);
    assert_memory_equal(client.input, "SIP/2.0 503", 11);
    answer(&crew, request, "SIP/2.0 486 Busy Here", &crew.listeners[0].local);
    while (hear(&client) != 486)
        assert_true(memcmp(client.input, "SIP/2.0 1", 9) == 0 ||
                    memcmp(client.input, "SIP/2.0 503", 11) == 0);
    end_crew(&crew);
    close(client.fd);
    close_crew(&crew);
}

/* Without calls they end at once; one that nobody answers holds them up for AHOYD_DRAIN_MS only. */
static void draining_is_bounded(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    uint64_t before_ms = ahoy_driver_now();
    end_crew(&crew);
    assert_true(ahoy_driver_now() - before_ms < AHOYD_DRAIN_MS);
    close_crew(&crew);

    open_crew(&crew, "memory:");
    start_crew(&crew);
    struct client client = open_client(&crew, false);
    ask(&client, "INVITE", "sip:service@bench.example", 1, "");
    assert_int_equal(hear(&client), 100);
    before_ms = ahoy_driver_now();
    end_crew(&crew);
    assert_true(ahoy_driver_now() - before_ms >= AHOYD_DRAIN_MS - 10);
    close(client.fd);
    close_crew(&crew);
}

/* Nobody works where nothing is to be done. */
static void idle_workers_sleep(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    uint64_t before = sum_of(&crew, "turns").value;
    uint64_t start_ms = ahoy_driver_now();
    usleep(300000);
    uint64_t turns = sum_of(&crew, "turns").value - before;
    /* One for each question, and a few to give memory back, however long the sleep has been. */
    assert_true(turns <= 3 * WORKERS + 2 * WORKERS * (ahoy_driver_now() - start_ms) / 300);
    end_crew(&crew);
    close_crew(&crew);
}

/* Memory goes back when it is asked for, and what comes then is served as before. */
static void memory_goes_back(void **state)
{
    (void)state;
    static struct crew crew;
    open_crew(&crew, "memory:");
    start_crew(&crew);
    struct client client = open_client(&crew, true);
    for (unsigned i = 0; i < MESSAGES; i++) {
        ask(&client, "OPTIONS", "sip:atlanta.example", i, "");
        if (i % 8 == 0)
            assert_true(ahoyd_worker_trim(crew.workers[i / 8 % crew.count]));
        assert_int_equal(hear(&client), 200);
    }
    assert_int_equal(sum_of(&crew, "trims").value, (MESSAGES + 7) / 8);
    close(client.fd);
    end_crew(&crew);
    close_crew(&crew);
}

/* A worker that does not run does not answer, and asking it ends. */
static void asking_the_dead_ends(void **state)
{
    (void)state;
    static struct crew crew;
    struct sum sum = { .name = "turns" };
    open_crew(&crew, "memory:");
    assert_false(ahoyd_worker_count(crew.workers[0], add, &sum));
    assert_false(ahoyd_worker_count(crew.workers[0], add, &sum)); /* Nor is it remembered. */
    assert_false(ahoyd_worker_trim(crew.workers[0]));
    close_crew(&crew);
}

static void running_out_of_memory_makes_no_worker(void **state)
{
    (void)state;
    for (size_t count = 0;; count++) {
        static struct crew crew;
        crew = (struct crew){ .folder = "/tmp/ahoy-worker-XXXXXX" };
        assert_non_null(mkdtemp(crew.folder));
        configure(&crew, "memory:");
        open_store(&crew);
        crew.listeners[0] =
            (struct ahoy_listener){ .transport = AHOY_UDP, .local = loopback_ip(AHOY_IPV4, 0) };
        crew.listeners[1] = crew.listeners[0];
        crew.listeners[1].transport = AHOY_TCP;
        struct ahoyd_worker_options options = worker_options(&crew, 0);
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        crew.workers[0] = ahoyd_worker_new(&options);
        size_t refused = failing_alloc_end();
        crew.count = crew.workers[0] != NULL;
        close_crew(&crew);
        if (refused == 0) {
            assert_int_equal(crew.count, 1);
            break;
        }
        assert_int_equal(crew.count, 0);
    }
}

int main(void)
{
    /* Where a sanitizer's malloc serves, the C library's own is first used by the workers when they
     * trim it; it cannot be set up by two of them at once. */
    malloc_trim(0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_reach_their_workers),
        cmocka_unit_test(bursts_are_answered),
        cmocka_unit_test(notes_are_read_while_calls_go_on),
        cmocka_unit_test(changes_come_home),
        cmocka_unit_test(forwarded_requests_are_answered),
        cmocka_unit_test(draining_finishes_calls),
        cmocka_unit_test(draining_is_bounded),
        cmocka_unit_test(idle_workers_sleep),
        cmocka_unit_test(memory_goes_back),
        cmocka_unit_test(asking_the_dead_ends),
        cmocka_unit_test(running_out_of_memory_makes_no_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
