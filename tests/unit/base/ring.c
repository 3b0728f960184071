/* The ring: the newest notes, whole, in the order in which they were put, whatever their sizes. */
#include "libahoy/base/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/base/rng.h"
#include "tests/support/failing_alloc.h"

enum { SIZE = 64 * 1024, NOTES = 20000 };

static char fillings[3000];

/* Note |number|: a text of so many bytes, all alike. */
static void put(struct ahoy_ring *ring, unsigned number, size_t size)
{
    struct ahoy_note note = { .now_ms = number, .kind = AHOY_NOTE_IN };
    memset(fillings, 'a' + (int)(number % 26), size);
    const struct span pieces[] = { { fillings, size / 3 }, { fillings, size - size / 3 } };
    ahoy_ring_put(ring, &note, pieces, 2);
}

/* Reads all that is there by pieces of |room| bytes; returns how many notes, the last of which is
 * number |last|. */
static unsigned read_all(const struct ahoy_ring *ring, size_t room, unsigned last)
{
    char *piece = malloc(room);
    uint64_t from = 0;
    size_t size;
    unsigned count = 0;
    uint64_t number = 0;
    assert_non_null(piece);
    while ((size = ahoy_ring_copy(ring, &from, piece, room)) > 0) {
        struct span bytes = { piece, size };
        struct span text;
        struct ahoy_note note;
        while (ahoy_note_next(&bytes, &note, &text)) {
            assert_true(count == 0 || note.now_ms == number + 1);
            number = note.now_ms;
            count++;
            for (size_t i = 0; i < text.size; i++)
                assert_int_equal(text.at[i], 'a' + (int)(number % 26));
        }
        assert_int_equal(bytes.size, 0);
    }
    free(piece);
    assert_int_equal(number, last);
    return count;
}

static void the_newest_notes_are_there_in_order(void **state)
{
    struct ahoy_ring ring;
    struct ahoy_rng rng;
    (void)state;
    ahoy_rng_init(&rng, (const uint64_t[2]){ 1, 2 });
    assert_true(ahoy_ring_init(&ring, SIZE));
    for (unsigned i = 1; i <= NOTES; i++) {
        put(&ring, i, ahoy_rng_below(&rng, sizeof fillings));
        if (i % 97 == 0)
            assert_true(read_all(&ring, 4096 + i % 5000, i) >= (i < 20 ? i : 20));
    }
    ahoy_ring_fini(&ring);
}

/* However few notes it has room for, the newest is one of them, and most that fits is kept. */
static void a_small_ring_keeps_what_it_can(void **state)
{
    const size_t most = sizeof(struct ahoy_note) + AHOY_RING_TEXT_LIMIT;
    (void)state;
    for (size_t size = 2 * most; size < 5 * most; size += 8 + size / 97) {
        struct ahoy_ring ring;
        struct ahoy_rng rng;
        ahoy_rng_init(&rng, (const uint64_t[2]){ size, 3 });
        assert_true(ahoy_ring_init(&ring, size));
        for (unsigned i = 1; i <= 2000; i++) {
            put(&ring, i, i % 500 < 100 ? 2500 : ahoy_rng_below(&rng, 1u << (1 + i / 200)));
            assert_true(ring.end - ring.oldest <= ring.size);
            assert_true(read_all(&ring, 4096, i) >= 1);
            if (i > 100 && i < 500 && i % 500 > 100)
                assert_true(ring.end - ring.oldest > size / 4);
        }
        ahoy_ring_fini(&ring);
    }
}

static void a_long_text_is_cut(void **state)
{
    struct ahoy_ring ring;
    char piece[8192];
    uint64_t from = 0;
    struct ahoy_note note;
    struct span text;
    (void)state;
    assert_true(ahoy_ring_init(&ring, SIZE));
    put(&ring, 1, 2900);
    struct span bytes = { piece, ahoy_ring_copy(&ring, &from, piece, sizeof piece) };
    assert_true(ahoy_note_next(&bytes, &note, &text));
    assert_int_equal(text.size, AHOY_RING_TEXT_LIMIT);
    assert_int_equal(note.whole_size, 2900);
    ahoy_ring_fini(&ring);
}

/* Who reads slowly goes on with the oldest that is left. */
static void what_has_gone_is_passed_over(void **state)
{
    struct ahoy_ring ring;
    char piece[4096];
    uint64_t from = 0;
    (void)state;
    assert_true(ahoy_ring_init(&ring, SIZE));
    for (unsigned i = 1; i <= 10; i++)
        put(&ring, i, 100);
    assert_true(ahoy_ring_copy(&ring, &from, piece, 400) > 0);
    for (unsigned i = 11; i <= 1000; i++)
        put(&ring, i, 1000);
    assert_true(ahoy_ring_copy(&ring, &from, piece, sizeof piece) > 0);
    struct span bytes = { piece, sizeof piece };
    struct span text;
    struct ahoy_note note;
    assert_true(ahoy_note_next(&bytes, &note, &text));
    assert_true(note.now_ms > 900);
    ahoy_ring_fini(&ring);
}

/* Whatever position a reader names, nothing outside of the ring is read, and he comes to an end. */
static void any_position_may_be_asked_for(void **state)
{
    struct ahoy_ring ring;
    char piece[8192];
    (void)state;
    assert_true(ahoy_ring_init(&ring, SIZE));
    for (unsigned i = 1; i <= 200; i++)
        put(&ring, i, 1 + i * 37 % 1000);
    for (uint64_t begin = 0; begin < ring.end + 20; begin++) {
        unsigned turns = 0;
        uint64_t from = begin;
        while (ahoy_ring_copy(&ring, &from, piece, sizeof piece) > 0)
            assert_true(turns++ < 1000);
    }
    ahoy_ring_fini(&ring);
}

static void without_memory_nothing_is_noted(void **state)
{
    struct ahoy_ring ring;
    uint64_t from = 0;
    char piece[64];
    (void)state;
    assert_true(ahoy_ring_init(&ring, 0));
    put(&ring, 1, 10);
    assert_int_equal(ahoy_ring_copy(&ring, &from, piece, sizeof piece), 0);
    ahoy_ring_fini(&ring);
    if (!failing_alloc_works())
        return;
    failing_alloc_begin(0, FAILING_ALLOC_ONE);
    bool made = ahoy_ring_init(&ring, SIZE);
    assert_int_equal(failing_alloc_end(), 1);
    assert_false(made);
    put(&ring, 1, 10);
    ahoy_ring_fini(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_notes_are_there_in_order),
        cmocka_unit_test(a_small_ring_keeps_what_it_can),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(what_has_gone_is_passed_over),
        cmocka_unit_test(any_position_may_be_asked_for),
        cmocka_unit_test(without_memory_nothing_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
