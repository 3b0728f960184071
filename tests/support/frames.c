#include "tests/support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct span frames_take(struct span *bytes, unsigned first)
{
    assert_true(bytes->size >= 2);
    assert_int_equal((unsigned char)bytes->at[0], first);
    size_t size = (unsigned char)bytes->at[1];
    size_t length_size = size == 127 ? 8 : size == 126 ? 2 : 0;
    assert_true(bytes->size >= 2 + length_size);
    for (size_t i = 0; i < length_size; i++)
        size = (i == 0 ? 0 : size << 8) | (unsigned char)bytes->at[2 + i];
    *bytes = ahoy_span_after(*bytes, 2 + length_size);
    assert_true(bytes->size >= size);
    struct span payload = { bytes->at, size };
    *bytes = ahoy_span_after(*bytes, size);
    return payload;
}
