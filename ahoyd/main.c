/* The server as a process: what the configuration asks for is opened, worked on, and closed again;
 * signals say when. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ahoyd/directory.h"
#include "ahoyd/main_api.h"
#include "ahoyd/main_daemon.h"
#include "ahoyd/main_filter.h"
#include "ahoyd/main_notify.h"
#include "ahoyd/main_process.h"
#include "ahoyd/main_route.h"
#include "ahoyd/metrics.h"
#include "ahoyd/options.h"
#include "ahoyd/pusher_http.h"
#include "libahoy/base/poison.h"
#include "libahoy/io/driver.h"

enum {
    EXIT_FAULT = 2,     /* Of the command line or the configuration, an address in use included. */
    LOOK_MS = 30000,    /* How often certificates are looked at, and bindings that end. */
    TIMER_C_MS = 181000 /* R3261-16.6-42: above three minutes. */
};

/* One line a fault: where, what, and how to mend it. */
static void tell_fault(void *context, const char *file, int line, const char *what)
{
    (void)context; /* There is one place only to tell it. */
    if (line > 0)
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
    else
        fprintf(stderr, "%s: %s\n", file, what);
}

static const char *find_config(void)
{
    static const char *const paths[] = { "ahoyd.lua", "/etc/ahoyd/ahoyd.lua" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (access(paths[i], F_OK) == 0)
            return paths[i];
    }
    return paths[0];
}

/* Reads the certificates, and says how long they last. */
static bool open_tls(struct daemon *daemon)
{
    if (!ahoyd_tls_open(&daemon->tls, daemon->config, &daemon->faults, &daemon->log))
        return false;
    ahoyd_tls_look(&daemon->tls, (int64_t)(ahoy_driver_now() / 1000));
    return true;
}

static int check(struct daemon *daemon, const char *path)
{
    daemon->config = ahoyd_config_load(path, &daemon->faults);
    if (daemon->config == NULL)
        return EXIT_FAULT;
    bool sound = ahoyd_process_check(daemon->config, &daemon->faults) && open_tls(daemon);
    if (sound)
        printf("%s: ok\n", path);
    ahoyd_tls_close(&daemon->tls);
    ahoyd_config_free(daemon->config);
    return sound ? EXIT_SUCCESS : EXIT_FAULT;
}

static void fault_file(struct daemon *daemon, int line, const char *what)
{
    tell_fault(NULL, daemon->config->path.at, line, what);
    daemon->faults.count++;
}

static bool open_store(struct daemon *daemon)
{
    char fault[512];
    struct ahoyd_store_options options = { .kind = daemon->config->store,
                                           .path = daemon->config->store_path,
                                           .users = daemon->config->users,
                                           .users_path = daemon->config->users_path,
                                           .now_ms = ahoy_driver_now(),
                                           .finds_hashes = ahoyd_config_hashes(daemon->config),
                                           .log = &daemon->log };
    daemon->store = ahoyd_store_open(&options, fault, sizeof fault);
    if (daemon->store == NULL)
        fault_file(daemon, 0, fault);
    return daemon->store != NULL;
}

static bool open_trace(struct daemon *daemon)
{
    const char *path = daemon->config->trace_path;
    if (path == NULL)
        return true;
    daemon->trace_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (daemon->trace_fd >= 0)
        return true;
    char what[512];
    snprintf(what, sizeof what, "the trace %s cannot be opened: %s; choose another file", path,
             strerror(errno));
    fault_file(daemon, 0, what);
    return false;
}

static bool open_listeners(struct daemon *daemon)
{
    return ahoyd_main_list(daemon->config, &daemon->listeners, &daemon->faults);
}

_Static_assert((int)AHOYD_NAME_SERVERS_LIMIT <= (int)AHOY_DNS_SERVERS_LIMIT, "all are asked");

static struct ahoy_dns_options dns_options(const struct ahoyd_config *config)
{
    struct ahoy_dns_options options = { .server_count = config->name_server_count,
                                        .anchor = config->anchor_path };
    for (size_t i = 0; i < config->name_server_count; i++)
        options.servers[i] = config->name_servers[i];
    return options;
}

