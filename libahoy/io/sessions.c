/* A list that is looked through: it is asked once a connection, and that costs a thousand times as
 * much. */
#include "libahoy/io/sessions.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

bool ahoy_sessions_init(struct ahoy_sessions *sessions)
{
    memset(sessions, 0, sizeof *sessions);
    return pthread_mutex_init(&sessions->lock, NULL) == 0;
}

static void clear(struct ahoy_session *entry)
{
    SSL_SESSION_free(entry->session);
    free(entry->name);
    *entry = (struct ahoy_session){ .name = NULL };
}

void ahoy_sessions_fini(struct ahoy_sessions *sessions)
{
    for (size_t i = 0; i < AHOY_TLS_SESSIONS_LIMIT; i++)
        clear(&sessions->list[i]);
    pthread_mutex_destroy(&sessions->lock);
}

static struct ahoy_session *find(struct ahoy_sessions *sessions, const char *name)
{
    for (size_t i = 0; i < AHOY_TLS_SESSIONS_LIMIT; i++) {
        struct ahoy_session *entry = &sessions->list[i];
        if (entry->name != NULL && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

/* A place for |name|, with nothing in it; NULL where memory is refused. */
static struct ahoy_session *reserve(struct ahoy_sessions *sessions, const char *name)
{
    struct ahoy_session *entry = find(sessions, name);
    if (entry == NULL) {
        entry = &sessions->list[sessions->next];
        sessions->next = (sessions->next + 1) % AHOY_TLS_SESSIONS_LIMIT;
    }
    clear(entry);
    entry->name = strdup(name);
    return entry->name != NULL ? entry : NULL;
}

void ahoy_sessions_put(struct ahoy_sessions *sessions, const char *name, SSL_SESSION *session)
{
    struct ahoy_session *entry = NULL;
    pthread_mutex_lock(&sessions->lock);
    if (session != NULL && SSL_SESSION_is_resumable(session))
        entry = reserve(sessions, name);
    if (entry != NULL)
        entry->session = session;
    else
        SSL_SESSION_free(session);
    pthread_mutex_unlock(&sessions->lock);
}

SSL_SESSION *ahoy_sessions_take(struct ahoy_sessions *sessions, const char *name)
{
    SSL_SESSION *session = NULL;
    pthread_mutex_lock(&sessions->lock);
    struct ahoy_session *entry = find(sessions, name);
    if (entry != NULL) {
        session = entry->session;
        entry->session = NULL;
        clear(entry);
    }
    pthread_mutex_unlock(&sessions->lock);
    if (session == NULL || time(NULL) - SSL_SESSION_get_time(session) < AHOY_TLS_SESSION_S)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}
