/* The keys of the screen: one a wish, each only when it makes sense. */
#pragma once

#include "ahoy/view.h"

/* When a key can be used. */
enum {
    PHONE_ALWAYS = 1 << 0,
    PHONE_WHEN_INCOMING = 1 << 1,
    PHONE_WHEN_CALL = 1 << 2, /* Any but an incoming one. */
    PHONE_WHEN_TALKING = 1 << 3,
    PHONE_WHEN_SEVERAL = 1 << 4
};

/* Written once: KEY(name, key, how it is named, what it does, when).  Digits stand for themselves.
 */
/* clang-format off */
#define PHONE_KEYS(KEY)                                                                            \
    KEY(ANSWER, 'a', "a", "answer", PHONE_WHEN_INCOMING)                                           \
    KEY(DECLINE, 'd', "d", "decline", PHONE_WHEN_INCOMING)                                         \
    KEY(END, 'e', "e", "end", PHONE_WHEN_CALL)                                                     \
    KEY(HOLD, 'h', "h", "hold", PHONE_WHEN_TALKING)                                                \
    KEY(MUTE, 'm', "m", "mute", PHONE_WHEN_TALKING)                                                \
    KEY(TRANSFER, 't', "t", "transfer", PHONE_WHEN_TALKING)                                        \
    KEY(DIGIT, '0', "0-9*#", "dial", PHONE_WHEN_TALKING)                                           \
    KEY(NEXT, '\t', "Tab", "next call", PHONE_WHEN_SEVERAL)                                        \
    KEY(LADDER, 'l', "l", "ladder", PHONE_ALWAYS)                                                  \
    KEY(QUIT, 'q', "q", "quit", PHONE_ALWAYS)
/* clang-format on */

#define PHONE_WISH_CONSTANT(name, key, label, what, when) PHONE_WISH_##name,
enum phone_wish { PHONE_NO_WISH, PHONE_KEYS(PHONE_WISH_CONSTANT) PHONE_WISHES };
#undef PHONE_WISH_CONSTANT

/* Takes the next key off |bytes| that a terminal sent; what arrows and the like send is passed
 * over.  False at their end. */
bool phone_key_next(struct span *bytes, char *key);

/* What |key| wishes for now.  LADDER, NEXT and the typing of whom a call is handed to are done
 * within |view| and not returned; TRANSFER is, once that is typed: to view->typed. */
enum phone_wish phone_key_press(struct phone_view *view, char key);

/* The help for the keys that can be used now, in lines of at most |columns| bytes. */
void phone_keys_print(const struct phone_view *view, size_t columns, struct ahoy_buf *help);
