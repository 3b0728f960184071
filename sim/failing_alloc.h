/* Memory that runs out when a test says so.  A test that names one of these functions is linked
 * with a malloc, calloc and realloc of its own, which pass everything on to the real ones (the
 * sanitizer's, where there is one) until they are told to refuse.  So what has to survive a
 * failing allocation is run under every one:
 *
 *     for (size_t count = 0;; count++) {
 *         failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
 *         ... what is under test; no assertions here, they would meet the refusal themselves ...
 *         if (failing_alloc_end() == 0)
 *             break;
 *         ... check that it failed as its header says, and left things whole ...
 *     }
 *
 * And what must not allocate at all runs between begin(0, ...) and an end() that returns 0.
 *
 * Two limits: under ThreadSanitizer nothing is ever refused, and under AddressSanitizer what the C
 * library takes for itself (strdup, say) is not. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum failing_alloc_mode {
    FAILING_ALLOC_ONE,       /* One allocation is refused, later ones succeed again. */
    FAILING_ALLOC_FROM_THERE /* That one and all later ones are refused. */
};

/* Lets the next |count| allocations of this thread succeed, then refuses.  Other threads never
 * notice. */
void failing_alloc_begin(size_t count, enum failing_alloc_mode mode);

/* Whether anything can be refused at all: not so under ThreadSanitizer.  Tests that ask for
 * refusals are skipped where it cannot. */
bool failing_alloc_works(void);

/* Refuses no more.  Returns how many allocations were refused since begin. */
size_t failing_alloc_end(void);
