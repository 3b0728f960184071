/* ahoyctl user: passwords are read, hashed here, and forgotten; only HA1 digests go on. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"

enum { LINE_LIMIT = 1024 };

bool ctl_split(char *name, struct span *user, struct span *realm)
{
    char *at = strrchr(name, '@');
    if (at == NULL || at == name || at[1] == '\0') {
        ctl_say("'%s' is no user; write USER@DOMAIN", name);
        return false;
    }
    for (char *letter = at + 1; *letter != '\0'; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    *user = ahoy_span_between(name, at);
    *realm = ahoy_span(at + 1);
    return true;
}

static json_t *request_for(const char *verb, struct span user, struct span realm)
{
    return json_pack("{s:s, s:s%, s:s%}", "verb", verb, "user", user.at, user.size, "realm",
                     realm.at, realm.size);
}

static bool put(struct ctl_link *link, struct span user, struct span realm, struct span password)
{
    json_t *request = request_for("user-add", user, realm);
    if (request == NULL) {
        ctl_say("the name is no UTF-8");
        return false;
    }
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        struct ahoy_digest_hex ha1;
        if (!ahoy_digest_ha1((enum ahoy_digest_algorithm)i, user, realm, password, &ha1)) {
            ctl_say("the password could not be hashed");
            json_decref(request);
            return false;
        }
        json_object_set_new(request, ahoyd_command_digests[i], json_stringn(ha1.text, ha1.size));
    }
    json_t *answer = ctl_link_ask(link, request);
    json_decref(answer);
    return answer != NULL;
}

/* Switches the echo of a terminal; says whether it is one. */
static bool echo(bool on)
{
    struct termios settings;
    if (tcgetattr(STDIN_FILENO, &settings) != 0)
        return false;
    if (on)
        settings.c_lflag |= ECHO;
    else
        settings.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings);
    return true;
}

/* Reads one line without its end; false at the end of input. */
static bool read_line(char line[LINE_LIMIT], struct span *text)
{
    if (fgets(line, LINE_LIMIT, stdin) == NULL)
        return false;
    *text = (struct span){ line, strcspn(line, "\r\n") };
    return true;
}

static bool read_password(const char *name, char line[LINE_LIMIT], struct span *password)
{
    bool terminal = isatty(STDIN_FILENO) && echo(false);
    if (terminal)
        fprintf(stderr, "Password for %s: ", name);
    bool sound = read_line(line, password);
    if (terminal) {
        echo(true);
        fputc('\n', stderr);
    }
    sound = sound && password->size > 0;
    if (!sound)
        ctl_say("no password; give it as a line on standard input");
    return sound;
}

static int add(struct ctl_link *link, char *name)
{
    char line[LINE_LIMIT];
    char copy[LINE_LIMIT];
    struct span user, realm, password;
    snprintf(copy, sizeof copy, "%s", name);
    if (!ctl_split(copy, &user, &realm))
        return CTL_USAGE;
    bool sound = read_password(name, line, &password) && put(link, user, realm, password);
    explicit_bzero(line, sizeof line);
    return sound ? CTL_OK : CTL_FAILED;
}

static int drop(struct ctl_link *link, char *name)
{
    struct span user, realm;
    if (!ctl_split(name, &user, &realm))
        return CTL_USAGE;
    json_t *answer = ctl_link_ask(link, request_for("user-remove", user, realm));
    json_decref(answer);
    return answer != NULL ? CTL_OK : CTL_FAILED;
}

/* Imports one line, "USER@DOMAIN PASSWORD". */
static bool import_line(struct ctl_link *link, char *text, unsigned number)
{
    struct span user, realm;
    char *password = text + strcspn(text, " \t");
    if (*password != '\0')
        *password++ = '\0';
    password += strspn(password, " \t");
    bool sound = *password != '\0' && ctl_split(text, &user, &realm) &&
                 put(link, user, realm, ahoy_span(password));
    if (!sound)
        ctl_say("line %u was not imported; write USER@DOMAIN PASSWORD", number);
    return sound;
}

/* Each line stands for itself: the faulty ones are named, the others are imported. */
static int import(struct ctl_link *link)
{
    char line[LINE_LIMIT];
    struct span text;
    unsigned imported = 0, faulty = 0;
    for (unsigned number = 1; read_line(line, &text); number++) {
        line[text.size] = '\0';
        char *start = line + strspn(line, " \t");
        if (*start == '\0' || *start == '#')
            continue;
        if (import_line(link, start, number))
            imported++;
        else
            faulty++;
    }
    explicit_bzero(line, sizeof line);
    printf("%u users imported, %u lines faulty\n", imported, faulty);
    return faulty == 0 ? CTL_OK : CTL_FAILED;
}

static int list(const struct ctl_options *options, struct ctl_link *link)
{
    json_t *answer = ctl_link_ask(link, json_pack("{s:s}", "verb", "user-list"));
    if (answer == NULL)
        return CTL_FAILED;
    json_t *users = json_object_get(answer, "users");
    if (options->json) {
        json_dumpf(users, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        size_t index = 0;
        json_t *user = NULL;
        json_array_foreach(users, index, user)
        {
            printf("%s@%s%s\n", json_string_value(json_object_get(user, "user")),
                   json_string_value(json_object_get(user, "realm")),
                   json_is_false(json_object_get(user, "complete"))
                       ? "  (not all digests: add the password again)"
                       : "");
        }
    }
    json_decref(answer);
    return CTL_OK;
}

int ctl_user(const struct ctl_options *options, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "";
    if (strcmp(verb, "alias") == 0)
        return ctl_alias(options, argc - 1, argv + 1);
    if (strcmp(verb, "import") == 0 && argc == 2)
        return ctl_import(options, argv[1]);
    bool named = strcmp(verb, "add") == 0 || strcmp(verb, "remove") == 0;
    bool alone = strcmp(verb, "list") == 0 || strcmp(verb, "import") == 0;
    if (!(named && argc == 2) && !(alone && argc == 1)) {
        ctl_say("write user add USER@DOMAIN, user remove USER@DOMAIN, user list, user import or "
                "user alias");
        return CTL_USAGE;
    }
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL)
        return CTL_FAILED;
    int code = strcmp(verb, "add") == 0      ? add(link, argv[1])
               : strcmp(verb, "remove") == 0 ? drop(link, argv[1])
               : strcmp(verb, "list") == 0   ? list(options, link)
                                             : import(link);
    ctl_link_close(link);
    return code;
}
