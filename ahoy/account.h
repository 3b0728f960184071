/* The file of accounts: whose phone this is, kept where a user's configuration is
 * ($XDG_CONFIG_HOME/ahoy/account), so that no command line has to say it.  A line is the name of an
 * option and its argument; "[NAME]" begins the account of that name; what stands before the first
 * is the account without one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    PHONE_ACCOUNT_LIMIT = 8192, /* Bytes of the file. */
    PHONE_PATH_LIMIT = 1024     /* Bytes of the names of files in there. */
};

/* The lines of one account, taken off in turn. */
struct phone_account {
    char path[PHONE_PATH_LIMIT], folder[PHONE_PATH_LIMIT];
    char text[PHONE_ACCOUNT_LIMIT + 1]; /* What options point into: it stays where it is. */
    char *next;                         /* The next line. */
    unsigned line;                      /* The number of the one that was taken last. */
};

/* Where this user's configuration of the phone is; false where nobody says. */
bool phone_config_folder(char folder[PHONE_PATH_LIMIT]);

/* Reads the account |name|, or, where it is NULL, the one without.  1 where it can be read; 0 where
 * there is no file, and none was asked for; else -1, said. */
int phone_account_open(struct phone_account *account, const char *name);
/* The next line that is not empty; |argument| is NULL where there is none.  False at the end. */
bool phone_account_next(struct phone_account *account, char **name, char **argument);
/* Says what is wrong with the line that was taken last. */
void phone_account_blame(const struct phone_account *account, const char *what, const char *about);
/* |path|, which stands in the file, as seen from here; false where it is too long. */
bool phone_account_path(const struct phone_account *account, const char *path,
                        char space[PHONE_PATH_LIMIT]);
