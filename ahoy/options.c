/* The command line.  Each option stands once in a table, with the verbs that have it. */
#include "ahoy/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoy/load.h"
#include "ahoy/options_read.h"
#include "libahoy/media/srtp.h"
#include "libahoy/transport/stun_login.h"

enum {
    REGISTERING = PHONE_REGISTER | PHONE_ANSWER,
    STAYING = REGISTERING | PHONE_WATCH,
    TALKING = PHONE_CALL | PHONE_ANSWER,
    PHONES = STAYING | PHONE_CALL | PHONE_MESSAGE | PHONE_REFER | PHONE_OPTIONS,
    LOAD_STAYING = PHONE_LOAD_ANSWER | PHONE_LOAD_REGISTER,
    LOAD_PACED = PHONE_LOAD_CALL | PHONE_LOAD_REGISTER,
    LOADS = LOAD_PACED | LOAD_STAYING,
    ALL = PHONES | LOADS,
    IN_FILE = 1 << 30, /* May stand in the file of accounts ... */
    WHOSE = ALL | IN_FILE
};
enum { PORT_LOW = 16384, PORT_HIGH = 32767 };
enum { SESSION_S = 1800 }; /* What RFC 4028 4 recommends. */

/* clang-format off */
#define OPTIONS(OPTION)                                                                            \
    OPTION(ACCOUNT, "account", "NAME", ALL, "whose phone, by its name in the file of accounts")    \
    OPTION(USER, "user", "USER@DOMAIN", WHOSE, "whose phone this is (default: $AHOY_USER)")        \
    OPTION(PASSWORD_FILE, "password-file", "FILE", WHOSE, "its first line is the password")        \
    OPTION(PASSWORD_STDIN, "password-stdin", NULL, ALL, "read the password from standard input")   \
    OPTION(REALM, "realm", "REALM", WHOSE, "the realm that may ask for it (default: DOMAIN)")      \
    OPTION(INSTANCE, "instance", "URN", PHONES | IN_FILE,                                          \
           "this phone's name among those of its user (urn:uuid:...)")                             \
    OPTION(SERVER, "server", "URI", WHOSE, "registrar, proxy: sip:ADDRESS[:PORT][;transport=tls]") \
    OPTION(AUTHORITIES, "authorities", "FILE", WHOSE, "whose certificates are good (TLS)")         \
    OPTION(INSECURE, "insecure", NULL, WHOSE, "any certificate is good (TLS)")                     \
    OPTION(CERTIFICATE, "certificate", "FILE", PHONE_LOAD_ANSWER, "show it to callers (TLS)")      \
    OPTION(KEY, "key", "FILE", PHONE_LOAD_ANSWER, "the key of that certificate")                   \
    OPTION(LISTEN, "listen", "ADDRESS[:PORT]", WHOSE, "our own (default: what reaches the server)")\
    OPTION(EXPIRES, "expires", "SECONDS", STAYING | LOADS, "ask for so long; refresh it (3600)")   \
    OPTION(VALID, "valid", "SECONDS", PHONE_MESSAGE, "how long what it says is of use")            \
    OPTION(COUNT, "count", "NUMBER", PHONE_OPTIONS, "ask so often (1); 0 for until ^C")            \
    OPTION(CALLS, "calls", "NUMBER", PHONE_LOAD_CALL, "so many, then end (until --for, or ^C)")    \
    OPTION(REGISTERS, "registers", "NUMBER", PHONE_LOAD_REGISTER, "so many (each user one)")       \
    OPTION(RATE, "rate", "N[-M]", LOAD_PACED, "begin so many a second (10), or from N on up to M") \
    OPTION(RAMP, "ramp", "SECONDS", LOADS, "how long rates take from N to M (60)")                 \
    OPTION(REGISTER_RATE, "register-rate", "N[-M]", PHONE_LOAD_CALL | PHONE_LOAD_ANSWER,           \
           "register so many users a second beside it (none)")                                     \
    OPTION(AT_ONCE, "at-once", "NUMBER", LOADS, "no more calls, or REGISTERs, at once (10000)")    \
    OPTION(USERS, "users", "NUMBER", LOADS, "so many; their number stands for #### (1)")           \
    OPTION(HOLD, "hold", "SECONDS", PHONE_LOAD_CALL | PHONE_LOAD_ANSWER, "hang up after so long")  \
    OPTION(EVERY, "every", "SECONDS", PHONE_OPTIONS, "wait so long in between (1)")                \
    OPTION(KEEP, "keep", NULL, PHONE_REGISTER, "stay and refresh until ^C, then unregister")       \
    OPTION(FOR, "for", "SECONDS", PHONE_CALL | PHONE_WATCH | LOADS, "end after so long")           \
    OPTION(RING_LIMIT, "ring-limit", "SECONDS", PHONE_CALL | PHONE_LOAD_CALL,                      \
           "give up when nobody answers so long")                                                  \
    OPTION(RING, "ring", "SECONDS", PHONE_ANSWER | PHONE_LOAD_ANSWER, "ring first, so long (1)")   \
    OPTION(ONCE, "once", NULL, PHONE_ANSWER, "leave after the first call")                         \
    OPTION(BUSY, "busy", NULL, PHONE_ANSWER, "refuse every call as busy")                          \
    OPTION(TRANSFER, "transfer", "URI", PHONE_CALL, "after --for, hand the call to somebody else") \
    OPTION(CONSULT, "consult", "URI", PHONE_CALL, "the same, but talk to that one before")         \
    OPTION(ACCEPT_TRANSFERS, "accept-transfers", NULL, PHONE_ANSWER, "go where callers send us")   \
    OPTION(ACCEPT_REFER, "accept-refer", NULL, PHONE_ANSWER, "go where anybody sends us")          \
    OPTION(ACCEPT_REPLACES, "accept-replaces", NULL, PHONE_ANSWER,                                 \
           "let anybody take a call over who can name it")                                         \
    OPTION(SESSION, "session", "SECONDS", TALKING,                                                 \
           "end a call whose sides say nothing of it for so long (1800; 0: never)")                \
    OPTION(PLAY, "play", "WHAT", TALKING,                                                          \
           "what the other side hears: tone:HZ, silence, or a sound file")                         \
    OPTION(DEVICE, "device", "NAME", TALKING | IN_FILE,                                            \
           "talk by this one (on a terminal, the system's; else by none)")                         \
    OPTION(MICROPHONE, "microphone", "NAME", TALKING | IN_FILE, "say what this device hears")      \
    OPTION(SPEAKER, "speaker", "NAME", TALKING | IN_FILE, "hear by this device")                   \
    OPTION(RECORD, "record", "FILE", TALKING, "write what is heard there, as WAV")                 \
    OPTION(DIGITS, "digits", "DIGITS", PHONE_CALL, "dial them after the answer (RFC 4733)")        \
    OPTION(MEDIA_PORTS, "media-ports", "LOW-HIGH", TALKING | IN_FILE, "of UDP (16384-32767)")      \
    OPTION(SRTP, "srtp", "HOW", TALKING | IN_FILE, "secure sound: off, optional, sdes, dtls") \
    OPTION(STUN, "stun", "ADDRESS[:PORT]", TALKING | IN_FILE,                                      \
           "ask this server how others see us (ICE; 3478)")                                        \
    OPTION(TURN, "turn", "ADDRESS[:PORT]", TALKING | IN_FILE,                                      \
           "reach others by a relay of this server where nothing else does (ICE; 3478)")           \
    OPTION(TURN_USER, "turn-user", "NAME", TALKING | IN_FILE, "by this name (that of --user)")     \
    OPTION(TURN_PASSWORD, "turn-password-file", "FILE", TALKING | IN_FILE,                         \
           "its first line is the password of that name")                                          \
    OPTION(CODEC, "codec", "NAMES", TALKING | IN_FILE, "speak these: opus,g722,pcmu,pcma (all)")   \
    OPTION(JSON, "json", NULL, ALL, "print what happens as one JSON object a line")                \
    OPTION(TRACE, "trace", "FILE", PHONES, "write all SIP messages there")                         \
    OPTION(HELP, "help", NULL, ALL, "print this")
