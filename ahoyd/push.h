/* Whose phones are woken (RFC 8599), and what they are told of it when they register. */
#pragma once

#include "ahoyd/serving.h"
#include "libahoy/tu/push.h"

enum {
    /* A phone that registered within this time is awake (5.6.2, the second optimization). */
    AHOYD_PUSH_AWAKE_MS = 5000,
    /* Those who can refresh without being woken are to do it so long before the end (5.6.1.1), */
    AHOYD_PUSH_REG_S = 180,
    /* and what lasts shorter than this is not worth a push: it would end before one (5.6.1.1). */
    AHOYD_PUSH_LEAST_S = 240
};

/* Whether |binding| lasts long enough, and has all that it takes to wake its phone by one of the
 * services of |config|. */
bool ahoyd_push_suits(const struct ahoyd_config *config, const struct ahoy_binding *binding,
                      struct ahoy_push *push);
/* Whether it is this server that wakes it: nobody else does who stands in between. */
bool ahoyd_push_serves(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                       struct ahoy_push *push);

/* Whether the same is woken for both. */
bool ahoyd_push_is_same(const struct ahoyd_server *server, const struct ahoy_binding *a,
                        const struct ahoy_binding *b);

/* Whether |registration| asks for a push service that there is not (555). */
bool ahoyd_push_refuses(const struct ahoyd_server *server,
                        const struct ahoy_registration *registration);
/* Prints the Feature-Caps of its 200. */
void ahoyd_push_print(const struct ahoyd_server *server,
                      const struct ahoy_registration *registration, struct ahoy_buf *rows);
