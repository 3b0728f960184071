/* The verbs of the control protocol. */
#include "ahoyd/command.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ahoyd/command_why.h"
#include "ahoyd/store/spelling.h"

json_t *ahoyd_command_failure(unsigned status, const char *why)
{
    return json_pack("{s:b, s:i, s:s}", "ok", 0, "status", (int)status, "error", why);
}

static json_t *failure(const char *why)
{
    return ahoyd_command_failure(400, why);
}

/* A text member, empty where it is absent; false where it is no text or longer than |limit|. */
static bool member(const json_t *request, const char *name, size_t limit, struct span *text)
{
    const json_t *value = json_object_get(request, name);
    *text = SPAN("");
    if (value == NULL)
        return true;
    if (!json_is_string(value) || json_string_length(value) > limit)
        return false;
    *text = (struct span){ json_string_value(value), json_string_length(value) };
    return true;
}

const char ahoyd_command_page_fault[] =
    "search and state must be texts, skip and limit numbers of at least 0";

/* A number member, |otherwise| where it is absent; false where it is none. */
static bool number(const json_t *request, const char *name, size_t otherwise, size_t *value)
{
    const json_t *member = json_object_get(request, name);
    *value = member == NULL ? otherwise : (size_t)json_integer_value(member);
    return member == NULL || (json_is_integer(member) && json_integer_value(member) >= 0);
}

bool ahoyd_command_read_page(const json_t *request, size_t most, struct ahoyd_command_page *page)
{
    if (!member(request, "search", AHOYD_AOR_LIMIT, &page->search) ||
        !number(request, "skip", 0, &page->skip) || !number(request, "limit", most, &page->limit))
        return false;
    page->limit = page->limit < most ? page->limit : most;
    return true;
}

bool ahoyd_command_matches(const struct ahoyd_command_page *page, struct span name)
{
    for (; name.size >= page->search.size; name = ahoy_span_after(name, 1)) {
        if (ahoy_span_starts_nocase(name, page->search))
            return true;
        if (name.size == 0)
            break;
    }
    return false;
}

/* Waits for changes. */
struct waiter {
    struct ahoyd_change_owner owner;
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct ahoyd_change *back; /* Those that have come. */
    size_t count;
};

static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct waiter *waiter = (struct waiter *)owner;
    pthread_mutex_lock(&waiter->lock);
    change->next = waiter->back;
    waiter->back = change;
    waiter->count++;
    pthread_cond_signal(&waiter->came);
    pthread_mutex_unlock(&waiter->lock);
}

static void init_waiter(struct waiter *waiter)
{
    *waiter = (struct waiter){ .owner = { .done = take_back } };
    pthread_mutex_init(&waiter->lock, NULL);
    pthread_cond_init(&waiter->came, NULL);
}

static void wait_for(struct waiter *waiter, size_t count)
{
    pthread_mutex_lock(&waiter->lock);
    while (waiter->count < count)
        pthread_cond_wait(&waiter->came, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
}

static void fini_waiter(struct waiter *waiter)
{
    while (waiter->back != NULL) {
        struct ahoyd_change *change = waiter->back;
        waiter->back = change->next;
        ahoyd_change_free(change);
    }
    pthread_cond_destroy(&waiter->came);
    pthread_mutex_destroy(&waiter->lock);
}

static const char too_busy[] = "the store is too busy; try again";

/* Submits |change|, which it owns; NULL, or why it cannot be. */
static const char *submit(const struct ahoyd_command_means *means, struct waiter *waiter,
                          struct ahoyd_change *change)
{
    if (change == NULL)
        return "memory ran out";
    change->owner = &waiter->owner;
    if (ahoyd_store_submit(means->store, change))
        return NULL;
    ahoyd_change_free(change);
    return too_busy;
}

/* The same, and turns the outcome into an answer. */
static json_t *carry_out(const struct ahoyd_command_means *means, struct ahoyd_change *change)
{
    struct waiter waiter;
    init_waiter(&waiter);
    const char *why = submit(means, &waiter, change);
    unsigned status = 503;
    if (why == NULL) {
        wait_for(&waiter, 1);
        status = waiter.back->status;
        why = waiter.back->why;
    }
    json_t *answer =
        status == 200 ? json_pack("{s:b}", "ok", 1) : ahoyd_command_failure(status, why);
    fini_waiter(&waiter);
    return answer;
}

const char *const ahoyd_command_digests[AHOY_DIGEST_COUNT] = { [AHOY_DIGEST_MD5] = "md5",
                                                               [AHOY_DIGEST_SHA256] = "sha256",
                                                               [AHOY_DIGEST_SHA512_256] =
                                                                   "sha512_256" };

/* Those that there are, at least one: what another server kept may be its MD5 alone. */
static bool take_digests(const json_t *request, struct ahoyd_user *credentials)
{
    bool has_any = false;
    *credentials = (struct ahoyd_user){ 0 };
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        struct ahoy_digest_hex *ha1 = &credentials->ha1[i];
        struct span text;
        if (!member(request, ahoyd_command_digests[i], sizeof ha1->text, &text) ||
            (text.size > 0 && !ahoyd_is_ha1(text, (enum ahoy_digest_algorithm)i)))
            return false;
        memcpy(ha1->text, text.at, text.size);
        ha1->size = text.size;
        has_any = has_any || text.size > 0;
    }
    return has_any;
}

