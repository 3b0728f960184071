/* Where the log goes: standard error, one line an event, with the time and the level in words; for
 * systemd's journal, which has a clock of its own, with the level as it reads it (sd-daemon(3)). */
#pragma once

#include "libahoy/base/log.h"

struct ahoyd_diary {
    uint64_t (*now_ms)(void); /* Unix time. */
    bool journal;
};

/* Finds out who reads standard error. */
void ahoyd_diary_init(struct ahoyd_diary *diary, uint64_t (*now_ms)(void));
/* An ahoy_log's sink; |context| is the diary.  From any thread. */
void ahoyd_diary_line(void *context, enum ahoy_log_level level, const char *line);