/* clang-format on */

#define OPTION_CONSTANT(constant, name, argument, verbs, help) OPTION_##constant,
enum option_id { OPTION_NONE, OPTIONS(OPTION_CONSTANT) OPTION_ROWS };
#undef OPTION_CONSTANT

struct option_row {
    const char *name;
    const char *argument; /* NULL where it takes none. */
    unsigned verbs;
    const char *help;
};

#define OPTION_ROW(constant, name, argument, verbs, help) { name, argument, verbs, help },
static const struct option_row rows[OPTION_ROWS] = { { "", NULL, 0, "" }, OPTIONS(OPTION_ROW) };
#undef OPTION_ROW

struct verb_row {
    enum phone_verb verb;
    const char *name;
    const char *arguments;
    int operands; /* How many these are. */
    const char *missing;
    const char *help;
};

static const struct verb_row verbs[] = {
    { PHONE_REGISTER, "register", "", 0, "", "register this phone with its server" },
    { PHONE_CALL, "call", " URI", 1, "whom to call? Give a URI", "call somebody" },
    { PHONE_ANSWER, "answer", "", 0, "", "register, wait for calls and answer them" },
    { PHONE_MESSAGE, "message", " URI TEXT", 2, "what to whom? Give a URI and a text, or -",
      "send somebody a short text" },
    { PHONE_REFER, "refer", " URI URI", 2, "ask whom to call whom? Give two URIs",
      "ask somebody's phone to call somebody" },
    { PHONE_OPTIONS, "options", " URI", 1, "ask whom? Give a URI",
      "ask whether somebody is there, and what his phone can do" },
    { PHONE_WATCH, "watch", " WHAT URI", 2,
      "what of whom? Give reg, presence, dialog or message-summary, and a URI",
      "be told what changes: reg, presence, dialog, message-summary" },
    { PHONE_LOAD_CALL, "load call", " URI", 1, "whom to call? Give a URI",
      "call somebody very often, and measure" },
    { PHONE_LOAD_ANSWER, "load answer", "", 0, "", "answer very many calls" },
    { PHONE_LOAD_REGISTER, "load register", "", 0, "", "register very many users, and measure" },
};

