#include "ahoyd/main_api.h"

#include "libahoy/io/driver.h"

struct ahoyd_roll *ahoyd_main_roll(unsigned workers, const struct ahoy_log *log)
{
    struct ahoy_hash_key key;
    struct ahoyd_roll *roll = NULL;
    if (ahoy_driver_random(&key, sizeof key))
        roll = ahoyd_roll_new(key, workers);
    if (roll == NULL)
        ahoy_log_line(log, AHOY_LOG_ERROR, "roll of calls: no chance or no memory");
    return roll;
}

void ahoyd_main_status(const struct ahoyd_metrics *metrics, uint64_t start_us, json_t *object)
{
    uint64_t uptime_us = ahoy_driver_now_us() - start_us;
    ahoyd_metrics_status(metrics, object);
    /* Where memory is refused, it is missing. */
    (void)json_object_set_new(object, "uptime", json_integer((json_int_t)(uptime_us / 1000000)));
}
