/* What every fuzz target defines: libFuzzer calls it with bytes of its own making, replay.c with
 * the files of a corpus. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where a rule is broken; unlike assert it says which input did it, and cannot be
 * compiled away. */
#define MUST(rule)                                                                                 \
    do {                                                                                           \
        if (!(rule))                                                                               \
            __builtin_trap();                                                                      \
    } while (0)
