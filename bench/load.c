/* bench-load: a caller and a callee in one process, with a server between them.  It keeps a
 * number of calls in progress until all are done; a call is INVITE, 100, 180, 200, ACK, BYE,
 * 200.  It never sleeps, so that the server does not pay for waking it.  It prints how many
 * calls were completed and how many failed.
 *
 * It trusts the server: its own speed matters, not what strangers could do to it. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/load_call.h"

enum { CALLS_LIMIT = 4096, PATIENCE_MS = 8000, RESEND_MS = 500 };

enum step { IDLE, INVITED, HUNG_UP };

/* The caller's side of one call that is in progress. */
struct call {
    enum step step;
    unsigned number;
    uint64_t begun_ms, sent_ms;
    char request[MESSAGE_SIZE]; /* What to send again. */
    int request_size;
};

static struct {
    const char *server;
    unsigned calls, concurrent;
    const struct way *way;
    struct ends ends;
    struct call_maker maker;
    struct call list[CALLS_LIMIT];
    unsigned begun, completed, failed, resent;
} load;

static struct sockaddr_in parse_address(const char *text)
{
    char host[64];
    struct sockaddr_in address = { .sin_family = AF_INET };
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        die(text);
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        die(text);
    return address;
}

/* All messages of a call take the same path. */
static void send_caller(const struct call *call, const char *bytes, int size)
{
    load.way->send(CALLER, (unsigned)(call - load.list), bytes, (size_t)size);
}

static void invite(struct call *call)
{
    call->number = load.begun++;
    call->step = INVITED;
    call->begun_ms = call->sent_ms = clock_ms();
    call->request_size =
        print_invite(&load.maker, call->number, (size_t)(call - load.list), call->request);
    send_caller(call, call->request, call->request_size);
}

static void finish(struct call *call, bool sound)
{
    call->step = IDLE;
    if (sound)
        load.completed++;
    else
        load.failed++;
    if (load.begun < load.calls)
        invite(call);
}

static void answered(struct call *call, const char *answer)
{
    char ack[MESSAGE_SIZE];
    int size = print_in_dialog(&load.maker, call->number, answer, "ACK", 1, ack);
    if (size == 0) {
        finish(call, false);
        return;
    }
    send_caller(call, ack, size);
    if (call->step != INVITED)
        return;
    call->request_size =
        print_in_dialog(&load.maker, call->number, answer, "BYE", 2, call->request);
    call->step = HUNG_UP;
    call->sent_ms = clock_ms();
    send_caller(call, call->request, call->request_size);
}

/* A response to the caller; the Call-ID says of which call. */
static void caller_hears(const char *message)
{
    unsigned number = 0, place = 0;
    unsigned status = (unsigned)strtoul(message + 8, NULL, 10);
    if (strncmp(message, "SIP/2.0 ", 8) != 0 || !read_call(message, &number, &place) ||
        place >= load.concurrent)
        return;
    struct call *call = &load.list[place];
    const char *end = NULL;
    const char *cseq = find_row(message, "CSeq", &end);
    if (call->step == IDLE || call->number != number || cseq == NULL || status < 200)
        return;
    if (strstr(cseq, " INVITE\r\n") != NULL && strtoul(cseq + 5, NULL, 10) == 1) {
        if (status < 300)
            answered(call, message);
        else
            finish(call, false);
    } else if (call->step == HUNG_UP) {
        finish(call, status < 300);
    }
}

static void reply(unsigned path, const char *request, const char *status, bool with_body)
{
    char bytes[MESSAGE_SIZE];
    int size = print_reply(&load.maker, request, status, with_body, bytes);
    load.way->send(CALLEE, path, bytes, (size_t)size);
}

static void callee_hears(unsigned path, const char *message)
{
    if (strncmp(message, "INVITE ", 7) == 0) {
        reply(path, message, "180 Ringing", false);
        reply(path, message, "200 OK", true);
    } else if (strncmp(message, "BYE ", 4) == 0) {
        reply(path, message, "200 OK", false);
    }
}

static void hear(enum side side, unsigned path, const char *message)
{
    if (side == CALLEE)
        callee_hears(path, message);
    else
        caller_hears(message);
}

