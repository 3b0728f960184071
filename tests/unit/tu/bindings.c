/* The list of bindings: copies, limits, and what has expired. */
#include "libahoy/tu/bindings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct ahoy_binding binding_of(const char *contact, uint64_t expires_ms)
{
    return (struct ahoy_binding){
        .contact = ahoy_span(contact),
        .call_id = SPAN("a84b4c76e66710"),
        .cseq = 7,
        .q = 500,
        .expires_ms = expires_ms,
        .hop = { .transport = AHOY_TCP, .listener = 1, .connection = { 3, 4 } },
    };
}

static void assert_text(struct span text, const char *right)
{
    assert_int_equal(text.size, strlen(right));
    assert_memory_equal(text.at, right, text.size);
}

static void texts_are_copied(void **state)
{
    (void)state;
    static struct ahoy_bindings bindings;
    char contact[] = "sip:alice@192.0.2.1";
    struct ahoy_binding binding = binding_of(contact, 1000);
    ahoy_bindings_init(&bindings);
    assert_true(ahoy_bindings_add(&bindings, &binding));
    memset(contact, 'x', sizeof contact - 1);
    assert_int_equal(bindings.count, 1);
    assert_text(bindings.list[0].contact, "sip:alice@192.0.2.1");
    assert_text(bindings.list[0].call_id, "a84b4c76e66710");
    assert_int_equal(bindings.list[0].cseq, 7);
    assert_int_equal(bindings.list[0].q, 500);
    assert_int_equal(bindings.list[0].hop.connection.slot, 3);
}

/* Attack 56: no list grows without end. */
static void limits_refuse(void **state)
{
    (void)state;
    static struct ahoy_bindings bindings;
    static char text[AHOY_PATH_LIMIT + 1], own[AHOY_INSTANCE_LIMIT + 1];
    memset(text, 'a', sizeof text);
    memset(own, 'a', sizeof own);
    ahoy_bindings_init(&bindings);
    struct ahoy_binding binding = binding_of("", 1000);
    binding.contact = (struct span){ text, AHOY_CONTACT_LIMIT + 1 };
    assert_false(ahoy_bindings_add(&bindings, &binding));
    binding.contact.size = AHOY_CONTACT_LIMIT;
    binding.call_id = (struct span){ text, AHOY_BINDING_CALL_ID_LIMIT + 1 };
    assert_false(ahoy_bindings_add(&bindings, &binding));
    binding.call_id.size = AHOY_BINDING_CALL_ID_LIMIT;
    binding.params = (struct span){ text, AHOY_CONTACT_PARAMS_LIMIT + 1 };
    assert_false(ahoy_bindings_add(&bindings, &binding));
    binding.params.size = AHOY_CONTACT_PARAMS_LIMIT;
    binding.instance = (struct span){ own, AHOY_INSTANCE_LIMIT + 1 };
    assert_false(ahoy_bindings_add(&bindings, &binding));
    binding.instance.size = AHOY_INSTANCE_LIMIT;
    binding.path = (struct span){ text, AHOY_PATH_LIMIT + 1 };
    assert_false(ahoy_bindings_add(&bindings, &binding));
    assert_int_equal(bindings.count, 0);
    binding.path.size = AHOY_PATH_LIMIT;
    for (int i = 0; i < AHOY_BINDINGS_LIMIT; i++)
        assert_true(ahoy_bindings_add(&bindings, &binding));
    assert_int_equal(bindings.text_size, AHOY_BINDINGS_TEXT_LIMIT);
    assert_false(ahoy_bindings_add(&bindings, &binding));
    assert_int_equal(bindings.count, AHOY_BINDINGS_LIMIT);
}

/* It stands among the parameters mostly, and is kept once then. */
static void an_instance_is_kept_where_it_stands(void **state)
{
    (void)state;
    static struct ahoy_bindings bindings;
    char params[] = ";+sip.instance=\"<urn:uuid:1>\"", other[] = "<urn:uuid:2>";
    struct ahoy_binding binding = binding_of("sip:alice@192.0.2.1", 1000);
    binding.params = ahoy_span(params);
    binding.instance = (struct span){ params + 16, 12 };
    ahoy_bindings_init(&bindings);
    assert_true(ahoy_bindings_add(&bindings, &binding));
    binding.instance = ahoy_span(other);
    assert_true(ahoy_bindings_add(&bindings, &binding));
    memset(params, 'x', sizeof params - 1);
    memset(other, 'x', sizeof other - 1);
    const struct ahoy_binding *first = &bindings.list[0];
    assert_text(first->instance, "<urn:uuid:1>");
    assert_ptr_equal(first->instance.at, first->params.at + 16);
    assert_text(bindings.list[1].instance, "<urn:uuid:2>");
}

static void a_copy_leaves_out_what_has_expired(void **state)
{
    (void)state;
    static struct ahoy_bindings from;
    static struct ahoy_bindings to;
    struct ahoy_binding first = binding_of("sip:alice@192.0.2.1", 1000);
    struct ahoy_binding second = binding_of("sip:alice@192.0.2.2", 1001);
    ahoy_bindings_init(&from);
    assert_true(ahoy_bindings_add(&from, &first));
    assert_true(ahoy_bindings_add(&from, &second));
    ahoy_bindings_copy(&to, &from, 999);
    assert_int_equal(to.count, 2);
    ahoy_bindings_copy(&to, &from, 1000);
    assert_int_equal(to.count, 1);
    memset(&from, 0xee, sizeof from);
    assert_text(to.list[0].contact, "sip:alice@192.0.2.2");
    assert_text(to.list[0].call_id, "a84b4c76e66710");
    assert_int_equal(to.text_size, strlen("sip:alice@192.0.2.2") + strlen("a84b4c76e66710"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(limits_refuse),
        cmocka_unit_test(an_instance_is_kept_where_it_stands),
        cmocka_unit_test(a_copy_leaves_out_what_has_expired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
