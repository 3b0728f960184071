/* The server as a process: its parts, which main.c opens and closes, and how a configuration takes
 * the place of another, which main_reload.c sees to. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "ahoyd/api.h"
#include "ahoyd/control.h"
#include "ahoyd/diary.h"
#include "ahoyd/http.h"
#include "ahoyd/main_follow.h"
#include "ahoyd/main_passed.h"
#include "ahoyd/main_tls.h"
#include "ahoyd/push_refresh.h"
#include "ahoyd/worker.h"

enum { WORKERS_LIMIT = 64 };

struct daemon {
    struct ahoyd_config *config; /* That in force ... */
    struct ahoyd_config *first; /* ... and that of the start, which the store, the pusher and others
                                  * keep texts of. */
    struct ahoyd_config_faults faults;
    struct ahoyd_diary diary;
    struct ahoy_log log;
    struct ahoyd_store *store;
    struct ahoyd_listeners listeners;
    struct ahoyd_passed passed; /* Sockets that were open before. */
    struct ahoyd_tls tls;
    struct ahoyd_guard *guard;
    struct ahoy_directory *directory; /* NULL where there is one worker only. */
    struct ahoyd_pusher *pusher;      /* NULL where no phone is woken. */
    struct ahoyd_push_refresh refresh;
    struct ahoyd_worker *workers[WORKERS_LIMIT];
    unsigned worker_count;
    struct ahoyd_main_follow follow;
    struct ahoyd_command_means means; /* Of the control socket and the API. */
    struct ahoyd_roll *roll;
    struct ahoyd_control *control;
    struct ahoyd_api *api; /* NULL: nobody asked for it. */
    struct ahoyd_http_means http_means;
    struct ahoyd_http *http; /* NULL: nobody asked for it. */
    atomic_bool ending;
    int trace_fd;
    uint64_t start_us;
    /* Of |config|, |listeners|, |tls| and |refresh|, once the workers have started; these read
     * theirs without it. */
    pthread_mutex_t lock;
};

/* main_listen.c: what |config| listens on, as ahoyd_listeners_init has it. */
bool ahoyd_main_list(const struct ahoyd_config *config, struct ahoyd_listeners *listeners,
                     struct ahoyd_config_faults *faults);
/* Tells that listener |index| cannot be opened, for the reason |why|, an errno. */
void ahoyd_main_fault_address(const struct ahoyd_config *config, size_t index, int why,
                              struct ahoyd_config_faults *faults);

/* main_reload.c: reads the configuration again, all of it or nothing, and says in the log what has
 * changed, or what is wrong. */
void ahoyd_main_reload(struct daemon *daemon);
/* The same for a command, whose answer it returns (docs/control.md); |is_trial|: nothing changes.
 * |daemon| is one. */
json_t *ahoyd_main_reload_for(void *daemon, bool is_trial);
/* main_trim.c, for a command: has all workers give back memory that lies idle; false where one does
 * not answer.  |daemon| is one. */
bool ahoyd_main_trim(void *daemon);
/* Under the lock: closes what is leaving and has been open for long enough. */
void ahoyd_main_sweep(struct daemon *daemon);
