/* The kernel gives no huge page for a part of one: what ends with less than half of one ends with
 * small pages.  What is behind the end is never touched, so it takes no memory. */
#include "libahoy/base/huge.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *ahoy_huge_take(size_t size)
{
    if (size < HUGE_PAGE / 2 || size > SIZE_MAX / 2)
        return malloc(size);
    size_t rest = size % HUGE_PAGE;
    size_t whole = rest == 0 ? size : size - rest + HUGE_PAGE;
    void *memory = aligned_alloc(HUGE_PAGE, whole);
    if (memory == NULL)
        return NULL;
    /* Where it fails, all pages are small ones. */
    (void)madvise(memory, rest < HUGE_PAGE / 2 ? size - rest : whole, MADV_HUGEPAGE);
    return memory;
}
