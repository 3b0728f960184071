/* What is opened when it is needed, and not before. */
#include "ahoy/late.h"

#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "ahoy/sound.h"

#define MATHS(CALL) CALL(cos) CALL(sqrt)

static const char *const maths[] = { MATHS(PHONE_LATE_NAME) };

static bool is_open(const char *file)
{
    return dlopen(file, RTLD_NOW | RTLD_NOLOAD) != NULL;
}

/* A phone that says nothing has no library of sound to wait for, nor what these bring. */
static void test_starts_without_sound(void **state)
{
    (void)state;
    assert_false(is_open("libsndfile.so.1"));
    assert_false(is_open("libFLAC.so.12"));
    assert_false(is_open("libportaudio.so.2"));
    assert_false(is_open("libjack.so.0"));
    assert_false(is_open("libasound.so.2"));
}

static void test_calls_in_order(void **state)
{
    (void)state;
    struct {
        MATHS(PHONE_LATE_FIELD)
    } calls;
    assert_non_null(phone_late_open("libm.so.6", maths, 2, &calls));
    assert_true(calls.cos(0) == 1);
    assert_true(calls.sqrt(9) == 3);
}

static void test_says_what_is_missing(void **state)
{
    (void)state;
    static const char *const names[] = { "cos", "phone_has_no_such_call" };
    void *calls[2];
    assert_null(phone_late_open("libphone-has-none.so.1", maths, 2, calls));
    assert_non_null(strstr(dlerror(), "libphone-has-none.so.1"));
    assert_null(phone_late_open("libm.so.6", names, 2, calls));
    assert_non_null(strstr(dlerror(), "phone_has_no_such_call"));
}

static void test_a_file_needs_its_library(void **state)
{
    (void)state;
    static struct phone_options options;
    struct phone_sound *sound = phone_sound_open(&options, NULL, 8000, true);
    assert_non_null(sound); /* Silence. */
    phone_sound_close(sound);
    assert_false(is_open("libsndfile.so.1"));
    options.play = "/there/is/no/such/file.wav";
    assert_null(phone_sound_open(&options, NULL, 8000, true));
    assert_true(is_open("libsndfile.so.1"));

    char path[] = "/tmp/ahoy-late-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    static const int16_t said[160] = { 1, 2, 3 };
    int16_t heard[160] = { 0 };
    options.play = NULL;
    options.record = path;
    sound = phone_sound_open(&options, NULL, 8000, true);
    assert_non_null(sound);
    phone_sound_hear(sound, said, 160);
    phone_sound_close(sound);
    options.play = path;
    options.record = NULL;
    sound = phone_sound_open(&options, NULL, 8000, true);
    assert_non_null(sound);
    phone_sound_say(sound, heard, 160);
    phone_sound_close(sound);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(heard[2], 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starts_without_sound),
        cmocka_unit_test(test_calls_in_order),
        cmocka_unit_test(test_says_what_is_missing),
        cmocka_unit_test(test_a_file_needs_its_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