/* Reads the name and the realm that a request is about. */
static bool names(const json_t *request, const char *name, struct span *user, struct span *realm)
{
    return member(request, name, AHOYD_NAME_LIMIT, user) &&
           member(request, "realm", AHOYD_NAME_LIMIT, realm) && ahoyd_is_name(*user) &&
           ahoyd_is_name(*realm);
}

/* What is wrong with a user who is to be added; NULL where |change|, unless that is NULL, is to add
 * him. */
static const char *read_user(const json_t *request, struct ahoyd_change **change)
{
    struct span user, realm;
    struct ahoyd_user credentials;
    if (!names(request, "user", &user, &realm))
        return "user and realm must be names of at most 255 characters";
    bool sound = take_digests(request, &credentials);
    if (sound && change != NULL)
        *change = ahoyd_change_user(AHOYD_CHANGE_USER_PUT, user, realm, &credentials);
    explicit_bzero(&credentials, sizeof credentials);
    return sound ? NULL : "md5, sha256 and sha512_256 must be HA1 digests in lower-case hex";
}

const char *ahoyd_command_user_fault(const json_t *user)
{
    return read_user(user, NULL);
}

static json_t *user_add(const struct ahoyd_command_means *means, const json_t *request)
{
    struct ahoyd_change *change;
    const char *fault = read_user(request, &change);
    return fault != NULL ? failure(fault) : carry_out(means, change);
}

/* The rows of an answer that say why some of |count| users were not added. */
static json_t *list_failed(const char *const *why, size_t count)
{
    json_t *failed = json_array();
    for (size_t i = 0; failed != NULL && i < count; i++) {
        if (why[i] != NULL)
            json_array_append_new(failed,
                                  json_pack("{s:I, s:s}", "index", (json_int_t)i, "error", why[i]));
    }
    return failed;
}

/* Each stands for itself; the store commits them together. */
static json_t *users_add(const struct ahoyd_command_means *means, const json_t *request)
{
    const char *why[AHOYD_COMMAND_USERS_LIMIT];
    const json_t *users = json_object_get(request, "users");
    struct waiter waiter;
    size_t count = json_array_size(users), submitted = 0;
    if (count == 0 || count > AHOYD_COMMAND_USERS_LIMIT)
        return failure("users must be an array of 1 to 1024");
    init_waiter(&waiter);
    for (size_t i = 0; i < count; i++) {
        struct ahoyd_change *change = NULL;
        why[i] = read_user(json_array_get(users, i), &change);
        if (why[i] != NULL)
            continue;
        if (change != NULL)
            change->ticket = i;
        why[i] = submit(means, &waiter, change);
        submitted += why[i] == NULL;
    }
    wait_for(&waiter, submitted);
    for (const struct ahoyd_change *change = waiter.back; change != NULL; change = change->next)
        why[change->ticket] = change->status == 200 ? NULL : change->why;
    fini_waiter(&waiter);
    return json_pack("{s:b, s:o}", "ok", 1, "failed", list_failed(why, count));
}

static json_t *alias_add(const struct ahoyd_command_means *means, const json_t *request)
{
    struct span alias, realm, user;
    if (!names(request, "alias", &alias, &realm) || !names(request, "user", &user, &realm))
        return failure("alias, user and realm must be names of at most 255 characters");
    return carry_out(means, ahoyd_change_alias(AHOYD_CHANGE_ALIAS_PUT, alias, realm, user));
}

static json_t *alias_remove(const struct ahoyd_command_means *means, const json_t *request)
{
    struct span alias, realm;
    if (!names(request, "alias", &alias, &realm))
        return failure("alias and realm must be names of at most 255 characters");
    return carry_out(means, ahoyd_change_alias(AHOYD_CHANGE_ALIAS_REMOVE, alias, realm, SPAN("")));
}

static json_t *user_remove(const struct ahoyd_command_means *means, const json_t *request)
{
    struct span user, realm;
    if (!names(request, "user", &user, &realm))
        return failure("user and realm must be names of at most 255 characters");
    return carry_out(means, ahoyd_change_user(AHOYD_CHANGE_USER_REMOVE, user, realm, NULL));
}

