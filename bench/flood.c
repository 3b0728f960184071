/* bench-flood: callers who do not wait for each other.  Calls begin by a schedule, whatever becomes
 * of those before, and each behaves as RFC 3261 has it by UDP: requests and the callee's 200 are
 * sent again until they are answered, and a caller who is answered 503 with a Retry-After makes no
 * call before that is over.  A call counts as good where it was answered in time and hung up in
 * order.  Prints a line of JSON for each second of the schedule.
 *
 * It trusts the server: its own speed matters, not what strangers could do to it. */
#include "bench/load_call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLS_LIMIT = 1 << 20, /* In progress at once; a power of two. */
    PHASES_LIMIT = 16,
    WHEEL = 1 << 15, /* Milliseconds. */
    T1_MS = 500,
    T2_MS = 4000,
    B_MS = 64 * T1_MS, /* Timers B, F and H. */
    HEARD_EVERY = 8,
    LATE_MS = 50,    /* By which a call may begin too late. */
    ANSWER_MS = 5000 /* What a caller waits for an answer; afterwards it is none. */
};

enum step { IDLE, INVITED, PROCEEDING, HUNG_UP };

/* What is sent again. */
struct resend {
    struct resend *next, **link; /* In the wheel; |link| NULL: not there. */
    uint64_t due_ms;
    unsigned interval_ms;
    char *text; /* NULL: the INVITE, which is printed anew. */
};

struct call {
    struct resend caller, callee; /* Its request; its 200. */
    struct call *next_free;
    enum step step;
    unsigned number;
    uint64_t begun_ms, since_ms; /* The call; the transaction at hand. */
    bool acknowledged, is_late;
};

struct phase {
    double rate; /* Calls a second. */
    unsigned seconds;
};

/* What happened in one second. */
struct second {
    unsigned wanted, withheld, sent, resent, good, late, refused, failed, timed_out;
};

static struct {
    struct call_maker maker;
    struct ends ends;
    struct phase phases[PHASES_LIMIT];
    size_t phase_count;
    unsigned callers;
    uint32_t *silent_until_ms; /* By caller. */
    struct call *list, *free;
    struct resend *wheel[WHEEL];
    uint64_t begun_ms, now_ms, turned_ms;
    unsigned number;
    struct second *seconds;
    size_t second_count;
} flood;

static struct second *second_of(uint64_t ms)
{
    size_t index = (ms - flood.begun_ms) / 1000;
    return &flood.seconds[index < flood.second_count ? index : flood.second_count - 1];
}

static struct second *this_second(void)
{
    return second_of(flood.now_ms);
}

static void stop(struct resend *resend)
{
    if (resend->link == NULL)
        return;
    *resend->link = resend->next;
    if (resend->next != NULL)
        resend->next->link = resend->link;
    resend->link = NULL;
}

static void start(struct resend *resend, unsigned interval_ms)
{
    stop(resend);
    resend->interval_ms = interval_ms;
    resend->due_ms = flood.now_ms + interval_ms;
    struct resend **head = &flood.wheel[resend->due_ms % WHEEL];
    resend->next = *head;
    resend->link = head;
    if (*head != NULL)
        (*head)->link = &resend->next;
    *head = resend;
}

static void keep(struct resend *resend, const char *bytes, int size)
{
    free(resend->text);
    resend->text = malloc((size_t)size + 1);
    if (resend->text == NULL)
        die("malloc");
    memcpy(resend->text, bytes, (size_t)size);
    resend->text[size] = '\0';
}

static void forget(struct resend *resend)
{
    stop(resend);
    free(resend->text);
    resend->text = NULL;
}

static void send_from(enum side side, const char *bytes, int size)
{
    way_udp.send(side, 0, bytes, (size_t)size);
}

static void send_invite(const struct call *call)
{
    char bytes[MESSAGE_SIZE];
    int size = print_invite(&flood.maker, call->number, (size_t)(call - flood.list), bytes);
    send_from(CALLER, bytes, size);
}

static unsigned caller_of(const struct call *call)
{
    return call->number % flood.callers;
}

static void end(struct call *call)
{
    forget(&call->caller);
    forget(&call->callee);
    call->step = IDLE;
    call->next_free = flood.free;
    flood.free = call;
}

/* The next caller wants to make a call. */
static void begin(void)
{
    struct call *call = flood.free;
    unsigned number = flood.number++;
    this_second()->wanted++;
    if (flood.silent_until_ms[number % flood.callers] > flood.now_ms - flood.begun_ms ||
        call == NULL) {
        this_second()->withheld++;
        return;
    }
    flood.free = call->next_free;
    *call = (struct call){
        .step = INVITED, .number = number, .begun_ms = flood.now_ms, .since_ms = flood.now_ms
    };
    this_second()->sent++;
    send_invite(call);
    start(&call->caller, T1_MS);
}

