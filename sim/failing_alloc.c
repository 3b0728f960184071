/* Memory that runs out when a test says so.  The program's own malloc comes before any library's,
 * be it the C library's or a sanitizer's; what it passes on to is found under the names that both
 * keep for this. */
#include "sim/failing_alloc.h"

#include <errno.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STANDS_ASIDE 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define STANDS_ASIDE 1
#endif
#ifndef STANDS_ASIDE
#define STANDS_ASIDE 0
#endif

static _Thread_local bool armed;
static _Thread_local size_t allowed;
static _Thread_local size_t refused;
static _Thread_local enum failing_alloc_mode how;

void failing_alloc_begin(size_t count, enum failing_alloc_mode mode)
{
    allowed = count;
    refused = 0;
    how = mode;
    armed = true;
}

bool failing_alloc_works(void)
{
    return !STANDS_ASIDE;
}

size_t failing_alloc_end(void)
{
    armed = false;
    return refused;
}

/* ThreadSanitizer cannot bear to be called from a malloc that is not its own while it starts. */
#if !STANDS_ASIDE

/* Nothing may be woven into these: they run before a sanitizer has set itself up. */
#if defined(__clang__)
#define PLAIN __attribute__((no_sanitize("address", "undefined", "thread")))
#else
#define PLAIN __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
__attribute__((weak)) void *__interceptor_malloc(size_t size);
__attribute__((weak)) void *__interceptor_calloc(size_t count, size_t size);
__attribute__((weak)) void *__interceptor_realloc(void *old, size_t size);
__attribute__((weak)) void *__interceptor_aligned_alloc(size_t alignment, size_t size);

PLAIN static bool refuses(void)
{
    if (!armed)
        return false;
    if (allowed > 0) {
        allowed--;
        return false;
    }
    if (how == FAILING_ALLOC_ONE && refused > 0)
        return false;
    refused++;
    errno = ENOMEM;
    return true;
}

PLAIN void *malloc(size_t size)
{
    if (refuses())
        return NULL;
    return __interceptor_malloc != NULL ? __interceptor_malloc(size) : __libc_malloc(size);
}

PLAIN void *calloc(size_t count, size_t size)
{
    if (refuses())
        return NULL;
    return __interceptor_calloc != NULL ? __interceptor_calloc(count, size)
                                        : __libc_calloc(count, size);
}

PLAIN void *realloc(void *old, size_t size)
{
    if (refuses())
        return NULL;
    return __interceptor_realloc != NULL ? __interceptor_realloc(old, size)
                                         : __libc_realloc(old, size);
}

PLAIN void *aligned_alloc(size_t alignment, size_t size)
{
    if (refuses())
        return NULL;
    return __interceptor_aligned_alloc != NULL ? __interceptor_aligned_alloc(alignment, size)
                                               : __libc_memalign(alignment, size);
}

#endif
