/* The sound of one call on the kernel: two sockets, a media session, what is said and heard. */
#pragma once

#include "ahoy/worker.h"
#include "libahoy/sdp/negotiate.h"

/* Opens the sockets; |media| becomes the address for our description.  NULL, said, where there is
 * no port. */
struct phone_talk *phone_talk_open(struct phone *phone, const struct phone_options *options,
                                   struct ahoy_ip *media);
/* Sound begins, or goes on as both sides have agreed now. */
void phone_talk_agree(struct phone_talk *talk, const struct ahoy_sdp_agreed *agreed);
/* Says goodbye, shows what was heard in the call |session|, and frees it; NULL is none. */
void phone_talk_close(struct phone_talk *talk, struct ahoy_handle session);

/* For the worker: sends and plays what is due, and says when the next is; UINT64_MAX for never. */
void phone_talk_turn(struct phone_talk *talk);
uint64_t phone_talk_deadline(const struct phone_talk *talk);
