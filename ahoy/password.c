/* Passwords: from a file, from standard input, or typed without an echo. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "ahoy/options.h"

static bool read_line(char password[PHONE_TEXT_LIMIT], FILE *file, const char *name)
{
    if (fgets(password, PHONE_TEXT_LIMIT, file) == NULL) {
        fprintf(stderr, "ahoy: no password in %s\n", name);
        return false;
    }
    size_t size = strcspn(password, "\r\n");
    if (size == PHONE_TEXT_LIMIT - 1) {
        fprintf(stderr, "ahoy: the password in %s is too long\n", name);
        return false;
    }
    password[size] = '\0';
    return true;
}

/* A pipe, say, has no others. */
static bool is_open_to_others(FILE *file)
{
    struct stat facts;
    return fstat(fileno(file), &facts) != 0 ||
           (S_ISREG(facts.st_mode) && (facts.st_mode & 077) != 0);
}

static bool read_file(char password[PHONE_TEXT_LIMIT], const char *path, bool is_secret)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "ahoy: %s: %s\n", path, strerror(errno));
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0); /* No copy of it stays in a buffer. */
    bool is_open = is_secret && is_open_to_others(file);
    if (is_open)
        fprintf(stderr, "ahoy: %s: others can read this password; chmod 600\n", path);
    bool done = !is_open && read_line(password, file, path);
    fclose(file);
    return done;
}

static bool read_terminal(struct phone_options *options)
{
    struct termios before;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return true;
    struct termios quiet = before;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    fprintf(stderr, "Password of %.*s: ", (int)options->address.size, options->address.at);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
        return false;
    bool done = read_line(options->password, stdin, "what was typed");
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return done;
}

static bool read_account(struct phone_options *options, const char *path, bool is_secret)
{
    if (path != NULL && strcmp(path, "-") != 0)
        return read_file(options->password, path, is_secret);
    if (path != NULL)
        return read_line(options->password, stdin, "standard input");
    /* Without one and without a terminal it may still work: not every server asks. */
    return !isatty(STDIN_FILENO) || read_terminal(options);
}

bool phone_password_read(struct phone_options *options, const char *path, bool is_secret)
{
    bool is_read = read_account(options, path, is_secret);
    options->account.password = ahoy_span(options->password);
    return is_read;
}

bool phone_turn_read(struct phone_options *options)
{
    struct phone_turn *turn = &options->turn;
    if (turn->server.family == AHOY_NO_FAMILY)
        return true;
    if (turn->user.size == 0)
        turn->user = options->account.user;
    if (turn->password_file == NULL) {
        phone_misuse(options->verb, "--turn needs --turn-password-file", "");
        return false;
    }
    return read_file(turn->password, turn->password_file, true);
}
