/* The log on standard error. */
#include "ahoyd/diary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *word;
    int priority; /* syslog(3)'s */
} levels[] = {
    [AHOY_LOG_ERROR] = { "error", 3 },   [AHOY_LOG_WARNING] = { "warning", 4 },
    [AHOY_LOG_NOTICE] = { "notice", 5 }, [AHOY_LOG_INFO] = { "info", 6 },
    [AHOY_LOG_DEBUG] = { "debug", 7 },
};

void ahoyd_diary_init(struct ahoyd_diary *diary, uint64_t (*now_ms)(void))
{
    *diary = (struct ahoyd_diary){ .now_ms = now_ms };
    /* systemd says which file the journal reads; our standard error may be another by now. */
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat error;
    if (stream == NULL || fstat(STDERR_FILENO, &error) != 0)
        return;
    char own[64];
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)error.st_dev, (uintmax_t)error.st_ino);
    diary->journal = strcmp(own, stream) == 0;
}

/* "2026-02-01T10:20:30.123Z notice: " */
static int put_head(char *head, size_t size, uint64_t now_ms, enum ahoy_log_level level)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm date = { 0 };
    char day[32] = "";
    if (gmtime_r(&seconds, &date) == NULL ||
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &date) == 0)
        day[0] = '\0';
    return snprintf(head, size, "%s.%03" PRIu64 "Z %s: ", day, now_ms % 1000, levels[level].word);
}

void ahoyd_diary_line(void *context, enum ahoy_log_level level, const char *line)
{
    const struct ahoyd_diary *diary = context;
    char head[64];
    int size = diary->journal ? snprintf(head, sizeof head, "<%d>", levels[level].priority)
                              : put_head(head, sizeof head, diary->now_ms(), level);
    if (size < 0 || (size_t)size >= sizeof head)
        return;
    /* One write, so that lines of several threads do not mix. */
    char text[2048];
    size = snprintf(text, sizeof text, "%s%s\n", head, line);
    if (size < 0)
        return;
    size_t count = (size_t)size < sizeof text ? (size_t)size : sizeof text - 1;
    text[count - 1] = '\n';
    ssize_t written = write(STDERR_FILENO, text, count);
    (void)written; /* Nobody is left who could be told. */
}
