/* Memory that runs out when a test says so: the simulator needs it too, and has it. */
#pragma once

#include "sim/failing_alloc.h"
