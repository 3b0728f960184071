/* A poll loop over a few clients.  A client that misbehaves loses its connection, nothing else. */
#include "ahoyd/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct client {
    int fd; /* -1: this place is free. */
    uint64_t deadline_ms;
    size_t size;
    char *line; /* AHOYD_CONTROL_LINE_LIMIT bytes. */
};

struct ahoyd_control {
    const struct ahoyd_command_means *means;
    struct sockaddr_un address;
    int listener;
    int stop; /* An eventfd. */
    pthread_t thread;
    struct client clients[AHOYD_CONTROL_CLIENTS_LIMIT];
};

static uint64_t monotonic_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static void drop(struct client *client)
{
    close(client->fd);
    free(client->line);
    *client = (struct client){ .fd = -1 };
}

/* Writes all of |text|; false where the client does not take it in time. */
static bool write_all(int fd, const char *text, size_t size)
{
    uint64_t deadline_ms = monotonic_ms() + AHOYD_CONTROL_PATIENCE_MS;
    while (size > 0) {
        ssize_t count = send(fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            text += count;
            size -= (size_t)count;
            continue;
        }
        if (count < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        uint64_t now = monotonic_ms();
        struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
        if (now >= deadline_ms || poll(&poll_fd, 1, (int)(deadline_ms - now)) < 0)
            return false;
    }
    return true;
}

static bool answer(const struct ahoyd_control *control, int fd, const char *line, size_t size)
{
    json_error_t error;
    json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
    json_t *reply = NULL;
    if (request == NULL)
        reply = json_pack("{s:b, s:s}", "ok", 0, "error", "this is no JSON object in one line");
    else
        reply = ahoyd_command(control->means, request);
    char *text = reply == NULL ? NULL : json_dumps(reply, JSON_COMPACT);
    bool sound = text != NULL && write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1);
    free(text);
    json_decref(reply);
    json_decref(request);
    return sound;
}

/* Answers every whole line that stands in the client's buffer. */
static bool answer_lines(const struct ahoyd_control *control, struct client *client)
{
    char *end = NULL;
    while ((end = memchr(client->line, '\n', client->size)) != NULL) {
        size_t size = (size_t)(end - client->line);
        bool sound = answer(control, client->fd, client->line, size);
        explicit_bzero(client->line, size);
        client->size -= size + 1;
        memmove(client->line, end + 1, client->size);
        if (!sound)
            return false;
        client->deadline_ms = monotonic_ms() + AHOYD_CONTROL_PATIENCE_MS;
    }
    return true;
}

static bool read_client(const struct ahoyd_control *control, struct client *client)
{
    size_t room = AHOYD_CONTROL_LINE_LIMIT - client->size;
    if (room == 0) {
        static const char refusal[] =
            "{\"ok\":false,\"error\":\"a line of more than 65536 bytes\"}\n";
        write_all(client->fd, refusal, sizeof refusal - 1);
        return false;
    }
    ssize_t count = recv(client->fd, client->line + client->size, room, MSG_DONTWAIT);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    client->size += (size_t)count;
    return count > 0 && answer_lines(control, client);
}

/* Only root and the user that the server runs as. */
static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void accept_client(struct ahoyd_control *control)
{
    int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    for (size_t i = 0; is_allowed(fd) && i < AHOYD_CONTROL_CLIENTS_LIMIT; i++) {
        struct client *client = &control->clients[i];
        if (client->fd >= 0)
            continue;
        client->line = malloc(AHOYD_CONTROL_LINE_LIMIT);
        if (client->line == NULL)
            break;
        client->fd = fd;
        client->size = 0;
        client->deadline_ms = monotonic_ms() + AHOYD_CONTROL_PATIENCE_MS;
        return;
    }
    close(fd);
}

/* Waits for work; false when it is time to stop. */
static bool wait_for_work(struct ahoyd_control *control, struct pollfd *fds)
{
    fds[0] = (struct pollfd){ .fd = control->stop, .events = POLLIN };
    fds[1] = (struct pollfd){ .fd = control->listener, .events = POLLIN };
    bool busy = false;
    for (size_t i = 0; i < AHOYD_CONTROL_CLIENTS_LIMIT; i++) {
        fds[2 + i] = (struct pollfd){ .fd = control->clients[i].fd, .events = POLLIN };
        busy = busy || control->clients[i].fd >= 0;
    }
    int count = poll(fds, 2 + AHOYD_CONTROL_CLIENTS_LIMIT, busy ? 500 : -1);
    if (count < 0) {
        for (size_t i = 0; i < 2 + AHOYD_CONTROL_CLIENTS_LIMIT; i++)
            fds[i].revents = 0;
    }
    return fds[0].revents == 0;
}

