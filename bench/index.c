/* bench-index: what a binding takes in the location index alone, as bench-register registers it,
 * and how long it takes to look one up: in bytes of the allocator, and nanoseconds of CPU.
 *
 *   bench-index [RECORDS] */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ahoyd/store/index.h"
#include "libahoy/base/rng.h"

enum { RECORDS = 1000000, BATCH = 256, BATCHES = 2000, TEXT_SIZE = 192, LIFE_MS = 3600000 };

static const uint64_t now_ms = 1700000000000;

static struct {
    struct index index;
    struct ahoy_rng rng;
    struct ahoy_bindings bindings;
    char texts[BATCH][TEXT_SIZE];
} bench;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench-index: %s\n", what);
    exit(1);
}

static struct span print_aor(char text[TEXT_SIZE], unsigned user)
{
    int size = snprintf(text, TEXT_SIZE, "user%07u@bench.example", user);
    return (struct span){ text, (size_t)size };
}

static struct record *make_record(unsigned user)
{
    char aor[TEXT_SIZE], contact[TEXT_SIZE], params[TEXT_SIZE], call_id[TEXT_SIZE];
    snprintf(contact, sizeof contact, "sip:user%07u@127.0.0.1:15070;transport=udp", user);
    snprintf(params, sizeof params,
             ";expires=3600;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0000%08x>\"", user);
    snprintf(call_id, sizeof call_id, "%u-%u-12345-7dec11d0@127.0.0.1", user % BATCH, user);
    static const struct span urn = SPAN_INIT("<urn:uuid:00000000-0000-1000-8000-000000000000>");
    struct ahoy_binding binding = {
        .contact = ahoy_span(contact),
        .params = ahoy_span(params),
        .instance = { strchr(params, '<'), urn.size },
        .call_id = ahoy_span(call_id),
        .cseq = 1,
        .q = 1000,
        .expires_ms = now_ms + LIFE_MS,
        .updated_ms = now_ms,
        .era_ms = now_ms,
        .hop = { .remote = { .family = AHOY_IPV4, .port = 15070, .bytes = { 127, 0, 0, 1 } } },
    };
    ahoy_bindings_init(&bench.bindings);
    if (!ahoy_bindings_add(&bench.bindings, &binding))
        die("a binding is beyond the limits");
    return record_new(print_aor(aor, user), &bench.bindings);
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void fill(unsigned records)
{
    for (unsigned i = 0; i < records; i++) {
        struct record *record = make_record(i);
        if (record == NULL)
            die("memory ran out");
        index_put(&bench.index, record, index_hash(&bench.index, record_aor(record)));
    }
}

static uint64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Of one look-up, in a batch of users by chance. */
static double look_up(unsigned records)
{
    struct span aors[BATCH];
    for (unsigned i = 0; i < BATCH; i++)
        aors[i] = print_aor(bench.texts[i], (unsigned)ahoy_rng_below(&bench.rng, records));
    uint64_t begun = cpu_ns();
    for (unsigned i = 0; i < BATCH; i++) {
        if (!index_find(&bench.index, aors[i], now_ms, &bench.bindings))
            die("a binding is not found");
    }
    return (double)(cpu_ns() - begun) / BATCH;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
    static double times[BATCHES];
    unsigned records = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : RECORDS;
    const struct ahoy_hash_key key = { { 1, 2 } };
    ahoy_rng_init(&bench.rng, key.half);
    if (records == 0 || !index_init(&bench.index, key))
        die("no records, or no memory");
    size_t before = allocated();
    fill(records);
    size_t size = allocated() - before;
    for (unsigned i = 0; i < BATCHES; i++)
        times[i] = look_up(records);
    qsort(times, BATCHES, sizeof *times, compare);
    printf("{\"bytes\":%.1f,\"look_up_ns\":%.0f}\n", (double)size / records, times[BATCHES / 2]);
    index_fini(&bench.index);
    return 0;
}
