/* Tells AddressSanitizer which bytes of our own stores nobody may touch, so that a pointer into
 * a released arena or a removed slot is found although the memory was never given back to the
 * allocator. */
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AHOY_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define AHOY_POISONS 1
#endif

#ifdef AHOY_POISONS
#include <sanitizer/asan_interface.h>
#define ahoy_poison(at, size)   ASAN_POISON_MEMORY_REGION(at, size)
#define ahoy_unpoison(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define ahoy_poison(at, size)   ((void)(at), (void)(size))
#define ahoy_unpoison(at, size) ((void)(at), (void)(size))
#endif
