/* From the lines of the configuration to certificates, and what is said of them. */
#include "ahoyd/main_tls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "libahoy/base/siphash.h"

enum { DAY_S = 86400 };

/* Of one entry: its line, and of which end has been warned how. */
struct ahoyd_tls_note {
    int line;
    uint64_t files; /* What its files looked like when they were read last. */
    int64_t until_s;
    unsigned warnings;
};

/* Days before the end of which is warned, each once. */
static const int64_t days[] = { 30, 7, 1, 0 };

static void add(struct ahoyd_tls *tls, const struct ahoy_tls_entry *entry, int line)
{
    tls->notes[tls->count].line = line;
    tls->entries[tls->count++] = *entry;
}

static void add_all(struct ahoyd_tls *tls)
{
    const struct ahoyd_config *config = tls->config;
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct ahoyd_listen *listen = &config->listens[i];
        const struct ahoy_tls_entry entry = { .use = AHOY_TLS_LISTENER,
                                              .verify = (enum ahoy_tls_verify)listen->verify,
                                              .listener = (uint8_t)i,
                                              .certificate = listen->pair.certificate,
                                              .key = listen->pair.key,
                                              .authorities = listen->authorities };
        if (ahoy_transport_is_secure(listen->transport) && listen->until_ms == 0)
            add(tls, &entry, listen->line);
    }
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct ahoyd_domain *domain = &config->domains[i];
        const struct ahoy_tls_entry entry = { .use = AHOY_TLS_DOMAIN,
                                              .domain = domain->name,
                                              .certificate = domain->pair.certificate,
                                              .key = domain->pair.key };
        if (entry.certificate != NULL)
            add(tls, &entry, domain->line);
    }
    const struct ahoy_tls_entry outward = { .use = AHOY_TLS_OUTWARD,
                                            .verify = AHOY_TLS_VERIFY_REQUIRED,
                                            .certificate = config->outward.pair.certificate,
                                            .key = config->outward.pair.key,
                                            .authorities = config->outward.authorities };
    if (tls->count > 0)
        add(tls, &outward, config->outward.line);
}

static uint64_t look_at(const char *path, uint64_t before)
{
    static const struct ahoy_hash_key key; /* Nobody aims at it. */
    struct stat about;
    if (path == NULL || stat(path, &about) != 0)
        return before;
    const int64_t looks[] = { (int64_t)before, about.st_mtim.tv_sec, about.st_mtim.tv_nsec,
                              (int64_t)about.st_ino, about.st_size };
    return ahoy_siphash(&key, (struct span){ (const char *)looks, sizeof looks });
}

static uint64_t look_at_entry(const struct ahoy_tls_entry *entry)
{
    return look_at(entry->certificate, look_at(entry->key, look_at(entry->authorities, 0)));
}

/* Whether files look otherwise than when they were read last. */
static bool has_changed(const struct ahoyd_tls *tls)
{
    bool changed = false;
    for (size_t i = 0; i < tls->count && !changed; i++)
        changed = look_at_entry(&tls->entries[i]) != tls->notes[i].files;
    return changed;
}

static void note_files(struct ahoyd_tls *tls)
{
    for (size_t i = 0; i < tls->count; i++)
        tls->notes[i].files = look_at_entry(&tls->entries[i]);
}

/* Lists what |config| names. */
static bool list(struct ahoyd_tls *tls, const struct ahoyd_config *config)
{
    size_t limit = config->listen_count + config->domain_count + 1;
    tls->config = config;
    tls->entries = calloc(limit, sizeof *tls->entries);
    tls->notes = calloc(limit, sizeof *tls->notes);
    if (tls->entries == NULL || tls->notes == NULL)
        return false;
    add_all(tls);
    note_files(tls);
    return true;
}

static bool fail(const struct ahoyd_tls *tls, const struct ahoy_tls_fault *fault,
                 struct ahoyd_config_faults *faults)
{
    int line = tls->count > 0 ? tls->notes[fault->entry].line : 0;
    faults->count++;
    if (faults->told != NULL)
        faults->told(faults->context, tls->config->path.at, line, fault->what);
    return false;
}

bool ahoyd_tls_open(struct ahoyd_tls *tls, const struct ahoyd_config *config,
                    struct ahoyd_config_faults *faults, const struct ahoy_log *log)
{
    struct ahoy_tls_fault fault;
    *tls = (struct ahoyd_tls){ .log = log };
    if (!list(tls, config))
        return false;
    tls->context = ahoy_tls_context_new(tls->entries, tls->count, &fault);
    return tls->context != NULL || fail(tls, &fault, faults);
}

void ahoyd_tls_close(struct ahoyd_tls *tls)
{
    ahoy_tls_context_free(tls->context);
    ahoyd_tls_drop(tls);
}

/* The note of |tls| on the certificate of |entry|, NULL where it has none. */
static const struct ahoyd_tls_note *find_note(const struct ahoyd_tls *tls,
                                              const struct ahoy_tls_entry *entry)
{
    for (size_t i = 0; i < tls->count && entry->certificate != NULL; i++) {
        const char *certificate = tls->entries[i].certificate;
        if (certificate != NULL && strcmp(certificate, entry->certificate) == 0)
            return &tls->notes[i];
    }
    return NULL;
}

