/* The files "instance", "instance.1" and so on: the first that nobody else has locked. */
#include "ahoy/instance.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahoy/account.h"

enum { INSTANCES = 32 };

/* A UUID of version 4 (RFC 4122 4.4). */
static void print_urn(const unsigned char random[16], char urn[PHONE_INSTANCE_SIZE])
{
    char hex[33];
    for (size_t i = 0; i < 16; i++) {
        unsigned byte = random[i];
        if (i == 6)
            byte = (byte & 0x0f) | 0x40;
        else if (i == 8)
            byte = (byte & 0x3f) | 0x80;
        snprintf(hex + 2 * i, 3, "%02x", byte);
    }
    snprintf(urn, PHONE_INSTANCE_SIZE, "urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
             hex + 16, hex + 20);
}

static bool is_urn(const char *text, size_t size)
{
    return size == PHONE_INSTANCE_SIZE - 1 && strncmp(text, "urn:uuid:", 9) == 0 &&
           strspn(text + 9, "0123456789abcdef-") == size - 9;
}

/* What the file says, or else what is written there now. */
static bool read_or_write(int fd, const unsigned char random[16], char urn[PHONE_INSTANCE_SIZE])
{
    ssize_t size = read(fd, urn, PHONE_INSTANCE_SIZE - 1);
    urn[size > 0 ? size : 0] = '\0';
    if (size > 0 && is_urn(urn, (size_t)size))
        return true;
    print_urn(random, urn);
    return ftruncate(fd, 0) == 0 &&
           pwrite(fd, urn, PHONE_INSTANCE_SIZE - 1, 0) == PHONE_INSTANCE_SIZE - 1 && fsync(fd) == 0;
}

/* The folder and the one that it is in, as far as they are not there. */
static void make_folder(const char *folder)
{
    char parent[PHONE_PATH_LIMIT];
    const char *slash = strrchr(folder, '/');
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - folder), folder);
    /* Where they cannot be made, nothing in them can be opened. */
    (void)mkdir(parent, 0700);
    (void)mkdir(folder, 0700);
}

bool phone_instance_find(const unsigned char random[16], char urn[PHONE_INSTANCE_SIZE])
{
    char folder[PHONE_PATH_LIMIT], path[PHONE_PATH_LIMIT + 16];
    if (!phone_config_folder(folder))
        return false;
    make_folder(folder);
    for (int i = 0; i < INSTANCES; i++) {
        snprintf(path, sizeof path, i == 0 ? "%s/instance" : "%s/instance.%d", folder, i);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return false;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && read_or_write(fd, random, urn))
            return true; /* It stays open, and locked. */
        close(fd);
    }
    return false;
}
