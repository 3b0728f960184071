/* The certificates of the configuration: read at the start, read anew on demand and when their
 * files have changed, and watched for their end. */
#pragma once

#include "ahoyd/config.h"
#include "libahoy/base/log.h"
#include "libahoy/io/tls_context.h"

/* So a key goes when the last of its tickets does: RFC 9325 3.4. */
enum { AHOYD_TICKET_KEY_S = AHOY_TICKET_S };

struct ahoyd_tls {
    struct ahoy_tls_context *context; /* Though nothing may be by TLS yet. */
    struct ahoy_tls_set *set; /* Of one that is prepared: what was read, or was in use before. */
    const struct ahoyd_config *config;
    const struct ahoy_log *log;
    size_t count;
    struct ahoy_tls_entry *entries;
    struct ahoyd_tls_note *notes; /* One an entry. */
    int64_t rotated_s;            /* When tickets got their key; 0: before the first look. */
};

/* Reads all files.  False where one is missing or does not fit, which |faults| are told with its
 * line, or memory is refused. */
bool ahoyd_tls_open(struct ahoyd_tls *tls, const struct ahoyd_config *config,
                    struct ahoyd_config_faults *faults, const struct ahoy_log *log);
void ahoyd_tls_close(struct ahoyd_tls *tls);
/* Reads into |next| what |config| names, as open does, while |tls| goes on as it is. */
bool ahoyd_tls_prepare(const struct ahoyd_tls *tls, struct ahoyd_tls *next,
                       const struct ahoyd_config *config, struct ahoyd_config_faults *faults);
/* New connections are made with what |next| has; that has then what |tls| had. */
void ahoyd_tls_swap(struct ahoyd_tls *tls, struct ahoyd_tls *next);
/* Frees what was prepared and not taken, or had been before. */
void ahoyd_tls_drop(struct ahoyd_tls *next);
/* Calls |told| for each certificate of |tls| whose files look other than they did in |before|. */
void ahoyd_tls_compare(const struct ahoyd_tls *tls, const struct ahoyd_tls *before,
                       void (*told)(void *context, const char *certificate), void *context);
/* Reads all anew and says so in the log; what is wrong leaves all as it was. */
void ahoyd_tls_reread(struct ahoyd_tls *tls);
/* Once in a while: reads anew where files have changed, warns of certificates that end within 30, 7
 * or 1 days, or have ended, and sees to it that no key of tickets grows old. */
void ahoyd_tls_look(struct ahoyd_tls *tls, int64_t now_s);
