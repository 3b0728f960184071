/* What a load runs on: a pump, on which many user agents sit. */
#pragma once

#include "ahoy/options.h"

struct load_wire;

/* With room for |calls| at once.  NULL, said, where something cannot be opened: |fault| is the exit
 * code for that.  SIGINT and SIGTERM are caught from now on.  |options| outlives it. */
struct load_wire *load_wire_open(const struct phone_options *options, uint32_t calls, int *fault);
void load_wire_close(struct load_wire *wire);

struct ahoy_transactions *load_wire_transactions(struct load_wire *wire);
/* Where requests go. */
struct ahoy_hop load_wire_server(const struct load_wire *wire);
/* An address of ours, with a port at which nobody listens for sound. */
struct ahoy_ip load_wire_media(const struct load_wire *wire);
/* False where there are no random numbers. */
bool load_wire_random(uint64_t *numbers, size_t count);

/* As ahoy_pump_wait, ahoy_pump_next, ahoy_pump_now_us and ahoy_pump_waited_us; but the wait does
 * not end before |rest_us| of that clock, whatever comes meanwhile; a signal may end it. */
void load_wire_wait(struct load_wire *wire, uint64_t rest_us, uint64_t deadline_ms);
bool load_wire_next(struct load_wire *wire, struct ahoy_event *event);
uint64_t load_wire_now_us(const struct load_wire *wire);
uint32_t load_wire_waited_us(const struct load_wire *wire);
