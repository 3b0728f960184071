/* Showing what a NOTIFY tells, in words: a line, or a member of a list, for each thing. */
#include <stdio.h>

#include "ahoy/show.h"
#include "ahoy/told.h"

static void show_text(const char *before, const struct phone_told_text *text, const char *behind,
                      bool json)
{
    if (text->size == 0 && !json)
        return;
    printf("%s", before);
    phone_print_strange((struct span){ text->at, text->size }, json);
    printf("%s", behind);
}

bool phone_show_told(const struct phone_options *options, struct span document)
{
    struct phone_told told;
    if (options->package == NULL || !phone_told_read(options->package, document, &told))
        return false;
    if (options->json)
        printf(",\"told\":[");
    for (size_t i = 0; i < told.count; i++) {
        const struct phone_told_item *item = &told.items[i];
        if (options->json) {
            show_text(i > 0 ? ",{\"state\":\"" : "{\"state\":\"", &item->state, "\"", true);
            show_text(",\"about\":\"", &item->about, "\"", true);
            show_text(",\"note\":\"", &item->note, "\"}", true);
        } else {
            printf(" ");
            show_text(" ", &item->state, "", false);
            show_text("  ", &item->about, "", false);
            show_text("  (", &item->note, ")", false);
            printf("\n");
        }
    }
    if (options->json)
        printf("]");
    else if (told.count == 0)
        printf("  nothing\n");
    return true;
}
