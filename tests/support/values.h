/* What tests of header values share. */
#pragma once

#include "libahoy/syntax/value.h"

/* Parses |text|, in a block of exactly its size; fails the test at a fault. */
struct ahoy_value test_value(enum ahoy_header header, const char *text);

/* A value that is sound, and its canonical spelling. */
struct test_good_value {
    enum ahoy_header header;
    const char *text;
    const char *printed; /* NULL: as |text|. */
};

/* A value that is not, where, and what should have stood there. */
struct test_bad_value {
    enum ahoy_header header;
    const char *text;
    size_t offset;
    const char *expected;
};

/* Each is read; its spelling is |printed|, which is read again to the same form and the same
 * spelling; and its parameters lie within it. */
void test_good_values(const struct test_good_value *values, size_t count);
void test_bad_values(const struct test_bad_value *values, size_t count);

#define TEST_COUNT(table) (sizeof(table) / sizeof(table)[0])
