/* ahoyctl user alias: other names of users. */
#include <stdio.h>

#include "ahoyd/ctl/ctl.h"

/* Splits both, which must be in one domain. */
static bool split_pair(char *alias_name, char *user_name, struct span *alias, struct span *user,
                       struct span *realm)
{
    struct span domain;
    if (!ctl_split(alias_name, alias, realm) || !ctl_split(user_name, user, &domain))
        return false;
    if (!ahoy_span_equal(*realm, domain))
        ctl_say("an alias and its user must be of one domain");
    return ahoy_span_equal(*realm, domain);
}

static int add(struct ctl_link *link, char *alias_name, char *user_name)
{
    struct span alias, user, realm;
    if (!split_pair(alias_name, user_name, &alias, &user, &realm))
        return CTL_USAGE;
    json_t *request =
        json_pack("{s:s, s:s%, s:s%, s:s%}", "verb", "alias-add", "alias", alias.at, alias.size,
                  "realm", realm.at, realm.size, "user", user.at, user.size);
    json_t *answer = ctl_link_ask(link, request);
    json_decref(answer);
    return answer != NULL ? CTL_OK : CTL_FAILED;
}

static int drop(struct ctl_link *link, char *name)
{
    struct span alias, realm;
    if (!ctl_split(name, &alias, &realm))
        return CTL_USAGE;
    json_t *request = json_pack("{s:s, s:s%, s:s%}", "verb", "alias-remove", "alias", alias.at,
                                alias.size, "realm", realm.at, realm.size);
    json_t *answer = ctl_link_ask(link, request);
    json_decref(answer);
    return answer != NULL ? CTL_OK : CTL_FAILED;
}

static int list(const struct ctl_options *options, struct ctl_link *link)
{
    json_t *answer = ctl_link_ask(link, json_pack("{s:s}", "verb", "alias-list"));
    if (answer == NULL)
        return CTL_FAILED;
    json_t *aliases = json_object_get(answer, "aliases");
    if (options->json) {
        json_dumpf(aliases, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        size_t index = 0;
        json_t *alias = NULL;
        json_array_foreach(aliases, index, alias)
        {
            const char *realm = json_string_value(json_object_get(alias, "realm"));
            printf("%s@%s  %s@%s\n", json_string_value(json_object_get(alias, "alias")), realm,
                   json_string_value(json_object_get(alias, "user")), realm);
        }
    }
    json_decref(answer);
    return CTL_OK;
}

int ctl_alias(const struct ctl_options *options, int argc, char **argv)
{
    const char *verb = argc > 0 ? argv[0] : "";
    bool adds = strcmp(verb, "add") == 0 && argc == 3;
    bool drops = strcmp(verb, "remove") == 0 && argc == 2;
    bool lists = strcmp(verb, "list") == 0 && argc == 1;
    if (!adds && !drops && !lists) {
        ctl_say("write user alias add ALIAS@DOMAIN USER@DOMAIN, user alias remove ALIAS@DOMAIN or "
                "user alias list");
        return CTL_USAGE;
    }
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL)
        return CTL_FAILED;
    int code = adds    ? add(link, argv[1], argv[2])
               : drops ? drop(link, argv[1])
                       : list(options, link);
    ctl_link_close(link);
    return code;
}
