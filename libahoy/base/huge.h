/* Memory for what is large and looked into all over: tables, pools, rings.  Where the system has
 * huge pages it stands on those, so a processor finds its way in it without going through tables
 * of small ones, and it is touched for the first time once a huge page. */
#pragma once

#include <stddef.h>

/* |size| bytes, aligned for any type, contents unspecified, to be given back by free; NULL where
 * the allocator refuses.  What does not fill a huge page by half is what malloc gives. */
void *ahoy_huge_take(size_t size);
