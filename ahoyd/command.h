/* What an operator may ask of a running store: the requests of docs/control.md, carried out.
 * The control socket runs them in the server; ahoyctl runs the same ones on a store whose server
 * is down. */
#pragma once

#include <jansson.h>

#include "ahoyd/store/store.h"

/* Rows of one answer; "more" then says that there are others. */
enum { AHOYD_COMMAND_ROWS_LIMIT = 100000 };
/* Users of one users-add. */
enum { AHOYD_COMMAND_USERS_LIMIT = 1024 };

/* The members of user-add that hold HA1s, by algorithm; there is none at 0. */
extern const char *const ahoyd_command_digests[AHOY_DIGEST_COUNT];

/* What is wrong with |user|, an object as users-add has it; NULL where nothing is. */
const char *ahoyd_command_user_fault(const json_t *user);

struct ahoyd_roll;

/* What a command may use. */
struct ahoyd_command_means {
    struct ahoyd_store *store;
    uint64_t (*now_ms)(void);
    /* What a worker's ring holds (ahoyd_worker_copy); NULL where no server runs. */
    size_t (*notes)(void *context, unsigned worker, uint64_t *from, char *to, size_t room);
    unsigned workers;
    /* Where the listener of this number is bound; NULL where no server runs. */
    struct ahoy_ip (*local)(void *context, uint8_t listener);
    struct ahoyd_roll *roll; /* Of calls; NULL where no server runs. */
    /* Adds counters to |object| as numbers; NULL where no server runs. */
    void (*counters)(void *context, json_t *object);
    /* Adds how the server does; NULL where none runs. */
    void (*status)(void *context, json_t *object);
    /* The text for Prometheus, to be freed; NULL where no server runs. */
    char *(*metrics)(void *context);
    /* Reads the configuration again, or only tries to: the answer of the command; NULL where no
     * server runs. */
    json_t *(*reload)(void *context, bool is_trial);
    /* Has all workers give back memory that lies idle; false where one does not answer.  NULL where
     * no server runs. */
    bool (*trim)(void *context);
    void *context;
};

/* Carries out |request| and waits for the store where it changes something.  Returns the answer,
 * an object with "ok" and, where that is false, "error" and a "status" of HTTP; NULL where memory
 * is refused.  Any |request| is safe. */
json_t *ahoyd_command(const struct ahoyd_command_means *means, const json_t *request);

/* For the files that carry commands out. */
json_t *ahoyd_command_failure(unsigned status, const char *why);

/* Which rows of a long list are asked for: "search", "skip" and "limit". */
struct ahoyd_command_page {
    struct span search; /* Part of a name; empty: any. */
    size_t skip, limit;
};

/* False where |request| has members that are none; a limit above |most| is |most|. */
bool ahoyd_command_read_page(const json_t *request, size_t most, struct ahoyd_command_page *page);
extern const char ahoyd_command_page_fault[];
/* Whether |name| has in it what is searched for, in upper or lower case. */
bool ahoyd_command_matches(const struct ahoyd_command_page *page, struct span name);
/* Whether the row of that |number|, among those that match, is on the page. */
static inline bool ahoyd_command_shows(const struct ahoyd_command_page *page, size_t number)
{
    return number >= page->skip && number - page->skip < page->limit;
}
