/* Reaching the server by its socket, or its store where it is down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"

struct ctl_link {
    FILE *in, *out;                   /* The server, or NULL. */
    struct ahoyd_command_means means; /* The store, where there is no server. */
    struct ahoyd_config *config;
};

static const char *const socket_paths[] = { "ahoyd.sock", "/run/ahoyd/ahoyd.sock" };
static const char *const config_paths[] = { "ahoyd.lua", "/etc/ahoyd/ahoyd.lua" };

/* The server's clock counts from the Unix time at its start, so this is near enough to it. */
static uint64_t clock_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* A socket to the server at |path|; -1 with errno set. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct timeval patience = { .tv_sec = 30 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

/* Where nobody named a socket, the configuration that was named says which one. */
static bool find_server(struct ctl_link *link, const struct ctl_options *options)
{
    int fd = -1;
    if (options->socket_path != NULL)
        fd = connect_to(options->socket_path);
    else if (link->config != NULL)
        fd = connect_to(link->config->control_path);
    else
        for (size_t i = 0; fd < 0 && i < 2; i++)
            fd = connect_to(socket_paths[i]);
    if (fd < 0)
        return false;
    link->in = fdopen(fd, "r");
    link->out = fdopen(dup(fd), "w");
    return link->in != NULL && link->out != NULL;
}

static void tell(void *context, const char *file, int line, const char *what)
{
    (void)context; /* Nothing is kept. */
    if (line > 0)
        ctl_say("%s:%d: %s", file, line, what);
    else
        ctl_say("%s: %s", file, what);
}

static struct ahoyd_config *load(const char *path)
{
    struct ahoyd_config_faults faults = { .told = tell };
    return ahoyd_config_load(path, &faults);
}

/* The configuration in one of the usual places, or NULL without a word. */
static struct ahoyd_config *find_config(void)
{
    for (size_t i = 0; i < 2; i++) {
        if (access(config_paths[i], R_OK) == 0)
            return load(config_paths[i]);
    }
    return NULL;
}

static bool open_store(struct ctl_link *link)
{
    char fault[512];
    if (link->config == NULL) {
        ctl_say("no server answers and no configuration names its store; "
                "start ahoyd, or give --socket or --config");
        return false;
    }
    if (link->config->store == AHOYD_STORE_MEMORY && link->config->users_path == NULL) {
        ctl_say("no server answers at %s, and its store is in memory; start ahoyd first",
                link->config->control_path);
        return false;
    }
    struct ahoyd_store_options options = { .kind = link->config->store,
                                           .path = link->config->store_path,
                                           .users = link->config->users,
                                           .users_path = link->config->users_path,
                                           .now_ms = clock_ms() };
    link->means.now_ms = clock_ms;
    link->means.store = ahoyd_store_open(&options, fault, sizeof fault);
    if (link->means.store == NULL)
        ctl_say("no server answers at %s, and its store: %s", link->config->control_path, fault);
    return link->means.store != NULL;
}

/* The server, else the store. */
static bool reach(struct ctl_link *link, const struct ctl_options *options)
{
    if (options->config_path != NULL) {
        link->config = load(options->config_path);
        if (link->config == NULL)
            return false;
    }
    if (find_server(link, options))
        return true;
    if (options->socket_path != NULL && options->config_path == NULL) {
        ctl_say("no server answers at %s: %s", options->socket_path, strerror(errno));
        return false;
    }
    if (link->config == NULL) {
        link->config = find_config();
        if (link->config != NULL && find_server(link, options))
            return true;
    }
    return open_store(link);
}

struct ctl_link *ctl_link_open(const struct ctl_options *options)
{
    struct ctl_link *link = calloc(1, sizeof *link);
    if (link == NULL || reach(link, options))
        return link;
    ctl_link_close(link);
    return NULL;
}

void ctl_link_close(struct ctl_link *link)
{
    if (link == NULL)
        return;
    if (link->in != NULL)
        fclose(link->in);
    if (link->out != NULL)
        fclose(link->out);
    ahoyd_store_close(link->means.store);
    ahoyd_config_free(link->config);
    free(link);
}

static json_t *ask_server(struct ctl_link *link, const json_t *request)
{
    json_t *answer = NULL;
    char *line = NULL;
    size_t capacity = 0;
    json_error_t error;
    if (json_dumpf(request, link->out, JSON_COMPACT) == 0 && fputc('\n', link->out) != EOF &&
        fflush(link->out) == 0 && getline(&line, &capacity, link->in) > 0)
        answer = json_loads(line, 0, &error);
    free(line);
    if (answer == NULL)
        ctl_say("the server did not answer; is it still running?");
    return answer;
}

json_t *ctl_link_ask(struct ctl_link *link, json_t *request)
{
    json_t *answer =
        link->in != NULL ? ask_server(link, request) : ahoyd_command(&link->means, request);
    json_decref(request);
    if (answer != NULL && !json_is_true(json_object_get(answer, "ok"))) {
        const char *why = json_string_value(json_object_get(answer, "error"));
        ctl_say("%s", why == NULL ? "the command failed" : why);
        json_decref(answer);
        return NULL;
    }
    return answer;
}
