/* What other threads have for a worker: messages of its calls, bytes for its connections, changes
 * that the store has carried out.  Any number of threads put, one takes; a lock is held for as long
 * as one message takes to be copied. */
#pragma once

#include "ahoyd/store/store.h"
#include "libahoy/stack/wire.h"

enum { AHOYD_INBOX_LIMIT = 4 * 1024 * 1024 }; /* Bytes that wait; what comes on top is dropped. */

struct ahoyd_inbox;

enum ahoyd_letter_kind {
    AHOYD_LETTER_MESSAGE,    /* For the stack: an AHOY_WIRE_MESSAGE. */
    AHOYD_LETTER_SEND,       /* For the driver: an AHOY_WIRE_SEND. */
    AHOYD_LETTER_PUSH_FAILED /* For the server: the push of the key that the bytes are. */
};

struct ahoyd_letter {
    enum ahoyd_letter_kind kind;
    struct ahoy_hop hop;
    struct span bytes;
    uint64_t came_us; /* When it came to whoever hands it off. */
};

/* NULL where memory is refused. */
struct ahoyd_inbox *ahoyd_inbox_new(void);
/* Frees the changes that nobody took, too. */
void ahoyd_inbox_free(struct ahoyd_inbox *inbox);

/* From any thread.  Copies the bytes.  False where it is full, or memory is refused: the letter is
 * dropped and counted. */
bool ahoyd_inbox_put(struct ahoyd_inbox *inbox, const struct ahoyd_letter *letter);
/* From any thread.  Never refused: the store bounds how many changes there are. */
void ahoyd_inbox_put_change(struct ahoyd_inbox *inbox, struct ahoyd_change *change);

/* The owner's: takes all that has come, over what the call before took.  False: nothing has. */
bool ahoyd_inbox_take(struct ahoyd_inbox *inbox);
/* The next letter of what was taken, in the order in which they came, until false.  Its bytes live
 * until the next take. */
bool ahoyd_inbox_next(struct ahoyd_inbox *inbox, struct ahoyd_letter *letter);
/* The next change of what was taken, the caller's from now on; NULL at the end. */
struct ahoyd_change *ahoyd_inbox_change(struct ahoyd_inbox *inbox);
/* Frees the memory of a busy time. */
void ahoyd_inbox_trim(struct ahoyd_inbox *inbox);
/* Letters dropped so far; from any thread. */
uint64_t ahoyd_inbox_dropped(struct ahoyd_inbox *inbox);
