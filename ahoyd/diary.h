/* Where the log goes: standard error or output, one line an event, with the time and the level in
 * words, or as an object of JSON; for systemd's journal, which has a clock of its own, with the
 * level as it reads it (sd-daemon(3)). */
#pragma once

#include "libahoy/base/log.h"

struct ahoyd_diary {
    uint64_t (*now_ms)(void); /* Unix time. */
    int fd;
    bool json;
    bool journal;
};

/* Finds out who reads |fd|. */
void ahoyd_diary_init(struct ahoyd_diary *diary, uint64_t (*now_ms)(void), int fd, bool json);
/* An ahoy_log's sink; |context| is the diary.  From any thread. */
void ahoyd_diary_line(void *context, enum ahoy_log_level level, const char *line);
/* "error", "warning", "notice", "info", "debug", in their order. */
extern const char *const ahoyd_diary_levels[AHOY_LOG_DEBUG + 1];
