/* Secrets are kept and compared as hashes of one length, in constant time. */
#include "ahoyd/api_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_secret(char text[65])
{
    unsigned char bytes[32];
    struct ahoy_buf buf = ahoy_buf_over(text, 64);
    bool made = RAND_bytes(bytes, sizeof bytes) == 1;
    if (made)
        ahoy_buf_put_hex(&buf, bytes, sizeof bytes);
    text[64] = '\0';
    explicit_bzero(bytes, sizeof bytes);
    return made;
}

static void hash(struct span text, unsigned char digest[32])
{
    SHA256((const unsigned char *)text.at, text.size, digest);
}

static bool is_secret(struct span text, const unsigned char digest[32])
{
    unsigned char theirs[32];
    hash(text, theirs);
    return CRYPTO_memcmp(theirs, digest, sizeof theirs) == 0;
}

/* A new file with a new token, which stands in |text| too; -1 where that cannot be. */
static int make_file(const char *path, char text[65])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (make_secret(text) && write(fd, text, 64) == 64 && write(fd, "\n", 1) == 1)
        return fd;
    close(fd);
    unlink(path);
    return -1;
}

/* Its own and nobody else's, for whoever reads the token is the operator. */
static bool is_private(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) == 0 &&
           (status.st_uid == geteuid() || status.st_uid == 0);
}

static bool is_token(struct span text)
{
    bool sound = text.size >= AHOYD_TOKEN_LEAST && text.size <= AHOYD_TOKEN_LIMIT;
    for (size_t i = 0; sound && i < text.size; i++)
        sound = text.at[i] > ' ' && text.at[i] < 0x7f;
    return sound;
}

bool ahoyd_api_guard_init(struct ahoyd_api_guard *guard, const char *path, char *fault,
                          size_t fault_size)
{
    char text[AHOYD_TOKEN_LIMIT + 2] = "";
    ssize_t size = 64;
    *guard = (struct ahoyd_api_guard){ 0 };
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_new = fd < 0 && errno == ENOENT;
    if (is_new)
        fd = make_file(path, text);
    if (fd < 0) {
        snprintf(fault, fault_size, "api: the token %s cannot be %s: %s", path,
                 is_new ? "made" : "opened", strerror(errno));
        return false;
    }
    bool sound = is_private(fd);
    if (sound && !is_new)
        size = read(fd, text, sizeof text);
    close(fd);
    struct span token = ahoy_span_trim((struct span){ text, size > 0 ? (size_t)size : 0 });
    if (token.size > 0 && token.at[token.size - 1] == '\n')
        token.size--;
    if (!sound)
        snprintf(fault, fault_size, "api: others may read the token %s; chmod 600 it", path);
    else if (!(sound = is_token(token)))
        snprintf(fault, fault_size,
                 "api: the token %s is no line of 32 to 256 printable characters; remove the file, "
                 "and ahoyd makes a good one",
                 path);
    hash(token, guard->token);
    explicit_bzero(text, sizeof text);
    return sound;
}

bool ahoyd_api_guard_knows(const struct ahoyd_api_guard *guard, struct span text)
{
    return is_secret(text, guard->token);
}

bool ahoyd_api_guard_admit(struct ahoyd_api_guard *guard, uint64_t now_ms,
                           struct ahoyd_api_cookie *cookie)
{
    struct ahoyd_api_session *session = &guard->sessions[guard->next];
    if (!make_secret(cookie->text))
        return false;
    hash(ahoy_span(cookie->text), session->id);
    session->until_ms = now_ms + AHOYD_SESSION_MS;
    guard->next = (guard->next + 1) % AHOYD_SESSIONS_LIMIT;
    return true;
}

static struct ahoyd_api_session *find(const struct ahoyd_api_guard *guard, struct span cookie)
{
    const struct ahoyd_api_session *found = NULL;
    for (size_t i = 0; i < AHOYD_SESSIONS_LIMIT; i++) {
        if (is_secret(cookie, guard->sessions[i].id))
            found = &guard->sessions[i];
    }
    return (struct ahoyd_api_session *)(uintptr_t)found;
}

bool ahoyd_api_guard_remembers(const struct ahoyd_api_guard *guard, struct span cookie,
                               uint64_t now_ms)
{
    const struct ahoyd_api_session *session = find(guard, cookie);
    return session != NULL && now_ms < session->until_ms;
}

void ahoyd_api_guard_forget(struct ahoyd_api_guard *guard, struct span cookie)
{
    struct ahoyd_api_session *session = find(guard, cookie);
    if (session != NULL)
        session->until_ms = 0;
}

/* "[::1]:8080" without its port. */
static struct span without_port(struct span host)
{
    size_t end = host.size;
    while (end > 0 && host.at[end - 1] >= '0' && host.at[end - 1] <= '9')
        end--;
    if (end > 1 && end < host.size && host.at[end - 1] == ':' &&
        (host.at[0] == '[' || ahoy_span_find(host, ':') == end - 1))
        host.size = end - 1;
    return host;
}

bool ahoyd_api_host_is_ours(struct span host, const struct span *names, size_t count)
{
    struct ahoy_ip ip;
    host = without_port(host);
    if (ahoy_span_equal_nocase(host, SPAN("localhost")) || ahoy_ip_parse(host, &ip))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (ahoy_span_equal_nocase(host, names[i]))
            return true;
    }
    return false;
}

bool ahoyd_api_origin_is_ours(struct span origin, struct span host)
{
    size_t scheme = ahoy_span_starts_nocase(origin, SPAN("https://")) ? 8 : 7;
    if (scheme == 7 && !ahoy_span_starts_nocase(origin, SPAN("http://")))
        return false;
    return ahoy_span_equal_nocase(ahoy_span_after(origin, scheme), host);
}