bool ahoyd_tls_prepare(const struct ahoyd_tls *tls, struct ahoyd_tls *next,
                       const struct ahoyd_config *config, struct ahoyd_config_faults *faults)
{
    struct ahoy_tls_fault fault;
    *next = (struct ahoyd_tls){ .log = tls->log, .rotated_s = tls->rotated_s };
    if (!list(next, config))
        return false;
    for (size_t i = 0; i < next->count; i++) {
        const struct ahoyd_tls_note *before = find_note(tls, &next->entries[i]);
        if (before == NULL)
            continue;
        next->notes[i].until_s = before->until_s; /* Of it has been warned. */
        next->notes[i].warnings = before->warnings;
    }
    next->set = ahoy_tls_context_read(tls->context, next->entries, next->count, &fault);
    return next->set != NULL || fail(next, &fault, faults);
}

void ahoyd_tls_swap(struct ahoyd_tls *tls, struct ahoyd_tls *next)
{
    struct ahoyd_tls before = *tls;
    before.set = ahoy_tls_context_use(tls->context, next->set);
    before.context = NULL;
    next->context = tls->context;
    next->set = NULL;
    *tls = *next;
    *next = before;
}

void ahoyd_tls_drop(struct ahoyd_tls *next)
{
    ahoy_tls_set_free(next->set);
    free(next->entries);
    free(next->notes);
    *next = (struct ahoyd_tls){ .context = NULL };
}

void ahoyd_tls_compare(const struct ahoyd_tls *tls, const struct ahoyd_tls *before,
                       void (*told)(void *context, const char *certificate), void *context)
{
    for (size_t i = 0; i < tls->count; i++) {
        const struct ahoyd_tls_note *note = find_note(before, &tls->entries[i]);
        bool is_first = find_note(tls, &tls->entries[i]) == &tls->notes[i];
        if (note != NULL && is_first && note->files != tls->notes[i].files)
            told(context, tls->entries[i].certificate);
    }
}

void ahoyd_tls_reread(struct ahoyd_tls *tls)
{
    struct ahoy_tls_fault fault;
    if (tls->count == 0)
        return;
    note_files(tls);
    if (ahoy_tls_context_reread(tls->context, &fault))
        ahoy_log_line(tls->log, AHOY_LOG_NOTICE, "the certificates have been read anew");
    else
        ahoy_log_line(tls->log, AHOY_LOG_WARNING,
                      "%s:%d: %s; until then the certificates stay as they were",
                      tls->config->path.at, tls->notes[fault.entry].line, fault.what);
}

static void warn(const struct ahoyd_tls *tls, size_t index, int64_t now_s)
{
    const struct ahoyd_tls_note *note = &tls->notes[index];
    char date[32] = "?";
    struct tm parts;
    time_t until = note->until_s;
    if (gmtime_r(&until, &parts) != NULL)
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &parts);
    if (note->until_s <= now_s)
        ahoy_log_line(tls->log, AHOY_LOG_WARNING,
                      "%s:%d: the certificate %s has ended at %s UTC, peers refuse it; renew it",
                      tls->config->path.at, note->line, tls->entries[index].certificate, date);
    else
        ahoy_log_line(tls->log, AHOY_LOG_WARNING,
                      "%s:%d: the certificate %s ends in %" PRId64 " days, at %s UTC; renew it",
                      tls->config->path.at, note->line, tls->entries[index].certificate,
                      (note->until_s - now_s + DAY_S - 1) / DAY_S, date);
}

static void look_at_end(const struct ahoyd_tls *tls, size_t index, int64_t now_s)
{
    struct ahoyd_tls_note *note = &tls->notes[index];
    unsigned warnings = 0;
    int64_t from_s;
    int64_t until_s;
    if (!ahoy_tls_context_validity(tls->context, index, &from_s, &until_s))
        return;
    if (until_s != note->until_s)
        note->warnings = 0;
    note->until_s = until_s;
    while (warnings < sizeof days / sizeof *days && until_s <= now_s + days[warnings] * DAY_S)
        warnings++;
    if (warnings > note->warnings)
        warn(tls, index, now_s);
    note->warnings = warnings;
    if (from_s > now_s)
        ahoy_log_line(tls->log, AHOY_LOG_WARNING,
                      "%s:%d: the certificate %s is not valid yet; is the clock right?",
                      tls->config->path.at, note->line, tls->entries[index].certificate);
}

/* What random bytes refuse now, they may give at the next look. */
static void look_at_key(struct ahoyd_tls *tls, int64_t now_s)
{
    if (tls->rotated_s == 0)
        tls->rotated_s = now_s;
    if (now_s - tls->rotated_s >= AHOYD_TICKET_KEY_S && ahoy_tls_context_rotate(tls->context))
        tls->rotated_s = now_s;
}

void ahoyd_tls_look(struct ahoyd_tls *tls, int64_t now_s)
{
    if (tls->count == 0)
        return;
    if (has_changed(tls))
        ahoyd_tls_reread(tls);
    look_at_key(tls, now_s);
    for (size_t i = 0; i < tls->count; i++)
        look_at_end(tls, i, now_s);
}
