/* The registrations of one phone: one through each of its servers (RFC 5626 4.2.1), so that one
 * that fails takes nobody's calls away. */
#pragma once

#include "libahoy/tu/registration.h"

enum { AHOY_UA_SERVERS_LIMIT = 4 };

struct ahoy_registrations {
    size_t count;
    struct ahoy_registration_client clients[AHOY_UA_SERVERS_LIMIT];
};

/* With a server for each of |ways|.  False where there are too many, or none can be made
 * (registration.h). */
bool ahoy_registrations_init(struct ahoy_registrations *registrations,
                             struct ahoy_ua_context *context,
                             const struct ahoy_registration_way *ways, size_t count);
void ahoy_registrations_start(struct ahoy_registrations *registrations,
                              struct ahoy_ua_context *context, uint32_t expires_s, uint64_t now_ms);
void ahoy_registrations_stop(struct ahoy_registrations *registrations,
                             struct ahoy_ua_context *context, uint64_t now_ms);
/* Events whose user is AHOY_UA_REGISTRATION. */
void ahoy_registrations_step(struct ahoy_registrations *registrations,
                             struct ahoy_ua_context *context, const struct ahoy_event *event,
                             uint64_t now_ms);
void ahoy_registrations_flow_failed(struct ahoy_registrations *registrations,
                                    struct ahoy_ua_context *context, size_t index, uint64_t now_ms);
void ahoy_registrations_expire(struct ahoy_registrations *registrations,
                               struct ahoy_ua_context *context, uint64_t now_ms);
/* UINT64_MAX for never. */
uint64_t ahoy_registrations_deadline(const struct ahoy_registrations *registrations);
/* How many REGISTERs are unanswered. */
uint32_t ahoy_registrations_busy(const struct ahoy_registrations *registrations);