static void hang_up(struct call *call, const char *answer)
{
    char bytes[MESSAGE_SIZE];
    int size = print_in_dialog(&flood.maker, call->number, answer, "ACK", 1, bytes);
    send_from(CALLER, bytes, size);
    if (call->step == HUNG_UP)
        return;
    call->is_late = flood.now_ms > call->begun_ms + ANSWER_MS;
    call->step = HUNG_UP;
    call->since_ms = flood.now_ms;
    size = print_in_dialog(&flood.maker, call->number, answer, "BYE", 2, bytes);
    keep(&call->caller, bytes, size);
    send_from(CALLER, bytes, size);
    start(&call->caller, T1_MS);
}

/* R3261-21.5.4: nothing more before the time is over. */
static void fail(struct call *call, const char *answer, unsigned status)
{
    char bytes[MESSAGE_SIZE];
    const char *end_of_row = NULL;
    const char *row = find_row(answer, "Retry-After", &end_of_row);
    send_from(CALLER, bytes, print_failure_ack(&flood.maker, call->number, answer, bytes));
    *(status == 503 ? &this_second()->refused : &this_second()->failed) += 1;
    if (row != NULL)
        flood.silent_until_ms[caller_of(call)] =
            (uint32_t)(flood.now_ms - flood.begun_ms + 1000 * strtoul(row + 12, NULL, 10));
    end(call);
}

static struct call *call_of(const char *message)
{
    unsigned number = 0, place = 0;
    if (!read_call(message, &number, &place) || place >= CALLS_LIMIT)
        return NULL;
    struct call *call = &flood.list[place];
    return call->step == IDLE || call->number != number ? NULL : call;
}

static void caller_hears(struct call *call, const char *message)
{
    const char *end_of_row = NULL, *cseq = find_row(message, "CSeq", &end_of_row);
    unsigned status = (unsigned)strtoul(message + 8, NULL, 10);
    if (cseq == NULL || strncmp(message, "SIP/2.0 ", 8) != 0)
        return;
    if (strtoul(cseq + 5, NULL, 10) == 2) {
        if (call->step != HUNG_UP || status < 200)
            return;
        *(call->is_late ? &this_second()->late : &this_second()->good) += 1;
        end(call);
    } else if (status >= 300) {
        if (call->step != HUNG_UP)
            fail(call, message, status);
    } else if (status >= 200) {
        hang_up(call, message);
    } else if (call->step == INVITED) {
        call->step = PROCEEDING;
        start(&call->caller, B_MS - 1);
    }
}

static void callee_hears(struct call *call, const char *message)
{
    char bytes[MESSAGE_SIZE];
    if (strncmp(message, "INVITE ", 7) == 0) {
        send_from(CALLEE, bytes, print_reply(&flood.maker, message, "180 Ringing", false, bytes));
        int size = print_reply(&flood.maker, message, "200 OK", true, bytes);
        send_from(CALLEE, bytes, size);
        if (call->acknowledged || call->callee.text != NULL)
            return;
        keep(&call->callee, bytes, size);
        start(&call->callee, T1_MS);
    } else if (strncmp(message, "ACK ", 4) == 0) {
        call->acknowledged = true;
        forget(&call->callee);
    } else if (strncmp(message, "BYE ", 4) == 0) {
        send_from(CALLEE, bytes, print_reply(&flood.maker, message, "200 OK", false, bytes));
    }
}

static void hear(enum side side, unsigned path, const char *message)
{
    (void)path; /* There is one. */
    char bytes[MESSAGE_SIZE];
    struct call *call = call_of(message);
    if (call != NULL && side == CALLER)
        caller_hears(call, message);
    else if (call != NULL)
        callee_hears(call, message);
    else if (side == CALLEE && strncmp(message, "BYE ", 4) == 0)
        send_from(CALLEE, bytes, print_reply(&flood.maker, message, "200 OK", false, bytes));
}

static void resend_request(struct call *call)
{
    if (call->step == PROCEEDING || flood.now_ms >= call->since_ms + B_MS) {
        this_second()->timed_out++;
        end(call);
        return;
    }
    this_second()->resent++;
    if (call->caller.text == NULL)
        send_invite(call);
    else
        send_from(CALLER, call->caller.text, (int)strlen(call->caller.text));
    unsigned interval_ms = 2 * call->caller.interval_ms;
    if (call->step == HUNG_UP && interval_ms > T2_MS)
        interval_ms = T2_MS;
    start(&call->caller, interval_ms);
}

static void resend_answer(struct call *call)
{
    unsigned interval_ms = 2 * call->callee.interval_ms;
    send_from(CALLEE, call->callee.text, (int)strlen(call->callee.text));
    start(&call->callee, interval_ms > T2_MS ? T2_MS : interval_ms);
}

/* What is due is sent again, and what has come meanwhile is heard: else what is not heard in time
 * would be sent again, and so on. */
