/* How bindings are written down, and that what an older server wrote is still read. */
#include "ahoyd/store/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoyd/store/record_old.h"

static void assert_text(struct span text, const char *right)
{
    assert_int_equal(text.size, strlen(right));
    assert_memory_equal(text.at, right, text.size);
}

/* R5626-6-8: nothing of a flow is lost. */
static void flows_are_kept(void **state)
{
    (void)state;
    static struct ahoy_bindings bindings, back;
    const struct ahoy_binding binding = {
        .contact = SPAN("sip:a@192.0.2.1"),
        .params = SPAN(";reg-id=7;+sip.instance=\"<urn:uuid:1>\";audio"),
        .instance = SPAN("<urn:uuid:1>"),
        .path = SPAN("<sip:token@edge.example;lr;ob>"),
        .call_id = SPAN("call"),
        .reg_id = 7,
        .expires_ms = 2000,
        .updated_ms = 1000,
        .era_ms = 0x123456789abcdef,
        .hop = { .transport = AHOY_TCP, .connection = { 3, 4 } },
    };
    ahoy_bindings_init(&bindings);
    assert_true(ahoy_bindings_add(&bindings, &binding));
    struct record *record = record_new(NULL, SPAN("a@atlanta.example"), &bindings);
    assert_non_null(record);
    assert_true(record_decode(record_state(record), 1500, &back));
    assert_int_equal(back.count, 1);
    assert_text(back.list[0].params, ";reg-id=7;+sip.instance=\"<urn:uuid:1>\";audio");
    assert_text(back.list[0].instance, "<urn:uuid:1>");
    assert_text(back.list[0].path, "<sip:token@edge.example;lr;ob>");
    assert_int_equal(back.list[0].reg_id, 7);
    assert_int_equal(back.list[0].updated_ms, 1000);
    assert_int_equal(back.list[0].era_ms, 0x123456789abcdef);
    assert_int_equal(back.list[0].hop.connection.slot, 3);
    free(record);
}

/* Version 1, byte by byte. */
static void old_rows_are_read(void **state)
{
    (void)state;
    static struct ahoy_bindings back;
    const struct span row = SPAN("\1\1" /* version, count */
                                 "\xd0\7\0\0\0\0\0\0"
                                 "\5\0\0\0" /* expires, cseq */
                                 "\xe8\3"
                                 "\0\1\0\0" /* q, transport to worker */
                                 "\0\0\0\0\0\0\0\0"
                                 "\4" /* connection, family */
                                 "\xc4\x13"
                                 "\0\0\0\0" /* port, scope */
                                 "\x10\0"
                                 "\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "\5\0"
                                 "sip:a"
                                 "\4\0"
                                 "call");
    assert_true(record_decode_old(row, &back));
    assert_int_equal(back.count, 1);
    assert_text(back.list[0].contact, "sip:a");
    assert_text(back.list[0].call_id, "call");
    assert_int_equal(back.list[0].hop.remote.port, 5060);
    assert_int_equal(back.list[0].reg_id, 0);
    assert_int_equal(back.list[0].instance.size, 0);
    /* As one of version 2 or 3 it is cut off, and of others there are no states. */
    char other[128] = { 0 };
    memcpy(other, row.at, row.size);
    for (char version = 2; version <= 4; version++) {
        other[0] = version;
        assert_false(record_decode_old((struct span){ other, row.size }, &back));
    }
    /* With what version 2 has behind it: times, reg-id, and three texts. */
    other[0] = 2;
    assert_true(record_decode_old((struct span){ other, row.size + 18 }, &back));
    assert_int_equal(back.list[0].era_ms, 0);
}

/* Version 3, with a check, as a server wrote it. */
static void sealed_old_rows_are_read(void **state)
{
    (void)state;
    static struct ahoy_bindings back;
    static const char row[] = "\x83\1cz\xd2\"\xa2\1\0\0\5\0\0\0\xe8\3\1\0\0\0"
                              "\0\0\0\0\0\0\0\0\4\xde:\0\0\0\0\x10\0"
                              "\x7f\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0"
                              "\x0f\0sip:a@192.0.2.1\4\0call\xe3\x8b\x9b\"\xa2\1\0\0\0\0\0\0"
                              "\x1d\0;+sip.instance=\"<urn:uuid:1>\"\x0c\0<urn:uuid:1>\0\0"
                              "\xe3\x8b\x9b\"\xa2\1\0\0\xa7s2\xcd";
    struct record *record =
        record_read(NULL, SPAN("a@bench.example"), (struct span){ row, sizeof row - 1 });
    assert_non_null(record);
    assert_true(record_decode(record_state(record), 0, &back));
    assert_int_equal(back.count, 1);
    assert_text(back.list[0].contact, "sip:a@192.0.2.1");
    assert_text(back.list[0].instance, "<urn:uuid:1>");
    assert_int_equal(back.list[0].expires_ms - back.list[0].updated_ms, 3600000);
    assert_int_equal(back.list[0].era_ms, back.list[0].updated_ms);
    assert_int_equal(back.list[0].hop.remote.port, 15070);
    free(record);
}

