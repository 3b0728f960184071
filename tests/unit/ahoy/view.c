/* The screen as text, and its keys. */
#include "ahoy/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoy/keys.h"

static struct phone_view view;
static char page[PHONE_VIEW_PAGE_SIZE + 1];
static const struct ahoy_handle first = { 3, 7 }, second = { 4, 1 };

static void begin(uint16_t columns, uint16_t rows)
{
    view = (struct phone_view){ .account = SPAN("alice@atlanta.example"),
                                .columns = columns,
                                .rows = rows,
                                .begin_ms = 1000,
                                .now_ms = 1000 };
}

static const char *print(void)
{
    struct ahoy_buf buf = ahoy_buf_over(page, sizeof page - 1);
    phone_view_print(&view, &buf);
    assert_false(buf.overflow);
    page[buf.size] = '\0';
    return page;
}

static void take(enum ahoy_ua_news_kind kind, struct ahoy_handle session, const char *text,
                 enum ahoy_direction direction)
{
    struct ahoy_ua_news news = { .kind = kind, .session = session };
    if (kind == AHOY_NEWS_ANSWERED || kind == AHOY_NEWS_CHANGED)
        news.agreed = (struct ahoy_sdp_agreed){ .codec = AHOY_PCMU, .direction = direction };
    news.text_size = strlen(text);
    memcpy(news.text, text, news.text_size);
    phone_view_take(&view, &news);
}

static void test_empty(void **state)
{
    (void)state;
    begin(60, 6);
    assert_string_equal(print(), "alice@atlanta.example\n\n  no call\n\n\nl ladder  q quit");
    take(AHOY_NEWS_REGISTERED, (struct ahoy_handle){ 0, 0 }, "", AHOY_SENDRECV);
    phone_view_say(&view, SPAN("one\ntwo\nthree\n"));
    assert_string_equal(print(), "alice@atlanta.example  registered\n\n  no call\n\nthree\n"
                                 "l ladder  q quit");
    take(AHOY_NEWS_UNREGISTERED, (struct ahoy_handle){ 0, 0 }, "", AHOY_SENDRECV);
    assert_null(strstr(print(), "registered"));
}

/* A call from its beginning to its end: what is shown, and which keys there are. */
static void test_call(void **state)
{
    (void)state;
    begin(80, 24);
    phone_view_call(&view, first, SPAN("sip:bob@biloxi.example"));
    assert_non_null(strstr(print(), "\n> calling  sip:bob@biloxi.example\n"));
    assert_non_null(strstr(page, "\ne end  l ladder  q quit"));
    take(AHOY_NEWS_RINGING, first, "", AHOY_SENDRECV);
    assert_non_null(strstr(print(), "\n> ringing  sip:bob@biloxi.example\n"));
    view.now_ms += 5000;
    take(AHOY_NEWS_ANSWERED, first, "sip:bob@biloxi.example", AHOY_SENDRECV);
    view.now_ms += 61500;
    assert_non_null(strstr(print(), "\n> talking 1:01  sip:bob@biloxi.example\n"));
    assert_non_null(
        strstr(page, "\ne end  h hold  m mute  t transfer  0-9*# dial  l ladder  q quit"));
    take(AHOY_NEWS_CHANGED, first, "", AHOY_SENDONLY);
    assert_non_null(strstr(print(), "\n> on hold 1:01  "));
    take(AHOY_NEWS_CHANGED, first, "", AHOY_RECVONLY);
    assert_non_null(strstr(print(), "\n> held by the other side 1:01  "));
    take(AHOY_NEWS_ENDED, first, "Hung up", AHOY_SENDRECV);
    assert_non_null(strstr(print(), "\n  no call\n"));
}

