/* A request is judged as soon as its header fields are there, before a byte of its body is kept. */
#include "ahoyd/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/api_files.h"
#include "ahoyd/api_guard.h"
#include "ahoyd/api_paths.h"
#include "ahoyd/http_listen.h"

struct ahoyd_api {
    const struct ahoyd_command_means *means;
    const struct ahoyd_api_door *door;
    struct ahoyd_api_guard guard;
    char cookie_name[16]; /* Cookies are of a host, not of a port: the port is in the name. */
    struct ahoyd_http_port *port;
};

/* A request whose header fields are sound. */
struct upload {
    size_t size;
    char body[AHOYD_API_BODY_LIMIT];
};

/* What is asked. */
struct asked {
    struct ahoyd_api *api;
    struct MHD_Connection *connection;
    const char *method, *url;
};

static struct span field(const struct asked *asked, const char *name)
{
    const char *value = MHD_lookup_connection_value(asked->connection, MHD_HEADER_KIND, name);
    return value != NULL ? ahoy_span(value) : SPAN("");
}

/* What every answer says to browsers: nothing of ours is kept, framed, or mixed with other pages.
 */
static bool add_fields(struct MHD_Response *response)
{
    static const char *const fields[][2] = {
        { "Cache-Control", "no-store" },
        { "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
          "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
        { "Cross-Origin-Resource-Policy", "same-origin" },
        { "Referrer-Policy", "no-referrer" },
        { "X-Content-Type-Options", "nosniff" },
    };
    bool added = response != NULL;
    for (size_t i = 0; added && i < sizeof fields / sizeof *fields; i++)
        added = MHD_add_response_header(response, fields[i][0], fields[i][1]) == MHD_YES;
    return added;
}

/* Sends |json|, which it frees, with one field of |name| more where that is not NULL. */
static enum MHD_Result reply(const struct asked *asked, unsigned status, json_t *json,
                             const char *name, const char *value)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    struct MHD_Response *response =
        text != NULL ? ahoyd_http_response(text, strlen(text), MHD_RESPMEM_MUST_FREE) : NULL;
    bool whole = add_fields(response) &&
                 (name == NULL || MHD_add_response_header(response, name, value) == MHD_YES);
    if (response != NULL && !whole) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return ahoyd_http_reply(asked->connection, status, "application/json", response);
}

static enum MHD_Result refuse(const struct asked *asked, unsigned status, const char *why)
{
    return reply(asked, status, ahoyd_command_failure(status, why),
                 status == MHD_HTTP_UNAUTHORIZED ? MHD_HTTP_HEADER_WWW_AUTHENTICATE : NULL,
                 "Bearer realm=\"ahoyd\"");
}