static const struct verb_row *verb_row(enum phone_verb verb)
{
    size_t i = 0;
    while (verbs[i].verb != verb)
        i++;
    return &verbs[i];
}

const char *phone_verb_name(enum phone_verb verb)
{
    return verb_row(verb)->name;
}

void phone_print_help(void)
{
    printf("ahoy, a SIP phone.\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        printf("  ahoy %s%-*s  %s\n", verbs[i].name, (int)(16 - strlen(verbs[i].name)),
               verbs[i].arguments, verbs[i].help);
    printf("  ahoy %-16s  %s\n", "devices", "list microphones and loudspeakers");
    printf("  ahoy %-16s  %s\n", "explain [FILE]", "explain SIP messages line by line");
    printf("\nBob waits for calls, and Alice calls him, by the server that both are known to:\n\n"
           "  ahoy answer --user bob@atlanta.example --server sip:192.0.2.1\n"
           "  ahoy call bob@atlanta.example --user alice@atlanta.example --server sip:192.0.2.1\n"
           "\nahoy VERB --help says more, man ahoy all; ahoy --version prints the version.\n");
}

static void print_verb_help(enum phone_verb verb)
{
    const struct verb_row *row = verb_row(verb);
    printf("ahoy %s%s [OPTIONS]: %s.\n\n", row->name, row->arguments, row->help);
    for (size_t i = 1; i < OPTION_ROWS; i++) {
        char left[64];
        if ((rows[i].verbs & verb) == 0)
            continue;
        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        printf("  %-26s  %s\n", left, rows[i].help);
    }
    printf("\nExit codes:\n");
    phone_print_outcomes();
}

