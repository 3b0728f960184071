/* Whether something ends the program. */
#include "tests/support/aborts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: says nothing, leaves no core, and dies of the signal itself, whatever handlers the
 * test library or a sanitizer has set. */
static void be_quiet(void)
{
    const struct rlimit none = { 0, 0 };
    (void)setrlimit(RLIMIT_CORE, &none); /* A core file would only be a nuisance. */
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0)
        (void)dup2(nowhere, STDERR_FILENO); /* Nor does it matter if it is heard. */
    signal(SIGABRT, SIG_DFL);
}

bool aborts(void (*act)(const void *context), const void *context)
{
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        be_quiet();
        act(context);
        _exit(0);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}
