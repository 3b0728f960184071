/* The witness of the simulator before a test: it is told what came and what went, call by call, and
 * which law it then holds for broken is compared.  The server that it asks for its clock does
 * nothing.
 *
 *     court_forward(1, 0, 1);
 *     court_answer(1, 0, 1, 1, "SIP/2.0 486 Busy Here");
 *     court_turn(100);
 *     court_expect(7);
 *
 * There is one at a time: setup and teardown of each test are court_begin and court_end.  Messages
 * are of the call and the number |call|; their |stream| is 0 where they are datagrams. */
#pragma once

#include "sim/witness.h"

/* Vias without the end of their branch; and what the server adds to the caller's. */
#define OURS   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKour"
#define THEIRS "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKher"
#define MARKED ";received=192.0.2.7;rport=5060\r\n"

enum { FIRST_STREAM = 7, SECOND_STREAM };

extern const struct ahoy_ip court_caller, court_callee;

int court_begin(void **state);
int court_end(void **state);
/* Belongs to the court. */
struct sim_witness *court_witness(void);

/* A message with the rows |vias|; good until the next one. */
struct span court_message(const char *line, const char *vias, unsigned call);
/* It comes to the server, or goes from it; a connection is lost. */
void court_comes(uint64_t stream, const struct ahoy_ip *from, struct span bytes);
void court_goes(uint64_t stream, const struct ahoy_ip *to, struct span bytes);
void court_loses(uint64_t stream);
/* The server's turn is over, and the next one begins |ms| later. */
void court_turn(uint64_t ms);
/* The test fails where another law is broken by now; 0 for none. */
void court_expect(unsigned law);

/* The caller's INVITE comes, with her branch |call|, and goes on by our branches 1 to |branches|,
 * the first by |stream|; a turn. */
void court_forward(unsigned call, uint64_t stream, unsigned branches);
/* The callee answers by |branch|, with the Via |hers| of the caller. */
void court_answer(unsigned call, uint64_t stream, unsigned branch, unsigned hers, const char *line);
/* That goes to the caller. */
void court_pass_on(unsigned call, unsigned hers, const char *line);
/* The server's ACK goes to the callee. */
void court_acknowledge(unsigned call, uint64_t stream, unsigned branch);
