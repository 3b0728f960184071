/* What is kept of sessions of TLS. */
#include "libahoy/io/sessions.h"

#include <stdio.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* As many names as there is room for, each session once, and none that is old. */
static void sessions_are_bounded(void **state)
{
    (void)state;
    static struct ahoy_sessions sessions;
    assert_true(ahoy_sessions_init(&sessions));
    assert_null(ahoy_sessions_take(&sessions, "0"));
    for (int i = 0; i < AHOY_TLS_SESSIONS_LIMIT + 1; i++) {
        char name[16];
        SSL_SESSION *session = SSL_SESSION_new();
        assert_int_equal(SSL_SESSION_set1_id(session, (const unsigned char *)"id", 2), 1);
        SSL_SESSION_set_time(session, time(NULL) - (i == 5 ? AHOY_TLS_SESSION_S : 0));
        snprintf(name, sizeof name, "%d", i);
        ahoy_sessions_put(&sessions, name, session);
    }
    assert_null(ahoy_sessions_take(&sessions, "0"));
    assert_null(ahoy_sessions_take(&sessions, "5"));
    SSL_SESSION *last = ahoy_sessions_take(&sessions, "256");
    assert_non_null(last);
    assert_null(ahoy_sessions_take(&sessions, "256"));
    SSL_SESSION_free(last);
    ahoy_sessions_put(&sessions, "256", SSL_SESSION_new()); /* It cannot be resumed. */
    assert_null(ahoy_sessions_take(&sessions, "256"));
    ahoy_sessions_put(&sessions, "256", NULL);
    ahoy_sessions_fini(&sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
