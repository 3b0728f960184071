/* Registers once, and says for how long:
 *
 *     echo "$PASSWORD" | ./register alice atlanta.example 192.0.2.1 */
#include "line.h"

int main(int count, char **words)
{
    struct line line = { 0 };
    struct ahoy_ua_news news;
    if (count != 4) {
        fprintf(stderr, "usage: register USER DOMAIN SERVER\n");
        return 2;
    }
    if (!line_open(&line, words[1], words[2], words[3])) {
        line_close(&line);
        return 1;
    }
    ahoy_ua_register(line.ua, 3600, ahoy_driver_now());
    line_news(&line, &news);
    if (news.kind == AHOY_NEWS_REGISTERED)
        printf("registered for %u seconds\n", (unsigned)news.expires_s);
    else
        printf("not registered: %u %.*s\n", news.status, (int)news.text_size, news.text);
    line_close(&line);
    return news.kind == AHOY_NEWS_REGISTERED ? 0 : 1;
}
