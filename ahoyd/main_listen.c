/* Addresses: what others are told of them, and why one cannot be had. */
#include <errno.h>
#include <stdio.h>

#include "ahoyd/main_daemon.h"
#include "libahoy/io/driver.h"

bool ahoyd_main_list(const struct ahoyd_config *config, struct ahoyd_listeners *listeners,
                     struct ahoyd_config_faults *faults)
{
    struct ahoyd_own_addresses own = { 0 };
    if (!ahoy_driver_own_address(AHOY_IPV4, &own.v4))
        own.v4.family = AHOY_NO_FAMILY;
    if (!ahoy_driver_own_address(AHOY_IPV6, &own.v6))
        own.v6.family = AHOY_NO_FAMILY;
    return ahoyd_listeners_init(listeners, config, &own, faults);
}

static const char *mend_address(int why)
{
    if (why == EADDRINUSE)
        return "stop what listens there (ss -lntup shows it), or choose another port";
    if (why == EADDRNOTAVAIL)
        return "choose one that this machine has (ip address shows them)";
    if (why == EACCES)
        return "choose a port above 1023, or give ahoyd CAP_NET_BIND_SERVICE";
    return "choose another address";
}

void ahoyd_main_fault_address(const struct ahoyd_config *config, size_t index, int why,
                              struct ahoyd_config_faults *faults)
{
    const struct ahoyd_listen *listen = &config->listens[index];
    char name[AHOYD_LISTEN_SIZE], what[512];
    struct ahoy_buf buf = ahoy_buf_over(name, sizeof name);
    ahoyd_listener_print(listen, &buf);
    struct span text = ahoy_buf_text(&buf);
    snprintf(what, sizeof what, "cannot listen on \"%.*s\": %s; %s", (int)text.size, text.at,
             strerror(why), mend_address(why));
    faults->count++;
    if (faults->told != NULL)
        faults->told(faults->context, config->path.at, listen->line, what);
}
