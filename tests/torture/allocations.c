/* Reading, answering and printing a message asks the allocator for nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/syntax/compose.h"
#include "libahoy/syntax/print.h"
#include "tests/support/bytes.h"

static unsigned long allocations;

/* A sanitizer has an allocator of its own and says when it is asked; else this program's malloc
 * stands before the one of the C library. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED
/* As in sanitizer/allocator_interface.h, which gcc does not ship. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void note_malloc(const volatile void *at, size_t size)
{
    (void)at;
    (void)size;
    allocations++;
}

static void note_free(const volatile void *at)
{
    (void)at;
}

static void count_allocations(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(note_malloc, note_free) > 0);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *at, size_t size)
{
    allocations++;
    return __libc_realloc(at, size);
}

static void count_allocations(void) {}
#endif

static struct ahoy_message message;
static struct ahoy_routing routing;
static char space[70000];

static void read_and_answer(struct span bytes)
{
    struct ahoy_err err;
    (void)ahoy_message_scan_call_id(bytes); /* What they find is not the question here. */
    (void)ahoy_message_parse(bytes, &message, &err);
    (void)ahoy_message_routing(&message, &routing, &err);
    (void)ahoy_message_check(&message, &err);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_response response = { .status = 200, .to_tag = SPAN("t") };
    ahoy_compose_response(&buf, &message, &response);
    ahoy_compose_ack(&buf, &message, &message);
    struct ahoy_edits edits;
    struct span pieces[AHOY_PIECES_LIMIT];
    ahoy_edits_init(&edits, message.bytes);
    ahoy_edits_remove_first(&edits, &message, AHOY_HEADER_ROUTE);
    (void)ahoy_edits_gather(&edits, pieces);
    ahoy_uri_print_aor(&routing.request_uri, &buf);
    buf = ahoy_buf_over(space, sizeof space);
    ahoy_message_print(&message, &buf); /* It reads each value by its form. */
}

static void test_no_allocation(void **state)
{
    (void)state;
    count_allocations();
    unsigned long before = allocations;
    const char *const *paths;
    size_t count = test_list_files("tests/torture/messages", ".dat", &paths);
    assert_true(allocations > before); /* The counter counts. */
    for (size_t i = 0; i < count; i++) {
        struct span bytes = test_file(paths[i]);
        before = allocations;
        read_and_answer(bytes);
        assert_int_equal(allocations, before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_no_allocation, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
