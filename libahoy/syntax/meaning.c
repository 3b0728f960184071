/* Tables of words and what they mean. */
#include "libahoy/syntax/meaning.h"

const struct ahoy_meaning *ahoy_meaning_find(const struct ahoy_word *words, size_t count,
                                             struct span name)
{
    for (size_t i = 0; i < count; i++) {
        if (ahoy_span_equal_nocase(words[i].name, name))
            return &words[i].meaning;
    }
    return NULL;
}
