/* The hook is the operator's, but it may be slow, silent or wrong: each request has a time, all of
 * them a number, and of an answer no more is read than what says whether it was yes. */
#include "ahoyd/pusher_http.h"

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libahoy/syntax/scan.h"
#include "libahoy/tu/bindings.h"

enum {
    CONNECT_MS = 3000,
    ASK_MS = 10000,   /* A phone that is not pushed by then is not rung in time either. */
    STALE_MS = 30000, /* One that has waited for so long is no good to anybody any more. */
    TOLD_MS = 60000,  /* The log has a line about failures so often at most. */
    LOOK_MS = 60000,  /* How long the thread sleeps where nothing happens. */
    KEPT_CONNECTIONS = 4
};

struct job {
    struct job *next;
    struct ahoyd_push_owner *owner;
    uint64_t key;
    uint64_t asked_ms;
    CURL *easy; /* While it is under way. */
    size_t read_size;
    char *body;
};

struct pusher {
    struct ahoyd_pusher base; /* First. */
    const struct ahoyd_hook *hook;
    const struct ahoy_log *log;
    pthread_t thread;
    CURLM *multi;
    struct curl_slist *rows;
    uint64_t told_ms;                                  /* The thread's, with the next one. */
    struct job *under_way[AHOYD_PUSHES_AT_ONCE_LIMIT]; /* NULL where there is none. */
    pthread_mutex_t lock;                              /* Of what follows. */
    struct job *first, **last;
    unsigned waiting;
    bool is_ending;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void free_job(struct job *job)
{
    if (job != NULL)
        free(job->body);
    free(job);
}

/* The value of a URI parameter, escapes undone. */
static struct span plain(struct span text, struct ahoy_buf *buf)
{
    for (; text.size > 0; text = ahoy_span_after(text, text.at[0] == '%' ? 3 : 1))
        ahoy_buf_put_byte(buf, text.at[0] == '%' ? ahoy_unescape(text.at) : text.at[0]);
    return ahoy_buf_text(buf);
}

/* The body; NULL where memory is refused or something is no UTF-8. */
static char *print(const struct ahoyd_push *push)
{
    char spaces[3][AHOY_CONTACT_LIMIT];
    struct ahoy_buf bufs[3];
    for (size_t i = 0; i < 3; i++)
        bufs[i] = ahoy_buf_over(spaces[i], sizeof spaces[i]);
    const struct {
        const char *name;
        struct span value;
    } members[] = { { "provider", plain(push->provider, &bufs[0]) },
                    { "prid", plain(push->prid, &bufs[1]) },
                    { "param", plain(push->param, &bufs[2]) },
                    { "aor", push->aor },
                    { "method", push->method },
                    { "call_id", push->call_id } };
    json_t *object = json_object();
    bool made = object != NULL;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct span value = members[i].value;
        if (value.size > 0) /* NULL is no value, and refused. */
            made &= json_object_set_new(object, members[i].name,
                                        json_stringn(value.at, value.size)) == 0;
    }
    char *text = made ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

static bool ask(struct ahoyd_pusher *base, const struct ahoyd_push *push)
{
    struct pusher *pusher = (struct pusher *)(void *)base;
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return false;
    job->owner = push->owner;
    job->key = push->key;
    job->asked_ms = now_ms();
    job->body = print(push);
    pthread_mutex_lock(&pusher->lock);
    bool fits = job->body != NULL && pusher->waiting < AHOYD_PUSHES_LIMIT;
    if (fits) {
        *pusher->last = job;
        pusher->last = &job->next;
        pusher->waiting++;
    }
    pthread_mutex_unlock(&pusher->lock);
    if (!fits)
        free_job(job);
    /* Where the thread cannot be woken, it looks by itself. */
    else
        (void)curl_multi_wakeup(pusher->multi);
    return fits;
}

/* What comes back means nothing but for its status: it is counted, up to where that is enough. */
static size_t read_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct job *job = context;
    (void)bytes; /* See above. */
    job->read_size += size * count;
    return job->read_size <= AHOYD_PUSH_ANSWER_LIMIT ? size * count : 0;
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

/* No redirections, no cookies, no other protocols; what TLS proves must be the host of the URL. */
static bool set_up(const struct pusher *pusher, CURL *easy, struct job *job)
{
    return SET(CURLOPT_URL, pusher->hook->url) && SET(CURLOPT_POSTFIELDS, job->body) &&
           SET(CURLOPT_HTTPHEADER, pusher->rows) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
           SET(CURLOPT_SSL_VERIFYHOST, 2L) && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) &&
           SET(CURLOPT_TIMEOUT_MS, (long)ASK_MS) && SET(CURLOPT_WRITEFUNCTION, read_answer) &&
           SET(CURLOPT_WRITEDATA, job) && SET(CURLOPT_HEADERFUNCTION, read_answer) &&
           SET(CURLOPT_HEADERDATA, job);
}

static void tell(struct pusher *pusher, const char *why, long status)
{
    if (pusher->told_ms != 0 && now_ms() < pusher->told_ms + TOLD_MS)
        return;
    pusher->told_ms = now_ms();
    if (status != 0)
        ahoy_log_line(pusher->log, AHOY_LOG_WARNING, "push: the hook answers %ld", status);
    else
        ahoy_log_line(pusher->log, AHOY_LOG_WARNING, "push: the hook is of no use: %s", why);
}