static struct ahoy_driver *open_driver(struct daemon *daemon, uint16_t number, uint16_t count)
{
    const struct ahoy_dns_options dns = dns_options(daemon->config);
    int passed[AHOY_LISTENERS_LIMIT];
    ahoyd_passed_pick(&daemon->passed, &daemon->listeners, number, passed);
    struct ahoy_driver_options options = { .listeners = daemon->listeners.at,
                                           .listener_count = daemon->listeners.count,
                                           .worker = number,
                                           .padding = daemon->config->padding,
                                           .share_port = count > 1,
                                           .first = number == 0,
                                           .passed = passed,
                                           .dns = &dns,
                                           .tls = daemon->tls.context };
    size_t failed;
    struct ahoy_driver *driver = ahoy_driver_open(&options, &failed);
    int why = errno;
    if (driver == NULL && failed < daemon->listeners.count)
        ahoyd_main_fault_address(daemon->config, failed, why, &daemon->faults);
    else if (driver == NULL)
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "worker %u: %s", number, strerror(why));
    return driver;
}

/* A worker's trace, where one is asked for; false where memory is refused. */
static bool make_trace(const struct daemon *daemon, uint16_t number, struct ahoyd_trace **trace)
{
    *trace = NULL;
    if (daemon->trace_fd < 0)
        return true;
    struct ahoyd_trace_options options = { .fd = daemon->trace_fd,
                                           .listeners = daemon->listeners.at,
                                           .listener_count = daemon->listeners.count,
                                           .worker = number,
                                           .start_us = daemon->start_us };
    *trace = ahoyd_trace_new(&options);
    return *trace != NULL;
}

static bool open_worker(struct daemon *daemon, uint16_t number, uint16_t count)
{
    struct ahoyd_worker_options options = {
        .server = { .config = daemon->config,
                    .store = daemon->store,
                    .listeners = daemon->listeners.at,
                    .listener_count = daemon->listeners.count,
                    .worker = number,
                    .workers = count,
                    .directory = daemon->directory,
                    .guard = daemon->guard,
                    .clocks = AHOY_DEFAULT_CLOCKS,
                    .timer_c_ms = TIMER_C_MS,
                    .ring_size = daemon->config->ring_size,
                    .log = &daemon->log,
                    .pusher = daemon->pusher },
        .workers = daemon->workers,
    };
    options.driver = open_driver(daemon, number, count);
    if (options.driver == NULL)
        return false;
    if (!ahoy_driver_random(options.server.seed, sizeof options.server.seed) ||
        !make_trace(daemon, number, &options.trace)) {
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "worker %u: no chance or no memory", number);
        ahoy_driver_close(options.driver);
        return false;
    }
    struct ahoyd_worker *worker = ahoyd_worker_new(&options);
    if (worker == NULL) {
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "worker %u: no memory", number);
        return false;
    }
    daemon->workers[daemon->worker_count++] = worker;
    return true;
}

/* What several workers share of their connections. */
static bool make_directory(struct daemon *daemon)
{
    struct ahoy_hash_key secret;
    if (ahoy_driver_random(&secret, sizeof secret))
        daemon->directory = ahoyd_directory_new(secret);
    if (daemon->directory == NULL)
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "directory: no chance or no memory");
    return daemon->directory != NULL;
}

/* And of credentials. */
static bool make_guard(struct daemon *daemon)
{
    struct ahoy_hash_key key;
    if (ahoy_driver_random(&key, sizeof key))
        daemon->guard = ahoyd_guard_new(key, ahoy_driver_now());
    if (daemon->guard == NULL)
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "guard: no chance or no memory");
    return daemon->guard != NULL;
}

/* Before the workers, which ask it. */
static bool open_pusher(struct daemon *daemon)
{
    if (daemon->config->push.url == NULL)
        return true;
    daemon->pusher = ahoyd_pusher_open(&daemon->config->push, &daemon->log);
    if (daemon->pusher == NULL)
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "push: no memory or no thread");
    return daemon->pusher != NULL;
}

static bool open_workers(struct daemon *daemon)
{
    unsigned count = daemon->config->workers;
    if (count > WORKERS_LIMIT)
        count = WORKERS_LIMIT;
    ahoyd_passed_tell(&daemon->passed, &daemon->listeners, &daemon->log);
    if (!ahoyd_passed_suits(&daemon->passed, count, &daemon->log) || !make_guard(daemon) ||
        (count > 1 && !make_directory(daemon)))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!open_worker(daemon, (uint16_t)i, (uint16_t)count))
            return false;
    }
    return true;
}

static bool start_workers(struct daemon *daemon)
{
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        if (!ahoyd_worker_start(daemon->workers[i])) {
            ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "worker %u: no thread", i);
            return false;
        }
    }
    return true;
}

