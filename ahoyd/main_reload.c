/* All of a new configuration, or nothing of it (docs/decisions/0161).  What may fail comes first:
 * the file is read and checked, its certificates are read, each worker's part is made.  Then the
 * workers stand still for a moment, between two turns: addresses are opened, which may fail too,
 * and the new takes the place of the old.  Nothing is half new for anybody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/difference.h"
#include "ahoyd/main_daemon.h"
#include "ahoyd/main_notify.h"
#include "ahoyd/slots.h"
#include "libahoy/io/driver.h"

enum { REFUSED = 409, FAULT_SIZE = 2400 };

/* A configuration with all that belongs to it. */
struct fresh {
    struct ahoyd_config *config;
    struct ahoyd_listeners listeners;
    struct ahoyd_tls tls;
    struct ahoyd_renewal *renewals[WORKERS_LIMIT];
    uint64_t opened[WORKERS_LIMIT]; /* By worker: the listeners that were opened, a bit each. */
    const char *path;
    struct ahoyd_config_faults *faults;
};

static void fault(struct fresh *fresh, int line, const char *what)
{
    fresh->faults->count++;
    fresh->faults->told(fresh->faults->context, fresh->path, line, what);
}

static void fault_fixed(void *context, const struct ahoyd_difference *difference)
{
    struct fresh *fresh = context;
    char what[160];
    if (!ahoyd_difference_needs_restart(difference))
        return;
    if (difference->sign == '-')
        snprintf(what, sizeof what, "%s, which stood in line %d, cannot go without a restart",
                 difference->word, difference->line);
    else
        snprintf(what, sizeof what, "%s cannot %s without a restart", difference->word,
                 difference->sign == '+' ? "be added" : "change");
    fault(fresh, difference->sign == '-' ? 0 : difference->line, what);
}

/* Whether a server that runs can become what the file says. */
static bool is_possible(const struct daemon *daemon, struct fresh *fresh)
{
    ahoyd_difference_find(daemon->config, fresh->config, fault_fixed, fresh);
    if (ahoyd_config_hashes(daemon->config) != ahoyd_config_hashes(fresh->config))
        fault(fresh, 0, "the first domain with userhash, or the last, needs a restart");
    return fresh->faults->count == 0;
}

static bool make_renewals(const struct daemon *daemon, struct fresh *fresh)
{
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        fresh->renewals[i] = ahoyd_renewal_new(daemon->config, fresh->config, fresh->listeners.at,
                                               fresh->listeners.count);
        if (fresh->renewals[i] == NULL)
            return false;
    }
    return true;
}

static bool prepare(const struct daemon *daemon, struct fresh *fresh)
{
    fresh->config = ahoyd_config_load(fresh->path, fresh->faults);
    if (fresh->config != NULL && is_possible(daemon, fresh) &&
        ahoyd_slots_keep(fresh->config, daemon->config, ahoy_driver_now(), fresh->faults) &&
        ahoyd_main_list(fresh->config, &fresh->listeners, fresh->faults) &&
        ahoyd_tls_prepare(&daemon->tls, &fresh->tls, fresh->config, fresh->faults) &&
        make_renewals(daemon, fresh))
        return true;
    if (fresh->faults->count == 0)
        fault(fresh, 0, "memory ran out");
    return false;
}

/* What is left: all of it where it was not taken, else what it took the place of. */
static void drop(const struct daemon *daemon, struct fresh *fresh)
{
    for (unsigned i = 0; i < daemon->worker_count; i++)
        ahoyd_renewal_free(fresh->renewals[i]);
    ahoyd_tls_drop(&fresh->tls);
    ahoyd_listeners_fini(&fresh->listeners);
    if (fresh->config != daemon->first)
        ahoyd_config_free(fresh->config);
}

static bool open_one(struct daemon *daemon, struct fresh *fresh, unsigned number, size_t index)
{
    int passed[AHOY_LISTENERS_LIMIT];
    ahoyd_passed_pick(&daemon->passed, &fresh->listeners, number, passed);
    const struct ahoy_driver_options options = { .share_port = daemon->worker_count > 1,
                                                 .first = number == 0,
                                                 .passed = passed,
                                                 .tls = daemon->tls.context };
    const struct ahoy_listener *listener = &fresh->listeners.at[index];
    struct ahoy_driver *driver = ahoyd_worker_driver(daemon->workers[number]);
    if (listener->leaving || ahoy_driver_listens(driver, index))
        return true;
    if (!ahoy_driver_listen(driver, index, listener, &options)) {
        ahoyd_main_fault_address(fresh->config, index, errno, fresh->faults);
        return false;
    }
    fresh->opened[number] |= UINT64_C(1) << index;
    return true;
}

