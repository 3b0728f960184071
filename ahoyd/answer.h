/* The server's own answers to requests that it does not forward: sent once and forgotten (attack
 * rule R3). */
#pragma once

#include "ahoyd/serving.h"

/* Answers |event|, a REQUEST or a CANCEL, with |status|. */
void ahoyd_answer(struct ahoyd_server *server, const struct ahoy_event *event, unsigned status);
/* The same with further |rows|, each with its CRLF. */
void ahoyd_answer_with(struct ahoyd_server *server, const struct ahoy_event *event, unsigned status,
                       struct span rows);
struct ahoyd_answer {
    unsigned status;
    struct span reason; /* Empty: the registered phrase. */
    struct span rows;
    bool is_kept; /* By a transaction that sends it again: its To tag is drawn by chance, and need
                   * not be the same whenever the request comes (RFC 3261 8.2.7). */
};
/* The same with all of it. */
void ahoyd_answer_in_words(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_answer *answer);
/* Prints the answer to |event| into |buf|, for those that are kept. */
void ahoyd_answer_print(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_answer *answer, struct ahoy_buf *buf);