/* What cannot be told by another part of the binding, and numbers as large as they can be. */
static void odd_bindings_are_kept(void **state)
{
    (void)state;
    static struct ahoy_bindings bindings, back;
    const struct ahoy_binding binding = {
        .contact = SPAN("sip:a@192.0.2.1"),
        .params = SPAN(";+sip.instance=\"<urn:uuid:2>\""),
        .instance = SPAN("<urn:uuid:1>"),
        .cseq = UINT32_MAX,
        .q = 1000,
        .reg_id = INT32_MAX,
        .expires_ms = UINT64_MAX,
        .updated_ms = 5,
        .era_ms = UINT64_MAX - 1, /* After the update: all temporary GRUUs were ended at once. */
        .hop = { .transport = AHOY_TLS,
                 .listener = UINT8_MAX,
                 .worker = UINT16_MAX,
                 .connection = { UINT32_MAX, UINT32_MAX },
                 .remote = { .family = AHOY_IPV6,
                             .port = UINT16_MAX,
                             .scope = UINT32_MAX,
                             .bytes = { 0x20, 1, [15] = 9 } } },
    };
    ahoy_bindings_init(&bindings);
    assert_true(ahoy_bindings_add(&bindings, &binding));
    struct record *record = record_new(NULL, SPAN("a@atlanta.example"), &bindings);
    assert_non_null(record);
    assert_true(record_decode(record_state(record), 0, &back));
    const struct ahoy_binding *kept = &back.list[0];
    assert_text(kept->instance, "<urn:uuid:1>");
    assert_text(kept->params, ";+sip.instance=\"<urn:uuid:2>\"");
    assert_int_equal(kept->cseq, UINT32_MAX);
    assert_int_equal(kept->reg_id, INT32_MAX);
    assert_true(kept->expires_ms == UINT64_MAX && kept->era_ms == UINT64_MAX - 1);
    assert_int_equal(kept->updated_ms, 5);
    assert_memory_equal(&kept->hop.remote, &binding.hop.remote, sizeof kept->hop.remote);
    assert_int_equal(kept->hop.worker, UINT16_MAX);
    assert_int_equal(kept->hop.connection.generation, UINT32_MAX);
    free(record);
}

/* What a disk does to a row is noticed, and whose row it is belongs to it. */
static void seals_are_checked(void **state)
{
    (void)state;
    static char row[RECORD_SEALED_LIMIT];
    const struct span aor = SPAN("a@atlanta.example");
    struct ahoy_bindings bindings;
    ahoy_bindings_init(&bindings);
    const struct ahoy_binding binding = { .contact = SPAN("sip:a@192.0.2.1"), .expires_ms = 2000 };
    assert_true(ahoy_bindings_add(&bindings, &binding));
    struct record *record = record_new(NULL, aor, &bindings);
    struct span sealed = record_seal(record, row);
    free(record);
    record = record_read(NULL, aor, sealed);
    assert_non_null(record);
    free(record);
    assert_null(record_read(NULL, SPAN("b@atlanta.example"), sealed));
    for (size_t bit = 0; bit < 8 * sealed.size; bit++) {
        row[bit / 8] = (char)(row[bit / 8] ^ (1 << bit % 8));
        assert_null(record_read(NULL, aor, sealed));
        row[bit / 8] = (char)(row[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t size = 0; size < sealed.size; size++)
        assert_null(record_read(NULL, aor, (struct span){ row, size }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_are_kept),           cmocka_unit_test(old_rows_are_read),
        cmocka_unit_test(sealed_old_rows_are_read), cmocka_unit_test(odd_bindings_are_kept),
        cmocka_unit_test(seals_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
