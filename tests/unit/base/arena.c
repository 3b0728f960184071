/* Arenas: pieces that do not touch, one limit over all of them, and nothing lost when memory is
 * refused. */
#include "libahoy/base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/base/poison.h"
#include "libahoy/base/rng.h"
#include "tests/support/failing_alloc.h"

enum { CHUNK = 1024 };

/* Pieces of every size, each filled with its own byte: none overlaps another, all are aligned. */
static void test_pieces_stand_apart(void **state)
{
    (void)state;
    enum { PIECES = 400 };
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    struct ahoy_rng rng;
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];
    ahoy_chunks_init(&chunks, CHUNK, 10u << 20);
    ahoy_arena_init(&arena, &chunks);
    ahoy_rng_init(&rng, (const uint64_t[2]){ 1, 1 });
    for (int i = 0; i < PIECES; i++) {
        sizes[i] = (size_t)ahoy_rng_below(&rng, i % 10 == 0 ? 4 * CHUNK : CHUNK / 4);
        pieces[i] = ahoy_arena_take(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], i & 0xff, sizes[i]);
    }
    for (int i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(pieces[i][k], i & 0xff);
    }
    ahoy_arena_release(&arena);
    assert_int_equal(chunks.taken, 0);
    ahoy_chunks_fini(&chunks);
}

/* The chunk in use goes on being filled after a piece that was too large for any. */
static void test_large_piece_wastes_nothing(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 10u << 20);
    ahoy_arena_init(&arena, &chunks);
    char *before = ahoy_arena_take(&arena, 16);
    assert_non_null(ahoy_arena_take(&arena, 5 * CHUNK));
    char *after = ahoy_arena_take(&arena, 16);
    assert_ptr_equal(after, before + 16);
    assert_int_equal(chunks.taken, 6 * CHUNK);
    ahoy_arena_release(&arena);
    ahoy_chunks_fini(&chunks);
}

/* A large piece may also be the first. */
static void test_large_piece_first(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 10u << 20);
    ahoy_arena_init(&arena, &chunks);
    char *large = ahoy_arena_take(&arena, 2 * CHUNK);
    assert_non_null(large);
    memset(large, 1, 2 * CHUNK);
    char *small = ahoy_arena_take(&arena, CHUNK);
    assert_non_null(small);
    memset(small, 2, CHUNK);
    assert_int_equal(large[2 * CHUNK - 1], 1);
    ahoy_arena_release(&arena);
    assert_int_equal(chunks.taken, 0);
    ahoy_chunks_fini(&chunks);
}

/* Usual chunks are kept and used again without the allocator; larger ones go back to it. */
static void test_release_keeps_usual_chunks_only(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 10u << 20);
    ahoy_arena_init(&arena, &chunks);
    for (int i = 0; i < 3; i++)
        assert_non_null(ahoy_arena_take(&arena, CHUNK));
    assert_non_null(ahoy_arena_take(&arena, 3 * CHUNK));
    ahoy_arena_release(&arena);
    assert_int_equal(chunks.kept, 3 * CHUNK);
    assert_int_equal(chunks.taken, 0);

    void *pieces[3];
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    for (int i = 0; i < 3; i++)
        pieces[i] = ahoy_arena_take(&arena, CHUNK);
    assert_int_equal(failing_alloc_end(), 0);
    for (int i = 0; i < 3; i++)
        assert_non_null(pieces[i]);
    assert_int_equal(chunks.kept, 0);
    assert_int_equal(chunks.taken, 3 * CHUNK);
    ahoy_arena_release(&arena);
    ahoy_chunks_fini(&chunks);
    assert_int_equal(chunks.kept, 0);
}

/* One limit over two arenas, large pieces included, met to the byte. */
static void test_limit_spans_arenas(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena one;
    struct ahoy_arena two;
    ahoy_chunks_init(&chunks, CHUNK, 4 * CHUNK);
    ahoy_arena_init(&one, &chunks);
    ahoy_arena_init(&two, &chunks);
    assert_non_null(ahoy_arena_take(&one, 1));
    assert_null(ahoy_arena_take(&two, 3 * CHUNK + 1));
    assert_non_null(ahoy_arena_take(&two, 3 * CHUNK));
    assert_int_equal(chunks.taken, 4 * CHUNK);
    assert_null(ahoy_arena_take(&two, 1));
    /* What the first arena's chunk still holds is its own. */
    assert_non_null(ahoy_arena_take(&one, CHUNK - 16));
    assert_null(ahoy_arena_take(&one, 1));
    ahoy_arena_release(&two);
    assert_int_equal(chunks.taken, CHUNK);
    assert_non_null(ahoy_arena_take(&one, 1));
    ahoy_arena_release(&one);
    assert_int_equal(chunks.taken, 0);
    ahoy_chunks_fini(&chunks);
}

/* What lies free counts too: taken and kept together never pass the limit. */
static void test_free_chunks_give_way(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 4 * CHUNK);
    ahoy_arena_init(&arena, &chunks);
    for (int i = 0; i < 4; i++)
        assert_non_null(ahoy_arena_take(&arena, CHUNK));
    ahoy_arena_release(&arena);
    assert_int_equal(chunks.kept, 4 * CHUNK);
    assert_non_null(ahoy_arena_take(&arena, 3 * CHUNK));
    assert_int_equal(chunks.taken + chunks.kept, 4 * CHUNK);
    assert_int_equal(chunks.kept, CHUNK);
    ahoy_arena_release(&arena);
    ahoy_chunks_fini(&chunks);
}

