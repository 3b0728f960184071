/* bench-parse: what reading a message costs, ours beside other parsers', in turns.  It prints one
 * line a measurement: parser, what was asked, nanoseconds of CPU per message, message.
 *
 *   bench-parse --turns N FILE...    measures
 *   bench-parse --count N FILE       has ours read FILE that often, for callgrind to count */
#include "bench/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MESSAGE_SIZE = 4096, BATCH = 256, TURN_NS = 5000000 };

static const struct parser *const parsers[] = {
    &parser_ahoy,
#ifdef BENCH_OSIP
    &parser_osip,
#endif
#ifdef BENCH_RE
    &parser_re,
#endif
#ifdef BENCH_SOFIA
    &parser_sofia,
#endif
};

enum { PARSERS = sizeof parsers / sizeof parsers[0] };

static _Noreturn void die(const char *what, const char *whom)
{
    fprintf(stderr, "bench-parse: %s: %s\n", whom, what);
    exit(1);
}

static struct span read_message(const char *path, char *space)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        die("cannot be read", path);
    size_t size = fread(space, 1, MESSAGE_SIZE - 1, file);
    fclose(file);
    space[size] = '\0';
    return (struct span){ space, size };
}

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void index_batch(const struct parser *parser, struct span message)
{
    for (unsigned i = 0; i < BATCH; i++) {
        if (!parser->index(message))
            die("refuses a message", parser->name);
    }
}

static void route_batch(const struct parser *parser, struct span message)
{
    unsigned found = 0;
    for (unsigned i = 0; i < BATCH; i++)
        found += parser->route(message);
    if (found != BATCH * parser_ahoy.route(message))
        die("finds other fields than ours", parser->name);
}

/* Nanoseconds per message, over at least TURN_NS. */
static double measure(void (*batch)(const struct parser *, struct span),
                      const struct parser *parser, struct span message)
{
    unsigned batches = 0;
    double begin = now_ns();
    double spent;
    do {
        batch(parser, message);
        batches++;
        spent = now_ns() - begin;
    } while (spent < TURN_NS);
    return spent / batches / BATCH;
}

static void run_turn(const char *path)
{
    char space[MESSAGE_SIZE];
    struct span message = read_message(path, space);
    for (unsigned i = 0; i < PARSERS; i++) {
        const char *name = parsers[i]->name;
        printf("%s index %.2f %s\n", name, measure(index_batch, parsers[i], message), path);
        printf("%s route %.2f %s\n", name, measure(route_batch, parsers[i], message), path);
    }
}

static void run_count(unsigned long count, const char *path)
{
    char space[MESSAGE_SIZE];
    struct span message = read_message(path, space);
    for (unsigned long i = 0; i < count; i++) {
        if (parser_ahoy.route(message) == 0)
            die("refuses a message", path);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("bench-parse --turns N FILE... | --count N FILE", "usage");
    unsigned long count = strtoul(argv[2], NULL, 10);
    if (strcmp(argv[1], "--count") == 0) {
        run_count(count, argv[3]);
        return 0;
    }
    for (unsigned i = 0; i < PARSERS; i++) {
        if (parsers[i]->init != NULL)
            parsers[i]->init();
    }
    for (unsigned long turn = 0; turn < count; turn++) {
        for (int i = 3; i < argc; i++)
            run_turn(argv[i]);
    }
    return 0;
}
