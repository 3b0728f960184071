/* Answers without state: sent once, and the ACK to one is known by its To tag. */
#include "libahoy/stack/refuse.h"

#include "libahoy/base/log.h"
#include "libahoy/stack/outbound.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/transport/via_rules.h"

static void log_fault(const struct ahoy_stack *stack, const struct ahoy_err *err)
{
    if (stack->log == NULL || stack->log->level < AHOY_LOG_DEBUG)
        return;
    char text[64];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_ip_print(&stack->source.remote, &buf);
    ahoy_log_line(stack->log, AHOY_LOG_DEBUG, "malformed message from %.*s: expected %s, byte %zu",
                  (int)buf.size, text, err->expected, ahoy_err_offset(err, stack->reading->bytes));
}

static bool answer(struct ahoy_stack *stack, unsigned status)
{
    char tag[AHOY_TOKEN_SIZE];
    ahoy_transaction_stateless_tag(stack->transactions, &stack->reading->routing, tag);
    const struct ahoy_response response = { .status = status,
                                            .to_tag = { tag, sizeof tag },
                                            .received = &stack->source.remote };
    struct ahoy_buf buf = ahoy_buf_over(ahoy_stack_scratch(stack), AHOY_MESSAGE_LIMIT);
    ahoy_compose_response(&buf, &stack->reading->message, &response);
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND };
    ahoy_via_reply(&stack->reading->routing.via, &stack->source, &effect.hop);
    const struct ahoy_listener *listener = ahoy_flows_listener(&stack->flows, &effect.hop);
    if (listener == NULL)
        return false;
    effect.hop.listener = (uint8_t)(listener - stack->flows.listeners);
    ahoy_stack_note(stack, AHOY_NOTE_OUT, &effect.hop, ahoy_buf_text(&buf));
    effect.bytes = ahoy_outbound_frame(stack, &effect.hop, ahoy_buf_text(&buf));
    if (effect.bytes.size == 0 || !ahoy_outbox_add_copy(&stack->outbox, &effect))
        return false;
    stack->counters.messages_out++;
    return true;
}

void ahoy_refuse(struct ahoy_stack *stack, const struct ahoy_err *err)
{
    log_fault(stack, err);
    const struct ahoy_message *message = &stack->reading->message;
    bool answerable = message->is_request && message->method != AHOY_METHOD_ACK &&
                      stack->reading->routing.via_field != NULL;
    if (answerable && answer(stack, err->status))
        stack->counters.malformed_answered++;
    else
        stack->counters.malformed_dropped++;
}