/* R4: sizes that strangers might bring about are refused before any memory is asked for. */
static void test_absurd_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = { SIZE_MAX,     SIZE_MAX - 1,     SIZE_MAX - 15, SIZE_MAX - 16,
                                    SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 3 };
    static const size_t limits[] = { CHUNK, 512u << 10, SIZE_MAX };
    for (size_t k = 0; k < 3; k++) {
        struct ahoy_chunks chunks;
        struct ahoy_arena arena;
        ahoy_chunks_init(&chunks, CHUNK, limits[k]);
        ahoy_arena_init(&arena, &chunks);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
            void *piece = ahoy_arena_take(&arena, sizes[i]);
            size_t asked = failing_alloc_end();
            assert_null(piece);
            assert_int_equal(asked, 0);
            assert_int_equal(chunks.taken, 0);
        }
        struct span parts[] = { { "a", SIZE_MAX / 2 + 1 }, { "b", SIZE_MAX / 2 + 1 } };
        assert_null(ahoy_arena_join(&arena, parts, 2).at);
        ahoy_chunks_fini(&chunks);
    }
}

static void test_copy_and_join(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 2 * CHUNK);
    ahoy_arena_init(&arena, &chunks);
    char source[] = "INVITE";
    struct span copy = ahoy_arena_copy(&arena, ahoy_span(source));
    source[0] = 'X';
    assert_true(ahoy_span_equal(copy, SPAN("INVITE")));
    struct span pieces[] = { SPAN("Via: "), { NULL, 0 }, SPAN("x"), SPAN("\r\n") };
    assert_true(ahoy_span_equal(ahoy_arena_join(&arena, pieces, 4), SPAN("Via: x\r\n")));
    ahoy_arena_release(&arena);
    ahoy_chunks_fini(&chunks);
}

/* An empty copy needs no memory, so it is not refused where there is none. */
static void test_empty_copies_are_never_refused(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 0);
    ahoy_arena_init(&arena, &chunks);
    assert_null(ahoy_arena_copy(&arena, SPAN("a")).at);
    struct span empty = ahoy_arena_copy(&arena, (struct span){ NULL, 0 });
    assert_non_null(empty.at);
    assert_int_equal(empty.size, 0);
    empty = ahoy_arena_join(&arena, NULL, 0);
    assert_non_null(empty.at);
    assert_int_equal(empty.size, 0);
    ahoy_chunks_fini(&chunks);
}

/* Whichever allocation fails, the arena is as before, and goes on when there is memory again. */
static void test_refused_memory_changes_nothing(void **state)
{
    (void)state;
    for (size_t count = 0;; count++) {
        struct ahoy_chunks chunks;
        struct ahoy_arena arena;
        ahoy_chunks_init(&chunks, CHUNK, 100 * CHUNK);
        ahoy_arena_init(&arena, &chunks);
        char *pieces[12];
        bool whole = true;
        failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
        for (size_t i = 0; i < 12; i++) {
            struct ahoy_arena before = arena;
            size_t taken = chunks.taken;
            size_t size = i % 3 == 0 ? 2 * CHUNK : 400;
            pieces[i] = ahoy_arena_take(&arena, size);
            if (pieces[i] != NULL)
                memset(pieces[i], (int)i, size);
            else if (arena.first != before.first || arena.used != before.used ||
                     chunks.taken != taken)
                whole = false;
        }
        size_t refused = failing_alloc_end();
        assert_true(whole);
        for (size_t i = 0; i < 12; i++) {
            if (pieces[i] != NULL)
                assert_int_equal(pieces[i][399], (int)i);
        }
        assert_non_null(ahoy_arena_take(&arena, 400));
        ahoy_arena_release(&arena);
        assert_int_equal(chunks.taken, 0);
        ahoy_chunks_fini(&chunks);
        if (refused == 0)
            break;
    }
}

/* AddressSanitizer finds whoever touches what was released, or was never taken, although the chunk
 * itself was not freed. */
static void test_released_memory_is_poisoned(void **state)
{
    (void)state;
#ifdef AHOY_POISONS
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    ahoy_chunks_init(&chunks, CHUNK, 2 * CHUNK);
    ahoy_arena_init(&arena, &chunks);
    char *piece = ahoy_arena_take(&arena, 13);
    assert_false(__asan_address_is_poisoned(piece));
    assert_false(__asan_address_is_poisoned(piece + 12));
    assert_true(__asan_address_is_poisoned(piece + 13));
    ahoy_arena_release(&arena);
    assert_true(__asan_address_is_poisoned(piece));
    ahoy_chunks_fini(&chunks);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_stand_apart),
        cmocka_unit_test(test_large_piece_wastes_nothing),
        cmocka_unit_test(test_large_piece_first),
        cmocka_unit_test(test_release_keeps_usual_chunks_only),
        cmocka_unit_test(test_limit_spans_arenas),
        cmocka_unit_test(test_free_chunks_give_way),
        cmocka_unit_test(test_absurd_sizes),
        cmocka_unit_test(test_copy_and_join),
        cmocka_unit_test(test_empty_copies_are_never_refused),
        cmocka_unit_test(test_refused_memory_changes_nothing),
        cmocka_unit_test(test_released_memory_is_poisoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
