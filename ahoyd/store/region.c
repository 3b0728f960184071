/* Addresses cost nothing until they are used, also where the system hands out no more memory than
 * it has: without leave to read or write they are not counted. */
#include "ahoyd/store/region.h"

#include <sys/mman.h>

#include "libahoy/base/poison.h"

enum {
    SMALL_STEP = 64 * 1024,
    HUGE_PAGE = 2 * 1024 * 1024 /* By which it grows, from |huge_from| on. */
};

static size_t rounded(size_t size, size_t step)
{
    return (size + step - 1) / step * step;
}

bool region_init(struct region *region, uint64_t limit, size_t huge_from)
{
    void *map = MAP_FAILED;
    *region = (struct region){ .huge_from = huge_from };
    while (limit > SIZE_MAX / 2)
        limit /= 2;
    for (; limit >= HUGE_PAGE && map == MAP_FAILED; limit /= 2) {
        region->limit = rounded((size_t)limit, HUGE_PAGE);
        /* A huge page more: the first one begins somewhere in what comes. */
        region->mapped = region->limit + HUGE_PAGE;
        map = mmap(NULL, region->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                   0);
    }
    if (map == MAP_FAILED)
        return false;
    region->map = map;
    region->at = region->map + (HUGE_PAGE - (uintptr_t)map % HUGE_PAGE) % HUGE_PAGE;
    return true;
}

void region_fini(struct region *region)
{
    if (region->map == NULL)
        return;
    ahoy_unpoison(region->at, region->size);
    munmap(region->map, region->mapped);
    *region = (struct region){ 0 };
}

bool region_grow(struct region *region, size_t size)
{
    if (size <= region->size)
        return true;
    bool is_huge = size > region->huge_from;
    size = rounded(size, is_huge ? HUGE_PAGE : SMALL_STEP);
    if (size > region->limit ||
        mprotect(region->at + region->size, size - region->size, PROT_READ | PROT_WRITE) != 0)
        return false;
    /* Where it has none, small ones do.  Of what it had before the kernel makes some by and by. */
    if (is_huge)
        (void)madvise(region->at, size, MADV_HUGEPAGE);
    region->size = size;
    return true;
}
