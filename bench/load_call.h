/* The messages of a call, as bench-load and bench-flood send them: INVITE, 100, 180, 200, ACK, BYE,
 * 200. */
#pragma once

#include "bench/load.h"

struct call_maker {
    const char *domain, *transport, *via; /* The last two as a URI and as a Via name it. */
    const char *hosts[SIDES];
    unsigned ports[SIDES];
    int run; /* Told apart from other runs by this. */
    unsigned users; /* Of whom each call is to one by chance, "user0000000" and so on; 0 for one. */
};

/* The first row "\r\nNAME: ..." from |at| on, with its end, or NULL. */
const char *find_row(const char *at, const char *name, const char **end);

/* Each prints into |bytes| and returns the size.  A call has a number of its own and a place in the
 * list of its owner; both stand in its Call-ID. */
int print_invite(const struct call_maker *maker, unsigned number, size_t place,
                 char bytes[MESSAGE_SIZE]);
/* ACK or BYE after the 2xx |answer|; 0 where that has no Contact. */
int print_in_dialog(const struct call_maker *maker, unsigned number, const char *answer,
                    const char *method, unsigned cseq, char bytes[MESSAGE_SIZE]);
/* The ACK to the failure |answer|. */
int print_failure_ack(const struct call_maker *maker, unsigned number, const char *answer,
                      char bytes[MESSAGE_SIZE]);
int print_reply(const struct call_maker *maker, const char *request, const char *status,
                bool with_body, char bytes[MESSAGE_SIZE]);

/* Number and place of the call that |message| belongs to; false where it has none. */
bool read_call(const char *message, unsigned *number, unsigned *place);