static bool open_new(struct daemon *daemon, struct fresh *fresh)
{
    for (size_t i = 0; i < fresh->listeners.count; i++) {
        for (unsigned j = 0; j < daemon->worker_count; j++) {
            if (!open_one(daemon, fresh, j, i))
                return false;
        }
    }
    return true;
}

static void close_new(struct daemon *daemon, const struct fresh *fresh)
{
    for (unsigned i = 0; i < daemon->worker_count; i++) {
        struct ahoy_driver *driver = ahoyd_worker_driver(daemon->workers[i]);
        for (size_t j = 0; j < fresh->listeners.count; j++) {
            if ((fresh->opened[i] >> j & 1) != 0)
                ahoy_driver_unlisten(driver, j);
        }
    }
}

/* While the workers stand still: closes what is leaving, a UDP socket when its time has come.  Then
 * its number is free, once no connection is left that came by it. */
static void sweep(struct daemon *daemon, uint64_t now_ms)
{
    struct ahoyd_config *config = daemon->config;
    uint64_t used = 0;
    for (unsigned i = 0; i < daemon->worker_count; i++)
        used |= ahoyd_worker_listeners(daemon->workers[i]);
    for (size_t i = 0; i < config->listen_count; i++) {
        struct ahoyd_listen *listen = &config->listens[i];
        bool is_over = listen->until_ms <= now_ms;
        if (listen->is_free || listen->until_ms == 0 ||
            (!is_over && !ahoy_transport_is_reliable(listen->transport)))
            continue;
        for (unsigned j = 0; j < daemon->worker_count; j++)
            ahoy_driver_unlisten(ahoyd_worker_driver(daemon->workers[j]), i);
        listen->is_free = is_over && (used >> i & 1) == 0;
    }
}

void ahoyd_main_sweep(struct daemon *daemon)
{
    const struct ahoyd_config *config = daemon->config;
    uint64_t now_ms = ahoy_driver_now();
    bool is_due = false;
    for (size_t i = 0; i < config->listen_count; i++)
        is_due = is_due || (!config->listens[i].is_free && config->listens[i].until_ms > 0 &&
                            config->listens[i].until_ms <= now_ms);
    if (!is_due || !ahoyd_workers_pause(daemon->workers, daemon->worker_count))
        return; /* The next look comes. */
    sweep(daemon, now_ms);
    ahoyd_workers_resume(daemon->workers, daemon->worker_count);
}

/* The new takes the place of the old, which |fresh| has afterwards.  The certificates come first:
 * what listens by TLS needs them. */
static bool take(struct daemon *daemon, struct fresh *fresh)
{
    ahoyd_tls_swap(&daemon->tls, &fresh->tls);
    if (!open_new(daemon, fresh)) {
        close_new(daemon, fresh);
        ahoyd_tls_swap(&daemon->tls, &fresh->tls);
        return false;
    }
    for (unsigned i = 0; i < daemon->worker_count; i++)
        ahoyd_worker_renew(daemon->workers[i], fresh->renewals[i], fresh->config,
                           &fresh->listeners);
    struct ahoyd_config *config = daemon->config;
    struct ahoyd_listeners listeners = daemon->listeners;
    daemon->config = fresh->config;
    fresh->config = config;
    daemon->listeners = fresh->listeners;
    fresh->listeners = listeners;
    daemon->refresh.config = daemon->config;
    sweep(daemon, ahoy_driver_now());
    return true;
}

/* Whom what has changed is told to. */
struct teller {
    void (*told)(void *context, const struct ahoyd_difference *difference);
    void *context;
    unsigned count;
};

static void tell(void *context, const struct ahoyd_difference *difference)
{
    struct teller *teller = context;
    teller->count++;
    teller->told(teller->context, difference);
}

static void tell_certificate(void *context, const char *certificate)
{
    const struct ahoyd_difference difference = { .sign = '~',
                                                 .word = "certificate",
                                                 .name = ahoy_span(certificate) };
    tell(context, &difference);
}

/* False where the workers do not stand still, or an address is not to be had. */
static bool commit(struct daemon *daemon, struct fresh *fresh)
{
    if (!ahoyd_workers_pause(daemon->workers, daemon->worker_count)) {
        fault(fresh, 0, "a worker does not come to its turn's end; look at the log");
        return false;
    }
    bool taken = take(daemon, fresh);
    ahoyd_workers_resume(daemon->workers, daemon->worker_count);
    return taken;
}

static void note(const struct daemon *daemon, const struct teller *teller)
{
    if (daemon->tls.count > 0)
        ahoy_log_line(&daemon->log, AHOY_LOG_NOTICE, "the certificates have been read anew");
    ahoy_log_line(&daemon->log, AHOY_LOG_NOTICE, "%s is in force, with %u changes",
                  daemon->config->path.at, teller->count);
}