int phone_misuse(enum phone_verb verb, const char *what, const char *about)
{
    fprintf(stderr, "ahoy %s: %s%s (see: ahoy %s --help)\n", phone_verb_name(verb), what, about,
            phone_verb_name(verb));
    return PHONE_MISUSED;
}

/* What the options say before it is put together. */
struct raw {
    const char *account, *user;
    size_t server_count;
    const char *servers[AHOY_UA_SERVERS_LIMIT];
    const char *password; /* As phone_password_read has it. */
    const char *realm, *instance;
    uint64_t given; /* The options of the command line, a bit each: they outdo those of the file. */
    bool in_file;   /* Where the password's name comes from. */
};

/* Whom the call is handed to: one, and once. */
static bool read_next(const char *text, struct phone_options *options, const char **next)
{
    struct ahoy_uri uri;
    struct span full = phone_with_scheme(text, options->next_space, sizeof options->next_space);
    bool is_first = options->transfer == NULL && options->consult == NULL;
    *next = options->next_space;
    return is_first && ahoy_uri_parse(full, &uri, NULL) && uri.scheme != AHOY_SCHEME_OTHER &&
           uri.headers.size == 0;
}

/* One option of a call, or one without an argument; false where that is wrong. */
static bool take_of_call(struct phone_options *options, enum option_id id, const char *argument)
{
    switch (id) {
    case OPTION_FOR:
        return options->has_for = phone_read_seconds(argument, &options->for_s);
    case OPTION_RING_LIMIT:
        return options->has_ring_limit = phone_read_seconds(argument, &options->ring_limit_s);
    case OPTION_DEVICE: /* Whoever names one of the two says more. */
        options->microphone = options->microphone != NULL ? options->microphone : argument;
        options->speaker = options->speaker != NULL ? options->speaker : argument;
        return true;
    case OPTION_MICROPHONE:
        options->microphone = argument;
        return true;
    case OPTION_SPEAKER:
        options->speaker = argument;
        return true;
    case OPTION_PLAY:
        options->has_play = true;
        return phone_read_play(argument, options);
    case OPTION_RECORD:
        options->record = argument;
        return true;
    case OPTION_DIGITS:
        options->digits = argument;
        return phone_is_digits(argument);
    case OPTION_MEDIA_PORTS:
        return phone_read_ports(argument, options);
    case OPTION_SRTP:
        return phone_read_security(argument, &options->security);
    case OPTION_STUN:
        return phone_read_stun(argument, &options->stun);
    case OPTION_TURN:
        return phone_read_turn(argument, &options->turn.server);
    case OPTION_TURN_USER:
        options->turn.user = ahoy_span(argument);
        return options->turn.user.size > 0 && options->turn.user.size <= AHOY_STUN_LOGIN_LIMIT;
    case OPTION_TURN_PASSWORD:
        options->turn.password_file = argument;
        return true;
    case OPTION_CODEC:
        return phone_read_codecs(argument, &options->codecs);
    case OPTION_TRANSFER:
        return read_next(argument, options, &options->transfer);
    case OPTION_CONSULT:
        return read_next(argument, options, &options->consult);
    case OPTION_SESSION:
        return phone_read_session(argument, &options->session_s);
    case OPTION_RING:
        return options->has_ring = phone_read_seconds(argument, &options->ring_s);
    default:
        options->json |= id == OPTION_JSON;
        options->keep |= id == OPTION_KEEP;
        options->once |= id == OPTION_ONCE;
        options->busy |= id == OPTION_BUSY;
        options->accepts_transfers |= id == OPTION_ACCEPT_TRANSFERS;
        options->accepts_referrals |= id == OPTION_ACCEPT_REFER;
        options->accepts_replacers |= id == OPTION_ACCEPT_REPLACES;
        options->insecure |= id == OPTION_INSECURE;
        return true;
    }
}

