/* What the workers find of each other's connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ahoyd/directory.h"
#include "tests/support/failing_alloc.h"

static struct ahoy_hop hop_to(const char *text, uint16_t port, enum ahoy_transport transport)
{
    struct ahoy_hop hop = { .transport = (uint8_t)transport, .listener = AHOY_ANY_LISTENER };
    assert_true(ahoy_ip_parse(ahoy_span(text), &hop.remote));
    hop.remote.port = port;
    return hop;
}

static struct ahoy_hop owned(struct ahoy_hop hop, uint16_t worker, uint32_t slot)
{
    hop.worker = worker;
    hop.connection = (struct ahoy_handle){ slot, 7 };
    return hop;
}

static struct ahoy_directory *make(void)
{
    struct ahoy_directory *directory = ahoyd_directory_new((struct ahoy_hash_key){ { 1, 2 } });
    assert_non_null(directory);
    return directory;
}

/* By its address, port and transport, all of them. */
static void test_found_by_where_it_leads(void **state)
{
    (void)state;
    struct ahoy_directory *directory = make();
    struct ahoy_hop listed = owned(hop_to("192.0.2.1", 5070, AHOY_TCP), 2, 9);
    directory->add(directory, &listed);
    struct ahoy_hop hop = hop_to("192.0.2.1", 5070, AHOY_TCP);
    assert_true(directory->find(directory, &hop));
    assert_int_equal(hop.worker, 2);
    assert_true(ahoy_handle_equal(hop.connection, listed.connection));
    struct ahoy_hop others[] = {
        hop_to("192.0.2.2", 5070, AHOY_TCP),
        hop_to("192.0.2.1", 5071, AHOY_TCP),
        hop_to("192.0.2.1", 5070, AHOY_TLS),
        hop_to("2001:db8::1", 5070, AHOY_TCP),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(directory->find(directory, &others[i]));
        assert_int_equal(others[i].connection.generation, 0);
    }
    directory->remove(directory, &listed);
    ahoyd_directory_free(directory);
}

/* Two connections to one peer: the other one is found when the first is gone, and one that was
 * never listed takes none with it. */
static void test_removed_one_by_one(void **state)
{
    (void)state;
    struct ahoy_directory *directory = make();
    struct ahoy_hop first = owned(hop_to("192.0.2.1", 5070, AHOY_TCP), 0, 1);
    struct ahoy_hop second = owned(hop_to("192.0.2.1", 5070, AHOY_TCP), 1, 1);
    struct ahoy_hop never = owned(hop_to("192.0.2.1", 5070, AHOY_TCP), 1, 3);
    directory->add(directory, &first);
    directory->add(directory, &second);
    directory->remove(directory, &never);
    directory->remove(directory, &first);
    struct ahoy_hop hop = hop_to("192.0.2.1", 5070, AHOY_TCP);
    assert_true(directory->find(directory, &hop));
    assert_int_equal(hop.worker, 1);
    directory->remove(directory, &second);
    hop = hop_to("192.0.2.1", 5070, AHOY_TCP);
    assert_false(directory->find(directory, &hop));
    ahoyd_directory_free(directory);
}

/* Where memory runs out, at whichever point, the connection is not listed; nothing else happens. */
static void test_without_memory(void **state)
{
    (void)state;
    for (size_t allowed = 0; allowed < 2; allowed++) {
        struct ahoy_directory *directory = make();
        struct ahoy_hop listed = owned(hop_to("192.0.2.1", 5070, AHOY_TCP), 2, 9);
        failing_alloc_begin(allowed, FAILING_ALLOC_FROM_THERE);
        directory->add(directory, &listed);
        bool refused = failing_alloc_end() > 0; /* Under ThreadSanitizer none is. */
        struct ahoy_hop hop = hop_to("192.0.2.1", 5070, AHOY_TCP);
        assert_int_equal(directory->find(directory, &hop), !refused);
        directory->remove(directory, &listed);
        ahoyd_directory_free(directory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_where_it_leads),
        cmocka_unit_test(test_removed_one_by_one),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