/* Rows on their way into an answer. */
struct rows {
    json_t *array;
    struct ahoyd_command_page page;
    struct span wanted; /* Of registrations: one address-of-record, or empty for all. */
    uint64_t now_ms;
    size_t total; /* That match. */
};

/* Whether the next row, whose name is |name|, is on the page. */
static bool is_shown(struct rows *rows, struct span name)
{
    return ahoyd_command_matches(&rows->page, name) &&
           ahoyd_command_shows(&rows->page, rows->total++);
}

/* Always true: those behind are counted.  Where memory is refused, the row is missing. */
static bool add_row(struct rows *rows, json_t *row)
{
    (void)json_array_append_new(rows->array, row);
    return true;
}

/* Names come from strangers' bytes: what is no UTF-8 is shown escaped. */
static json_t *text_of(struct span text)
{
    json_t *plain = json_stringn(text.at, text.size);
    if (plain != NULL)
        return plain;
    char escaped[4 * AHOY_CONTACT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(escaped, sizeof escaped);
    ahoy_buf_put_escaped(&buf, text);
    struct span shown = ahoy_buf_text(&buf);
    return json_stringn(shown.at, shown.size);
}

static bool visit_user(void *context, struct span user, struct span realm,
                       const struct ahoyd_user *credentials)
{
    bool is_complete = true;
    if (!is_shown(context, user))
        return true;
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        is_complete = is_complete && credentials->ha1[i].size > 0;
    return add_row(context, json_pack("{s:o*, s:o*, s:b}", "user", text_of(user), "realm",
                                      text_of(realm), "complete", is_complete));
}

/* Begins an answer that is a list; NULL where it can, else the answer. */
static json_t *begin_rows(const struct ahoyd_command_means *means, const json_t *request,
                          struct rows *rows)
{
    *rows = (struct rows){ .now_ms = means->now_ms() };
    if (!ahoyd_command_read_page(request, AHOYD_COMMAND_ROWS_LIMIT, &rows->page))
        return failure(ahoyd_command_page_fault);
    rows->array = json_array();
    return NULL;
}

static json_t *finish_rows(const char *name, struct rows *rows)
{
    return json_pack("{s:b, s:o, s:I, s:b}", "ok", 1, name, rows->array, "total",
                     (json_int_t)rows->total, "more",
                     rows->total > rows->page.skip + rows->page.limit);
}

static json_t *user_list(const struct ahoyd_command_means *means, const json_t *request)
{
    struct rows rows;
    json_t *refusal = begin_rows(means, request, &rows);
    if (rows.array == NULL)
        return refusal;
    ahoyd_store_each_user(means->store, visit_user, &rows);
    return finish_rows("users", &rows);
}

static bool visit_alias(void *context, struct span alias, struct span realm, struct span user)
{
    if (!is_shown(context, alias))
        return true;
    return add_row(context, json_pack("{s:o*, s:o*, s:o*}", "alias", text_of(alias), "realm",
                                      text_of(realm), "user", text_of(user)));
}

static json_t *alias_list(const struct ahoyd_command_means *means, const json_t *request)
{
    struct rows rows;
    json_t *refusal = begin_rows(means, request, &rows);
    if (rows.array == NULL)
        return refusal;
    ahoyd_store_each_alias(means->store, visit_alias, &rows);
    return finish_rows("aliases", &rows);
}

static json_t *contact_of(const struct ahoy_binding *binding, uint64_t now_ms)
{
    char text[80];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, ahoy_transport_uri_name((enum ahoy_transport)binding->hop.transport));
    ahoy_buf_put_byte(&buf, ':');
    ahoy_ip_print(&binding->hop.remote, &buf);
    struct span from = ahoy_buf_text(&buf);
    uint64_t left_s = (binding->expires_ms - now_ms + 999) / 1000;
    return json_pack("{s:o*, s:I, s:f, s:o*, s:I, s:o*}", "contact", text_of(binding->contact),
                     "expires", (json_int_t)left_s, "q", binding->q / 1000.0, "call_id",
                     text_of(binding->call_id), "cseq", (json_int_t)binding->cseq, "from",
                     text_of(from));
}

static bool visit_aor(void *context, struct span aor, const struct ahoy_bindings *bindings)
{
    struct rows *rows = context;
    if ((rows->wanted.size > 0 && !ahoy_span_equal(rows->wanted, aor)) || !is_shown(rows, aor))
        return true;
    json_t *contacts = json_array();
    for (size_t i = 0; i < bindings->count; i++)
        json_array_append_new(contacts, contact_of(&bindings->list[i], rows->now_ms));
    return add_row(rows, json_pack("{s:o*, s:o*}", "aor", text_of(aor), "contacts", contacts));
}

static const char aor_fault[] = "aor must be a text: \"bob@atlanta.example\"";