/* One option of a load. */
static bool take_of_load(struct phone_options *options, enum option_id id, const char *argument)
{
    struct phone_load *load = &options->load;
    switch (id) {
    case OPTION_CALLS:
    case OPTION_REGISTERS:
        load->has_count = true;
        return phone_read_count(argument, &options->count) && options->count > 0;
    case OPTION_RATE:
        return phone_read_rate(argument,
                               options->verb == PHONE_LOAD_CALL ? &load->calls : &load->registers);
    case OPTION_REGISTER_RATE:
        return phone_read_rate(argument, &load->registers);
    case OPTION_RAMP:
        return phone_read_seconds(argument, &load->ramp_s);
    case OPTION_HOLD:
        return load->has_hold = phone_read_seconds(argument, &load->hold_s);
    case OPTION_AT_ONCE:
        return phone_read_count(argument, &load->at_once) && load->at_once > 0 &&
               load->at_once <= LOAD_AT_ONCE_LIMIT;
    case OPTION_CERTIFICATE:
        options->certificate = argument;
        return true;
    case OPTION_KEY:
        options->key = argument;
        return true;
    case OPTION_USERS:
        return phone_read_count(argument, &load->users) && load->users > 0 &&
               load->users <= LOAD_USERS_LIMIT;
    default:
        return take_of_call(options, id, argument);
    }
}

/* One option; false where its argument is wrong. */
static bool take(struct phone_options *options, struct raw *raw, enum option_id id,
                 const char *argument)
{
    switch (id) {
    case OPTION_ACCOUNT:
        raw->account = argument;
        return true;
    case OPTION_USER:
        raw->user = argument;
        return true;
    case OPTION_PASSWORD_FILE:
        raw->password = argument;
        return true;
    case OPTION_PASSWORD_STDIN:
        raw->password = "-";
        return true;
    case OPTION_REALM:
        raw->realm = argument;
        return true;
    case OPTION_INSTANCE:
        raw->instance = argument;
        return phone_is_urn(ahoy_span(argument));
    case OPTION_SERVER:
        if (raw->server_count == AHOY_UA_SERVERS_LIMIT)
            return false;
        raw->servers[raw->server_count++] = argument;
        return true;
    case OPTION_AUTHORITIES:
        options->authorities = argument;
        return true;
    case OPTION_TRACE:
        options->trace = argument;
        return true;
    case OPTION_LISTEN:
        return phone_read_listen(argument, &options->listen);
    case OPTION_EXPIRES:
        return phone_read_seconds(argument, &options->expires_s) && options->expires_s > 0;
    case OPTION_VALID:
        return phone_read_seconds(argument, &options->valid_s) && options->valid_s > 0;
    case OPTION_COUNT:
        return phone_read_count(argument, &options->count);
    case OPTION_EVERY:
        return phone_read_seconds(argument, &options->every_s);
    default:
        return take_of_load(options, id, argument);
    }
}

/* -1 to go on, or the exit code. */
static int read_words(struct phone_options *options, struct raw *raw, int argc, char **argv)
{
    struct option known[OPTION_ROWS] = { { NULL, 0, NULL, 0 } };
    size_t count = 0;
    for (int id = 1; id < OPTION_ROWS; id++) {
        if ((rows[id].verbs & options->verb) != 0)
            known[count++] = (struct option){ rows[id].name, rows[id].argument != NULL, NULL, id };
    }
    opterr = 0;
    optind = 1;
    for (;;) {
        int at = optind;
        int id = getopt_long(argc, argv, ":", known, NULL);
        if (id == -1)
            return -1;
        if (id == ':')
            return phone_misuse(options->verb, "an argument is missing behind ", argv[at]);
        if (id == '?')
            return phone_misuse(options->verb, "unknown option ", argv[at]);
        if (id == OPTION_HELP) {
            print_verb_help(options->verb);
            return PHONE_DONE;
        }
        if (!take(options, raw, (enum option_id)id, optarg))
            return phone_misuse(options->verb, "cannot be understood: ", argv[at]);
        raw->given |= UINT64_C(1) << id;
    }
}

