/* How many calls at once each trunk with a limit has, as far as a proxy can know (decision 168):
 * shared by all workers, by the names of trunks.  A place is taken before a call goes to the trunk,
 * and given back when it fails, when it ends, or when nobody has said for long that it stands. */
#pragma once

#include "libahoy/base/siphash.h"

enum {
    AHOYD_CHANNELS_LIMIT = 65536,    /* Places of all trunks. */
    AHOYD_CHANNEL_SETUP_MS = 300000, /* For a call that is being set up; longer than timer C. */
    AHOYD_CHANNEL_STANDS_S = 14400   /* For one that stands without a session timer. */
};

struct ahoyd_channels;

/* |key| keys the tables: strangers choose Call-IDs.  NULL where memory is refused. */
struct ahoyd_channels *ahoyd_channels_new(struct ahoy_hash_key key);
void ahoyd_channels_free(struct ahoyd_channels *channels);

/* Whether the call |call_id| may go to |trunk|, which may have |most| at once: then it has a place
 * there.  Where it had none before, |ticket|, not 0 and even, is for ahoyd_channels_settle. */
bool ahoyd_channels_take(struct ahoyd_channels *channels, struct span trunk, struct span call_id,
                         uint32_t most, uint64_t now_ms, uint64_t *ticket);
/* A 2xx to an INVITE or an UPDATE. */
struct ahoyd_channels_answer {
    struct span call_id, to_tag;
    struct span trunk; /* Who sent it; empty for somebody else. */
    uint32_t stands_s; /* Its Session-Expires; 0: it has none. */
};

/* Where that is the call's first: of its places those of others are given back, and the one of the
 * trunk stands.  Else it stands from now on, for the time of the session, or the usual one. */
void ahoyd_channels_answered(struct ahoyd_channels *channels,
                             const struct ahoyd_channels_answer *answer, uint64_t now_ms);
/* Nothing comes of the call of |ticket|. */
void ahoyd_channels_drop(struct ahoyd_channels *channels, uint64_t ticket);
/* Keeps |other|, an odd ticket, for the settling of |ticket|; false where there is no room. */
bool ahoyd_channels_join(struct ahoyd_channels *channels, uint64_t ticket, uint64_t other);
/* The final response to the call of |ticket| has left: its places are given back, unless it was
 * answered.  Returns what was joined to it, once; 0: nothing. */
uint64_t ahoyd_channels_settle(struct ahoyd_channels *channels, uint64_t ticket);
/* The dialog of |call_id| with these two tags has ended. */
void ahoyd_channels_end(struct ahoyd_channels *channels, struct span call_id,
                        const struct span tags[2]);
/* Whether there is any place that is taken, which most servers never have. */
bool ahoyd_channels_any(struct ahoyd_channels *channels);
/* How many |trunk| has. */
uint32_t ahoyd_channels_count(struct ahoyd_channels *channels, struct span trunk, uint64_t now_ms);
