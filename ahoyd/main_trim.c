/* Memory that lies idle, when somebody asks for it. */
#include "ahoyd/main_daemon.h"

bool ahoyd_main_trim(void *context)
{
    const struct daemon *daemon = context;
    bool all = true;
    for (unsigned i = 0; i < daemon->worker_count; i++)
        all &= ahoyd_worker_trim(daemon->workers[i]);
    return all;
}
