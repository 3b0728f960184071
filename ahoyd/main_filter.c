/* What is let through: a list, and a few calls only with the arguments that are harmless.  Whether
 * a path or a peer is right is no question for it; that is the unit's, and the user's whose process
 * this is. */
#include "ahoyd/main_filter.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <seccomp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { CALLS = 1024, OPTIMIZE_BY_TREE = 2 };

/* Where the kernel leaves the result of a call that was trapped to us.  Elsewhere what is refused
 * fails without a word. */
#if defined __x86_64__
#define SET_RESULT(context, value) ((context)->uc_mcontext.gregs[REG_RAX] = (value))
#elif defined __aarch64__
#define SET_RESULT(context, value) ((context)->uc_mcontext.regs[0] = (uint64_t)(int64_t)(value))
#endif

#ifdef SET_RESULT
#define REFUSED SCMP_ACT_TRAP
#else
#define REFUSED SCMP_ACT_ERRNO(ENOSYS)
#endif

/* By what they are for; what an architecture has under another name or not is passed over. */
/* clang-format off */
static const char *const allowed[] = {
    /* memory, threads, signals */
    "brk", "munmap", "mremap", "madvise", "membarrier", "exit", "exit_group", "futex",
    "futex_time64", "futex_waitv", "get_robust_list", "set_robust_list", "rseq", "set_tid_address",
    "arch_prctl", "gettid", "getpid", "getppid", "sched_yield", "sched_getaffinity", "getcpu",
    "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigpending", "rt_sigreturn",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaltstack", "sigreturn",
    /* time, chance, and what the machine is */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "clock_nanosleep",
    "clock_nanosleep_time64", "gettimeofday", "time", "nanosleep", "getrandom", "getrusage",
    "getrlimit", "ugetrlimit", "sysinfo", "uname", "getuid", "getuid32", "geteuid", "geteuid32",
    "getgid", "getgid32", "getegid", "getegid32", "getgroups", "getgroups32", "getresuid",
    "getresuid32", "getresgid", "getresgid32",
    /* files */
    "read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek",
    "_llseek", "open", "openat", "close", "close_range", "fstat", "fstat64", "newfstatat",
    "fstatat64", "stat", "stat64", "lstat", "lstat64", "statx", "statfs", "statfs64", "fstatfs",
    "fstatfs64", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd",
    "getdents", "getdents64", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir",
    "mkdirat", "rmdir", "ftruncate", "ftruncate64", "fallocate", "fadvise64", "fadvise64_64",
    "arm_fadvise64_64", "fsync", "fdatasync", "sync_file_range", "msync", "flock", "fcntl",
    "fcntl64", "dup", "dup2", "dup3", "pipe", "pipe2", "umask", "chmod", "fchmod", "fchmodat",
    "fchown", "fchown32", "utimensat", "utimensat_time64",
    /* sockets, and waiting for them */
    "socketpair", "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername",
    "setsockopt", "getsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom",
    "recvmsg", "recvmmsg", "recvmmsg_time64", "shutdown", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "ppoll_time64",
    "select", "_newselect", "pselect6", "pselect6_time64", "eventfd", "eventfd2", "timerfd_create",
    "timerfd_settime", "timerfd_settime64",
};
/* clang-format on */

static atomic_bool refused[CALLS]; /* By number; untold yet. */
static atomic_bool told[CALLS];

#ifdef SET_RESULT
/* The call was not made.  It fails, and the main thread is told to tell, which may be this one. */
static void trap(int signal, siginfo_t *what, void *context)
{
    const int why = errno;
    (void)signal; /* It is for one only. */
    if (what->si_syscall >= 0 && what->si_syscall < CALLS &&
        !atomic_exchange(&refused[what->si_syscall], true)) {
        const pid_t pid = getpid();
        /* Where it fails, the line comes with that of the next one. */
        (void)syscall(SYS_tgkill, pid, pid, AHOYD_FILTER_SIGNAL);
    }
    SET_RESULT((ucontext_t *)context, -ENOSYS);
    errno = why;
}

static bool set_trap(void)
{
    struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_NODEFER };
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGSYS);
    return sigaction(SIGSYS, &action, NULL) == 0 &&
           pthread_sigmask(SIG_UNBLOCK, &signals, NULL) == 0;
}
#else
static bool set_trap(void)
{
    return true;
}
#endif