static void test_sound(void **state)
{
    (void)state;
    begin(80, 24);
    take(AHOY_NEWS_INCOMING, first, "sip:bob@biloxi.example", AHOY_SENDRECV);
    take(AHOY_NEWS_ANSWERED, first, "sip:bob@biloxi.example", AHOY_SENDRECV);
    struct phone_view_call *call = phone_view_selected(&view);
    call->has_sound = true;
    call->sounding = (struct phone_sounding){ .heard_dbov = -30,
                                              .said_dbov = -96,
                                              .is_muted = true,
                                              .stats = { .sent = 500,
                                                         .received = 495,
                                                         .loss = 0.01,
                                                         .jitter_us = 1500,
                                                         .delay_us = 40000,
                                                         .opinion = 4.25 } };
    assert_non_null(strstr(print(), "\n  codec     PCMU/8000, sendrecv\n"
                                    "  we hear   [##########----------]  -30 dBov\n"
                                    "  we say    [--------------------]  -96 dBov, muted\n"
                                    "  packets   500 sent, 495 received, 1.0 % lost\n"
                                    "  quality   jitter 1.5 ms, delay 40 ms, MOS 4.2\n\n"));
    call->sounding.stats.has_round_trip = true;
    call->sounding.stats.round_trip_us = 12300;
    memcpy(call->sounding.stats.digits, "5#", 3);
    assert_non_null(strstr(print(), ", round trip 12.3 ms, MOS 4.2\n  digits    5#\n\n"));
}

/* Attack 29: names of strangers, and what else may come from them. */
static void test_strangers(void **state)
{
    (void)state;
    begin(200, 24);
    take(AHOY_NEWS_INCOMING, first,
         "\"\033[31mbob\r\n\xc2\x9b"
         "7m\" <sip:b@b.example>",
         AHOY_SENDRECV);
    phone_view_say(&view, SPAN("printed \033[31m\x7f\n"));
    phone_view_pass(&view, false,
                    SPAN("SIP/2.0 200 \xc2\x9b"
                         "7m\r\nCSeq: 1 INVITE\r\n\r\n"));
    assert_int_equal(view.ladder.count, 1);
    for (int i = 0; i < 2; i++) {
        for (const char *at = print(); *at != '\0'; at++)
            assert_true((unsigned char)*at >= ' ' || *at == '\n');
        assert_null(strchr(page, 0x7f));
        assert_null(strstr(page, "\xc2\x9b"));
        phone_key_press(&view, 'l');
    }
    assert_non_null(strstr(print(), "> incoming  \"\\x1b[31mbob\\x0d\\x0a\\xc2\\x9b7m\" <sip:"));
}

static void test_ladder(void **state)
{
    (void)state;
    begin(80, 8);
    phone_view_pass(&view, true,
                    SPAN("OPTIONS sip:b@b.example SIP/2.0\r\nCSeq: 1 OPTIONS\r\n"
                         "Content-Length: 0\r\n\r\n"));
    view.now_ms += 2034;
    /* Two that came at once, and a part of another. */
    phone_view_pass(&view, false,
                    SPAN("SIP/2.0 100 Trying\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
                         "SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
                         "BYE sip:"));
    assert_null(strstr(print(), "OPTIONS"));
    phone_key_press(&view, 'l');
    assert_non_null(strstr(print(), "\n0.000 ---> OPTIONS sip:b@b.example\n"
                                    "2.034 <--- 100 Trying (1 OPTIONS)\n"
                                    "2.034 <--- 200 OK (1 OPTIONS)\nl ladder  q quit"));
}

/* However small: as many lines as rows, and none is longer than the columns, characters counted. */
static void test_sizes(void **state)
{
    (void)state;
    for (uint16_t columns = 1; columns < 90; columns++) {
        for (uint16_t rows = 1; rows < 30; rows++) {
            begin(columns, rows);
            phone_view_say(&view, SPAN("Gr\xc3\xbc\xc3\x9f"
                                       "e aus dem Norden, und noch viel mehr davon\n"));
            take(AHOY_NEWS_INCOMING, first, "sip:j\xc3\xbcrgen@b.example", AHOY_SENDRECV);
            take(AHOY_NEWS_ANSWERED, first, "sip:j\xc3\xbcrgen@b.example", AHOY_SENDRECV);
            view.calls[view.selected].has_sound = true;
            size_t lines = 1;
            size_t wide = 0;
            for (const char *at = print(); *at != '\0'; at++) {
                wide = *at == '\n' ? 0 : wide + (((unsigned char)*at & 0xc0) != 0x80);
                lines += *at == '\n';
                assert_true(wide <= columns);
            }
            assert_int_equal(lines, rows);
        }
    }
}