/* Loss is rare on loopback, but must not hang the run. */
static void check_patience(void)
{
    uint64_t now = clock_ms();
    for (unsigned i = 0; i < load.concurrent; i++) {
        struct call *call = &load.list[i];
        if (call->step == IDLE)
            continue;
        if (now - call->begun_ms > PATIENCE_MS) {
            finish(call, false);
        } else if (load.way->loses && now - call->sent_ms > RESEND_MS) {
            call->sent_ms = now;
            load.resent++;
            send_caller(call, call->request, call->request_size);
        }
    }
}

static void run(void)
{
    uint64_t next_check_ms = 0;
    for (unsigned i = 0; i < load.concurrent && load.begun < load.calls; i++)
        invite(&load.list[i]);
    while (load.completed + load.failed < load.calls) {
        load.way->turn(hear);
        uint64_t now = clock_ms();
        if (now >= next_check_ms) {
            check_patience();
            next_check_ms = now + 100;
        }
    }
}

static const char help[] =
    "Usage: bench-load --server ADDRESS [OPTION]...\n"
    "Puts calls through a server that forwards sip:service@DOMAIN to the callee's address.\n"
    "  --server IP:PORT     the server\n"
    "  --caller IP:PORT     where the caller sits (default 127.0.0.1:15070)\n"
    "  --callee IP:PORT     where the callee sits (default 127.0.0.1:15080)\n"
    "  --transport NAME     udp (the default), tcp or tls\n"
    "  --certificate FILE, --key FILE   what the callee shows by TLS\n"
    "  --domain NAME        default bench.example\n"
    "  --calls N            how many (default 10000)\n"
    "  --concurrent N       how many at once (default 32)\n";

static const struct way *find_way(const char *name)
{
    static const struct way *const ways[] = { &way_udp, &way_tcp, &way_tls };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (strcmp(ways[i]->name, name) == 0)
            return ways[i];
    }
    return NULL;
}

/* Reads the command line into |load|; false where it is not understood. */
static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' },
        { "caller", required_argument, NULL, 'a' },
        { "callee", required_argument, NULL, 'b' },
        { "domain", required_argument, NULL, 'd' },
        { "calls", required_argument, NULL, 'n' },
        { "concurrent", required_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { "transport", required_argument, NULL, 't' },
        { "key", required_argument, NULL, 'k' },
        { "certificate", required_argument, NULL, 'e' },
        { NULL, 0, NULL, 0 },
    };
    const char *caller = "127.0.0.1:15070", *callee = "127.0.0.1:15080", *transport = "udp";
    load.maker.domain = "bench.example";
    load.calls = 10000;
    load.concurrent = 32;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            load.server = optarg;
            break;
        case 'a':
            caller = optarg;
            break;
        case 'b':
            callee = optarg;
            break;
        case 'd':
            load.maker.domain = optarg;
            break;
        case 'n':
            load.calls = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'c':
            load.concurrent = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 't':
            transport = optarg;
            break;
        case 'e':
            load.ends.certificate = optarg;
            break;
        case 'k':
            load.ends.key = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            return false;
        }
    }
    load.way = find_way(transport);
    if (load.server == NULL || load.way == NULL || load.concurrent == 0 ||
        load.concurrent > CALLS_LIMIT)
        return false;
    load.ends.server = parse_address(load.server);
    load.ends.own[CALLER] = parse_address(caller);
    load.ends.own[CALLEE] = parse_address(callee);
    return true;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fputs(help, stderr);
        return 2;
    }
    load.maker.transport = load.way->name;
    load.maker.via = load.way->via;
    load.maker.run = getpid();
    load.maker.hosts[CALLER] = load.maker.hosts[CALLEE] = "127.0.0.1";
    for (enum side side = CALLER; side < SIDES; side++)
        load.maker.ports[side] = ntohs(load.ends.own[side].sin_port);
    load.way->open(&load.ends);
    uint64_t begun_ms = clock_ms();
    run();
    printf("{\"completed\":%u,\"failed\":%u,\"resent\":%u,\"ms\":%llu}\n", load.completed,
           load.failed, load.resent, (unsigned long long)(clock_ms() - begun_ms));
    return load.failed == 0 ? 0 : 1;
}
