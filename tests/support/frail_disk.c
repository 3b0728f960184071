#include "tests/support/frail_disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libahoy/base/rng.h"

enum { FILES_LIMIT = 8, PATH_SIZE = 512 };

struct bytes {
    unsigned char *at;
    size_t size, capacity;
};

/* Something that is done in memory and may come to be on the disk. */
struct change {
    struct change *next;
    size_t offset, size;
    bool cuts; /* The file ends at |offset|; else |bytes| stand there. */
    unsigned char bytes[];
};

struct medium {
    char path[PATH_SIZE]; /* Empty: free. */
    bool exists, lasts;   /* To who asks now; after the power went. */
    bool is_anew;         /* Made where one stood that may come back. */
    struct bytes now, kept;
    struct change *first, **last; /* Since the last sync, oldest first. */
    size_t count;
};

struct frail_disk {
    sqlite3_vfs vfs; /* First. */
    sqlite3_vfs *real;
    pthread_mutex_t lock;
    struct ahoy_rng rng;
    struct medium media[FILES_LIMIT];
    unsigned left; /* Operations until the power goes; 0: it does not. */
    bool is_dark;
    int refusal;
    unsigned scratch; /* Names of files without one. */
};

/* What SQLite has open. */
struct handle {
    sqlite3_file base; /* First. */
    struct frail_disk *disk;
    struct medium *medium;
    bool is_scratch;
};

static bool reserve(struct bytes *bytes, size_t size)
{
    if (size <= bytes->capacity)
        return true;
    size_t capacity = 2 * size;
    unsigned char *at = realloc(bytes->at, capacity);
    if (at == NULL)
        return false;
    bytes->at = at;
    bytes->capacity = capacity;
    return true;
}

static bool put(struct bytes *bytes, size_t offset, const void *from, size_t size)
{
    if (!reserve(bytes, offset + size))
        return false;
    if (offset > bytes->size)
        memset(bytes->at + bytes->size, 0, offset - bytes->size);
    memcpy(bytes->at + offset, from, size);
    if (offset + size > bytes->size)
        bytes->size = offset + size;
    return true;
}

static bool copy(struct bytes *to, const struct bytes *from)
{
    to->size = 0;
    return from->size == 0 || put(to, 0, from->at, from->size);
}

static void forget_changes(struct medium *medium)
{
    while (medium->first != NULL) {
        struct change *change = medium->first;
        medium->first = change->next;
        free(change);
    }
    medium->last = &medium->first;
    medium->count = 0;
}

/* A test without memory says nothing. */
static void arrive(struct medium *medium, size_t offset, const unsigned char *bytes, size_t size,
                   bool cuts)
{
    if (cuts && offset < medium->kept.size)
        medium->kept.size = offset;
    if (size > 0 && !put(&medium->kept, offset, bytes, size))
        abort();
}

static struct medium *find(struct frail_disk *disk, const char *path)
{
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        if (strcmp(disk->media[i].path, path) == 0)
            return &disk->media[i];
    }
    return NULL;
}

static struct medium *make(struct frail_disk *disk, const char *path)
{
    struct medium *medium = find(disk, path);
    if (medium == NULL)
        medium = find(disk, "");
    if (medium == NULL)
        return NULL;
    snprintf(medium->path, PATH_SIZE, "%s", path);
    medium->exists = true;
    medium->is_anew = medium->lasts;
    medium->now.size = 0;
    forget_changes(medium);
    return medium;
}

/* False where an operation has no power.  The one at which it goes may still
 * come to be: |is_last|, where somebody asks, is then set. */
static bool operate(struct frail_disk *disk, bool *is_last)
{
    if (disk->is_dark)
        return false;
    bool goes_dark = disk->left > 0 && --disk->left == 0;
    disk->is_dark = goes_dark;
    if (is_last != NULL)
        *is_last = goes_dark;
    return !goes_dark || is_last != NULL;
}

