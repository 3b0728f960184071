/* Every message in and out as a line of JSON, for people who look for a fault: docs/trace.md says
 * what a line holds.  One a worker; all write to one file, whole lines at a time. */
#pragma once

#include "libahoy/stack/wire.h"
#include "libahoy/syntax/message.h"

struct ahoyd_trace;

struct ahoyd_trace_options {
    int fd;                                /* Open for appending; stays the caller's. */
    const struct ahoy_listener *listeners; /* Outlive the trace. */
    size_t listener_count;
    uint16_t worker;
    uint64_t start_us; /* What counts as 0. */
};

/* NULL where memory is refused. */
struct ahoyd_trace *ahoyd_trace_new(const struct ahoyd_trace_options *options);
void ahoyd_trace_free(struct ahoyd_trace *trace);
/* Between two turns: other listeners, which outlive the trace, or the next call. */
void ahoyd_trace_relisten(struct ahoyd_trace *trace, const struct ahoy_listener *listeners,
                          size_t count);

/* Whether |message| is a request that a proxy has brought: it has more than one Via.  Whoever it
 * came from is then not the one in From. */
bool ahoyd_trace_is_forwarded(const struct ahoy_message *message);

/* Notes the messages in |event|; those that come in pieces when they are whole. */
void ahoyd_trace_in(struct ahoyd_trace *trace, const struct ahoy_wire_event *event,
                    uint64_t now_us);
/* Notes the message in |effect|, where that sends one. */
void ahoyd_trace_out(struct ahoyd_trace *trace, const struct ahoy_wire_effect *effect,
                     uint64_t now_us);
/* Writes what has gathered; to be called once a turn.  What the file does not take is lost. */
void ahoyd_trace_flush(struct ahoyd_trace *trace);