/* One call, where argument |index| is as |test| and its values say. */
static bool let(scmp_filter_ctx filter, int call, uint32_t action, struct scmp_arg_cmp test)
{
    return seccomp_rule_add_array(filter, action, call, 1, &test) == 0;
}

#define EQUAL(index, value) SCMP_CMP(index, SCMP_CMP_EQ, (scmp_datum_t)(value), 0)
#define WITHOUT(index, bits)                                                                       \
    SCMP_CMP(index, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), (scmp_datum_t)0)
#define WITH(index, bits)                                                                          \
    SCMP_CMP(index, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), (scmp_datum_t)(bits))

/* Memory may be written or run, not both, and what was written is never run. */
static bool let_memory(scmp_filter_ctx filter)
{
    static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mmap2) };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!let(filter, calls[i], SCMP_ACT_ALLOW, WITHOUT(2, PROT_EXEC)) ||
            !let(filter, calls[i], SCMP_ACT_ALLOW, WITHOUT(2, PROT_WRITE)))
            return false;
    }
    return let(filter, SCMP_SYS(mprotect), SCMP_ACT_ALLOW, WITHOUT(2, PROT_EXEC));
}

/* Threads, no processes.  The arguments of clone3 cannot be seen; without it, clone is used. */
static bool let_threads(scmp_filter_ctx filter)
{
    return let(filter, SCMP_SYS(clone), SCMP_ACT_ALLOW, WITH(0, CLONE_THREAD)) &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           let(filter, SCMP_SYS(tgkill), SCMP_ACT_ALLOW, EQUAL(0, getpid())) &&
           let(filter, SCMP_SYS(prlimit64), SCMP_ACT_ALLOW, EQUAL(0, 0)) &&
           let(filter, SCMP_SYS(prctl), SCMP_ACT_ALLOW, EQUAL(0, PR_SET_NAME)) &&
           let(filter, SCMP_SYS(prctl), SCMP_ACT_ALLOW, EQUAL(0, PR_GET_NAME));
}

/* IP, and those that talk to programs here.  getaddrinfo asks for netlink and can do without. */
static bool let_sockets(scmp_filter_ctx filter)
{
    static const int families[] = { AF_UNIX, AF_INET, AF_INET6 };
    static const unsigned long wishes[] = { FIONBIO, FIONREAD,     FIOCLEX,
                                            TCGETS,  SIOCGIFINDEX, SIOCGIFNAME };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (!let(filter, SCMP_SYS(socket), SCMP_ACT_ALLOW, EQUAL(0, families[i])))
            return false;
    }
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        if (!let(filter, SCMP_SYS(ioctl), SCMP_ACT_ALLOW, EQUAL(1, wishes[i])))
            return false;
    }
    return let(filter, SCMP_SYS(socket), SCMP_ACT_ERRNO(EAFNOSUPPORT), EQUAL(0, AF_NETLINK));
}

static bool fill(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        const int call = seccomp_syscall_resolve_name(allowed[i]);
        if (call != __NR_SCMP_ERROR && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0)
            return false;
    }
    return let_memory(filter) && let_threads(filter) && let_sockets(filter);
}

/* Another architecture's calls mean something else by the same numbers. */
static bool set_up(scmp_filter_ctx filter)
{
    /* Without the tree a call costs more. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BY_TREE);
    return seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
           seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
}

bool ahoyd_filter_close(const struct ahoy_log *log)
{
    scmp_filter_ctx filter = seccomp_init(REFUSED);
    bool is_full = filter != NULL && set_up(filter) && fill(filter) && set_trap();
    int rc = is_full ? seccomp_load(filter) : -ENOMEM;
    if (filter != NULL)
        seccomp_release(filter);
    if (rc != 0)
        ahoy_log_line(log, AHOY_LOG_WARNING,
                      "system calls are not filtered: %s; where that is meant, write "
                      "process { filter = false }",
                      strerror(-rc));
    return rc == 0;
}

void ahoyd_filter_tell(const struct ahoy_log *log)
{
    for (int i = 0; i < CALLS; i++) {
        if (!atomic_load(&refused[i]) || atomic_exchange(&told[i], true))
            continue;
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
        ahoy_log_line(log, AHOY_LOG_WARNING,
                      "the filter refused the system call %s (%d); where a library needs it, write "
                      "process { filter = false }, and tell us",
                      name != NULL ? name : "without a name", i);
        free(name);
    }
}
