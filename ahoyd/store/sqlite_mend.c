/* What is in memory is the truth: it was read or committed.  So a damaged file is not mended but
 * written anew, and takes its place in one step. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoyd/store/sqlite_inside.h"
#include "libahoy/base/log.h"

enum { KEPT_LIMIT = 100 /* Damaged files that lie beside it. */ };

struct mending {
    char path[PATH_MAX], anew[PATH_MAX], kept[PATH_MAX];
    struct sqlite_file file;
    bool sound;
};

static bool put_user(void *context, struct span user, struct span realm,
                     const struct ahoyd_user *credentials)
{
    struct mending *mending = context;
    mending->sound = file_put_user(&mending->file, user, realm, credentials);
    return mending->sound;
}

static bool put_alias(void *context, struct span alias, struct span realm, struct span user)
{
    struct mending *mending = context;
    mending->sound = file_put_alias(&mending->file, alias, realm, user);
    return mending->sound;
}

static bool put_record(void *context, struct record *record)
{
    struct mending *mending = context;
    mending->sound = file_append(&mending->file, record);
    return mending->sound;
}

/* Everything, in one transaction, and nothing of it in a write-ahead log that a name could lose. */
static bool write_all(struct mending *mending, struct ahoyd_store *store)
{
    struct sqlite_file *file = &mending->file;
    if (!file_run(file, "BEGIN EXCLUSIVE") || !file_make(file, store->secret) ||
        !file_prepare(file))
        return false;
    mending->sound = true;
    if (store->names == NULL)
        users_each(&store->users, put_user, mending);
    if (store->names == NULL && mending->sound)
        users_each_alias(&store->users, put_alias, mending);
    if (mending->sound)
        index_each_record(&store->index, put_record, mending);
    return mending->sound && file_run(file, "COMMIT") &&
           file_ask(file, "PRAGMA wal_checkpoint(TRUNCATE)") == 0;
}

static bool make_anew(struct mending *mending, struct ahoyd_store *store)
{
    char fault[256] = "";
    unlink(mending->anew);
    int fd = open(mending->anew, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    close(fd);
    bool sound = file_attach(&mending->file, mending->anew, fault, sizeof fault) &&
                 write_all(mending, store);
    file_detach(&mending->file);
    if (!sound)
        unlink(mending->anew);
    return sound;
}

static bool sync_folder(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool sound = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return sound;
}

/* The damaged file gets a second name, and its first one becomes the new file's. */
static bool take_its_place(struct mending *mending)
{
    int rc = -1;
    for (unsigned i = 1; rc != 0 && i <= KEPT_LIMIT; i++) {
        int size = snprintf(mending->kept, sizeof mending->kept, "%s.damaged-%u", mending->path, i);
        if (size < 0 || (size_t)size >= sizeof mending->kept)
            return false;
        rc = link(mending->path, mending->kept);
        if (rc != 0 && errno != EEXIST)
            return false;
    }
    return rc == 0 && rename(mending->anew, mending->path) == 0 && sync_folder(mending->path);
}

/* |file| is on the new one from now on. */
static bool go_over(struct sqlite_file *file, struct mending *mending)
{
    char fault[256] = "";
    file_detach(file); /* With it goes its write-ahead log, which is empty. */
    bool sound = take_its_place(mending);
    *file = (struct sqlite_file){ .last_row = mending->file.last_row };
    return file_attach(file, mending->path, fault, sizeof fault) && file_prepare(file) && sound;
}

bool sqlite_file_mend(struct sqlite_file *file, struct ahoyd_store *store)
{
    struct mending *mending = calloc(1, sizeof *mending);
    if (mending == NULL)
        return false;
    const char *path = sqlite3_db_filename(file->database, "main");
    int size = snprintf(mending->path, sizeof mending->path, "%s", path);
    bool sound = size > 0 && (size_t)size + sizeof ".new" <= sizeof mending->anew;
    if (sound) {
        memcpy(mending->anew, mending->path, (size_t)size);
        memcpy(mending->anew + size, ".new", sizeof ".new");
        sound = file_ask(file, "PRAGMA wal_checkpoint(TRUNCATE)") == 0 &&
                make_anew(mending, store) && go_over(file, mending);
    }
    if (sound)
        ahoy_log_line(store->log, AHOY_LOG_ERROR,
                      "the store %s was damaged: it is written anew with the %zu registrations "
                      "that are known, and the damaged one is kept as %s; look at its disk",
                      mending->path, index_count(&store->index), mending->kept);
    free(mending);
    return sound;
}
