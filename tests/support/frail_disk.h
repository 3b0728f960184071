/* A disk that loses power, for SQLite: a VFS over memory.  What was synced is there afterwards; of
 * what was only written any part may be, in any order, and torn; a file that was made or removed
 * since may be there or not.
 *
 * What a file system may do here is what SQLite counts on elsewhere: a write does not spoil the
 * bytes beside it, and the first sync of a new file keeps the names of its folder too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frail_disk;

/* Becomes what SQLite uses where no VFS is named; one at a time.  NULL where memory is refused.
 * The same seed and the same calls give the same losses. */
struct frail_disk *frail_disk_new(uint64_t seed);
/* No file of it may be open any more. */
void frail_disk_free(struct frail_disk *disk);

/* From any thread, as all below: the power goes at the |operations|th write, cut or sync from now
 * on, and nothing succeeds any more.  That one may be half done.  0: not at all. */
void frail_disk_lose_power_after(struct frail_disk *disk, unsigned operations);
bool frail_disk_is_dark(struct frail_disk *disk);
/* Power is back, and with it what the disk has kept.  No file may be open. */
void frail_disk_restore(struct frail_disk *disk);

/* SQLITE_FULL: writes fail with it; SQLITE_IOERR_FSYNC: syncs do, and what they should have kept is
 * never kept, as Linux has it; SQLITE_OK: all is well again. */
void frail_disk_refuse(struct frail_disk *disk, int code);

/* The bytes of a file, to spoil while it is not open; NULL where there is none. */
unsigned char *frail_disk_bytes(struct frail_disk *disk, const char *path, size_t *size);