/* Adds one worker's counter to the sum of all; of a level the highest stays. */
static void add_counter(void *context, const char *name, uint64_t value)
{
    json_t *object = context;
    uint64_t before = (uint64_t)json_integer_value(json_object_get(object, name));
    uint64_t sum = value + before;
    if (ahoyd_server_is_level(name))
        sum = value > before ? value : before;
    /* Where memory is refused, the counter is missing. */
    (void)json_object_set_new(object, name, json_integer((json_int_t)sum));
}

static void count_all(void *context, json_t *object)
{
    const struct daemon *daemon = context;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        /* One that is too busy to answer is left out. */
        (void)ahoyd_worker_count(daemon->workers[i], add_counter, object);
    }
    ahoyd_main_follow_count(&daemon->follow, add_counter, object);
}

static size_t copy_notes(void *context, unsigned worker, uint64_t *from, char *to, size_t room)
{
    const struct daemon *daemon = context;
    return ahoyd_worker_copy(daemon->workers[worker], from, to, room, NULL);
}

/* Under the lock. */
static struct ahoyd_metrics metrics_of(const struct daemon *daemon)
{
    return (struct ahoyd_metrics){ .config = daemon->config,
                                   .workers = daemon->workers,
                                   .worker_count = daemon->worker_count,
                                   .follow = &daemon->follow,
                                   .channels = ahoyd_guard_channels(daemon->guard),
                                   .now_ms = ahoy_driver_now() };
}

static char *print_metrics(void *context)
{
    struct daemon *daemon = context;
    pthread_mutex_lock(&daemon->lock);
    const struct ahoyd_metrics metrics = metrics_of(daemon);
    char *text = ahoyd_metrics_print(&metrics);
    pthread_mutex_unlock(&daemon->lock);
    return text;
}

static struct ahoy_ip tell_local(void *context, uint8_t listener)
{
    struct daemon *daemon = context;
    struct ahoy_ip local = { .family = AHOY_NO_FAMILY };
    pthread_mutex_lock(&daemon->lock);
    if (listener < daemon->listeners.count)
        local = daemon->listeners.at[listener].local;
    pthread_mutex_unlock(&daemon->lock);
    return local;
}

static bool open_follow(struct daemon *daemon)
{
    char fault[512];
    const struct ahoyd_main_follow_means means = { .config = daemon->first,
                                                   .workers = daemon->workers,
                                                   .worker_count = daemon->worker_count,
                                                   .local = tell_local,
                                                   .context = daemon,
                                                   .log = &daemon->log };
    bool opened = ahoyd_main_follow_open(&daemon->follow, &means, fault, sizeof fault);
    if (!opened)
        fault_file(daemon, 0, fault);
    return opened;
}

static void print_status(void *context, json_t *object)
{
    struct daemon *daemon = context;
    pthread_mutex_lock(&daemon->lock);
    const struct ahoyd_metrics metrics = metrics_of(daemon);
    ahoyd_main_status(&metrics, daemon->start_us, object);
    pthread_mutex_unlock(&daemon->lock);
}

static bool open_control(struct daemon *daemon)
{
    char fault[512];
    daemon->roll = ahoyd_main_roll(daemon->worker_count, &daemon->log);
    if (daemon->roll == NULL)
        return false;
    daemon->means = (struct ahoyd_command_means){ .store = daemon->store,
                                                  .now_ms = ahoy_driver_now,
                                                  .notes = copy_notes,
                                                  .workers = daemon->worker_count,
                                                  .local = tell_local,
                                                  .roll = daemon->roll,
                                                  .counters = count_all,
                                                  .status = print_status,
                                                  .metrics = print_metrics,
                                                  .reload = ahoyd_main_reload_for,
                                                  .trim = ahoyd_main_trim,
                                                  .context = daemon };
    daemon->control =
        ahoyd_control_open(daemon->config->control_path, &daemon->means, fault, sizeof fault);
    if (daemon->control == NULL)
        fault_file(daemon, 0, fault);
    return daemon->control != NULL;
}

static bool open_api(struct daemon *daemon)
{
    char fault[512];
    const struct ahoyd_api_door *door = &daemon->first->api;
    if (door->ip.family == AHOY_NO_FAMILY)
        return true;
    daemon->api = ahoyd_api_open(door, &daemon->means, fault, sizeof fault);
    if (daemon->api == NULL)
        fault_file(daemon, 0, fault);
    return daemon->api != NULL;
}

static void ignore(void *context, const char *name, uint64_t value)
{
    (void)context, (void)name, (void)value; /* That it comes is enough. */
}

