/* Sockets that the service manager has opened before it started the server: the protocol of
 * sd_listen_fds(3). */
#pragma once

#include "ahoyd/listeners.h"
#include "libahoy/base/log.h"

/* All sockets of a start: as many as listeners and workers can use. */
enum { AHOYD_PASSED_LIMIT = 4096 };

struct ahoyd_passed {
    struct ahoyd_passed_socket *sockets; /* Open until close. */
    size_t count;
};

/* Takes what the environment names, if it is for this process, and removes it from there.  False
 * where it is not understood or memory is refused, which the log has been told. */
bool ahoyd_passed_take(struct ahoyd_passed *passed, const struct ahoy_log *log);
void ahoyd_passed_close(struct ahoyd_passed *passed);

/* Whether as many workers can serve all that there is of each address; else the log says of which
 * there is too much: the kernel shares datagrams out among all sockets, read or not. */
bool ahoyd_passed_suits(const struct ahoyd_passed *passed, unsigned workers,
                        const struct ahoy_log *log);
/* The socket of each listener for |worker|, -1 where none is passed.  Of several with one address
 * each worker has another; of fewer than workers, several have the same. */
void ahoyd_passed_pick(const struct ahoyd_passed *passed, const struct ahoyd_listeners *listeners,
                       unsigned worker, int fds[AHOY_LISTENERS_LIMIT]);
/* Warns of each that no listener wants. */
void ahoyd_passed_tell(const struct ahoyd_passed *passed, const struct ahoyd_listeners *listeners,
                       const struct ahoy_log *log);