static json_t *registrations(const struct ahoyd_command_means *means, const json_t *request)
{
    struct rows rows;
    json_t *refusal = begin_rows(means, request, &rows);
    if (rows.array == NULL)
        return refusal;
    if (!member(request, "aor", AHOYD_AOR_LIMIT, &rows.wanted)) {
        json_decref(rows.array);
        return failure(aor_fault);
    }
    ahoyd_store_each_aor(means->store, rows.now_ms, visit_aor, &rows);
    return finish_rows("registrations", &rows);
}

/* The same as a REGISTER with Contact: * in a call of its own (RFC 3261 10.2.2). */
static json_t *registration_remove(const struct ahoyd_command_means *means, const json_t *request)
{
    struct span aor;
    struct ahoy_bindings bindings;
    uint64_t now_ms = means->now_ms();
    if (!member(request, "aor", AHOYD_AOR_LIMIT, &aor) || aor.size == 0)
        return failure(aor_fault);
    if (!ahoyd_store_find(means->store, aor, now_ms, &bindings))
        return ahoyd_command_failure(404, "nobody is registered by that name");
    const struct ahoy_registration registration = { .remove_all = true };
    return carry_out(means, ahoyd_change_bindings(aor, &registration, now_ms));
}

static json_t *refuse_without_server(void)
{
    return ahoyd_command_failure(503, "the server is not running, so nothing is counted");
}

static json_t *status(const struct ahoyd_command_means *means, const json_t *request)
{
    (void)request; /* It says nothing further. */
    if (means->status == NULL)
        return refuse_without_server();
    json_t *answer = json_pack("{s:b, s:s}", "ok", 1, "version", AHOY_VERSION);
    if (answer != NULL)
        means->status(means->context, answer);
    return answer;
}

static json_t *counters(const struct ahoyd_command_means *means, const json_t *request)
{
    (void)request; /* It says nothing further. */
    if (means->counters == NULL)
        return refuse_without_server();
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    means->counters(means->context, object);
    return json_pack("{s:b, s:o}", "ok", 1, "counters", object);
}

static json_t *metrics(const struct ahoyd_command_means *means, const json_t *request)
{
    (void)request; /* It says nothing further. */
    if (means->metrics == NULL)
        return refuse_without_server();
    char *text = means->metrics(means->context);
    json_t *answer = json_pack("{s:b, s:s*}", "ok", text != NULL, "metrics", text);
    free(text);
    return answer;
}

/* Whoever asks for a check and writes it wrongly must not change anything. */
static bool is_reload(const json_t *request)
{
    const json_t *check = json_object_get(request, "check");
    size_t known = 1 + (check != NULL ? 1 : 0); /* "verb" and this. */
    return json_object_size(request) == known && (check == NULL || json_is_boolean(check));
}

static json_t *reload(const struct ahoyd_command_means *means, const json_t *request)
{
    if (!is_reload(request))
        return failure("reload takes check, which is true or false, and nothing else");
    if (means->reload == NULL)
        return failure("the server is not running; it reads its configuration when it starts");
    return means->reload(means->context, json_is_true(json_object_get(request, "check")));
}

static json_t *trim(const struct ahoyd_command_means *means, const json_t *request)
{
    (void)request; /* It says nothing further. */
    if (means->trim == NULL)
        return ahoyd_command_failure(503, "the server is not running, so it holds no memory");
    if (!means->trim(means->context))
        return ahoyd_command_failure(503, "a worker does not answer");
    return json_pack("{s:b}", "ok", 1);
}

static json_t *ping(const struct ahoyd_command_means *means, const json_t *request)
{
    (void)means; /* Nothing is needed to be alive. */
    (void)request;
    return json_pack("{s:b, s:s}", "ok", 1, "version", AHOY_VERSION);
}

static const struct {
    const char *name;
    json_t *(*run)(const struct ahoyd_command_means *means, const json_t *request);
} verbs[] = {
    { "ping", ping },
    { "user-add", user_add },
    { "user-remove", user_remove },
    { "alias-add", alias_add },
    { "alias-remove", alias_remove },
    { "alias-list", alias_list },
    { "users-add", users_add },
    { "user-list", user_list },
    { "registrations", registrations },
    { "registration-remove", registration_remove },
    { "status", status },
    { "counters", counters },
    { "metrics", metrics },
    { "reload", reload },
    { "trim", trim },
    { "follow", ahoyd_command_follow },
    { "explain", ahoyd_command_explain },
    { "calls", ahoyd_command_calls },
};

json_t *ahoyd_command(const struct ahoyd_command_means *means, const json_t *request)
{
    const char *verb = json_string_value(json_object_get(request, "verb"));
    for (size_t i = 0; verb != NULL && i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verb, verbs[i].name) == 0)
            return verbs[i].run(means, request);
    }
    return failure("unknown verb; the protocol is in docs/control.md");
}
