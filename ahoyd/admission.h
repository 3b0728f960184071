/* Who is served when more comes than can be (RFC 3261 21.5.4, RFC 7339). */
#pragma once

#include "ahoyd/serving.h"

void ahoyd_admission_init(struct ahoyd_server *server, uint64_t now_ms);
/* Each event of the wire, before it is served: how long it has waited. */
void ahoyd_admission_see(struct ahoyd_server *server, const struct ahoy_wire_event *event,
                         uint64_t now_ms);
/* Each message that comes up.  False where it is a REQUEST that is not to be served now: it has
 * been answered 503, or dropped. */
bool ahoyd_admission_passes(struct ahoyd_server *server, const struct ahoy_event *event);
/* Whether the sender of |event| is a neighbour of ours, a trunk, that wants to be told our load. */
bool ahoyd_admission_tells(const struct ahoyd_server *server, const struct ahoy_event *event);
/* What it may borrow, and what a neighbour that asks for less still gets of it. */
enum ahoy_urgency ahoyd_admission_urgency(const struct ahoyd_server *server,
                                          const struct ahoy_event *event);
/* What its Via is told; empty for others. */
struct span ahoyd_admission_load(const struct ahoyd_server *server, const struct ahoy_event *event);
