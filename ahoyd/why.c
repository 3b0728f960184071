#include "ahoyd/why.h"

#include "ahoyd/answer.h"

void ahoyd_why(struct ahoyd_server *server, const struct ahoy_event *event, enum ahoy_cause cause,
               struct span detail)
{
    ahoy_cause_note(&server->causes, cause, event->routing->call_id, event->hop, detail);
}

void ahoyd_refuse(struct ahoyd_server *server, const struct ahoy_event *event, unsigned status,
                  enum ahoy_cause cause, struct span detail)
{
    ahoyd_why(server, event, cause, detail);
    ahoyd_answer(server, event, status);
}
