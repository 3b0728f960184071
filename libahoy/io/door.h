/* Where a driver listens: the socket of one listener, which the driver opens, or somebody else has
 * opened and passes on. */
#pragma once

#include "libahoy/io/driver.h"

/* Whether |listener|, of that number, is for connections of ours only. */
bool ahoy_door_is_held(const struct ahoy_listener *listener, size_t index,
                       const struct ahoy_driver_options *options);
/* Its socket, to be closed; -1 and errno where there is none to be had. */
int ahoy_door_open(const struct ahoy_listener *listener, size_t index,
                   const struct ahoy_driver_options *options);