static bool reload(struct daemon *daemon, bool is_trial, struct ahoyd_config_faults *faults,
                   struct teller *teller)
{
    pthread_mutex_lock(&daemon->lock);
    if (!is_trial)
        ahoyd_notify_reloading(&daemon->log);
    struct fresh fresh = { .faults = faults, .path = daemon->first->path.at };
    bool done = prepare(daemon, &fresh) && (is_trial || commit(daemon, &fresh));
    if (done && is_trial) {
        ahoyd_difference_find(daemon->config, fresh.config, tell, teller);
        ahoyd_tls_compare(&fresh.tls, &daemon->tls, tell_certificate, teller);
    } else if (done) { /* Now |fresh| has what was before. */
        ahoyd_difference_find(fresh.config, daemon->config, tell, teller);
        ahoyd_tls_compare(&daemon->tls, &fresh.tls, tell_certificate, teller);
        ahoyd_passed_tell(&daemon->passed, &daemon->listeners, &daemon->log);
        note(daemon, teller);
    }
    drop(daemon, &fresh);
    if (!is_trial)
        ahoyd_notify("READY=1", &daemon->log);
    pthread_mutex_unlock(&daemon->lock);
    return done;
}

static void log_fault(void *context, const char *file, int line, const char *what)
{
    ahoy_log_line(context, AHOY_LOG_ERROR, "%s:%d: %s", file, line, what);
}

static void log_difference(void *context, const struct ahoyd_difference *difference)
{
    char text[AHOYD_DIFFERENCE_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoyd_difference_print(difference, &buf);
    ahoy_log_line(context, AHOY_LOG_NOTICE, "%.*s", (int)ahoy_buf_text(&buf).size, text);
}

void ahoyd_main_reload(struct daemon *daemon)
{
    struct ahoyd_config_faults faults = { .told = log_fault, .context = &daemon->log };
    struct teller teller = { .told = log_difference, .context = &daemon->log };
    if (!reload(daemon, false, &faults, &teller))
        ahoy_log_line(&daemon->log, AHOY_LOG_ERROR, "SIGHUP: all stays as it was");
}

/* What a command is answered. */
struct answer {
    json_t *changes, *faults;
    char text[4096]; /* Of the faults, a line each; what does not fit is cut. */
    size_t size;
};

static void answer_fault(void *context, const char *file, int line, const char *what)
{
    struct answer *answer = context;
    char space[FAULT_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
    ahoy_buf_put_escaped(&buf, ahoy_span(what)); /* JSON has no bytes that are no UTF-8. */
    struct span text = ahoy_buf_text(&buf);
    space[text.size] = '\0';
    size_t room = sizeof answer->text - answer->size;
    int size = snprintf(answer->text + answer->size, room, "%s%s:%d: %s",
                        answer->size > 0 ? "\n" : "", file, line, space);
    if (size > 0 && (size_t)size < room)
        answer->size += (size_t)size;
    else
        answer->text[answer->size] = '\0';
    json_array_append_new(answer->faults, json_pack("{s:i, s:s}", "line", line, "what", space));
}

static void answer_difference(void *context, const struct ahoyd_difference *difference)
{
    struct answer *answer = context;
    char text[AHOYD_DIFFERENCE_SIZE], space[4 * AHOYD_DIFFERENCE_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    struct ahoy_buf escaped = ahoy_buf_over(space, sizeof space);
    ahoyd_difference_print(difference, &buf);
    ahoy_buf_put_escaped(&escaped, ahoy_buf_text(&buf)); /* As above. */
    struct span printed = ahoy_buf_text(&escaped);
    json_array_append_new(answer->changes,
                          json_pack("{s:s#, s:i, s:s#}", "sign", &difference->sign, 1, "line",
                                    difference->line, "change", printed.at, (int)printed.size));
}

json_t *ahoyd_main_reload_for(void *context, bool is_trial)
{
    struct daemon *daemon = context;
    struct answer answer = { .changes = json_array(), .faults = json_array() };
    struct ahoyd_config_faults faults = { .told = answer_fault, .context = &answer };
    struct teller teller = { .told = answer_difference, .context = &answer };
    json_t *reply;
    if (reload(daemon, is_trial, &faults, &teller)) {
        json_decref(answer.faults);
        reply = json_pack("{s:b, s:o}", "ok", 1, "changes", answer.changes);
    } else {
        json_decref(answer.changes);
        reply = json_pack("{s:b, s:i, s:s, s:o}", "ok", 0, "status", REFUSED, "error", answer.text,
                          "faults", answer.faults);
    }
    return reply;
}
