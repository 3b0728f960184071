/* Calls somebody, and hangs up once he has answered:
 *
 *     echo "$PASSWORD" | ./call alice atlanta.example 192.0.2.1 sip:bob@atlanta.example */
#include "line.h"

int main(int count, char **words)
{
    struct line line = { 0 };
    struct ahoy_ua_news news = { .kind = AHOY_NEWS_REFUSED };
    bool answered = false;
    if (count != 5) {
        fprintf(stderr, "usage: call USER DOMAIN SERVER URI\n");
        return 2;
    }
    if (!line_open(&line, words[1], words[2], words[3])) {
        line_close(&line);
        return 1;
    }
    struct ahoy_handle session =
        ahoy_ua_call(line.ua, ahoy_span(words[4]), &line.own, ahoy_driver_now());
    if (session.generation == 0)
        fprintf(stderr, "%s cannot be called\n", words[4]);
    else
        line_news(&line, &news);
    while (news.kind != AHOY_NEWS_REFUSED && news.kind != AHOY_NEWS_ENDED) {
        if (news.kind == AHOY_NEWS_RINGING)
            printf("%u ringing\n", news.status);
        if (news.kind == AHOY_NEWS_ANSWERED) {
            printf("answered by %.*s\n", (int)news.text_size, news.text);
            answered = true;
            ahoy_ua_hangup(line.ua, session, ahoy_driver_now());
        }
        line_news(&line, &news);
    }
    printf("%s: %u %.*s\n", answered ? "ended" : "refused", news.status, (int)news.text_size,
           news.text);
    if (session.generation != 0)
        line_drain(&line);
    line_close(&line);
    return answered ? 0 : 1;
}