static void test_colours(void **state)
{
    (void)state;
    begin(10, 4);
    assert_null(strchr(print(), '\033'));
    view.has_colours = true;
    assert_string_equal(print(), "\033[1malice@atla\033[0m\n\n\033[1ml ladder\033[0m\n"
                                 "\033[1mq quit\033[0m");
}

static enum phone_wish press(const char *keys)
{
    struct span rest = ahoy_span(keys);
    enum phone_wish wish = PHONE_NO_WISH;
    char key;
    while (phone_key_next(&rest, &key))
        wish = phone_key_press(&view, key);
    return wish;
}

static void test_keys(void **state)
{
    (void)state;
    begin(80, 24);
    assert_int_equal(press("a"), PHONE_NO_WISH);
    assert_int_equal(press("e"), PHONE_NO_WISH);
    assert_int_equal(press("q"), PHONE_WISH_QUIT);
    take(AHOY_NEWS_INCOMING, first, "bob", AHOY_SENDRECV);
    assert_int_equal(press("5"), PHONE_NO_WISH);
    assert_int_equal(press("h"), PHONE_NO_WISH);
    assert_int_equal(press("d"), PHONE_WISH_DECLINE);
    assert_int_equal(press("a"), PHONE_WISH_ANSWER);
    take(AHOY_NEWS_ANSWERED, first, "bob", AHOY_SENDRECV);
    assert_int_equal(press("a"), PHONE_NO_WISH);
    assert_int_equal(press("h"), PHONE_WISH_HOLD);
    assert_int_equal(press("m"), PHONE_WISH_MUTE);
    assert_int_equal(press("*"), PHONE_WISH_DIGIT);
    assert_int_equal(press("\033[5~\033OA"), PHONE_NO_WISH); /* Page up and an arrow. */
    assert_int_equal(press("\033[A9"), PHONE_WISH_DIGIT);
    assert_int_equal(press("\t"), PHONE_NO_WISH);
    take(AHOY_NEWS_INCOMING, second, "carol", AHOY_SENDRECV);
    press("\t");
    assert_int_equal(phone_view_selected(&view)->session.slot, second.slot);
    assert_int_equal(press("a"), PHONE_WISH_ANSWER);
    take(AHOY_NEWS_ENDED, second, "", AHOY_SENDRECV);
    assert_int_equal(phone_view_selected(&view)->session.slot, first.slot);
}

static void test_transfer(void **state)
{
    (void)state;
    begin(80, 24);
    take(AHOY_NEWS_INCOMING, first, "bob", AHOY_SENDRECV);
    take(AHOY_NEWS_ANSWERED, first, "bob", AHOY_SENDRECV);
    assert_int_equal(press("tq5\x7f"), PHONE_NO_WISH);
    assert_non_null(strstr(print(), "\nto whom? q_ (Enter, Esc)"));
    assert_int_equal(press("\033"), PHONE_NO_WISH);
    assert_int_equal(press("t\r"), PHONE_NO_WISH); /* Nobody. */
    assert_int_equal(press("tcarol@c\r"), PHONE_WISH_TRANSFER);
    assert_int_equal(view.typed_size, strlen("carol@c"));
    press("t");
    for (size_t i = 0; i < 2 * PHONE_VIEW_PROMPT_SIZE; i++)
        press("x");
    assert_int_equal(view.typed_size, PHONE_VIEW_PROMPT_SIZE);
    take(AHOY_NEWS_INCOMING, second, "carol", AHOY_SENDRECV);
    take(AHOY_NEWS_ANSWERED, second, "carol", AHOY_SENDRECV);
    take(AHOY_NEWS_ENDED, first, "", AHOY_SENDRECV);
    assert_int_equal(press("q"), PHONE_WISH_QUIT); /* Of that one nobody is asked. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),    cmocka_unit_test(test_call),
        cmocka_unit_test(test_sound),    cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_ladder),   cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_colours),  cmocka_unit_test(test_keys),
        cmocka_unit_test(test_transfer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
