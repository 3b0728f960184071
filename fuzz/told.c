/* What NOTIFYs tell: whatever comes, what is kept stays within its bounds, and a document that has
 * a type, and so entities, is never read.  The first byte of the input says of which package it
 * is. */
#include "ahoy/told.h"
#include "fuzz/target.h"

static const struct span packages[] = { SPAN_INIT("presence"), SPAN_INIT("dialog"),
                                        SPAN_INIT("reg"), SPAN_INIT("message-summary") };

static void check(const struct phone_told_text *text)
{
    struct span bare = ahoy_span_trim((struct span){ text->at, text->size });
    MUST(text->size <= PHONE_TOLD_TEXT_SIZE && bare.size == text->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct phone_told told;
    if (size == 0)
        return 0;
    struct span document = { (const char *)data + 1, size - 1 };
    const struct ahoy_event_package *package = ahoy_event_package_find(packages[data[0] % 4]);
    bool is_told = phone_told_read(package, document, &told);
    MUST(told.count <= PHONE_TOLD_ITEMS && (is_told || told.count == 0));
    for (size_t i = 0; i < told.count; i++) {
        check(&told.items[i].state);
        check(&told.items[i].about);
        check(&told.items[i].note);
    }
    return 0;
}
