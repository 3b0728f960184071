/* The DNS of a simulated world: records as lines of text, answers as messages of RFC 1035.
 *
 *     carrier.example            NAPTR 10 10 s SIP+D2U _sip._udp.carrier.example [REGEXP]
 *     _sip._udp.carrier.example  SRV 10 60 5060 one.carrier.example
 *     one.carrier.example        A 192.0.2.11
 *     one.carrier.example        AAAA 2001:db8::11
 *     slow.example               SLOW 300       every answer about the name takes so long, in ms
 *     mute.example               SILENT         never comes
 *     broken.example             FAIL           is a failure of the server
 *
 * "." as the name within SRV is the root. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "libahoy/base/buf.h"

enum { SIM_RECORDS_LIMIT = 2048 };

struct sim_zone;

struct sim_zone *sim_zone_new(void);
void sim_zone_free(struct sim_zone *zone);
/* Adds a record; false where |line| is none. */
bool sim_zone_add(struct sim_zone *zone, const char *line);

/* Prints the answer to a question into |message|, nothing for a failure, and says how long it
 * takes.  False where none ever comes. */
bool sim_zone_answer(const struct sim_zone *zone, struct span name, uint16_t type,
                     struct ahoy_buf *message, uint32_t *delay_ms);
