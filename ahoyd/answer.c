/* Answers carry no Server row: what runs here, and which version of it, helps only those who look
 * for a hole in it. */
#include "ahoyd/answer.h"

#include "ahoyd/admission.h"

#include "libahoy/syntax/compose.h"

void ahoyd_answer_print(struct ahoyd_server *server, const struct ahoy_event *event,
                        const struct ahoyd_answer *answer, struct ahoy_buf *buf)
{
    char tag[AHOY_TOKEN_SIZE];
    if (answer->is_kept)
        ahoy_rng_token(&server->rng, tag);
    else
        ahoy_transaction_stateless_tag(server->transactions, event->routing, tag);
    const struct ahoy_response response = { .status = answer->status,
                                            .reason = answer->reason,
                                            .to_tag = { tag, sizeof tag },
                                            .headers = answer->rows,
                                            .received = &event->hop->remote,
                                            .routing = event->routing,
                                            .load = ahoyd_admission_load(server, event) };
    ahoy_compose_response(buf, event->message, &response);
}

void ahoyd_answer_in_words(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_answer *answer)
{
    struct ahoy_buf buf = ahoy_buf_over(server->text, sizeof server->text);
    ahoyd_answer_print(server, event, answer, &buf);
    struct span text = ahoy_buf_text(&buf);
    if (answer->status == 401 || answer->status == 407)
        server->counters.challenged++;
    else if (answer->status >= 300)
        server->counters.refused++;
    /* What has grown beyond the limit of a message is not worth an answer. */
    if (text.size > 0)
        ahoy_transaction_answer(server->transactions, event, &text, 1);
}

void ahoyd_answer_with(struct ahoyd_server *server, const struct ahoy_event *event, unsigned status,
                       struct span rows)
{
    const struct ahoyd_answer answer = { .status = status, .rows = rows };
    ahoyd_answer_in_words(server, event, &answer);
}

void ahoyd_answer(struct ahoyd_server *server, const struct ahoy_event *event, unsigned status)
{
    ahoyd_answer_with(server, event, status, SPAN(""));
}