static struct change *note(struct medium *medium, size_t offset, const void *bytes, size_t size)
{
    struct change *change = malloc(sizeof *change + size);
    if (change == NULL)
        return NULL;
    *change = (struct change){ .offset = offset, .size = size };
    if (size > 0)
        memcpy(change->bytes, bytes, size);
    *medium->last = change;
    medium->last = &change->next;
    medium->count++;
    return change;
}

static int write_file(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    struct handle *handle = (struct handle *)file;
    struct frail_disk *disk = handle->disk;
    pthread_mutex_lock(&disk->lock);
    bool is_last = false;
    int code = operate(disk, &is_last) ? SQLITE_OK : SQLITE_IOERR_WRITE;
    if (code == SQLITE_OK && disk->refusal != SQLITE_IOERR_FSYNC)
        code = disk->refusal;
    if (code == SQLITE_OK && (note(handle->medium, (size_t)offset, bytes, (size_t)size) == NULL ||
                              !put(&handle->medium->now, (size_t)offset, bytes, (size_t)size)))
        code = SQLITE_IOERR_NOMEM;
    pthread_mutex_unlock(&disk->lock);
    return is_last ? SQLITE_IOERR_WRITE : code;
}

static int cut_file(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *handle = (struct handle *)file;
    struct frail_disk *disk = handle->disk;
    pthread_mutex_lock(&disk->lock);
    bool is_last = false, sound = operate(disk, &is_last);
    struct change *change = sound ? note(handle->medium, (size_t)size, NULL, 0) : NULL;
    if (change != NULL) {
        change->cuts = true;
        if ((size_t)size < handle->medium->now.size)
            handle->medium->now.size = (size_t)size;
    }
    pthread_mutex_unlock(&disk->lock);
    return change == NULL || is_last ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

/* What was removed is gone, and what was made is there, with no bytes yet. */
static void sync_folder(struct frail_disk *disk)
{
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        struct medium *medium = &disk->media[i];
        if (medium->is_anew || !medium->lasts)
            medium->kept.size = 0;
        medium->is_anew = false;
        medium->lasts = medium->exists;
        if (!medium->exists)
            medium->path[0] = '\0';
    }
}

static void remove_medium(struct medium *medium)
{
    medium->exists = false;
    if (!medium->lasts)
        medium->path[0] = '\0';
    forget_changes(medium);
}