/* Whether every worker answers. */
static bool lives(void *context)
{
    const struct daemon *daemon = context;
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        if (!ahoyd_worker_count(daemon->workers[i], ignore, NULL))
            return false;
    }
    return true;
}

static bool is_ready(void *context)
{
    struct daemon *daemon = context;
    return !atomic_load(&daemon->ending) && lives(context);
}

static bool open_http(struct daemon *daemon)
{
    char fault[512];
    daemon->http_means = (struct ahoyd_http_means){
        .metrics = print_metrics, .lives = lives, .ready = is_ready, .context = daemon
    };
    if (daemon->config->http.family == AHOY_NO_FAMILY)
        return true;
    daemon->http = ahoyd_http_open(&daemon->config->http, &daemon->http_means, fault, sizeof fault);
    if (daemon->http == NULL)
        fault_file(daemon, 0, fault);
    return daemon->http != NULL;
}

/* Once all is open.  Sanitizers need calls that a server does not. */
static void close_filter(const struct daemon *daemon)
{
    bool is_sanitized = false;
#if defined AHOY_POISONS || defined __SANITIZE_THREAD__
    is_sanitized = true;
#endif
    if (daemon->config->process.filters && !is_sanitized)
        (void)ahoyd_filter_close(&daemon->log); /* It has warned; the server works without. */
}

static void announce(const struct daemon *daemon)
{
    char line[900];
    struct ahoy_buf buf = ahoy_buf_over(line, sizeof line);
    for (size_t i = 0; i < daemon->config->listen_count; i++) {
        struct ahoy_buf longer = buf;
        ahoy_buf_put_byte(&longer, ' ');
        ahoyd_listener_print(&daemon->config->listens[i], &longer);
        if (longer.overflow)
            break;
        buf = longer;
    }
    ahoy_log_line(&daemon->log, AHOY_LOG_NOTICE, "listening on%.*s", (int)buf.size, line);
    if (geteuid() == 0)
        ahoy_log_line(&daemon->log, AHOY_LOG_WARNING,
                      "this is root; process { user = \"ahoyd\" } makes it a user like others");
    close_filter(daemon);
    ahoy_log_line(&daemon->log, AHOY_LOG_NOTICE, "ready");
}

/* What is done once in a while. */
static void look(struct daemon *daemon)
{
    pthread_mutex_lock(&daemon->lock);
    ahoyd_tls_look(&daemon->tls, (int64_t)(ahoy_driver_now() / 1000));
    ahoyd_main_sweep(daemon);
    if (daemon->pusher != NULL)
        ahoyd_push_refresh(&daemon->refresh, ahoy_driver_now());
    pthread_mutex_unlock(&daemon->lock);
}

/* Serves until a signal ends it. */
static void serve(struct daemon *daemon, const sigset_t *signals)
{
    const uint64_t watched_ms = ahoyd_notify_watchdog_ms();
    const uint64_t moment_ms = watched_ms > 0 && watched_ms < LOOK_MS ? watched_ms : LOOK_MS;
    const struct timespec moment = { .tv_sec = (time_t)(moment_ms / 1000),
                                     .tv_nsec = (long)(moment_ms % 1000) * 1000000 };
    for (;;) {
        int signal = sigtimedwait(signals, NULL, &moment);
        if (watched_ms > 0 && lives(daemon))
            ahoyd_notify("WATCHDOG=1", &daemon->log);
        if (signal == SIGHUP) {
            ahoyd_main_reload(daemon);
        } else if (signal == AHOYD_FILTER_SIGNAL) {
            ahoyd_filter_tell(&daemon->log);
        } else if (signal > 0) {
            ahoy_log_line(&daemon->log, AHOY_LOG_NOTICE, "%s: ending", strsignal(signal));
            return;
        }
        look(daemon);
    }
}

/* A call that nobody makes, or a file of them. */
static int try_routes(struct daemon *daemon, const struct ahoyd_command_line *line)
{
    int code = EXIT_FAULT;
    daemon->config =
        ahoyd_config_load(line->path != NULL ? line->path : find_config(), &daemon->faults);
    if (daemon->config == NULL)
        return code;
    if (open_listeners(daemon))
        code = ahoyd_main_route(line, daemon->config, &daemon->listeners, &daemon->faults);
    ahoyd_listeners_fini(&daemon->listeners);
    ahoyd_config_free(daemon->config);
    return code;
}

/* Nobody asks the workers any more; they end together; the store gives their last changes back
 * before they are freed. */
