/* What tests of parsers share: text in heap blocks of exactly its size, so that the address
 * sanitizer sees a byte read too far; spans compared; files read. */
#pragma once

#include "libahoy/base/span.h"

/* A copy of |text|; freed by test_free_all. */
struct span test_copy(struct span text);
/* The copy of a C string. */
struct span test_text(const char *text);
/* The contents of a file of the source tree, named from its root; fails the test where it cannot
 * be read.  Freed by test_free_all. */
struct span test_file(const char *path);
/* The paths, from the root of the source tree and sorted, of all files in |folder| whose names end
 * in |ending|; their count.  Freed by test_free_all. */
size_t test_list_files(const char *folder, const char *ending, const char *const **paths);
/* Frees what the functions above gave out; always 0, so that it can be a teardown. */
int test_free_all(void **state);

void test_assert_span(struct span actual, const char *expected, const char *file, int line);
#define assert_span(actual, expected) test_assert_span(actual, expected, __FILE__, __LINE__)