static void turn_wheel(void)
{
    unsigned sent = 0;
    for (; flood.turned_ms <= flood.now_ms; flood.turned_ms++) {
        struct resend *resend;
        while ((resend = flood.wheel[flood.turned_ms % WHEEL]) != NULL) {
            stop(resend);
            struct call *call =
                &flood.list[((char *)resend - (char *)flood.list) / (ptrdiff_t)sizeof *call];
            if (resend == &call->caller)
                resend_request(call);
            else
                resend_answer(call);
            if (++sent % HEARD_EVERY == 0)
                way_udp.turn(hear);
        }
    }
}

/* Makes the calls of this moment; false where the schedule is over. */
static bool follow_schedule(void)
{
    double due = 0, elapsed_s = (double)(flood.now_ms - flood.begun_ms) / 1000;
    size_t i = 0;
    for (; i < flood.phase_count && elapsed_s > flood.phases[i].seconds; i++) {
        due += flood.phases[i].rate * flood.phases[i].seconds;
        elapsed_s -= flood.phases[i].seconds;
    }
    double late = 0;
    if (i < flood.phase_count) {
        due += flood.phases[i].rate * elapsed_s;
        late = flood.phases[i].rate * LATE_MS / 1000;
    }
    /* Where this machine had no time for us, callers did not wait to call all at once. */
    if (flood.number + late < due)
        flood.number = (unsigned)(due - late);
    while (flood.number < (unsigned)due)
        begin();
    return i < flood.phase_count;
}

static void run(void)
{
    flood.begun_ms = flood.turned_ms = flood.now_ms = clock_ms();
    while (follow_schedule()) {
        way_udp.turn(hear);
        turn_wheel();
        uint64_t now_ms = clock_ms();
        if (now_ms == flood.now_ms)
            way_udp_rest();
        flood.now_ms = now_ms;
    }
}

static void report(void)
{
    for (size_t i = 0; i + 1 < flood.second_count; i++) {
        const struct second *second = &flood.seconds[i];
        printf("{\"wanted\":%u,\"withheld\":%u,\"sent\":%u,\"resent\":%u,\"good\":%u,\"late\":%u,"
               "\"refused\":%u,\"failed\":%u,\"timed_out\":%u}\n",
               second->wanted, second->withheld, second->sent, second->resent, second->good,
               second->late, second->refused, second->failed, second->timed_out);
    }
}

static const char help[] =
    "Usage: bench-flood --server PORT [--callee PORT] --callers N RATExSECONDS...\n"
    "Makes so many calls a second, for so long, one phase after the other, through a server on\n"
    "127.0.0.1 that forwards sip:service@bench.example to port 15080, or what --callee says; N\n"
    "callers make them in turn, from the port that is 10 less.\n";

static struct sockaddr_in address_of(const char *host, unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        die(host);
    return address;
}

static bool read_options(int argc, char **argv)
{
    static const struct option options[] = {
        { "server", required_argument, NULL, 's' },
        { "callee", required_argument, NULL, 'e' },
        { "callers", required_argument, NULL, 'c' },
        { NULL, 0, NULL, 0 },
    };
    unsigned server = 0, callee = 15080;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            server = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'e')
            callee = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'c')
            flood.callers = (unsigned)strtoul(optarg, NULL, 10);
        else
            return false;
    }
    /* The callee's is the address of a trunk; callers are none, and so have another. */
    static const char *const hosts[SIDES] = { "127.0.0.2", "127.0.0.1" };
    const unsigned ports[SIDES] = { callee - 10, callee };
    flood.ends.server = address_of(hosts[CALLEE], server);
    for (enum side side = CALLER; side < SIDES; side++) {
        flood.ends.own[side] = address_of(hosts[side], ports[side]);
        flood.maker.hosts[side] = hosts[side];
        flood.maker.ports[side] = ports[side];
    }
    flood.second_count = 1;
    for (; optind < argc && flood.phase_count < PHASES_LIMIT; optind++) {
        struct phase *phase = &flood.phases[flood.phase_count++];
        if (sscanf(argv[optind], "%lfx%u", &phase->rate, &phase->seconds) != 2)
            return false;
        flood.second_count += phase->seconds;
    }
    return server > 0 && flood.callers > 0 && flood.phase_count > 0 && optind == argc;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fputs(help, stderr);
        return 2;
    }
    flood.maker.domain = "bench.example";
    flood.maker.transport = way_udp.name;
    flood.maker.via = way_udp.via;
    flood.maker.run = getpid();
    flood.seconds = calloc(flood.second_count, sizeof *flood.seconds);
    flood.silent_until_ms = calloc(flood.callers, sizeof *flood.silent_until_ms);
    flood.list = calloc(CALLS_LIMIT, sizeof *flood.list);
    if (flood.seconds == NULL || flood.silent_until_ms == NULL || flood.list == NULL)
        die("calloc");
    for (size_t i = CALLS_LIMIT; i > 0; i--) {
        flood.list[i - 1].next_free = flood.free;
        flood.free = &flood.list[i - 1];
    }
    way_udp.open(&flood.ends);
    run();
    report();
    return 0;
}