static void *serve(void *context)
{
    struct ahoyd_control *control = context;
    struct pollfd fds[2 + AHOYD_CONTROL_CLIENTS_LIMIT];
    while (wait_for_work(control, fds)) {
        uint64_t now = monotonic_ms();
        for (size_t i = 0; i < AHOYD_CONTROL_CLIENTS_LIMIT; i++) {
            struct client *client = &control->clients[i];
            if (client->fd < 0)
                continue;
            bool sound = now < client->deadline_ms;
            if (sound && fds[2 + i].revents != 0)
                sound = read_client(control, client);
            if (!sound)
                drop(client);
        }
        if (fds[1].revents != 0)
            accept_client(control);
    }
    return NULL;
}

/* Whether somebody answers at the address; a socket that nobody does is a dead server's. */
static bool is_alive(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    int rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
    bool alive = rc == 0 || errno == EAGAIN;
    close(fd);
    return alive;
}

static bool clear_path(const struct sockaddr_un *address, char *fault, size_t fault_size)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode))
        snprintf(fault, fault_size, "%s is there and is no socket; name another path with control",
                 address->sun_path);
    else if (is_alive(address))
        snprintf(fault, fault_size, "%s is in use by another ahoyd; stop that one first",
                 address->sun_path);
    else if (unlink(address->sun_path) == 0)
        return true;
    else
        snprintf(fault, fault_size, "%s cannot be replaced: %s", address->sun_path,
                 strerror(errno));
    return false;
}

static bool listen_at(struct ahoyd_control *control, char *fault, size_t fault_size)
{
    if (!clear_path(&control->address, fault, fault_size))
        return false;
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Nobody else can connect between bind and chmod: that needs listen. */
    if (control->listener >= 0 &&
        bind(control->listener, (struct sockaddr *)&control->address, sizeof control->address) ==
            0 &&
        chmod(control->address.sun_path, 0600) == 0 &&
        listen(control->listener, AHOYD_CONTROL_CLIENTS_LIMIT) == 0)
        return true;
    snprintf(fault, fault_size, "%s cannot be listened on: %s", control->address.sun_path,
             strerror(errno));
    return false;
}

static void free_control(struct ahoyd_control *control)
{
    if (control->listener >= 0)
        close(control->listener);
    if (control->stop >= 0)
        close(control->stop);
    free(control);
}

struct ahoyd_control *ahoyd_control_open(const char *path, const struct ahoyd_command_means *means,
                                         char *fault, size_t fault_size)
{
    struct ahoyd_control *control = calloc(1, sizeof *control);
    if (control == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        return NULL;
    }
    control->means = means;
    control->listener = -1;
    control->address.sun_family = AF_UNIX;
    for (size_t i = 0; i < AHOYD_CONTROL_CLIENTS_LIMIT; i++)
        control->clients[i].fd = -1;
    control->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int size = snprintf(control->address.sun_path, sizeof control->address.sun_path, "%s", path);
    if (control->stop < 0 || (size_t)size >= sizeof control->address.sun_path)
        snprintf(fault, fault_size, "%s is too long for a socket's path", path);
    else if (listen_at(control, fault, fault_size)) {
        if (pthread_create(&control->thread, NULL, serve, control) == 0)
            return control;
        snprintf(fault, fault_size, "the control's thread cannot be started");
        unlink(control->address.sun_path);
    }
    free_control(control);
    return NULL;
}

void ahoyd_control_close(struct ahoyd_control *control)
{
    if (control == NULL)
        return;
    uint64_t one = 1;
    ssize_t written = write(control->stop, &one, sizeof one);
    (void)written; /* An eventfd that is full has been written to already. */
    pthread_join(control->thread, NULL);
    for (size_t i = 0; i < AHOYD_CONTROL_CLIENTS_LIMIT; i++) {
        if (control->clients[i].fd >= 0)
            drop(&control->clients[i]);
    }
    unlink(control->address.sun_path);
    free_control(control);
}
