/* What every verb that meets the network begins with: our address, TLS, and how it is asked to
 * leave. */
#pragma once

#include "ahoy/options.h"
#include "libahoy/io/driver.h"
#include "libahoy/io/tls_context.h"

/* The address that packets to |remote| leave from, without a port; false where none do. */
bool phone_own_address(const struct ahoy_ip *remote, struct ahoy_ip *ip);
/* Only where a server is called by TLS, for authorities are many, or where there are entries beside
 * the first, which is made here for connections outward.  |entries| outlive |tls|, which stays NULL
 * where there is no need.  False, said, where that cannot be. */
bool phone_open_tls(const struct phone_options *options, struct ahoy_tls_entry *entries,
                    size_t count, struct ahoy_tls_context **tls);
/* SIGINT and SIGTERM, which phone_is_leaving tells of, wake |driver| from now on; NULL: nobody. */
void phone_catch_signals(struct ahoy_driver *driver);
/* SIGHUP too: who closes the window of a screen hangs up. */
void phone_catch_hangup(void);
