/* Privileges go first and not, as is usual, once all is open (docs/decisions/0149): what is opened
 * then belongs to the user, and is what a reload can open again. */
#include "ahoyd/main_process.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ahoyd/main_filter.h"
#include "libahoy/base/poison.h"

enum { LOW_PORTS = 1024, LAST_CAPABILITY = 63 };

void ahoyd_process_limit(const struct ahoy_log *log)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            ahoy_log_line(log, AHOY_LOG_WARNING, "the limit of open files cannot be raised: %s",
                          strerror(errno));
    }
    /* Keys and credentials must not reach a disk: no core file, and nothing for those who collect
     * them.  Sanitizers look into their own process at its end, so they keep the right to. */
    struct rlimit none = { 0, 0 };
    bool off = setrlimit(RLIMIT_CORE, &none) == 0;
#ifndef AHOY_POISONS
    off = prctl(PR_SET_DUMPABLE, 0) == 0 && off;
#endif
    if (!off)
        ahoy_log_line(log, AHOY_LOG_WARNING, "core dumps cannot be switched off: %s",
                      strerror(errno));
    umask(0077);
}

/* A peer that closes must not end us. */
bool ahoyd_process_signals(sigset_t *signals)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    sigaddset(signals, AHOYD_FILTER_SIGNAL);
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && pthread_sigmask(SIG_BLOCK, signals, NULL) == 0;
}

static bool fault(const struct ahoyd_config *config, struct ahoyd_config_faults *faults,
                  const char *what)
{
    char text[256];
    snprintf(text, sizeof text, "process: user = \"%.64s\"%s", config->process.user, what);
    faults->count++;
    if (faults->told != NULL)
        faults->told(faults->context, config->path.at, config->process.line, text);
    return false;
}

static const struct passwd *find(const struct ahoyd_config *config,
                                 struct ahoyd_config_faults *faults)
{
    const struct passwd *user = getpwnam(config->process.user);
    if (user == NULL)
        fault(config, faults, " is no user of this machine; add one with adduser --system --group");
    else if (user->pw_uid == 0)
        fault(config, faults, " is root, and so changes nothing; name another");
    return user != NULL && user->pw_uid != 0 ? user : NULL;
}

bool ahoyd_process_check(const struct ahoyd_config *config, struct ahoyd_config_faults *faults)
{
    return config->process.user == NULL || find(config, faults) != NULL;
}

static bool has_low_port(const struct ahoyd_config *config)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listens[i].ip.port < LOW_PORTS)
            return true;
    }
    return false;
}

/* Leaves itself the right to low ports, or none; what is not left can never come back. */
static bool keep(bool low)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    const uint32_t left = low ? UINT32_C(1) << CAP_NET_BIND_SERVICE : 0;
    const struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { .effective = left,
                                                                             .permitted = left } };
    return syscall(SYS_capset, &header, sets) == 0 && prctl(PR_SET_KEEPCAPS, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool become(const struct passwd *user, bool low)
{
    for (unsigned long i = 0; i <= LAST_CAPABILITY; i++) {
        /* There are fewer than numbers. */
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL)
            return false;
    }
    return prctl(PR_SET_KEEPCAPS, 1) == 0 && initgroups(user->pw_name, user->pw_gid) == 0 &&
           setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
           setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 && keep(low) &&
           setresuid((uid_t)-1, 0, (uid_t)-1) != 0; /* There is no way back. */
}

bool ahoyd_process_become(const struct ahoyd_config *config, struct ahoyd_config_faults *faults)
{
    if (config->process.user == NULL)
        return true;
    const struct passwd *user = find(config, faults);
    if (user == NULL || user->pw_uid == geteuid())
        return user != NULL;
    if (geteuid() != 0)
        return fault(config, faults, ": only root can become it; start ahoyd as root or as it");
    if (!become(user, has_low_port(config))) {
        char what[128];
        snprintf(what, sizeof what, ": cannot become it: %s", strerror(errno));
        return fault(config, faults, what);
    }
    return true;
}
