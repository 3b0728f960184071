/* The sound of one call on the kernel: two sockets, a media session, what is said and heard. */
#pragma once

#include "ahoy/worker.h"

struct phone_sounding;

/* Opens the sockets; |media| becomes the address for our description.  NULL, said, where there is
 * no port. */
struct phone_talk *phone_talk_open(struct phone *phone, const struct phone_options *options,
                                   struct ahoy_ip *media);
/* Sound begins, or goes on as |news| say that both sides have agreed now; NULL is none. */
void phone_talk_agree(struct phone_talk *talk, const struct ahoy_ua_news *news);
/* A change of ours was refused; NULL is none. */
void phone_talk_refused(struct phone_talk *talk);
/* Says goodbye, shows what was heard in the call |session|, and frees it; NULL is none. */
void phone_talk_close(struct phone_talk *talk, struct ahoy_handle session);

/* Whether there was no way for its sound at last, which was said; NULL is none. */
bool phone_talk_is_cut(const struct phone_talk *talk);
/* From now on the other side hears silence, or us again; NULL is none. */
void phone_talk_mute(struct phone_talk *talk);
/* False where the other side takes no digits, or too many wait. */
bool phone_talk_dial(struct phone_talk *talk, struct span digits);
/* False where there is no sound yet. */
bool phone_talk_read(const struct phone_talk *talk, struct phone_sounding *sounding);

/* For the worker: whether it is the sound of |session|. */
bool phone_talk_is_of(const struct phone_talk *talk, struct ahoy_handle session);
/* For the worker: these are the addresses of this machine now. */
struct ahoy_own_address;
void phone_talk_find_bases(struct phone_talk *talk, const struct ahoy_own_address *addresses,
                           size_t count);
/* For the worker: sends and plays what is due, and says when the next is; UINT64_MAX for never. */
void phone_talk_turn(struct phone_talk *talk);
uint64_t phone_talk_deadline(const struct phone_talk *talk);
