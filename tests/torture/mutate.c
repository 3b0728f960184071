/* All messages of both folders, cut short at every byte and with bytes changed: whatever comes,
 * nothing crashes, everything indexed lies inside, and what is answered can be read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/base/rng.h"
#include "libahoy/syntax/compose.h"
#include "tests/support/bytes.h"

static struct ahoy_message message;
static struct ahoy_message answer;
static char space[AHOY_MESSAGE_LIMIT + 4000];

static void expect_inside(struct span part, struct span whole)
{
    assert_true(part.at >= whole.at && ahoy_span_end(part) <= ahoy_span_end(whole));
}

static void expect_sound_index(struct span bytes)
{
    expect_inside(message.bytes, bytes);
    expect_inside(message.start_line, message.bytes);
    assert_true(message.headers_end <= message.bytes.size);
    for (unsigned i = 0; i < message.field_count; i++) {
        const struct ahoy_field *field = &message.fields[i];
        expect_inside(field->row, message.bytes);
        expect_inside(field->name, field->row);
        expect_inside(field->value, field->row);
        assert_true(ahoy_span_end(field->name) < field->value.at);
        assert_memory_equal(ahoy_span_end(field->row) - 2, "\r\n", 2);
    }
}

/* Answers |message|; if that could be routed, so can the answer. */
static void answer_it(bool sound, const struct ahoy_routing *routing)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_ip source;
    assert_true(ahoy_ip_parse(SPAN("2001:db8::1"), &source));
    source.port = 5060;
    ahoy_compose_response(
        &buf, &message,
        &(struct ahoy_response){ .status = 400, .to_tag = SPAN("t"), .received = &source });
    struct span bytes = test_copy(ahoy_buf_text(&buf));
    bool parsed = ahoy_message_parse(bytes, &answer, NULL);
    struct ahoy_routing back;
    bool routed = ahoy_message_routing(&answer, &back, NULL);
    if (!sound || bytes.size > AHOY_MESSAGE_LIMIT)
        return;
    assert_true(parsed);
    assert_true(routed);
    assert_true(ahoy_span_equal(back.call_id, routing->call_id));
    assert_true(ahoy_span_equal(back.via.branch, routing->via.branch));
    assert_true(ahoy_span_equal(back.from_tag, routing->from_tag));
}

static void feed(struct span text)
{
    struct span bytes = test_copy(text);
    struct ahoy_err err = { .expected = NULL };
    bool parsed = ahoy_message_parse(bytes, &message, &err);
    assert_int_equal(parsed, err.expected == NULL);
    expect_sound_index(bytes);
    struct ahoy_routing routing;
    bool routed = ahoy_message_routing(&message, &routing, &err);
    if (!parsed || !routed)
        assert_in_range(ahoy_err_offset(&err, bytes), 0, bytes.size);
    (void)ahoy_message_check(&message, &err); /* Either is fine. */
    struct span call_id = ahoy_message_scan_call_id(bytes);
    if (parsed && routed)
        assert_true(ahoy_span_equal(call_id, routing.call_id));
    if (message.is_request)
        answer_it(parsed && routed, &routing);
    test_free_all(NULL);
}

/* Every prefix of |text|, and |count| versions of it with up to eight bytes changed. */
static void feed_variants(struct span text, struct ahoy_rng *rng, unsigned count)
{
    static char changed[70000];
    static const char likely[] = "\r\n\t \"<>,;:=@%\\\0/?&[]0z\xff";
    for (size_t size = 0; size <= text.size; size++)
        feed((struct span){ text.at, size });
    for (unsigned i = 0; i < count; i++) {
        memcpy(changed, text.at, text.size);
        for (uint64_t flips = 1 + ahoy_rng_below(rng, 8); flips > 0; flips--) {
            size_t place = ahoy_rng_below(rng, text.size);
            if (ahoy_rng_below(rng, 2) == 0)
                changed[place] = likely[ahoy_rng_below(rng, sizeof likely - 1)];
            else
                changed[place] ^= (char)(1u << ahoy_rng_below(rng, 8));
        }
        feed((struct span){ changed, text.size });
    }
}

static void feed_folder(const char *folder, const char *ending, unsigned count)
{
    static const uint64_t seed[2] = { 3261, 4475 };
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, seed);
    const char *const *paths;
    size_t files = test_list_files(folder, ending, &paths);
    assert_true(files > 0);
    struct span *texts = calloc(files, sizeof *texts);
    assert_non_null(texts);
    for (size_t i = 0; i < files; i++) {
        struct span text = test_file(paths[i]);
        char *copy = malloc(text.size);
        assert_non_null(copy);
        memcpy(copy, text.at, text.size);
        texts[i] = (struct span){ copy, text.size };
    }
    for (size_t i = 0; i < files; i++) {
        feed_variants(texts[i], &rng, count);
        free((char *)(uintptr_t)texts[i].at);
    }
    free(texts);
}

static void test_torture_messages(void **state)
{
    (void)state;
    feed_folder("tests/torture/messages", ".dat", 500);
}

static void test_flow_messages(void **state)
{
    (void)state;
    feed_folder("tests/torture/flows", ".sip", 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_torture_messages, test_free_all),
        cmocka_unit_test_teardown(test_flow_messages, test_free_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