static enum MHD_Result send_file(const struct asked *asked, const struct ahoyd_api_file *file)
{
    struct MHD_Response *response =
        ahoyd_http_response((char *)(uintptr_t)file->bytes, *file->size, MHD_RESPMEM_PERSISTENT);
    if (response != NULL && !add_fields(response)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return ahoyd_http_reply(asked->connection, MHD_HTTP_OK, file->type, response);
}

static struct span cookie_of(const struct asked *asked)
{
    const char *value =
        MHD_lookup_connection_value(asked->connection, MHD_COOKIE_KIND, asked->api->cookie_name);
    return value != NULL ? ahoy_span(value) : SPAN("");
}

static bool is_known(const struct asked *asked)
{
    struct ahoyd_api *api = asked->api;
    struct span shown = field(asked, MHD_HTTP_HEADER_AUTHORIZATION);
    if (ahoy_span_starts_nocase(shown, SPAN("Bearer ")))
        return ahoyd_api_guard_knows(&api->guard, ahoy_span_after(shown, 7));
    return ahoyd_api_guard_remembers(&api->guard, cookie_of(asked), api->means->now_ms());
}

static bool is_session(const struct ahoyd_api_path *row)
{
    return row->verb == NULL;
}

static bool is_reading(const struct ahoyd_api_path *row)
{
    return strcmp(row->method, MHD_HTTP_METHOD_GET) == 0;
}

/* Whether a page of others made a browser send this. */
static bool is_forged(const struct asked *asked)
{
    struct span origin = field(asked, "Origin");
    struct span site = field(asked, "Sec-Fetch-Site");
    if (origin.size > 0)
        return !ahoyd_api_origin_is_ours(origin, field(asked, MHD_HTTP_HEADER_HOST));
    return site.size > 0 && !ahoy_span_equal(site, SPAN("same-origin")) &&
           !ahoy_span_equal(site, SPAN("none"));
}

/* Why a body of that length is not taken; 0 where it is. */
static unsigned judge_body(const struct asked *asked, const struct ahoyd_api_path *row,
                           const char **why)
{
    struct span length = field(asked, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t size = 0;
    *why = "a body must say its length";
    if (field(asked, MHD_HTTP_HEADER_TRANSFER_ENCODING).size > 0)
        return MHD_HTTP_LENGTH_REQUIRED;
    *why = "the body is too large";
    if (length.size > 0 && !ahoy_span_number(length, AHOYD_API_BODY_LIMIT, &size))
        return MHD_HTTP_CONTENT_TOO_LARGE;
    *why = "a body is not expected here";
    if (size > 0 && is_reading(row))
        return MHD_HTTP_BAD_REQUEST;
    *why = "the body must be application/json";
    if (size > 0 && !ahoy_span_starts_nocase(field(asked, MHD_HTTP_HEADER_CONTENT_TYPE),
                                             SPAN("application/json")))
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    return 0;
}

/* Why this may not be done; 0 where it may. */
static unsigned judge(const struct asked *asked, const struct ahoyd_api_path *row, const char **why)
{
    bool begins_session = is_session(row) && strcmp(row->method, MHD_HTTP_METHOD_DELETE) != 0;
    *why = "show the token: Authorization: Bearer TOKEN";
    if (!begins_session && !is_known(asked))
        return MHD_HTTP_UNAUTHORIZED;
    if (is_reading(row))
        return judge_body(asked, row, why);
    *why = "this comes from another page than the console";
    if (is_forged(asked))
        return MHD_HTTP_FORBIDDEN;
    *why = "the API only reads; api { write = true } lets it change things";
    if (!is_session(row) && !asked->api->door->writes)
        return MHD_HTTP_FORBIDDEN;
    return judge_body(asked, row, why);
}

static enum MHD_Result refuse_path(const struct asked *asked, const struct ahoy_buf *allowed)
{
    if (allowed->size == 0)
        return refuse(asked, MHD_HTTP_NOT_FOUND, "there is no such thing; see /api/openapi.json");
    return reply(asked, MHD_HTTP_METHOD_NOT_ALLOWED,
                 ahoyd_command_failure(MHD_HTTP_METHOD_NOT_ALLOWED,
                                       "this cannot be done here; Allow says what can"),
                 MHD_HTTP_HEADER_ALLOW, allowed->at);
}

/* Header fields alone have come. */
static enum MHD_Result begin(const struct asked *asked, void **request)
{
    const struct ahoyd_api_door *door = asked->api->door;
    char space[64] = "";
    struct ahoy_buf allowed = ahoy_buf_over(space, sizeof space - 1);
    const struct ahoyd_api_file *file = ahoyd_api_file(asked->url);
    if (!ahoyd_api_host_is_ours(field(asked, MHD_HTTP_HEADER_HOST), door->hosts, door->host_count))
        return refuse(asked, MHD_HTTP_FORBIDDEN,
                      "the Host is no address, and no name that api { hosts } lists");
    if (file != NULL && strcmp(asked->method, MHD_HTTP_METHOD_GET) == 0)
        return send_file(asked, file);
    if (file != NULL)
        ahoy_buf_put(&allowed, SPAN("GET"));
    const struct ahoyd_api_path *row = ahoyd_api_find(asked->method, asked->url, &allowed);
    if (row == NULL)
        return refuse_path(asked, &allowed);
    const char *why = NULL;
    unsigned status = judge(asked, row, &why);
    if (status != 0)
        return refuse(asked, status, why);
    *request = malloc(sizeof(struct upload));
    if (*request == NULL)
        return MHD_NO;
    ((struct upload *)*request)->size = 0;
    return MHD_YES;
}

static enum MHD_Result begin_session(const struct asked *asked, const json_t *body)
{
    struct ahoyd_api *api = asked->api;
    const json_t *token = json_object_get(body, "token");
    struct ahoyd_api_cookie cookie;
    char line[160];
    if (!json_is_string(token) ||
        !ahoyd_api_guard_knows(
            &api->guard, (struct span){ json_string_value(token), json_string_length(token) }))
        return refuse(asked, MHD_HTTP_UNAUTHORIZED, "this is not the token");
    if (!ahoyd_api_guard_admit(&api->guard, api->means->now_ms(), &cookie))
        return MHD_NO;
    bool is_https = ahoy_span_equal_nocase(field(asked, "X-Forwarded-Proto"), SPAN("https"));
    snprintf(line, sizeof line, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
             api->cookie_name, cookie.text, AHOYD_SESSION_MS / 1000, is_https ? "; Secure" : "");
    return reply(asked, MHD_HTTP_OK, json_pack("{s:b}", "ok", 1), MHD_HTTP_HEADER_SET_COOKIE, line);
}

static enum MHD_Result serve_session(const struct asked *asked, const json_t *body)
{
    if (strcmp(asked->method, MHD_HTTP_METHOD_POST) == 0)
        return begin_session(asked, body);
    if (strcmp(asked->method, MHD_HTTP_METHOD_GET) == 0)
        return reply(asked, MHD_HTTP_OK,
                     json_pack("{s:b, s:b, s:b}", "ok", 1, "known", is_known(asked), "writes",
                               asked->api->door->writes),
                     NULL, NULL);
    ahoyd_api_guard_forget(&asked->api->guard, cookie_of(asked));
    return reply(asked, MHD_HTTP_OK, json_pack("{s:b}", "ok", 1), NULL, NULL);
}

/* One part of a query on its way into a request. */
struct query {
    json_t *request;
    bool sound;
};

static enum MHD_Result take_query(void *self, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct query *query = self;
    (void)kind; /* It is that of queries. */
    query->sound = ahoyd_api_read_query(name, value, query->request);
    return query->sound ? MHD_YES : MHD_NO;
}

static enum MHD_Result carry_out(const struct asked *asked, const struct ahoyd_api_path *row,
                                 json_t *request)
{
    struct query query = { request, true };
    MHD_get_connection_values(asked->connection, MHD_GET_ARGUMENT_KIND, take_query, &query);
    if (!query.sound)
        return refuse(asked, MHD_HTTP_BAD_REQUEST, "the query is not understood");
    if (!ahoyd_api_read_name(row, asked->url, request) ||
        json_object_set_new(request, "verb", json_string(row->verb)) != 0)
        return refuse(asked, MHD_HTTP_BAD_REQUEST, "the name in the path is none");
    json_t *answer = ahoyd_command(asked->api->means, request);
    json_int_t status = json_integer_value(json_object_get(answer, "status"));
    if (json_is_true(json_object_get(answer, "ok")))
        status = MHD_HTTP_OK;
    return reply(asked, status >= 200 && status < 600 ? (unsigned)status : 500, answer, NULL, NULL);
}

/* All of it has come. */
static enum MHD_Result serve(const struct asked *asked, const struct upload *upload)
{
    char space[64];
    struct ahoy_buf allowed = ahoy_buf_over(space, sizeof space);
    const struct ahoyd_api_path *row = ahoyd_api_find(asked->method, asked->url, &allowed);
    json_t *body = upload->size > 0
                       ? json_loadb(upload->body, upload->size, JSON_REJECT_DUPLICATES, NULL)
                       : json_object();
    enum MHD_Result result;
    if (!json_is_object(body))
        result = refuse(asked, MHD_HTTP_BAD_REQUEST, "the body is no JSON object");
    else if (is_session(row))
        result = serve_session(asked, body);
    else
        result = carry_out(asked, row, body);
    json_decref(body);
    return result;
}

static enum MHD_Result answer(void *self, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *bytes,
                              size_t *size, void **request)
{
    bool is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    const struct asked asked = { self, connection, is_head ? MHD_HTTP_METHOD_GET : method, url };
    struct upload *upload = *request;
    (void)version; /* libmicrohttpd knows the difference. */
    if (upload == NULL)
        return begin(&asked, request);
    if (*size == 0)
        return serve(&asked, upload);
    if (*size > sizeof upload->body - upload->size)
        return MHD_NO; /* More than it said. */
    memcpy(upload->body + upload->size, bytes, *size);
    upload->size += *size;
    *size = 0;
    return MHD_YES;
}

/* A body may hold a secret. */
static void end(void *self, struct MHD_Connection *connection, void **request,
                enum MHD_RequestTerminationCode code)
{
    struct upload *upload = *request;
    (void)self, (void)connection, (void)code; /* However it ended. */
    if (upload != NULL)
        explicit_bzero(upload->body, upload->size);
    free(upload);
    *request = NULL;
}

struct ahoyd_api *ahoyd_api_open(const struct ahoyd_api_door *door,
                                 const struct ahoyd_command_means *means, char *fault,
                                 size_t fault_size)
{
    struct ahoyd_api *api = calloc(1, sizeof *api);
    if (api == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        return NULL;
    }
    api->means = means;
    api->door = door;
    snprintf(api->cookie_name, sizeof api->cookie_name, "ahoyd-%u", (unsigned)door->ip.port);
    if (ahoyd_api_guard_init(&api->guard, door->token_path, fault, fault_size))
        api->port = ahoyd_http_listen(&door->ip, "api", answer, end, api, fault, fault_size);
    if (api->port != NULL)
        return api;
    free(api);
    return NULL;
}

void ahoyd_api_close(struct ahoyd_api *api)
{
    if (api == NULL)
        return;
    ahoyd_http_stop(api->port);
    explicit_bzero(api, sizeof *api);
    free(api);
}
