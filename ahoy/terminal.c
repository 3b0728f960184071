/* A terminal by termios(3) and the sequences of ECMA-48 and xterm that all of today's know.  To
 * give it back takes system calls alone, so that a handler can do it when the program fails. */
#include "ahoy/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "libahoy/base/buf.h"

enum {
    KEPT_BYTES = 64 * 1024, /* Of what was printed; then what has been shown is forgotten. */
    DRAWN_BYTES = 128 * 1024
};

static const struct span enter = SPAN_INIT("\033[?1049h\033[?25l\033[?7l"); /* Its own page, */
static const struct span leave = SPAN_INIT("\033[?7h\033[?25h\033[?1049l"); /* no cursor, cut. */

/* There is one terminal, and signal handlers have no argument. */
static struct {
    volatile sig_atomic_t is_open;
    struct termios before;
    int out, err; /* Where standard output and error went. */
    int kept;     /* A file that they go to now; |read| of it is known. */
    off_t read;
} terminal;

static void write_all(int fd, struct span bytes)
{
    while (bytes.size > 0) {
        ssize_t size = write(fd, bytes.at, bytes.size);
        if (size < 0 && errno != EINTR)
            return; /* It has gone, and whoever would have seen it. */
        bytes = ahoy_span_after(bytes, size < 0 ? 0 : (size_t)size);
    }
}

static struct span read_kept(off_t at, char *space, size_t size)
{
    ssize_t got = pread(terminal.kept, space, size, at);
    return (struct span){ space, got > 0 ? (size_t)got : 0 };
}

void phone_terminal_close(void)
{
    char space[4096];
    struct span kept;
    off_t at = 0;
    if (!terminal.is_open)
        return;
    terminal.is_open = 0;
    write_all(terminal.out, leave);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal.before);
    dup2(terminal.out, STDOUT_FILENO);
    dup2(terminal.err, STDERR_FILENO);
    while ((kept = read_kept(at, space, sizeof space)).size > 0) {
        write_all(STDOUT_FILENO, kept);
        at += (off_t)kept.size;
    }
    close(terminal.out);
    close(terminal.err);
    close(terminal.kept);
}

/* The handler is gone by now: the signal ends the program as it would have without. */
static void fail(int number)
{
    phone_terminal_close();
    raise(number);
}

static void catch_failures(void)
{
    static const int failures[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT };
    struct sigaction action = { .sa_handler = fail, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        sigaction(failures[i], &action, NULL);
}

/* Whoever is in the background has no terminal. */
static bool is_there(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0' &&
           strcmp(kind, "dumb") != 0 && tcgetpgrp(STDIN_FILENO) == getpgrp() &&
           tcgetattr(STDIN_FILENO, &terminal.before) == 0;
}

/* Keys come one by one, unseen, and ^C still is a signal.  ^S and ^Z would stop a call. */
static bool set_keys(void)
{
    struct termios keys = terminal.before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    keys.c_cc[VSUSP] = _POSIX_VDISABLE;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &keys) == 0;
}

bool phone_terminal_open(void)
{
    if (terminal.is_open || !is_there())
        return false;
    terminal.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    terminal.err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    terminal.kept = memfd_create("printed", MFD_CLOEXEC);
    terminal.read = 0;
    terminal.is_open = 1;
    if (terminal.out < 0 || terminal.err < 0 || terminal.kept < 0 ||
        fcntl(terminal.kept, F_SETFL, O_APPEND) != 0 || !set_keys()) {
        phone_terminal_close();
        return false;
    }
    catch_failures();
    fflush(stdout);
    dup2(terminal.kept, STDOUT_FILENO);
    if (isatty(STDERR_FILENO))
        dup2(terminal.kept, STDERR_FILENO);
    write_all(terminal.out, enter);
    return true;
}

void phone_terminal_size(uint16_t *columns, uint16_t *rows)
{
    struct winsize size;
    bool is_known = ioctl(terminal.out, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    *columns = is_known ? size.ws_col : 80;
    *rows = is_known ? size.ws_row : 24;
}

struct span phone_terminal_keys(char *space, size_t size)
{
    ssize_t got = read(STDIN_FILENO, space, size);
    return (struct span){ space, got > 0 ? (size_t)got : 0 };
}

struct span phone_terminal_printed(char *space, size_t size)
{
    struct span text = read_kept(terminal.read, space, size);
    terminal.read += (off_t)text.size;
    if (text.size == 0 && terminal.read > KEPT_BYTES && ftruncate(terminal.kept, 0) == 0)
        terminal.read = 0;
    return text;
}

/* What was there before is overwritten, line by line, so that nothing flickers. */
void phone_terminal_draw(struct span page)
{
    static char space[DRAWN_BYTES];
    struct ahoy_buf drawn = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&drawn, SPAN("\033[H"));
    while (page.size > 0) {
        struct span line = { page.at, ahoy_span_find(page, '\n') };
        bool is_last = line.size == page.size;
        ahoy_buf_put(&drawn, line);
        ahoy_buf_put(&drawn, is_last ? SPAN("\033[K") : SPAN("\033[K\r\n"));
        page = ahoy_span_after(page, line.size + !is_last);
    }
    ahoy_buf_put(&drawn, SPAN("\033[J"));
    write_all(terminal.out, ahoy_buf_text(&drawn));
}

void phone_terminal_ring(void)
{
    write_all(terminal.out, SPAN("\a"));
}
