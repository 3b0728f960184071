/* Trunks that are asked now and then whether they are there, by OPTIONS (RFC 3261 11): those of
 * their targets that do not answer rest until they do. */
#pragma once

#include "ahoyd/serving.h"

enum { AHOYD_PROBE_PATIENCE_MS = 4000 /* What has not answered by then counts as down. */ };

struct ahoyd_probe {
    struct ahoy_timer timer; /* For the next, or for patience with the one under way. */
    uint32_t number;         /* That its OPTIONS are known by; 0: none has been sent. */
    const struct ahoyd_trunk *trunk;
    size_t target;
    bool is_asked; /* An OPTIONS is under way. */
    bool is_down;
};

/* Those of |config|, to be freed, NULL where it has none; false where memory is refused. */
bool ahoyd_probes_new(const struct ahoyd_config *config, struct ahoyd_probe **probes);
/* False where memory is refused. */
bool ahoyd_probes_init(struct ahoyd_server *server, uint64_t now_ms);
void ahoyd_probes_fini(struct ahoyd_server *server);
/* |probes| of |config| take the place of those of the server's, which are returned.  What is known
 * of a target, and when it is asked next, stays. */
struct ahoyd_probe *ahoyd_probes_renew(struct ahoyd_server *server, struct ahoyd_probe *probes,
                                       const struct ahoyd_config *config, uint64_t now_ms);

/* Whether no target of |trunk| answers. */
bool ahoyd_probes_is_down(const struct ahoyd_server *server, const struct ahoyd_trunk *trunk);

/* Whether |event| is one of an OPTIONS of ours; then it is taken. */
bool ahoyd_probes_step(struct ahoyd_server *server, const struct ahoy_event *event,
                       uint64_t now_ms);
/* Those that are due are asked. */
void ahoyd_probes_expire(struct ahoyd_server *server, uint64_t now_ms);
uint64_t ahoyd_probes_deadline(const struct ahoyd_server *server);
