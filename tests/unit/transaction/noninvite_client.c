/* RFC 3261 figure 6, arrow by arrow. */
#include "libahoy/transaction/noninvite_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/aborts.h"

/* An arrow of the figure. */
struct arrow {
    enum nic_state state;
    enum nic_event event;
    enum nic_state next;
    unsigned effects;
};

/* clang-format off */
static const struct arrow arrows[] = {
    /* R3261-17.1.2.2-3: clock E goes on. */
    { NIC_TRYING,     NIC_PROVISIONAL, NIC_PROCEEDING, NIC_TELL },
    /* R3261-17.1.2.2-4, -8 */
    { NIC_TRYING,     NIC_FINAL,       NIC_COMPLETED,
      NIC_STOP | NIC_TELL | NIC_FORGET | NIC_START_K },
    /* S3261-17.1.4-1 */
    { NIC_TRYING,     NIC_SEND_FAILED, NIC_TERMINATED, NIC_TELL_UNREACHABLE },
    { NIC_TRYING,     NIC_TIMER_E,     NIC_TRYING,     NIC_SEND_REQUEST | NIC_START_E },
    /* S3261-17.1.2.2-2 */
    { NIC_TRYING,     NIC_TIMER_F,     NIC_TERMINATED, NIC_TELL_TIMEOUT },
    { NIC_PROCEEDING, NIC_PROVISIONAL, NIC_PROCEEDING, NIC_TELL },
    /* R3261-17.1.2.2-7 */
    { NIC_PROCEEDING, NIC_FINAL,       NIC_COMPLETED,
      NIC_STOP | NIC_TELL | NIC_FORGET | NIC_START_K },
    { NIC_PROCEEDING, NIC_SEND_FAILED, NIC_TERMINATED, NIC_TELL_UNREACHABLE },
    /* R3261-17.1.2.2-5 */
    { NIC_PROCEEDING, NIC_TIMER_E,     NIC_PROCEEDING, NIC_SEND_REQUEST | NIC_START_E_AT_T2 },
    /* R3261-17.1.2.2-6 */
    { NIC_PROCEEDING, NIC_TIMER_F,     NIC_TERMINATED, NIC_TELL_TIMEOUT },
    { NIC_COMPLETED,  NIC_PROVISIONAL, NIC_COMPLETED,  0 },
    { NIC_COMPLETED,  NIC_FINAL,       NIC_COMPLETED,  0 },
    { NIC_COMPLETED,  NIC_SEND_FAILED, NIC_COMPLETED,  0 },
    /* R3261-17.1.2.2-9 */
    { NIC_COMPLETED,  NIC_TIMER_K,     NIC_TERMINATED, 0 },
};
/* clang-format on */

enum { ARROWS = sizeof arrows / sizeof arrows[0] };

static const struct arrow *find(enum nic_state state, enum nic_event event)
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
    struct ahoy_noninvite_client machine = { .state = arrow->state };
    (void)ahoy_noninvite_client_step(&machine, arrow->event); /* It must not come back. */
}

/* Every cell: an arrow of the figure, or what only a wrong owner could bring about. */
static void test_every_cell(void **state)
{
    (void)state;
    size_t seen = 0;
    for (enum nic_state from = NIC_TRYING; from < NIC_TERMINATED; from++) {
        for (enum nic_event event = 0; event < NIC_EVENT_COUNT; event++) {
            const struct arrow *arrow = find(from, event);
            struct ahoy_noninvite_client machine = { .state = from };
            if (arrow == NULL) {
                const struct arrow impossible = { .state = from, .event = event };
                assert_true(aborts(take, &impossible));
                continue;
            }
            seen++;
            assert_int_equal(ahoy_noninvite_client_step(&machine, event), arrow->effects);
            assert_int_equal(machine.state, arrow->next);
        }
    }
    assert_int_equal(seen, ARROWS);
}

static void test_nothing_after_the_end(void **state)
{
    (void)state;
    for (enum nic_event event = 0; event < NIC_EVENT_COUNT; event++) {
        const struct arrow late = { .state = NIC_TERMINATED, .event = event };
        assert_true(aborts(take, &late));
    }
}

static void test_start(void **state)
{
    (void)state;
    struct ahoy_noninvite_client machine = { 0 };
    assert_int_equal(ahoy_noninvite_client_start(&machine),
                     NIC_SEND_REQUEST | NIC_START_E | NIC_START_F);
    assert_int_equal(machine.state, NIC_TRYING);
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
