/* The filter of system calls: what it lets through works on, and what it refuses fails and is told,
 * in the thread that set it up, in one that was there before, and in one that came later.  Each
 * test runs in a process of its own, as there is no way back. */
#include "ahoyd/main_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { SOUND = 7, PAGE = 4096 };

static struct {
    char text[4096];
    size_t size;
    unsigned lines;
} book;

static void sink(void *context, enum ahoy_log_level level, const char *line)
{
    (void)context, (void)level; /* There is one book, and all is written there. */
    int size = snprintf(book.text + book.size, sizeof book.text - book.size, "%s\n", line);
    book.size += size > 0 ? (size_t)size : 0;
    book.lines++;
}

static const struct ahoy_log pen = { .sink = sink, .level = AHOY_LOG_DEBUG };

/* Ends the process where something is not as it must be; cmocka is the parent's. */
static void demand(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "not so: %s (%s)\n%s", what, strerror(errno), book.text);
    _exit(1);
}

static void close_filter(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, AHOYD_FILTER_SIGNAL);
    demand(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0, "signals are blocked");
    demand(ahoyd_filter_close(&pen), "the filter is set up");
}

static void run(void (*body)(void))
{
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        body();
        _exit(SOUND);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), SOUND);
}

static bool is_refused(long rc, int why)
{
    return rc == -1 && errno == why;
}

/* What somebody would do who has taken over the server. */
static void attack(void)
{
    char *const words[] = { "/bin/true", NULL };
    demand(is_refused(execve(words[0], words, words + 1), ENOSYS), "no program is started");
    demand(is_refused(syscall(SYS_execveat, AT_FDCWD, words[0], words, words + 1, 0), ENOSYS),
           "nor by the other call");
    demand(is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), ENOSYS), "nobody is traced");
    demand(is_refused(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL), ENOSYS),
           "there is no other process");
    demand(is_refused(syscall(SYS_unshare, CLONE_NEWUSER), ENOSYS), "nor another name space");
    demand(is_refused(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS), "no ring of the kernel");
    demand(is_refused(syscall(SYS_kill, getppid(), SIGTERM), ENOSYS), "nobody is ended");
    demand(is_refused(syscall(SYS_tgkill, getppid(), getppid(), 0), ENOSYS), "nor this way");
    demand(is_refused(socket(AF_PACKET, SOCK_RAW, 0), ENOSYS), "no packets of others are read");
    demand(is_refused(socket(AF_NETLINK, SOCK_RAW, 0), EAFNOSUPPORT), "no netlink");
    demand(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) == MAP_FAILED &&
               errno == ENOSYS,
           "no memory is written and run");
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    demand(page != MAP_FAILED, "memory is had");
    demand(is_refused(mprotect(page, PAGE, PROT_READ | PROT_EXEC), ENOSYS),
           "what was written is not run");
    demand(is_refused(prctl(PR_SET_DUMPABLE, 1), ENOSYS), "core dumps stay off");
}

static void *attack_in_thread(void *context)
{
    pthread_barrier_t *barrier = context;
    if (barrier != NULL)
        pthread_barrier_wait(barrier);
    attack();
    return NULL;
}

static void refuse_here(void)
{
    close_filter();
    attack();
}

static void refuse_in_threads(void)
{
    pthread_barrier_t barrier;
    pthread_t before, after;
    pthread_barrier_init(&barrier, NULL, 2);
    demand(pthread_create(&before, NULL, attack_in_thread, &barrier) == 0, "a thread");
    close_filter();
    pthread_barrier_wait(&barrier);
    demand(pthread_join(before, NULL) == 0, "it ends");
    demand(pthread_create(&after, NULL, attack_in_thread, NULL) == 0, "threads are still made");
    demand(pthread_join(after, NULL) == 0, "they end");
}

/* Each call is named once, in the line of the main thread, which the signal wakes. */
static void tell(void)
{
    close_filter();
    sigset_t signals;
    const struct timespec patience = { .tv_sec = 20 };
    sigemptyset(&signals);
    sigaddset(&signals, AHOYD_FILTER_SIGNAL);
    for (int i = 0; i < 3; i++)
        demand(is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), ENOSYS), "refused");
    demand(sigtimedwait(&signals, NULL, &patience) == AHOYD_FILTER_SIGNAL, "the signal comes");
    ahoyd_filter_tell(&pen);
    ahoyd_filter_tell(&pen);
    demand(book.lines == 1 && strstr(book.text, "refused the system call ptrace") != NULL, "told");
    demand(is_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL), ENOSYS), "refused again");
    ahoyd_filter_tell(&pen);
    demand(book.lines == 1, "told once");
    char *const words[] = { "/bin/true", NULL };
    demand(is_refused(execve(words[0], words, words + 1), ENOSYS), "another is refused");
    ahoyd_filter_tell(&pen);
    demand(book.lines == 2 && strstr(book.text, "call execve") != NULL, "told too");
}

/* errno and all else of who was refused stays as it was, and what is allowed goes on. */
static void go_on(void)
{
    close_filter();
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    demand(fd >= 0 || errno == ENOENT, "files are read");
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    demand(udp >= 0, "sockets are opened");
    demand(prctl(PR_SET_NAME, "worker") == 0, "threads have names");
    demand(sched_yield() == 0, "and turns");
    demand(prctl(PR_GET_NAME, book.text) == 0, "which can be read");
    demand(close(udp) == 0, "closed");
}

/* Even an abort is still one. */
static void break_down(void)
{
    close_filter();
    close(STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    abort();
}

static void what_a_server_does_not_need_is_refused(void **state)
{
    (void)state;
    run(refuse_here);
}

static void in_all_threads(void **state)
{
    (void)state;
    run(refuse_in_threads);
}

static void each_refused_call_is_named_once(void **state)
{
    (void)state;
    run(tell);
}

static void what_is_needed_goes_on(void **state)
{
    (void)state;
    run(go_on);
}

static void an_abort_ends_the_process(void **state)
{
    (void)state;
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        break_down();
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_does_not_need_is_refused),
        cmocka_unit_test(in_all_threads),
        cmocka_unit_test(each_refused_call_is_named_once),
        cmocka_unit_test(what_is_needed_goes_on),
        cmocka_unit_test(an_abort_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