static void close_all(struct daemon *daemon)
{
    if (daemon->control != NULL)
        ahoyd_control_close(daemon->control);
    ahoyd_api_close(daemon->api);
    atomic_store(&daemon->ending, true);
    ahoyd_main_follow_stop(&daemon->follow);
    for (unsigned i = 0; i < daemon->worker_count; i++)
        ahoyd_worker_drain(daemon->workers[i]);
    for (unsigned i = 0; i < daemon->worker_count; i++)
        ahoyd_worker_join(daemon->workers[i]);
    ahoyd_pusher_close(daemon->pusher);
    ahoyd_http_close(daemon->http);
    ahoyd_main_follow_close(&daemon->follow);
    if (daemon->store != NULL)
        ahoyd_store_close(daemon->store);
    for (unsigned i = 0; i < daemon->worker_count; i++)
        ahoyd_worker_free(daemon->workers[i]);
    ahoyd_tls_close(&daemon->tls);
    ahoyd_roll_free(daemon->roll);
    ahoyd_directory_free(daemon->directory);
    ahoyd_guard_free(daemon->guard);
    ahoyd_listeners_fini(&daemon->listeners);
    ahoyd_passed_close(&daemon->passed);
    if (daemon->trace_fd >= 0)
        close(daemon->trace_fd);
    if (daemon->first != daemon->config)
        ahoyd_config_free(daemon->first);
    ahoyd_config_free(daemon->config);
}

static int run(struct daemon *daemon, const char *path)
{
    sigset_t signals;
    daemon->config = daemon->first = ahoyd_config_load(path, &daemon->faults);
    if (daemon->config == NULL)
        return EXIT_FAULT;
    ahoyd_diary_init(&daemon->diary, ahoy_driver_now,
                     daemon->config->log.to_stdout ? STDOUT_FILENO : STDERR_FILENO,
                     daemon->config->log.json);
    daemon->log.level = daemon->config->log.level;
    if (!ahoyd_process_become(daemon->config, &daemon->faults)) {
        ahoyd_config_free(daemon->config);
        return EXIT_FAULT;
    }
    ahoyd_process_limit(&daemon->log);
    bool opened =
        ahoyd_process_signals(&signals) && ahoyd_passed_take(&daemon->passed, &daemon->log) &&
        open_store(daemon) && open_trace(daemon) && open_tls(daemon) && open_listeners(daemon) &&
        open_pusher(daemon) && open_workers(daemon) && start_workers(daemon) &&
        open_follow(daemon) && open_control(daemon) && open_http(daemon) && open_api(daemon);
    if (opened) {
        pthread_mutex_lock(&daemon->lock);
        daemon->refresh = (struct ahoyd_push_refresh){ .config = daemon->config,
                                                       .store = daemon->store,
                                                       .pusher = daemon->pusher,
                                                       .until_ms = ahoy_driver_now() };
        announce(daemon);
        pthread_mutex_unlock(&daemon->lock);
        ahoyd_notify("READY=1", &daemon->log);
        serve(daemon, &signals);
        ahoyd_notify("STOPPING=1", &daemon->log);
    }
    close_all(daemon);
    if (opened)
        return EXIT_SUCCESS;
    return daemon->faults.count > 0 ? EXIT_FAULT : EXIT_FAILURE;
}

int main(int count, char **arguments)
{
    struct daemon daemon = { .faults = { .told = tell_fault },
                             .trace_fd = -1,
                             .lock = PTHREAD_MUTEX_INITIALIZER };
    struct ahoyd_command_line line = ahoyd_command_line_parse(count, arguments, stderr);
    daemon.start_us = ahoy_driver_now_us();
    ahoyd_diary_init(&daemon.diary, ahoy_driver_now, STDERR_FILENO, false);
    daemon.log = (struct ahoy_log){ .sink = ahoyd_diary_line,
                                    .context = &daemon.diary,
                                    .level = AHOY_LOG_INFO };
    switch (line.task) {
    case AHOYD_TASK_SERVE:
        return run(&daemon, line.path != NULL ? line.path : find_config());
    case AHOYD_TASK_CHECK:
        return check(&daemon, line.path);
    case AHOYD_TASK_ROUTE:
    case AHOYD_TASK_TEST:
        return try_routes(&daemon, &line);
    case AHOYD_TASK_VERSION:
        puts("ahoyd " AHOY_VERSION);
        return EXIT_SUCCESS;
    case AHOYD_TASK_HELP:
        ahoyd_command_line_help(stdout);
        return EXIT_SUCCESS;
    case AHOYD_TASK_NONE:
        break;
    }
    return EXIT_FAULT;
}
