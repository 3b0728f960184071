/* bench-index: what a binding takes in the location index alone, as bench-register registers it,
 * and how long it takes to look one up: in bytes of the allocator and of the index's own regions,
 * and nanoseconds of CPU.  A look-up that comes as a surprise is two steps of a chase through as
 * much memory, of which one is told from the same minute, and what it does itself; one that is
 * expected, as by a server that has read whom a message names, takes little more than the latter.
 *
 *   bench-index [RECORDS] */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "ahoyd/store/index.h"
#include "libahoy/base/rng.h"

enum { RECORDS = 1000000, BATCH = 256, BATCHES = 2000, TEXT_SIZE = 192, LIFE_MS = 3600000 };
enum { AHEAD = 2, LINE_SIZE = 64, HUGE_PAGE = 2 * 1024 * 1024 };

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
    return record_new(&bench.index.slabs, print_aor(aor, user), &bench.bindings);
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    const struct index *index = &bench.index;
    return info.uordblks + info.hblkhd + index->slabs.items.size + index->slabs.heads.size +
           index->buckets.size;
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

/* What a server does as soon as it has read whom a message names, and before it serves that. */
static void expect(const struct span *aors, unsigned number, uint64_t expected[BATCH])
{
    size_t at = ahoy_span_find(aors[number], '@');
    struct span user = { aors[number].at, at };
    expected[number] = index_expect(&bench.index, user, ahoy_span_after(aors[number], at + 1));
}

static void expect_more(unsigned number, const uint64_t expected[BATCH])
{
    if (expected[number] != 0)
        index_expect_record(&bench.index, expected[number]);
}

static void find(const struct span *aors, unsigned number)
{
    if (!index_find(&bench.index, aors[number], now_ms, &bench.bindings))
        die("a binding is not found");
}

/* Of one look-up, in a batch of users by chance, with all that is done for it; where it is
 * expected, two look-ups pass between any two steps. */
static double look_up(unsigned records, bool is_expected)
{
    struct span aors[BATCH];
    uint64_t expected[BATCH] = { 0 };
    for (unsigned i = 0; i < BATCH; i++)
        aors[i] = print_aor(bench.texts[i], (unsigned)ahoy_rng_below(&bench.rng, records));
    uint64_t begun = cpu_ns();
    for (unsigned i = 0; is_expected && i < 2 * AHEAD; i++)
        expect(aors, i, expected);
    for (unsigned i = 0; is_expected && i < AHEAD; i++)
        expect_more(i, expected);
    for (unsigned i = 0; i < BATCH; i++) {
        if (is_expected && i + 2 * AHEAD < BATCH)
            expect(aors, i + 2 * AHEAD, expected);
        if (is_expected && i + AHEAD < BATCH)
            expect_more(i + AHEAD, expected);
        find(aors, i);
    }
    return (double)(cpu_ns() - begun) / BATCH;
}

static void set_next(unsigned char *lines, size_t from, size_t to)
{
    const uint64_t next = to * LINE_SIZE;
    memcpy(lines + from * LINE_SIZE, &next, sizeof next);
}

/* Memory like the index's, in huge pages: each line names the next one, and all of them are one
 * round (Sattolo, 1986). */
static unsigned char *make_chase(size_t size)
{
    unsigned char *lines = aligned_alloc(HUGE_PAGE, size);
    if (lines == NULL)
        die("memory ran out");
    (void)madvise(lines, size, MADV_HUGEPAGE); /* Else it takes a little longer. */
    for (size_t i = 0; i < size / LINE_SIZE; i++) {
        set_next(lines, i, i);
        if (i == 0)
            continue;
        unsigned char *other = lines + ahoy_rng_below(&bench.rng, i) * LINE_SIZE;
        memcpy(lines + i * LINE_SIZE, other, sizeof(uint64_t));
        set_next(other, 0, i);
    }
    return lines;
}

/* Of one step, in as many as a batch has look-ups, from anywhere. */
static double chase(const unsigned char *lines, size_t size)
{
    uint64_t at = ahoy_rng_below(&bench.rng, size / LINE_SIZE) * LINE_SIZE;
    uint64_t begun = cpu_ns();
    for (unsigned i = 0; i < BATCH; i++)
        memcpy(&at, lines + at, sizeof at);
    uint64_t ended = cpu_ns();
    if (at >= size)
        die("the chase left its memory");
    return (double)(ended - begun) / BATCH;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double median(double times[BATCHES])
{
    qsort(times, BATCHES, sizeof *times, compare);
    return times[BATCHES / 2];
}

int main(int argc, char **argv)
{
    static double times[BATCHES], expected[BATCHES], steps[BATCHES];
    unsigned records = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : RECORDS;
    const struct ahoy_hash_key key = { { 1, 2 } };
    ahoy_rng_init(&bench.rng, key.half);
    if (records == 0 || !index_init(&bench.index, key))
        die("no records, or no memory");
    size_t before = allocated();
    fill(records);
    size_t size = allocated() - before;
    size_t chased = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    unsigned char *lines = make_chase(chased);
    /* One behind the other, as each drives what the others need out of the caches. */
    for (unsigned i = 0; i < BATCHES; i++)
        times[i] = look_up(records, false);
    for (unsigned i = 0; i < BATCHES; i++)
        expected[i] = look_up(records, true);
    for (unsigned i = 0; i < BATCHES; i++)
        steps[i] = chase(lines, chased);
    printf("{\"bytes\":%.1f,\"look_up_ns\":%.0f,\"expected_ns\":%.0f,\"chase_ns\":%.0f}\n",
           (double)size / records, median(times), median(expected), median(steps));
    free(lines);
    index_fini(&bench.index);
    return 0;
}
