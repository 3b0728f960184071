/* The queue of pages: whatever goes in comes out, in order, however it is cut. */
#include <stdlib.h>

#include "libahoy/io/outgoing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Checks that the queue begins with the bytes of a count from |from| on, and takes |size|. */
static void check_and_take(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages, size_t from,
                           size_t size)
{
    struct iovec pieces[AHOY_PAGES_A_WRITE];
    int count = ahoy_outgoing_pieces(outgoing, pieces);
    size_t seen = 0;
    for (int i = 0; i < count; i++) {
        assert_true(pieces[i].iov_len > 0);
        const unsigned char *at = pieces[i].iov_base;
        for (size_t j = 0; j < pieces[i].iov_len; j++, seen++)
            assert_int_equal(at[j], (from + seen) % 251);
    }
    assert_true(seen == outgoing->size || count == AHOY_PAGES_A_WRITE);
    ahoy_outgoing_take(outgoing, pages, size);
}

static void put_count(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages, size_t from,
                      size_t size)
{
    static char bytes[70000];
    assert_true(size <= sizeof bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)((from + i) % 251);
    assert_true(ahoy_outgoing_put(outgoing, pages, (struct span){ bytes, size }));
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct ahoy_pages pages;
    struct ahoy_outgoing outgoing = { 0 };
    ahoy_pages_init(&pages, 3);
    size_t in = 0;
    size_t out = 0;
    unsigned chance = 1;
    for (int i = 0; i < 3000; i++) {
        chance = chance * 1103515245 + 12345;
        size_t size = chance / 65536 % 9 == 0 ? chance / 7 % 70000 : chance / 65536 % 900;
        if (in - out < 500000) {
            put_count(&outgoing, &pages, in, size);
            in += size;
        }
        chance = chance * 1103515245 + 12345;
        size = chance / 65536 % 20000;
        if (size > in - out)
            size = in - out;
        check_and_take(&outgoing, &pages, out, size);
        out += size;
        assert_int_equal(outgoing.size, in - out);
        assert_int_equal(pages.used, in - out);
        assert_true(pages.kept <= 3);
    }
    assert_true(in > 1000000);
    check_and_take(&outgoing, &pages, out, in - out);
    assert_null(outgoing.first);
    assert_null(outgoing.last);
    put_count(&outgoing, &pages, 0, 40000);
    ahoy_outgoing_clear(&outgoing, &pages);
    assert_int_equal(pages.used, 0);
    assert_int_equal(outgoing.size, 0);
    ahoy_pages_trim(&pages);
    assert_int_equal(pages.kept, 0);
}

static void a_write_takes_so_many_pages_only(void **state)
{
    (void)state;
    struct ahoy_pages pages;
    struct ahoy_outgoing outgoing = { 0 };
    struct iovec pieces[AHOY_PAGES_A_WRITE];
    ahoy_pages_init(&pages, 0);
    assert_int_equal(ahoy_outgoing_pieces(&outgoing, pieces), 0);
    size_t in = 0;
    while (in <= (size_t)AHOY_PAGE_SIZE * (AHOY_PAGES_A_WRITE + 2)) {
        put_count(&outgoing, &pages, in, 60000);
        in += 60000;
    }
    assert_int_equal(ahoy_outgoing_pieces(&outgoing, pieces), AHOY_PAGES_A_WRITE);
    size_t size = (size_t)AHOY_PAGE_SIZE * AHOY_PAGES_A_WRITE;
    check_and_take(&outgoing, &pages, 0, size);
    check_and_take(&outgoing, &pages, size, in - size);
    assert_int_equal(outgoing.size, 0);
    assert_int_equal(pages.kept, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(a_write_takes_so_many_pages_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
