/* Where calls may go, as routes and groups say it: a trunk or a group by its name, a user as
 * "alice@atlanta.example", a number at a trunk as "+49301234@carrier"; "*" is the one who is
 * called.  Names may be defined later, so that what they mean is found out at the end. */
#include "ahoyd/config_reader.h"
#include "libahoy/tu/proxy.h"

enum { TIME_LEAST_S = 5, TIME_MOST_S = 180 };

/* The goal on top of the stack, a text or a table with one, is taken off it. */
static bool take_goal(lua_State *lua, const char *word, struct ahoyd_goal *goal)
{
    struct option options[] = {
        { .name = "1", .type = OPTION_TEXT },
        { .name = "ring_time", .type = OPTION_NUMBER, .least = TIME_LEAST_S, .most = TIME_MOST_S }
    };
    bool sound = config_item(lua, word,
                             "\"alice@atlanta.example\", the name of a trunk or a group, or "
                             "{ \"sales\", ring_time = 10 }",
                             options, 2);
    *goal = (struct ahoyd_goal){ .text = SPAN("") };
    if (sound)
        goal->text = config_keep(config_reader_of(lua), options[0].text);
    goal->ring_time_s = (uint32_t)options[1].number;
    lua_pop(lua, 1);
    return sound;
}

bool config_read_goals(lua_State *lua, const char *word, struct ahoyd_goals *goals)
{
    struct reader *reader = config_reader_of(lua);
    bool is_list = lua_istable(lua, -1);
    lua_Unsigned count = is_list ? lua_rawlen(lua, -1) : 1;
    if (count == 0 || count > AHOY_TARGETS_LIMIT) {
        config_fault(reader, config_line(lua), "%s takes 1 to %d places to go to", word,
                     AHOY_TARGETS_LIMIT);
        return false;
    }
    goals->count = 0;
    goals->at = ahoy_arena_take(reader->texts, count * sizeof *goals->at);
    reader->out_of_memory |= goals->at == NULL;
    for (lua_Unsigned i = 0; goals->at != NULL && i < count; i++) {
        if (is_list)
            lua_rawgeti(lua, -1, (lua_Integer)i + 1);
        else
            lua_pushvalue(lua, -1);
        if (!take_goal(lua, word, &goals->at[goals->count++]))
            return false;
    }
    return goals->at != NULL;
}

bool config_find_user(const struct ahoyd_config *config, struct span text, struct span *user,
                      size_t *domain)
{
    size_t at = ahoy_span_find(text, '@');
    *user = (struct span){ text.at, at };
    if (at == text.size)
        return false;
    for (*domain = 0; *domain < config->domain_count; ++*domain) {
        if (ahoy_span_equal_nocase(config->domains[*domain].name, ahoy_span_after(text, at + 1)))
            return true;
    }
    return false;
}

/* Finds what |goal| means; false where there is no such thing. */
static bool resolve(const struct ahoyd_config *config, struct ahoyd_goal *goal)
{
    size_t at = ahoy_span_find(goal->text, '@');
    struct span place = ahoy_span_after(goal->text, at < goal->text.size ? at + 1 : 0);
    goal->user = SPAN("");
    if (at < goal->text.size && !ahoy_span_equal((struct span){ goal->text.at, at }, SPAN("*")))
        goal->user = (struct span){ goal->text.at, at };
    struct span name;
    if (config_find_user(config, goal->text, &name, &goal->index))
        goal->kind = AHOYD_GOAL_USER;
    else if (config_find_trunk(config, place, &goal->index))
        goal->kind = AHOYD_GOAL_TRUNK;
    else if (at == goal->text.size && config_find_group(config, place, &goal->index))
        goal->kind = AHOYD_GOAL_GROUP;
    else
        return false;
    return at != 0 && goal->user.size <= AHOYD_USER_LIMIT;
}

void config_resolve_goals(struct reader *reader, const char *word, int line,
                          struct ahoyd_goals *goals)
{
    for (size_t i = 0; i < goals->count; i++) {
        struct ahoyd_goal *goal = &goals->at[i];
        if (resolve(reader->config, goal))
            continue;
        if (ahoy_span_find(goal->text, '@') < goal->text.size)
            config_fault(reader, line,
                         "%s to \"%.100s\": behind \"@\" must stand a domain of ours, for a user, "
                         "or a trunk, for a number",
                         word, goal->text.at);
        else
            config_fault(reader, line,
                         "%s to \"%.64s\": there is no such trunk and no such group; add "
                         "trunk(\"%.64s\", { \"sip:ADDRESS\" })",
                         word, goal->text.at, goal->text.at);
    }
}
