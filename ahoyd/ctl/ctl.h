/* ahoyctl: what its files share. */
#pragma once

#include "ahoyd/command.h"
#include "ahoyd/ctl/traces.h"

/* Exit codes: what a script may rely on. */
enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl_options {
    const char *socket_path; /* --socket; NULL: the usual places. */
    const char *config_path; /* --config; NULL: ./ahoyd.lua, then /etc/ahoyd/ahoyd.lua. */
    bool json;
    const char *pcap_path;                  /* Of explain; NULL: no capture is wanted. */
    bool strict, dry_run;                   /* Of user import. */
    bool check;                             /* Of reload. */
    const char *with[CTL_TRACES_LIMIT - 1]; /* Of ladder: traces of further servers. */
    size_t with_count;
};

/* Where commands go: the running server, or the store itself. */
struct ctl_link;

/* Says on standard error why, and returns NULL, where neither can be reached. */
struct ctl_link *ctl_link_open(const struct ctl_options *options);
void ctl_link_close(struct ctl_link *link);
/* The answer to |request|, which it frees; NULL after saying why. */
json_t *ctl_link_ask(struct ctl_link *link, json_t *request);

/* Each runs one verb with what stands behind it and returns an exit code. */
int ctl_user(const struct ctl_options *options, int argc, char **argv);
int ctl_import(const struct ctl_options *options, const char *path);     /* Of `user`, too. */
int ctl_alias(const struct ctl_options *options, int argc, char **argv); /* Of `user`. */
int ctl_registrations(const struct ctl_options *options, int argc, char **argv);
int ctl_counters(const struct ctl_options *options, int argc, char **argv);
int ctl_metrics(const struct ctl_options *options, int argc, char **argv);
int ctl_trace(const struct ctl_options *options, int argc, char **argv);
int ctl_explain(const struct ctl_options *options, int argc, char **argv);
int ctl_calls(const struct ctl_options *options, int argc, char **argv);
int ctl_reload(const struct ctl_options *options, int argc, char **argv);
int ctl_trim(const struct ctl_options *options, int argc, char **argv);
int ctl_ladder(const struct ctl_options *options, int argc, char **argv);

/* Draws |lines|, which are those of a trace, or say "why" in their place. */
void ctl_ladder_draw(json_t *lines);

/* Splits "alice@atlanta.example"; the domain in lower case, as the configuration keeps it.  False
 * after saying why. */
bool ctl_split(char *name, struct span *user, struct span *realm);

/* "ahoyctl: ..." on standard error. */
void ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