/* The option of that name which may stand in the file, or OPTION_NONE. */
static enum option_id find_in_file(const char *name)
{
    for (int id = 1; id < OPTION_ROWS; id++) {
        if ((rows[id].verbs & IN_FILE) != 0 && strcmp(rows[id].name, name) == 0)
            return (enum option_id)id;
    }
    return OPTION_NONE;
}

/* One line of the file.  Names of files in it are seen from where it is. */
static bool take_line(struct phone_options *options, struct raw *raw, const char *name,
                      const char *argument)
{
    struct phone_account *file = &options->file;
    enum option_id id = find_in_file(name);
    if (id == OPTION_NONE) {
        phone_account_blame(file, "no option that may stand here: ", name);
        return false;
    }
    if ((argument != NULL) != (rows[id].argument != NULL)) {
        phone_account_blame(
            file, argument == NULL ? "an argument is missing behind " : "there is no argument to ",
            name);
        return false;
    }
    bool is_known = (id == OPTION_PASSWORD_FILE && raw->password != NULL) ||
                    ((id == OPTION_MICROPHONE || id == OPTION_SPEAKER) &&
                     (raw->given & UINT64_C(1) << OPTION_DEVICE) != 0);
    if (is_known || (raw->given & UINT64_C(1) << id) != 0)
        return true;
    char *path = id == OPTION_PASSWORD_FILE   ? options->password_path
                 : id == OPTION_AUTHORITIES   ? options->authorities_path
                 : id == OPTION_TURN_PASSWORD ? options->turn.path
                                              : NULL;
    if (path != NULL && !phone_account_path(file, argument, path)) {
        phone_account_blame(file, "too long: ", argument);
        return false;
    }
    raw->in_file |= id == OPTION_PASSWORD_FILE;
    if (take(options, raw, id, path != NULL ? path : argument))
        return true;
    phone_account_blame(file, "cannot be understood: ", argument);
    return false;
}

/* Whoever says whose phone it is, and by no name in the file, says all of it. */
static int read_account(struct phone_options *options, struct raw *raw)
{
    char *name, *argument;
    if (raw->account == NULL && (raw->user != NULL || getenv("AHOY_USER") != NULL))
        return -1;
    int found = phone_account_open(&options->file, raw->account);
    if (found <= 0)
        return found == 0 ? -1 : PHONE_MISUSED;
    while (phone_account_next(&options->file, &name, &argument)) {
        if (!take_line(options, raw, name, argument))
            return PHONE_MISUSED;
    }
    return -1;
}

static int set_account(struct phone_options *options, const struct raw *raw)
{
    struct ahoy_uri uri;
    const char *user = raw->user != NULL ? raw->user : getenv("AHOY_USER");
    if (user == NULL && options->verb == PHONE_WATCH)
        user = options->callee; /* Himself. */
    if (user == NULL)
        return phone_misuse(options->verb, "whose phone is this? Give --user USER@DOMAIN", "");
    struct span text = phone_with_scheme(user, options->uri, sizeof options->uri);
    if ((options->verb & LOADS) != 0)
        options->load.user = phone_take_numbers(options->uri);
    if (!ahoy_uri_parse(text, &uri, NULL) || uri.scheme == AHOY_SCHEME_OTHER ||
        uri.user.size == 0 || uri.password.size > 0 || uri.params.size > 0 || uri.headers.size > 0)
        return phone_misuse(options->verb, "no USER@DOMAIN: ", user);
    if ((options->verb & LOADS) != 0 &&
        phone_numbers_count(&options->load.user) < options->load.users)
        return phone_misuse(options->verb, "so many users need #### for their number: ", user);
    options->address = ahoy_span_between(uri.user.at, ahoy_span_end(text));
    options->account =
        (struct ahoy_account){ .uri = text,
                               .user = uri.user,
                               .domain = uri.host,
                               .realm = raw->realm ? ahoy_span(raw->realm) : uri.host,
                               .instance = raw->instance ? ahoy_span(raw->instance) : SPAN("") };
    return -1;
}

