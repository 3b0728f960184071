/* What every verb that meets the network begins with. */
#include "ahoy/worker_way.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "ahoy/terminal.h"
#include "ahoy/worker.h"
#include "libahoy/io/socket.h"

static struct ahoy_driver *_Atomic to_wake;
static volatile sig_atomic_t leaving;

static void leave(int number)
{
    /* Saying goodbye takes a few seconds at most.  Two signals may be one wish, as timeout(1) sends
     * it to the process and to its group; the third is impatience. */
    if (leaving == 2) {
        phone_terminal_close();
        _exit(128 + number);
    }
    leaving = leaving + 1;
    struct ahoy_driver *driver = to_wake;
    if (driver != NULL)
        ahoy_driver_wake(driver);
}

bool phone_is_leaving(void)
{
    return leaving != 0;
}

static void catch_signal(int number)
{
    struct sigaction action = { .sa_handler = leave };
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void phone_catch_signals(struct ahoy_driver *driver)
{
    to_wake = driver;
    if (driver == NULL)
        return;
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    signal(SIGPIPE, SIG_IGN);
}

void phone_catch_hangup(void)
{
    catch_signal(SIGHUP);
}

/* The address that packets to |remote| leave from.  Connecting a datagram socket sends nothing. */
bool phone_own_address(const struct ahoy_ip *remote, struct ahoy_ip *ip)
{
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(remote, &name);
    int fd = socket(name.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool found = connect(fd, &name.any, size) == 0 && ahoy_socket_local(fd, ip);
    close(fd);
    ip->port = 0;
    return found;
}

bool phone_open_tls(const struct phone_options *options, struct ahoy_tls_entry *entries,
                    size_t count, struct ahoy_tls_context **tls)
{
    struct ahoy_tls_fault fault;
    bool is_needed = count > 1;
    for (size_t i = 0; i < options->server_count; i++)
        is_needed |=
            ahoy_transport_is_secure((enum ahoy_transport)options->servers[i].hop.transport);
    if (!is_needed)
        return true;
    entries[0] = (struct ahoy_tls_entry){
        .use = AHOY_TLS_OUTWARD,
        .verify = options->insecure ? AHOY_TLS_VERIFY_NONE : AHOY_TLS_VERIFY_REQUIRED,
        .authorities = options->authorities,
    };
    if (options->insecure)
        fprintf(stderr, "ahoy: --insecure: nobody knows whether this is the right server\n");
    *tls = ahoy_tls_context_new(entries, count, &fault);
    if (*tls == NULL)
        fprintf(stderr, "ahoy: %s\n", fault.what);
    return *tls != NULL;
}
