/* Reading the file of accounts.  Whoever may write it could have the password asked for by a server
 * of his own, so that is its owner alone. */
#include "ahoy/account.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool put_path(char space[PHONE_PATH_LIMIT], const char *folder, const char *name)
{
    int size = snprintf(space, PHONE_PATH_LIMIT, "%s/%s", folder, name);
    return size > 0 && size < PHONE_PATH_LIMIT;
}

bool phone_config_folder(char folder[PHONE_PATH_LIMIT])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (config != NULL && config[0] == '/')
        return put_path(folder, config, "ahoy");
    return home != NULL && home[0] == '/' && put_path(folder, home, ".config/ahoy");
}

bool phone_account_path(const struct phone_account *account, const char *path,
                        char space[PHONE_PATH_LIMIT])
{
    if (path[0] != '/')
        return put_path(space, account->folder, path);
    int size = snprintf(space, PHONE_PATH_LIMIT, "%s", path);
    return size < PHONE_PATH_LIMIT;
}

void phone_account_blame(const struct phone_account *account, const char *what, const char *about)
{
    fprintf(stderr, "ahoy: %s:%u: %s%s\n", account->path, account->line, what, about);
}

static int fault(const struct phone_account *account, const char *what)
{
    fprintf(stderr, "ahoy: %s: %s\n", account->path, what);
    return -1;
}

/* The whole file; 1, or 0 where there is none, or -1, said. */
static int read_file(struct phone_account *account, int fd)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return fault(account, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return fault(account, "it is no file");
    if ((facts.st_uid != geteuid() && facts.st_uid != 0) || (facts.st_mode & 022) != 0)
        return fault(account, "others may write it; chmod go-w");
    ssize_t size = read(fd, account->text, PHONE_ACCOUNT_LIMIT);
    if (size < 0)
        return fault(account, strerror(errno));
    if (size == PHONE_ACCOUNT_LIMIT)
        return fault(account, "it is too large");
    account->text[size] = '\0';
    if (strlen(account->text) != (size_t)size)
        return fault(account, "it is no text");
    return 1;
}

/* The next line, trimmed, with its end cut off; NULL at the end. */
static char *take_line(struct phone_account *account)
{
    char *line = account->next;
    if (line == NULL || *line == '\0')
        return NULL;
    size_t size = strcspn(line, "\n");
    account->next = line[size] == '\n' ? line + size + 1 : NULL;
    account->line++;
    while (size > 0 && isspace((unsigned char)line[size - 1]))
        size--;
    line[size] = '\0';
    return line + strspn(line, " \t");
}

/* Goes on behind the line "[NAME]". */
static bool find_section(struct phone_account *account, const char *name)
{
    char *line;
    size_t size = strlen(name);
    while ((line = take_line(account)) != NULL) {
        if (line[0] == '[' && strncmp(line + 1, name, size) == 0 &&
            strcmp(line + 1 + size, "]") == 0)
            return true;
    }
    return false;
}

int phone_account_open(struct phone_account *account, const char *name)
{
    *account = (struct phone_account){ .line = 0 };
    if (!phone_config_folder(account->folder) ||
        !put_path(account->path, account->folder, "account")) {
        if (name != NULL)
            fprintf(stderr, "ahoy: --account %s: HOME says no folder for it\n", name);
        return name != NULL ? -1 : 0;
    }
    int fd = open(account->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && name == NULL ? 0 : fault(account, strerror(errno));
    int result = read_file(account, fd);
    close(fd);
    account->next = account->text;
    if (result == 1 && name != NULL && !find_section(account, name)) {
        fprintf(stderr, "ahoy: %s: there is no [%s]\n", account->path, name);
        result = -1;
    }
    return result;
}

bool phone_account_next(struct phone_account *account, char **name, char **argument)
{
    char *line;
    do {
        line = take_line(account);
    } while (line != NULL && (line[0] == '\0' || line[0] == '#'));
    if (line == NULL || line[0] == '[')
        return false;
    size_t size = strcspn(line, " \t");
    *name = line;
    *argument = NULL;
    if (line[size] != '\0') {
        line[size] = '\0';
        *argument = line + size + 1 + strspn(line + size + 1, " \t");
    }
    return true;
}