static void free_easy(struct pusher *pusher, struct job *job)
{
    /* Where it was never added, there is nothing to remove. */
    (void)curl_multi_remove_handle(pusher->multi, job->easy);
    curl_easy_cleanup(job->easy);
}

static void end(struct pusher *pusher, struct job *job, const char *why, long status)
{
    free_easy(pusher, job);
    if (why != NULL)
        tell(pusher, why, status);
    if (why != NULL && job->owner != NULL)
        job->owner->failed(job->owner, job->key);
    free_job(job);
}

/* Begins |job|, whose place is |place|. */
static void begin(struct pusher *pusher, struct job *job, struct job **place)
{
    if (now_ms() >= job->asked_ms + STALE_MS) {
        end(pusher, job, "more is asked than it answers", 0);
        return;
    }
    job->easy = curl_easy_init();
    if (job->easy != NULL && set_up(pusher, job->easy, job) &&
        curl_multi_add_handle(pusher->multi, job->easy) == CURLM_OK)
        *place = job;
    else
        end(pusher, job, "no memory", 0);
}

/* A 2xx is a yes, however much is said behind it. */
static void finish(struct pusher *pusher, CURL *easy, CURLcode result)
{
    struct job **place = pusher->under_way;
    long status = 0;
    while (*place == NULL || (*place)->easy != easy)
        place++;
    struct job *job = *place;
    *place = NULL;
    if (result != CURLE_OK && result != CURLE_WRITE_ERROR)
        end(pusher, job, curl_easy_strerror(result), 0);
    else if (curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
             status / 100 == 2)
        end(pusher, job, NULL, status);
    else
        end(pusher, job, "no status", status);
}

static struct job *take(struct pusher *pusher)
{
    struct job *job = pusher->first;
    if (job == NULL)
        return NULL;
    pusher->first = job->next;
    if (pusher->first == NULL)
        pusher->last = &pusher->first;
    pusher->waiting--;
    return job;
}

/* Begins what waits, as far as there are places.  False where all is to end. */
static bool begin_jobs(struct pusher *pusher)
{
    struct job *job = NULL;
    struct job **place = pusher->under_way;
    bool is_ending;
    do {
        while (place < pusher->under_way + AHOYD_PUSHES_AT_ONCE_LIMIT && *place != NULL)
            place++;
        pthread_mutex_lock(&pusher->lock);
        is_ending = pusher->is_ending;
        bool may = !is_ending && place < pusher->under_way + AHOYD_PUSHES_AT_ONCE_LIMIT;
        job = may ? take(pusher) : NULL;
        pthread_mutex_unlock(&pusher->lock);
        if (job != NULL)
            begin(pusher, job, place);
    } while (job != NULL);
    return !is_ending;
}

/* Whether any has ended. */
static bool finish_jobs(struct pusher *pusher)
{
    bool any = false;
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(pusher->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        finish(pusher, message->easy_handle, message->data.result);
        any = true;
    }
    return any;
}

static void *run(void *context)
{
    struct pusher *pusher = context;
    int running;
    while (begin_jobs(pusher)) {
        /* What goes wrong shows in the messages, or in the time that each request has. */
        (void)curl_multi_perform(pusher->multi, &running);
        if (!finish_jobs(pusher))
            (void)curl_multi_poll(pusher->multi, NULL, 0, LOOK_MS, NULL);
    }
    return NULL;
}

static void free_pusher(struct pusher *pusher)
{
    struct job *job;
    while ((job = take(pusher)) != NULL)
        free_job(job);
    for (size_t i = 0; i < AHOYD_PUSHES_AT_ONCE_LIMIT; i++) {
        if (pusher->under_way[i] == NULL)
            continue;
        free_easy(pusher, pusher->under_way[i]);
        free_job(pusher->under_way[i]);
    }
    curl_slist_free_all(pusher->rows);
    if (pusher->multi != NULL)
        curl_multi_cleanup(pusher->multi);
    pthread_mutex_destroy(&pusher->lock);
    free(pusher);
    curl_global_cleanup();
}

struct ahoyd_pusher *ahoyd_pusher_open(const struct ahoyd_hook *hook, const struct ahoy_log *log)
{
    struct pusher *pusher = calloc(1, sizeof *pusher);
    if (pusher == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(pusher);
        return NULL;
    }
    pusher->base.ask = ask;
    pusher->hook = hook;
    pusher->log = log;
    pusher->last = &pusher->first;
    pthread_mutex_init(&pusher->lock, NULL);
    pusher->rows = curl_slist_append(NULL, "Content-Type: application/json");
    pusher->multi = curl_multi_init();
    if (pusher->rows != NULL && pusher->multi != NULL &&
        curl_multi_setopt(pusher->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) ==
            CURLM_OK &&
        pthread_create(&pusher->thread, NULL, run, pusher) == 0)
        return &pusher->base;
    free_pusher(pusher);
    return NULL;
}

void ahoyd_pusher_close(struct ahoyd_pusher *base)
{
    struct pusher *pusher = (struct pusher *)(void *)base;
    if (pusher == NULL)
        return;
    pthread_mutex_lock(&pusher->lock);
    pusher->is_ending = true;
    pthread_mutex_unlock(&pusher->lock);
    /* As in ask. */
    (void)curl_multi_wakeup(pusher->multi);
    pthread_join(pusher->thread, NULL);
    free_pusher(pusher);
}
