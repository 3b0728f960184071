/* Registers, answers one call, and leaves when that has ended:
 *
 *     echo "$PASSWORD" | ./answer bob atlanta.example 192.0.2.1 */
#include "line.h"

int main(int count, char **words)
{
    struct line line = { 0 };
    struct ahoy_ua_news news = { .kind = AHOY_NEWS_REGISTERED };
    if (count != 4) {
        fprintf(stderr, "usage: answer USER DOMAIN SERVER\n");
        return 2;
    }
    if (!line_open(&line, words[1], words[2], words[3])) {
        line_close(&line);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    ahoy_ua_register(line.ua, 3600, ahoy_driver_now());
    while (news.kind != AHOY_NEWS_ENDED && news.kind != AHOY_NEWS_REGISTRATION_FAILED) {
        line_news(&line, &news);
        if (news.kind == AHOY_NEWS_REGISTERED)
            printf("waiting for a call\n");
        if (news.kind == AHOY_NEWS_INCOMING) {
            printf("%.*s calls\n", (int)news.text_size, news.text);
            ahoy_ua_answer(line.ua, news.session, &line.own, ahoy_driver_now());
        }
    }
    printf("ended: %.*s\n", (int)news.text_size, news.text);
    ahoy_ua_unregister(line.ua, ahoy_driver_now());
    line_drain(&line);
    line_close(&line);
    return news.kind == AHOY_NEWS_ENDED ? 0 : 1;
}
