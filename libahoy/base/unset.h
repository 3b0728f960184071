/* For a large variable that is written before it is read.  The build sets all variables to zero
 * (-ftrivial-auto-var-init), which for tens of kilobytes costs more than all that is done with
 * them. */
#pragma once

#define AHOY_UNSET __attribute__((uninitialized))
