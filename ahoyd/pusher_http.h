/* Push services are asked by an HTTP hook of the operator's: a POST of a JSON object for each phone
 * that is to be woken (ahoyd.lua(5)), on a thread of its own. */
#pragma once

#include "ahoyd/config.h"
#include "ahoyd/pusher.h"
#include "libahoy/base/log.h"

enum {
    AHOYD_PUSHES_LIMIT = 4096,          /* Phones to be woken that wait for the hook, ... */
    AHOYD_PUSHES_AT_ONCE_LIMIT = 32,    /* ... and requests under way to it. */
    AHOYD_PUSH_ANSWER_LIMIT = 16 * 1024 /* Bytes that are read of an answer, its head included. */
};

/* Starts the thread.  |hook|, which has a URL, and |log| outlive it.  NULL where there is no memory
 * or no thread. */
struct ahoyd_pusher *ahoyd_pusher_open(const struct ahoyd_hook *hook, const struct ahoy_log *log);
/* What has not been asked yet is dropped.  NULL is allowed.  The owners of what was asked are still
 * there. */
void ahoyd_pusher_close(struct ahoyd_pusher *pusher);