static int sync_file(sqlite3_file *file, int flags)
{
    (void)flags;
    struct handle *handle = (struct handle *)file;
    struct frail_disk *disk = handle->disk;
    struct medium *medium = handle->medium;
    pthread_mutex_lock(&disk->lock);
    bool has_power = operate(disk, NULL);
    bool sound = has_power && disk->refusal != SQLITE_IOERR_FSYNC;
    if (sound) {
        if (medium->is_anew || !medium->lasts)
            sync_folder(disk);
        for (const struct change *change = medium->first; change != NULL; change = change->next)
            arrive(medium, change->offset, change->bytes, change->size, change->cuts);
    }
    if (has_power)
        forget_changes(medium);
    pthread_mutex_unlock(&disk->lock);
    return sound ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int read_file(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    struct handle *handle = (struct handle *)file;
    struct frail_disk *disk = handle->disk;
    int code = SQLITE_OK;
    pthread_mutex_lock(&disk->lock);
    const struct bytes *now = &handle->medium->now;
    size_t there = (size_t)offset < now->size ? now->size - (size_t)offset : 0;
    if (disk->is_dark) {
        code = SQLITE_IOERR_READ;
    } else if (there < (size_t)size) {
        memset(bytes, 0, (size_t)size);
        code = SQLITE_IOERR_SHORT_READ;
    } else {
        there = (size_t)size;
    }
    if (!disk->is_dark && there > 0)
        memcpy(bytes, now->at + offset, there);
    pthread_mutex_unlock(&disk->lock);
    return code;
}

static int size_file(sqlite3_file *file, sqlite3_int64 *size)
{
    struct handle *handle = (struct handle *)file;
    pthread_mutex_lock(&handle->disk->lock);
    *size = (sqlite3_int64)handle->medium->now.size;
    pthread_mutex_unlock(&handle->disk->lock);
    return SQLITE_OK;
}

static int close_file(sqlite3_file *file)
{
    struct handle *handle = (struct handle *)file;
    pthread_mutex_lock(&handle->disk->lock);
    if (handle->is_scratch) {
        handle->medium->lasts = false;
        remove_medium(handle->medium);
    }
    pthread_mutex_unlock(&handle->disk->lock);
    return SQLITE_OK;
}

/* There is one process: whoever asks for a lock has it. */
static int lock_file(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int look_for_lock(sqlite3_file *file, int *is_locked)
{
    (void)file;
    *is_locked = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *file, int what, void *argument)
{
    (void)file, (void)what, (void)argument;
    return SQLITE_NOTFOUND;
}

static int characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1, /* Without shared memory: the store has its file for itself. */
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = cut_file,
    .xSync = sync_file,
    .xFileSize = size_file,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = look_for_lock,
    .xFileControl = control_file,
    .xDeviceCharacteristics = characteristics,
};

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *flags_out)
{
    struct frail_disk *disk = (struct frail_disk *)vfs;
    struct handle *handle = (struct handle *)file;
    char name[32];
    *handle = (struct handle){ .disk = disk, .is_scratch = path == NULL };
    pthread_mutex_lock(&disk->lock);
    if (path == NULL) {
        snprintf(name, sizeof name, "scratch-%u", disk->scratch++);
        path = name;
    }
    if (!disk->is_dark) {
        handle->medium = find(disk, path);
        if (handle->medium == NULL || !handle->medium->exists)
            handle->medium = make(disk, path);
    }
    pthread_mutex_unlock(&disk->lock);
    if (handle->medium == NULL)
        return SQLITE_CANTOPEN;
    handle->base.pMethods = &methods;
    if (flags_out != NULL)
        *flags_out = flags;
    return SQLITE_OK;
}

static int remove_file(sqlite3_vfs *vfs, const char *path, int syncs_folder)
{
    struct frail_disk *disk = (struct frail_disk *)vfs;
    pthread_mutex_lock(&disk->lock);
    int code = operate(disk, NULL) ? SQLITE_OK : SQLITE_IOERR_DELETE;
    struct medium *medium = find(disk, path);
    bool exists = medium != NULL && medium->exists;
    if (code == SQLITE_OK && exists)
        remove_medium(medium);
    if (code == SQLITE_OK && syncs_folder != 0)
        sync_folder(disk);
    pthread_mutex_unlock(&disk->lock);
    return code == SQLITE_OK && !exists ? SQLITE_IOERR_DELETE_NOENT : code;
}

static int look_for_file(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    (void)flags;
    struct frail_disk *disk = (struct frail_disk *)vfs;
    pthread_mutex_lock(&disk->lock);
    const struct medium *medium = find(disk, path);
    *result = medium != NULL && medium->exists;
    pthread_mutex_unlock(&disk->lock);
    return SQLITE_OK;
}

static int full_path(sqlite3_vfs *vfs, const char *path, int size, char *full)
{
    (void)vfs;
    snprintf(full, (size_t)size, "%s", path);
    return SQLITE_OK;
}

struct frail_disk *frail_disk_new(uint64_t seed)
{
    struct frail_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        return NULL;
    disk->real = sqlite3_vfs_find(NULL);
    disk->vfs = *disk->real;
    disk->vfs.szOsFile = (int)sizeof(struct handle);
    disk->vfs.mxPathname = PATH_SIZE;
    disk->vfs.zName = "frail";
    disk->vfs.xOpen = open_file;
    disk->vfs.xDelete = remove_file;
    disk->vfs.xAccess = look_for_file;
    disk->vfs.xFullPathname = full_path;
    pthread_mutex_init(&disk->lock, NULL);
    ahoy_rng_init(&disk->rng, (const uint64_t[2]){ seed, 0 });
    for (size_t i = 0; i < FILES_LIMIT; i++)
        disk->media[i].last = &disk->media[i].first;
    sqlite3_vfs_register(&disk->vfs, 1);
    return disk;
}

