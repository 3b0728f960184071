/* Each server counts its time from its own start.  How far apart two of them are is found by what
 * passed between them: a message cannot come before it was sent, either way, and the middle of what
 * that leaves is taken. */
#include "ahoyd/ctl/traces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ahoyd/ctl/ctl.h"

enum { PLACES_LIMIT = 256 };

/* Where a server listens. */
struct place {
    const char *address;
    size_t server;
};

struct traces {
    size_t count;
    const char *call_id;
    json_t *lines[CTL_TRACES_LIMIT];
    struct place places[PLACES_LIMIT];
    size_t place_count;
};

static const char *text(const json_t *line, const char *member)
{
    const char *value = json_string_value(json_object_get(line, member));
    return value == NULL ? "" : value;
}

static json_int_t microseconds(const json_t *line)
{
    return json_integer_value(json_object_get(line, "us"));
}

static bool is_in(const json_t *line)
{
    return strcmp(text(line, "dir"), "in") == 0;
}

static int compare_times(const void *a, const void *b)
{
    json_int_t first = microseconds(*(json_t *const *)a);
    json_int_t second = microseconds(*(json_t *const *)b);
    return (first > second) - (first < second);
}

/* Workers write in turns, so the lines of a call may stand a little out of order. */
static json_t *sort(json_t *lines)
{
    size_t count = json_array_size(lines);
    json_t **list = calloc(count + 1, sizeof(json_t *));
    json_t *sorted = json_array();
    for (size_t i = 0; list != NULL && i < count; i++)
        list[i] = json_array_get(lines, i);
    if (list != NULL)
        qsort(list, count, sizeof(json_t *), compare_times);
    for (size_t i = 0; list != NULL && i < count; i++)
        json_array_append(sorted, list[i]);
    free(list);
    json_decref(lines);
    return sorted;
}

static json_t *read_one(const char *path)
{
    char *line = NULL;
    size_t capacity = 0;
    unsigned number = 0;
    json_error_t error;
    json_t *lines = json_array();
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (file == NULL) {
        ctl_say("%s cannot be opened: %s", path, strerror(errno));
        json_decref(lines);
        return NULL;
    }
    while (getline(&line, &capacity, file) > 0) {
        json_t *value = json_loads(line, 0, &error);
        number++;
        if (json_is_object(value))
            json_array_append_new(lines, value);
        else
            ctl_say("%s:%u: no line of a trace: %s", path, number, error.text);
        if (value != NULL && !json_is_object(value))
            json_decref(value);
    }
    free(line);
    if (file != stdin)
        fclose(file);
    return sort(lines);
}

/* The server that listens at |address|; the count of them where none does. */
static size_t server_at(const struct traces *traces, const char *address)
{
    for (size_t i = 0; i < traces->place_count; i++) {
        if (strcmp(traces->places[i].address, address) == 0)
            return traces->places[i].server;
    }
    return traces->count;
}

static void learn_places(struct traces *traces, size_t server)
{
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(traces->lines[server], index, line)
    {
        const char *local = text(line, "local");
        if (*local != '\0' && traces->place_count < PLACES_LIMIT &&
            server_at(traces, local) == traces->count)
            traces->places[traces->place_count++] = (struct place){ local, server };
    }
}

static bool is_same_message(const json_t *a, const json_t *b)
{
    return strcmp(text(a, "call_id"), text(b, "call_id")) == 0 &&
           strcmp(text(a, "cseq"), text(b, "cseq")) == 0 &&
           strcmp(text(a, "start"), text(b, "start")) == 0;
}

/* How often |message| stands in the lines of |server| as one that came, or went, and since when. */
struct passages {
    size_t count;
    json_int_t first_us;
};

static struct passages find(const struct traces *traces, size_t server, bool came,
                            const json_t *message)
{
    struct passages passages = { 0 };
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(traces->lines[server], index, line)
    {
        if (is_in(line) != came || !is_same_message(line, message))
            continue;
        if (passages.count++ == 0)
            passages.first_us = microseconds(line);
    }
    return passages;
}

/* The least time that a message of the call took between two servers, by their clocks; false where
 * none went.  One that was sent more often than it came does not say which of them has come. */
static bool shortest_way(const struct traces *traces, size_t from, size_t to, json_int_t *least)
{
    bool found = false;
    size_t index = 0;
    json_t *sent = NULL;
    json_array_foreach(traces->lines[from], index, sent)
    {
        if (is_in(sent) || strcmp(text(sent, "call_id"), traces->call_id) != 0 ||
            server_at(traces, text(sent, "remote")) != to)
            continue;
        struct passages went = find(traces, from, false, sent);
        struct passages came = find(traces, to, true, sent);
        json_int_t took = came.first_us - went.first_us;
        if (went.count != came.count || (found && took >= *least))
            continue;
        *least = took;
        found = true;
    }
    return found;
}

/* By how much the clock of |server| is before that of the first one. */
static json_int_t clock_lead(const struct traces *traces, size_t server)
{
    json_int_t there = 0, back = 0;
    bool has_there = shortest_way(traces, 0, server, &there);
    bool has_back = shortest_way(traces, server, 0, &back);
    if (has_there && has_back)
        return (there - back) / 2;
    return has_there ? there : has_back ? -back : 0;
}

/* The lines of |server|, by the first one's clock, behind |all|. */
static void join(struct traces *traces, size_t server, json_t *all)
{
    json_int_t lead = server > 0 ? clock_lead(traces, server) : 0;
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(traces->lines[server], index, line)
    {
        size_t peer = server_at(traces, text(line, "remote"));
        if (peer < traces->count && peer != server) {
            if (is_in(line))
                continue;
            json_object_set_new(line, "peer", json_integer((json_int_t)peer));
        }
        json_object_set_new(line, "server", json_integer((json_int_t)server));
        json_array_append(all, line);
    }
    /* Behind all that ask for the times as they were. */
    json_array_foreach(traces->lines[server], index, line)
    {
        json_object_set_new(line, "us", json_integer(microseconds(line) - lead));
    }
}

const char *ctl_traces_last_call(const json_t *lines)
{
    const char *call_id = "";
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(lines, index, line)
    {
        if (strncmp(text(line, "start"), "INVITE ", 7) == 0 &&
            json_integer_value(json_object_get(line, "server")) == 0)
            call_id = text(line, "call_id");
    }
    return call_id;
}

json_t *ctl_traces_read(const char *const *paths, size_t count, const char *call_id)
{
    struct traces traces = { .count = count };
    json_t *all = json_array();
    bool sound = true;
    for (size_t i = 0; i < count; i++) {
        traces.lines[i] = read_one(paths[i]);
        sound = sound && traces.lines[i] != NULL;
    }
    if (sound)
        traces.call_id = call_id != NULL ? call_id : ctl_traces_last_call(traces.lines[0]);
    for (size_t i = 0; sound && i < count; i++)
        learn_places(&traces, i);
    for (size_t i = 0; sound && i < count; i++)
        join(&traces, i, all);
    all = sort(all);
    for (size_t i = 0; i < count; i++)
        json_decref(traces.lines[i]); /* NULL is borne. */
    if (sound)
        return all;
    json_decref(all);
    return NULL;
}
