#include "tests/support/tls_end.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct ahoy_pages end_pages; /* Zeroed, it keeps none. */

struct ahoy_tls_way end_way_of(struct end *end)
{
    return (struct ahoy_tls_way){ .outgoing = &end->outgoing, .pages = &end_pages };
}

void end_take(struct end *end, struct span sealed)
{
    char plain[END_ROOM];
    size_t size;
    struct ahoy_tls_way way = end_way_of(end);
    ahoy_tls_open(end->tls, sealed, &way, plain, sizeof plain, &size);
    assert_true(size <= sizeof end->plain - end->size);
    memcpy(end->plain + end->size, plain, size);
    end->size += size;
}

bool end_carry(struct end *from, struct end *to, size_t piece)
{
    struct iovec pieces[AHOY_PAGES_A_WRITE];
    if (ahoy_outgoing_pieces(&from->outgoing, pieces) == 0)
        return false;
    size_t size = pieces[0].iov_len;
    for (size_t at = 0; at < size; at += piece)
        end_take(to, (struct span){ (const char *)pieces[0].iov_base + at,
                                    piece < size - at ? piece : size - at });
    ahoy_outgoing_take(&from->outgoing, &end_pages, size);
    return true;
}

void end_talk(struct end *client, struct end *server, size_t piece)
{
    bool more = true;
    while (more) {
        more = end_carry(client, server, piece);
        more = end_carry(server, client, piece) || more;
    }
}

void end_free(struct end *end)
{
    ahoy_outgoing_clear(&end->outgoing, &end_pages);
    ahoy_tls_free(end->tls);
    *end = (struct end){ .size = 0 };
}

void end_put(struct end *end, struct span plain)
{
    struct ahoy_tls_way way = end_way_of(end);
    assert_true(ahoy_tls_seal(end->tls, plain, &way));
}

void end_expect(struct end *end, struct span plain)
{
    assert_int_equal(end->size, plain.size);
    assert_memory_equal(end->plain, plain.at, plain.size);
    end->size = 0;
}