void frail_disk_free(struct frail_disk *disk)
{
    sqlite3_vfs_unregister(&disk->vfs);
    sqlite3_vfs_register(disk->real, 1);
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        forget_changes(&disk->media[i]);
        free(disk->media[i].now.at);
        free(disk->media[i].kept.at);
    }
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}

void frail_disk_lose_power_after(struct frail_disk *disk, unsigned operations)
{
    pthread_mutex_lock(&disk->lock);
    disk->left = operations;
    pthread_mutex_unlock(&disk->lock);
}

bool frail_disk_is_dark(struct frail_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    bool is_dark = disk->is_dark;
    pthread_mutex_unlock(&disk->lock);
    return is_dark;
}

void frail_disk_refuse(struct frail_disk *disk, int code)
{
    pthread_mutex_lock(&disk->lock);
    disk->refusal = code;
    pthread_mutex_unlock(&disk->lock);
}

/* A change reaches the disk, or one end of it does. */
static void arrive_somehow(struct frail_disk *disk, struct medium *medium,
                           const struct change *change)
{
    size_t begin = 0, end = change->size;
    uint64_t chance = ahoy_rng_below(&disk->rng, 8);
    size_t tear = (size_t)ahoy_rng_below(&disk->rng, change->size + 1);
    if (chance == 0)
        begin = tear;
    else if (chance == 1)
        end = tear;
    arrive(medium, change->offset + begin, change->bytes + begin, end - begin, change->cuts);
}

/* Puts the changes into a random order: each goes to a random place among those before it. */
static void shuffle(struct frail_disk *disk, struct medium *medium)
{
    struct change *shuffled = NULL;
    size_t count = 0;
    for (struct change *change = medium->first, *next = NULL; change != NULL; change = next) {
        next = change->next;
        struct change **place = &shuffled;
        for (size_t after = (size_t)ahoy_rng_below(&disk->rng, ++count); after > 0; after--)
            place = &(*place)->next;
        change->next = *place;
        *place = change;
    }
    medium->first = shuffled;
}

/* All that was written arrived, or none of it, or what chance has it. */
static void settle(struct frail_disk *disk, struct medium *medium)
{
    uint64_t chance = ahoy_rng_below(&disk->rng, 4);
    bool is_certain = medium->lasts && medium->exists && !medium->is_anew;
    bool stays = is_certain || ahoy_rng_below(&disk->rng, 2) == 0;
    if (!medium->lasts)
        medium->kept.size = 0;
    if (chance > 1)
        shuffle(disk, medium);
    for (struct change *change = medium->first; change != NULL; change = change->next) {
        bool arrives = chance == 1 || (chance > 1 && ahoy_rng_below(&disk->rng, 2) == 0);
        if (arrives && !medium->is_anew)
            arrive_somehow(disk, medium, change);
    }
    forget_changes(medium);
    medium->exists = medium->lasts = stays;
    medium->is_anew = false;
    if (!stays)
        medium->path[0] = '\0';
    else if (!copy(&medium->now, &medium->kept))
        abort();
}

void frail_disk_restore(struct frail_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    for (size_t i = 0; i < FILES_LIMIT; i++) {
        if (disk->media[i].path[0] != '\0')
            settle(disk, &disk->media[i]);
    }
    disk->is_dark = false;
    disk->left = 0;
    disk->refusal = SQLITE_OK;
    pthread_mutex_unlock(&disk->lock);
}

unsigned char *frail_disk_bytes(struct frail_disk *disk, const char *path, size_t *size)
{
    pthread_mutex_lock(&disk->lock);
    struct medium *medium = find(disk, path);
    if (medium != NULL)
        *size = medium->now.size;
    pthread_mutex_unlock(&disk->lock);
    return medium == NULL ? NULL : medium->now.at;
}
