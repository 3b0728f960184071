/* Lines come escaped, so that what is left to do for JSON are the quotes and backslashes. */
#include "ahoyd/diary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahoyd/date.h"

enum { LINE_SIZE = 2304 /* Twice that of a log's line, and a head. */ };

const char *const ahoyd_diary_levels[] = { [AHOY_LOG_ERROR] = "error",
                                           [AHOY_LOG_WARNING] = "warning",
                                           [AHOY_LOG_NOTICE] = "notice",
                                           [AHOY_LOG_INFO] = "info",
                                           [AHOY_LOG_DEBUG] = "debug" };

void ahoyd_diary_init(struct ahoyd_diary *diary, uint64_t (*now_ms)(void), int fd, bool json)
{
    *diary = (struct ahoyd_diary){ .now_ms = now_ms, .fd = fd, .json = json };
    /* systemd says which file the journal reads; ours may be another by now. */
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat file;
    if (stream == NULL || fstat(fd, &file) != 0)
        return;
    char own[64];
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)file.st_dev, (uintmax_t)file.st_ino);
    diary->journal = strcmp(own, stream) == 0;
}

/* {"time":"2026-02-01T10:20:30.123Z","level":"notice","message":"ready"} */
static void put_json(const struct ahoyd_diary *diary, enum ahoy_log_level level, const char *line,
                     struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("{\"time\":\""));
    ahoyd_date_print(diary->now_ms(), buf);
    ahoy_buf_put(buf, SPAN("\",\"level\":\""));
    ahoy_buf_put(buf, ahoy_span(ahoyd_diary_levels[level]));
    ahoy_buf_put(buf, SPAN("\",\"message\":\""));
    for (; *line != '\0'; line++) {
        if (*line == '"' || *line == '\\')
            ahoy_buf_put_byte(buf, '\\');
        ahoy_buf_put_byte(buf, *line);
    }
    ahoy_buf_put(buf, SPAN("\"}"));
}

/* 2026-02-01T10:20:30.123Z notice: ready */
static void put_text(const struct ahoyd_diary *diary, enum ahoy_log_level level, const char *line,
                     struct ahoy_buf *buf)
{
    if (!diary->journal) {
        ahoyd_date_print(diary->now_ms(), buf);
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put(buf, ahoy_span(ahoyd_diary_levels[level]));
        ahoy_buf_put(buf, SPAN(": "));
    }
    ahoy_buf_put(buf, ahoy_span(line));
}

/* "<5>": syslog(3)'s number of the level. */
static void put_priority(enum ahoy_log_level level, struct ahoy_buf *buf)
{
    static const char priorities[] = { [AHOY_LOG_ERROR] = '3',
                                       [AHOY_LOG_WARNING] = '4',
                                       [AHOY_LOG_NOTICE] = '5',
                                       [AHOY_LOG_INFO] = '6',
                                       [AHOY_LOG_DEBUG] = '7' };
    const char text[] = { '<', priorities[level], '>' };
    ahoy_buf_put(buf, (struct span){ text, sizeof text });
}

void ahoyd_diary_line(void *context, enum ahoy_log_level level, const char *line)
{
    const struct ahoyd_diary *diary = context;
    char space[LINE_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (diary->journal)
        put_priority(level, &buf);
    if (diary->json)
        put_json(diary, level, line, &buf);
    else
        put_text(diary, level, line, &buf);
    ahoy_buf_put_byte(&buf, '\n');
    /* One write, so that lines of several threads do not mix. */
    struct span text = ahoy_buf_text(&buf);
    ssize_t written = write(diary->fd, text.at, text.size);
    (void)written; /* Nobody is left who could be told. */
}
