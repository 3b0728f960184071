/* RFC 3261 figure 8, with what RFC 4320 and RFC 6026 change, arrow by arrow. */
#include "libahoy/transaction/noninvite_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/aborts.h"

/* An arrow of the figure. */
struct arrow {
    enum nis_state state;
    enum nis_event event;
    enum nis_state next;
    unsigned effects;
};

/* clang-format off */
static const struct arrow arrows[] = {
    /* 17.2.2: further requests are discarded. */
    { NIS_TRYING,     NIS_REQUEST,     NIS_TRYING,     0 },
    /* R3261-17.2.2-1, -2 */
    { NIS_TRYING,     NIS_PROVISIONAL, NIS_PROCEEDING, NIS_SEND },
    /* R3261-17.2.2-6 */
    { NIS_TRYING,     NIS_FINAL,       NIS_COMPLETED,  NIS_SEND | NIS_STOP | NIS_START_J },
    /* RFC 4320 4.2: too late for any answer. */
    { NIS_TRYING,     NIS_TIMER_F,     NIS_TERMINATED, 0 },
    /* R3261-17.2.2-4 */
    { NIS_PROCEEDING, NIS_REQUEST,     NIS_PROCEEDING, NIS_RESEND },
    /* R3261-17.2.2-3 */
    { NIS_PROCEEDING, NIS_PROVISIONAL, NIS_PROCEEDING, NIS_SEND },
    /* R3261-17.2.2-5 */
    { NIS_PROCEEDING, NIS_FINAL,       NIS_COMPLETED,  NIS_SEND | NIS_STOP | NIS_START_J },
    /* R6026-8.8-1 */
    { NIS_PROCEEDING, NIS_SEND_FAILED, NIS_PROCEEDING, NIS_TELL_UNREACHABLE },
    { NIS_PROCEEDING, NIS_TIMER_F,     NIS_TERMINATED, 0 },
    /* R3261-17.2.2-7 */
    { NIS_COMPLETED,  NIS_REQUEST,     NIS_COMPLETED,  NIS_RESEND },
    { NIS_COMPLETED,  NIS_PROVISIONAL, NIS_COMPLETED,  0 },
    /* R3261-17.2.2-8 */
    { NIS_COMPLETED,  NIS_FINAL,       NIS_COMPLETED,  0 },
    { NIS_COMPLETED,  NIS_SEND_FAILED, NIS_COMPLETED,  NIS_TELL_UNREACHABLE },
    /* R3261-17.2.2-9 */
    { NIS_COMPLETED,  NIS_TIMER_J,     NIS_TERMINATED, 0 },
};
/* clang-format on */

enum { ARROWS = sizeof arrows / sizeof arrows[0] };

static const struct arrow *find(enum nis_state state, enum nis_event event)
{
    const struct arrow *found = NULL;
    for (size_t i = 0; i < ARROWS; i++) {
        if (arrows[i].state != state || arrows[i].event != event)
            continue;
        assert_null(found); /* Once is enough. */
        found = &arrows[i];
    }
    return found;
}

static void take(const void *context)
{
    const struct arrow *arrow = context;
    struct ahoy_noninvite_server machine = { .state = arrow->state };
    (void)ahoy_noninvite_server_step(&machine, arrow->event); /* It must not come back. */
}

/* Every cell: an arrow of the figure, or what only a wrong owner could bring about. */
static void test_every_cell(void **state)
{
    (void)state;
    size_t seen = 0;
    for (enum nis_state from = NIS_TRYING; from < NIS_TERMINATED; from++) {
        for (enum nis_event event = 0; event < NIS_EVENT_COUNT; event++) {
            const struct arrow *arrow = find(from, event);
            struct ahoy_noninvite_server machine = { .state = from };
            if (arrow == NULL) {
                const struct arrow impossible = { .state = from, .event = event };
                assert_true(aborts(take, &impossible));
                continue;
            }
            seen++;
            assert_int_equal(ahoy_noninvite_server_step(&machine, event), arrow->effects);
            assert_int_equal(machine.state, arrow->next);
        }
    }
    assert_int_equal(seen, ARROWS);
}

static void test_nothing_after_the_end(void **state)
{
    (void)state;
    for (enum nis_event event = 0; event < NIS_EVENT_COUNT; event++) {
        const struct arrow late = { .state = NIS_TERMINATED, .event = event };
        assert_true(aborts(take, &late));
    }
}

static void test_start(void **state)
{
    (void)state;
    struct ahoy_noninvite_server machine = { 0 };
    assert_int_equal(ahoy_noninvite_server_start(&machine), NIS_START_F);
    assert_int_equal(machine.state, NIS_TRYING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_every_cell),
        cmocka_unit_test(test_nothing_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