static int set_callee(struct phone_options *options, int argc, char **argv)
{
    struct ahoy_uri uri;
    const struct verb_row *row = verb_row(options->verb);
    bool is_watch = options->verb == PHONE_WATCH;
    if (argc - optind < row->operands)
        return phone_misuse(options->verb, row->missing, "");
    if (argc - optind > row->operands)
        return phone_misuse(options->verb, "too much: ", argv[optind + row->operands]);
    if (row->operands == 0)
        return -1;
    options->package = ahoy_event_package_find(ahoy_span(argv[optind]));
    if (is_watch && options->package == NULL)
        return phone_misuse(options->verb, "no event package that it knows: ", argv[optind]);
    options->text = argv[optind + row->operands - 1];
    const char *callee = argv[optind + (is_watch ? 1 : 0)];
    struct span text =
        phone_with_scheme(callee, options->callee_space, sizeof options->callee_space);
    if ((options->verb & LOADS) != 0)
        options->load.callee = phone_take_numbers(options->callee_space);
    if (!ahoy_uri_parse(text, &uri, NULL) || uri.scheme == AHOY_SCHEME_OTHER ||
        uri.headers.size > 0)
        return phone_misuse(options->verb, "no SIP URI: ", callee);
    options->callee = options->callee_space;
    if (options->verb == PHONE_REFER && !read_next(options->text, options, &options->transfer))
        return phone_misuse(options->verb, "no SIP URI: ", options->text);
    return -1;
}

int phone_options_read(struct phone_options *options, enum phone_verb verb, int argc, char **argv)
{
    struct raw raw = { .user = NULL };
    static const struct load_rate ten = { 10000, 10000 };
    *options = (struct phone_options){ .verb = verb,
                                       .expires_s = 3600,
                                       .ring_s = 1,
                                       .count = 1,
                                       .every_s = 1,
                                       .session_s = SESSION_S,
                                       .security = ahoy_srtp_is_there() ? AHOY_SECURITY_OPTIONAL
                                                                        : AHOY_SECURITY_OFF,
                                       .codecs = phone_codecs(),
                                       .digits = "",
                                       .port_low = PORT_LOW,
                                       .port_high = PORT_HIGH,
                                       .load = { .ramp_s = 60, .at_once = 10000, .users = 1 } };
    if (verb == PHONE_LOAD_CALL)
        options->load.calls = ten;
    if (verb == PHONE_LOAD_REGISTER)
        options->load.registers = ten;
    int code = read_words(options, &raw, argc, argv);
    if (code == -1)
        code = set_callee(options, argc, argv);
    if (code == -1)
        code = read_account(options, &raw);
    if (code == -1)
        code = set_account(options, &raw);
    if (code == -1)
        code = phone_set_servers(options, raw.servers, raw.server_count);
    bool is_told = raw.password != NULL || (verb & LOADS) == 0; /* Nobody types it for a load. */
    if (code == -1)
        code = phone_check_security(options);
    if (code == -1 && (options->certificate == NULL) != (options->key == NULL))
        code = phone_misuse(verb, "--certificate and --key belong together", "");
    if (code == -1 && is_told && !phone_password_read(options, raw.password, raw.in_file))
        code = PHONE_MISUSED;
    if (code == -1 && !phone_turn_read(options))
        code = PHONE_MISUSED;
    return code;
}
