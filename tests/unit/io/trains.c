/* Which datagrams form which trains: tables, and what must hold of any queue. */
#include <stdio.h>

#include "libahoy/base/rng.h"
#include "libahoy/io/trains.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { TEXT = 1600, SEGMENT = 1300 };

/* A queue, written as one text: "0a700 1b350-" are 700 bytes of call a to peer 0, then 350 bytes
 * of call b to peer 1 that cannot grow. */
struct queue {
    struct ahoy_wagon wagons[AHOY_OUT_LIMIT];
    char texts[AHOY_OUT_LIMIT][TEXT];
    unsigned count;
    uint16_t segment[AHOY_OUT_LIMIT];
    struct ahoy_trains_options options;
    struct ahoy_trains trains;
};

static void add(struct queue *queue, unsigned peer, char call, size_t size, bool grows)
{
    assert_true(queue->count < AHOY_OUT_LIMIT && size < TEXT);
    char *text = queue->texts[queue->count];
    memset(text, 'x', TEXT);
    char head[64];
    int head_size =
        snprintf(head, sizeof head, "A\r\ni:%c\r\n%s\r\n", call, grows ? "l:0\r\n" : "");
    memcpy(text, head, size < (size_t)head_size ? size : (size_t)head_size);
    queue->wagons[queue->count++] =
        (struct ahoy_wagon){ .bytes = { text, size }, .peer = (uint8_t)peer };
    if (queue->options.peer_count <= peer)
        queue->options.peer_count = peer + 1;
}

static void begin(struct queue *queue, unsigned padding)
{
    memset(queue, 0, sizeof *queue);
    for (unsigned i = 0; i < AHOY_OUT_LIMIT; i++)
        queue->segment[i] = SEGMENT;
    queue->options = (struct ahoy_trains_options){ .padding = padding, .segment = queue->segment };
}

static void plan(struct queue *queue)
{
    ahoy_trains_plan(&queue->trains, queue->wagons, queue->count, &queue->options);
}

/* The trains, as "1+2=700 0": wagons by number, and behind the sign the segment. */
static void check(unsigned padding, const char *wagons, const char *expected)
{
    static struct queue queue;
    begin(&queue, padding);
    unsigned peer;
    char call;
    size_t size;
    int used = 0;
    while (sscanf(wagons, " %1u%c%zu%n", &peer, &call, &size, &used) == 3) {
        wagons += used;
        add(&queue, peer, call, size, *wagons != '-');
        wagons += *wagons == '-';
    }
    plan(&queue);
    char got[1024] = "";
    int end = 0;
    for (unsigned i = 0; i < queue.trains.count; i++) {
        const struct ahoy_train *train = &queue.trains.list[i];
        for (unsigned w = 0; w < train->count; w++)
            end += snprintf(got + end, sizeof got - (size_t)end, "%s%u",
                            w > 0   ? "+"
                            : i > 0 ? " "
                                    : "",
                            queue.trains.order[train->first + w]);
        if (train->count > 1)
            end += snprintf(got + end, sizeof got - (size_t)end, "=%u", train->segment);
    }
    assert_string_equal(got, expected);
}

static void trains_of_one_peer(void **state)
{
    (void)state;
    check(128, "", "");
    check(128, "0a700", "0");
    check(128, "0a700 0b700", "0+1=700");
    /* Near enough: the longest leads, the others follow as they came. */
    check(128, "0a600 0b610 0c700", "2+0+1=700");
    /* Too far: only the last of a train may be that much shorter. */
    check(128, "0a700 0b500 0c500", "0+1=700 2");
    check(128, "0a700 0b700 0c500 0d510", "0+1+3=700 2");
    /* Exactly the limit, and one more. */
    check(128, "0a700 0b572 0c572", "0+1+2=700");
    check(128, "0a700 0b571 0c571", "0+1=700 2");
    /* Without padding, equal ones. */
    check(0, "0a700 0b699 0c700", "0+2+1=700");
    check(0, "0a700 0b699 0c700 0d698", "0+2+1=700 3");
    /* What cannot grow leads, or is the last, or is as long as the longest. */
    check(128, "0a700 0b690- 0c690", "0+2+1=700");
    check(128, "0a700- 0b690 0c700-", "0+1+2=700");
    check(128, "0a690- 0b690- 0c700-", "2+0=700 1");
    /* Too long for a train, and nothing at all. */
    check(128, "0a1301 0b1301 0c1300 0d1300", "0 1 2+3=1300");
    check(128, "0a0 0b0 0c5", "2 0 1");
}

/* Of one call, the earlier leaves first, whatever the sizes. */
static void a_call_stays_in_order(void **state)
{
    (void)state;
    check(128, "0a400 0a700", "0 1");
    check(128, "0a400 0a700 0b700", "2+0=700 1");
    check(128, "0a400 0b400 0a450 0b450", "0+1+2+3=450"); /* A later one may be the longest. */
    check(128, "0a400- 0b400- 0a450 0b450", "0+1=400 2+3=450");
    check(128, "0a700 0a400 0a700", "0+1=700 2");
}

