/* The queue of pages. */
#include "libahoy/io/outgoing.h"

#include <assert.h>
#include <stdlib.h>

struct ahoy_page {
    struct ahoy_page *next;
    size_t first, end; /* The bytes that are still to leave. */
    char bytes[AHOY_PAGE_SIZE];
};

void ahoy_pages_init(struct ahoy_pages *pages, size_t keep)
{
    *pages = (struct ahoy_pages){ .keep = keep };
}

void ahoy_pages_trim(struct ahoy_pages *pages)
{
    while (pages->free != NULL) {
        struct ahoy_page *page = pages->free;
        pages->free = page->next;
        free(page);
    }
    pages->kept = 0;
}

static struct ahoy_page *add_page(struct ahoy_pages *pages)
{
    struct ahoy_page *page = pages->free;
    if (page != NULL) {
        pages->free = page->next;
        pages->kept--;
    } else {
        page = malloc(sizeof *page);
        if (page == NULL)
            return NULL;
    }
    page->next = NULL;
    page->first = page->end = 0;
    return page;
}

static void remove_page(struct ahoy_pages *pages, struct ahoy_page *page)
{
    if (pages->kept == pages->keep) {
        free(page);
        return;
    }
    page->next = pages->free;
    pages->free = page;
    pages->kept++;
}

bool ahoy_outgoing_put(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages, struct span bytes)
{
    while (bytes.size > 0) {
        struct ahoy_page *last = outgoing->last;
        if (last == NULL || last->end == AHOY_PAGE_SIZE) {
            struct ahoy_page *page = add_page(pages);
            if (page == NULL)
                return false;
            if (last == NULL)
                outgoing->first = page;
            else
                last->next = page;
            outgoing->last = last = page;
        }
        size_t room = AHOY_PAGE_SIZE - last->end;
        size_t size = bytes.size < room ? bytes.size : room;
        memcpy(last->bytes + last->end, bytes.at, size);
        last->end += size;
        outgoing->size += size;
        pages->used += size;
        bytes = ahoy_span_after(bytes, size);
    }
    return true;
}

int ahoy_outgoing_pieces(const struct ahoy_outgoing *outgoing,
                         struct iovec pieces[AHOY_PAGES_A_WRITE])
{
    int count = 0;
    for (struct ahoy_page *page = outgoing->first; page != NULL && count < AHOY_PAGES_A_WRITE;
         page = page->next)
        pieces[count++] = (struct iovec){ page->bytes + page->first, page->end - page->first };
    return count;
}

void ahoy_outgoing_take(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages, size_t size)
{
    assert(size <= outgoing->size);
    outgoing->size -= size;
    pages->used -= size;
    while (outgoing->first != NULL) {
        struct ahoy_page *page = outgoing->first;
        size_t left = page->end - page->first;
        if (size < left) {
            page->first += size;
            return;
        }
        size -= left;
        outgoing->first = page->next;
        remove_page(pages, page);
    }
    outgoing->last = NULL;
}

void ahoy_outgoing_clear(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages)
{
    ahoy_outgoing_take(outgoing, pages, outgoing->size);
}
