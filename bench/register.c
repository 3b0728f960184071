/* bench-register: phones that register by datagram, each its own address-of-record.  A number of
 * them wait for their answers at a time until all have registered, at most so many a second where
 * that is asked.  Prints how many were answered 200, how many otherwise, and after how long.
 *
 * It trusts the server: its own speed matters, not what strangers could do to it. */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/load.h"

enum {
    WAITING_LIMIT = 4096,
    RESEND_MS = 500,
    PATIENCE_MS = 32000, /* Timer F. */
    STEP_US = 100,       /* Of the histogram. */
    STEPS = 20000
};

/* One REGISTER that waits for its answer. */
struct waiting {
    bool is_used;
    unsigned number;
    uint64_t begun_us, sent_us;
};

static struct {
    struct ends ends;
    unsigned first, users, count, rate, concurrent;
    struct waiting list[WAITING_LIMIT];
    unsigned begun, completed, failed, resent;
    uint64_t begun_us;
    unsigned steps[STEPS];
} phones;

static uint64_t clock_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* The n-th REGISTER is that of user n, and once all have, they begin again. */
static unsigned user_of(const struct waiting *waiting)
{
    return phones.first + waiting->number % phones.users;
}

static void send_register(unsigned place)
{
    struct waiting *waiting = &phones.list[place];
    unsigned user = user_of(waiting);
    unsigned cseq = waiting->number / phones.users + 1;
    unsigned port = ntohs(phones.ends.own[CALLER].sin_port);
    char bytes[MESSAGE_SIZE];
    int size = snprintf(
        bytes, sizeof bytes,
        "REGISTER sip:bench.example SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK-%d-%u;rport\r\nMax-Forwards: 70\r\n"
        "From: <sip:user%07u@bench.example>;tag=%08x\r\nTo: <sip:user%07u@bench.example>\r\n"
        "Call-ID: %u-%u-%d-7dec11d0@127.0.0.1\r\nCSeq: %u REGISTER\r\n"
        "Contact: <sip:user%07u@127.0.0.1:%u;transport=udp>;expires=3600;"
        "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0000%08x>\"\r\n"
        "Expires: 3600\r\nSupported: path, gruu\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, MESSAGE\r\n"
        "User-Agent: Example Phone 4.2\r\nContent-Length: 0\r\n\r\n",
        port, getpid(), waiting->number, user, user * 2654435761u, user, place, user, getpid(),
        cseq, user, 15080u, user);
    waiting->sent_us = clock_us();
    way_udp.send(CALLER, 0, bytes, (size_t)size);
}

static void begin(unsigned place)
{
    phones.list[place] =
        (struct waiting){ .is_used = true, .number = phones.begun++, .begun_us = clock_us() };
    send_register(place);
}

/* Sends what may be sent by now. */
static void begin_more(void)
{
    uint64_t now = clock_us();
    for (unsigned i = 0; i < phones.concurrent && phones.begun < phones.count; i++) {
        uint64_t due_us = phones.begun_us;
        if (phones.rate > 0)
            due_us += (uint64_t)phones.begun * 1000000 / phones.rate;
        if (!phones.list[i].is_used && due_us <= now)
            begin(i);
    }
}

static void hear(enum side side, unsigned path, const char *message)
{
    (void)path; /* There is one. */
    unsigned place = 0, user = 0;
    const char *row = strstr(message, "\r\nCall-ID: ");
    if (side != CALLER || strncmp(message, "SIP/2.0 ", 8) != 0 || row == NULL ||
        sscanf(row + 11, "%u-%u-", &place, &user) != 2 || place >= phones.concurrent)
        return;
    struct waiting *waiting = &phones.list[place];
    unsigned status = (unsigned)strtoul(message + 8, NULL, 10);
    if (!waiting->is_used || user_of(waiting) != user || status < 200)
        return;
    uint64_t step = (clock_us() - waiting->begun_us) / STEP_US;
    phones.steps[step < STEPS ? step : STEPS - 1]++;
    *(status == 200 ? &phones.completed : &phones.failed) += 1;
    waiting->is_used = false;
}

static void send_again(void)
{
    uint64_t now = clock_us();
    for (unsigned i = 0; i < phones.concurrent; i++) {
        struct waiting *waiting = &phones.list[i];
        if (!waiting->is_used || now - waiting->sent_us < 1000 * RESEND_MS)
            continue;
        if (now - waiting->begun_us > 1000 * PATIENCE_MS) {
            waiting->is_used = false;
            phones.failed++;
        } else {
            phones.resent++;
            send_register(i);
        }
    }
}

static void run(void)
{
    phones.begun_us = clock_us();
    uint64_t next_us = 0;
    while (phones.completed + phones.failed < phones.count) {
        begin_more();
        way_udp.turn(hear);
        if (clock_us() >= next_us) {
            send_again();
            next_us = clock_us() + 100000;
        }
    }
}

/* Milliseconds within which so many thousandths were answered. */
static double within_ms(unsigned thousandths)
{
    uint64_t seen = 0, wanted = (uint64_t)(phones.completed + phones.failed) * thousandths / 1000;
    for (unsigned i = 0; i < STEPS; i++) {
        seen += phones.steps[i];
        if (seen >= wanted)
            return (i + 1) * STEP_US / 1000.0;
    }
    return STEPS * STEP_US / 1000.0;
}

static const char help[] =
    "Usage: bench-register --server PORT [OPTION]...\n"
    "Registers user0000000@bench.example and so on with the server on 127.0.0.1.\n"
    "  --first N        begins with another one of them (default 0)\n"
    "  --users N        so many, who begin again after the last (default 10000)\n"
    "  --count N        REGISTERs in all (default 10000)\n"
    "  --concurrent N   that wait for an answer at a time (default 32)\n"
    "  --rate N         at most so many a second\n";

static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' },     { "users", required_argument, NULL, 'u' },
        { "count", required_argument, NULL, 'n' },      { "rate", required_argument, NULL, 'r' },
        { "concurrent", required_argument, NULL, 'c' }, { "first", required_argument, NULL, 'f' },
        { NULL, 0, NULL, 0 },
    };
    unsigned port = 0;
    int option = 0;
    phones.users = phones.count = 10000;
    phones.concurrent = 32;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned number = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);
        switch (option) {
        case 's':
            port = number;
            break;
        case 'f':
            phones.first = number;
            break;
        case 'u':
            phones.users = number;
            break;
        case 'n':
            phones.count = number;
            break;
        case 'r':
            phones.rate = number;
            break;
        case 'c':
            phones.concurrent = number;
            break;
        default:
            return false;
        }
    }
    phones.ends.server = (struct sockaddr_in){ .sin_family = AF_INET,
                                               .sin_port = htons((uint16_t)port),
                                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    for (enum side side = CALLER; side < SIDES; side++) {
        phones.ends.own[side] = phones.ends.server;
        phones.ends.own[side].sin_port = htons(side == CALLER ? 15070 : 15080);
    }
    return port > 0 && phones.users > 0 && phones.concurrent > 0 &&
           phones.concurrent <= WAITING_LIMIT && optind == argc;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fputs(help, stderr);
        return 2;
    }
    way_udp.open(&phones.ends);
    run();
    printf("{\"completed\":%u,\"failed\":%u,\"resent\":%u,\"ms\":%llu,\"p50_ms\":%.1f,"
           "\"p99_ms\":%.1f}\n",
           phones.completed, phones.failed, phones.resent,
           (unsigned long long)(clock_us() - phones.begun_us) / 1000, within_ms(500),
           within_ms(990));
    return phones.failed == 0 ? 0 : 1;
}