static void peers_are_apart(void **state)
{
    (void)state;
    check(128, "0a700 1a700 0b700 1b710", "0+2=700 3+1=710");
    check(128, "0a400 1a700 2c300", "0 1 2");
}

/* The limits of the kernel: segments, and bytes. */
static void a_train_has_limits(void **state)
{
    (void)state;
    static struct queue queue;
    begin(&queue, 128);
    for (unsigned i = 0; i < AHOY_TRAIN_LIMIT + 1; i++)
        add(&queue, 0, (char)('!' + i), 100, true);
    plan(&queue);
    assert_int_equal(queue.trains.count, 2);
    assert_int_equal(queue.trains.list[0].count, AHOY_TRAIN_LIMIT);
    begin(&queue, 128);
    for (unsigned i = 0; i < 51; i++)
        add(&queue, 0, (char)('!' + i), SEGMENT, true);
    plan(&queue);
    assert_int_equal(queue.trains.count, 2);
    assert_int_equal(queue.trains.list[0].count, AHOY_TRAIN_SIZE_LIMIT / SEGMENT);
    queue.segment[0] = 0;
    plan(&queue);
    assert_int_equal(queue.trains.count, 51);
}

static void check_train(const struct queue *queue, const struct ahoy_train *train)
{
    assert_true(train->count >= 1 && train->count <= AHOY_TRAIN_LIMIT);
    assert_true(train->count * (size_t)train->segment <= AHOY_TRAIN_SIZE_LIMIT);
    assert_int_equal(train->segment == 0, train->count == 1);
    for (unsigned i = 0; i < train->count && train->count > 1; i++) {
        const struct ahoy_wagon *wagon = &queue->wagons[queue->trains.order[train->first + i]];
        assert_int_equal(wagon->peer, queue->wagons[queue->trains.order[train->first]].peer);
        assert_true(wagon->bytes.size > 0 && wagon->bytes.size <= train->segment);
        assert_true(train->segment <= queue->segment[wagon->peer]);
        size_t padding = train->segment - wagon->bytes.size;
        if (i + 1 < train->count) {
            assert_true(padding <= queue->options.padding);
            assert_true(padding == 0 || wagon->glance.gap > 0);
        }
    }
}

/* Each leaves once; none of a call overtakes an earlier one to the same peer. */
static void check_order(const struct queue *queue)
{
    unsigned left = 0;
    bool gone[AHOY_OUT_LIMIT] = { false };
    for (unsigned i = 0; i < queue->trains.count; i++) {
        assert_int_equal(queue->trains.list[i].first, left);
        left += queue->trains.list[i].count;
    }
    assert_int_equal(left, queue->count);
    for (unsigned i = 0; i < queue->count; i++) {
        unsigned now = queue->trains.order[i];
        assert_true(now < queue->count && !gone[now]);
        gone[now] = true;
        for (unsigned earlier = 0; earlier < now; earlier++) {
            bool same = queue->wagons[earlier].peer == queue->wagons[now].peer &&
                        queue->wagons[earlier].glance.call == queue->wagons[now].glance.call;
            assert_true(!same || gone[earlier]);
        }
    }
}

static void what_holds_of_any_queue(void **state)
{
    (void)state;
    static struct queue queue;
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, (const uint64_t[2]){ 4, 8 });
    for (unsigned turn = 0; turn < 5000; turn++) {
        static const unsigned paddings[] = { 0, 1, 16, 128, 1024 };
        begin(&queue, paddings[ahoy_rng_below(&rng, 5)]);
        unsigned count = (unsigned)ahoy_rng_below(&rng, AHOY_OUT_LIMIT + 1);
        uint64_t peers = 1 + ahoy_rng_below(&rng, turn % 8 == 0 ? AHOY_OUT_LIMIT : 4);
        uint64_t calls = 1 + ahoy_rng_below(&rng, 40);
        uint64_t sizes = 1 + ahoy_rng_below(&rng, TEXT - 1);
        for (unsigned i = 0; i < count; i++)
            add(&queue, (unsigned)ahoy_rng_below(&rng, peers),
                (char)('!' + ahoy_rng_below(&rng, calls)), (size_t)ahoy_rng_below(&rng, sizes),
                ahoy_rng_below(&rng, 8) > 0);
        static const uint16_t limits[] = { SEGMENT, SEGMENT, 1232, 0 };
        for (unsigned i = 0; i < AHOY_OUT_LIMIT; i++)
            queue.segment[i] = limits[ahoy_rng_below(&rng, 4)];
        plan(&queue);
        check_order(&queue);
        for (unsigned i = 0; i < queue.trains.count; i++)
            check_train(&queue, &queue.trains.list[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_of_one_peer),      cmocka_unit_test(a_call_stays_in_order),
        cmocka_unit_test(peers_are_apart),         cmocka_unit_test(a_train_has_limits),
        cmocka_unit_test(what_holds_of_any_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
