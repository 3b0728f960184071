/* What the configuration says of push services: which there are, and who asks them (RFC 8599). */
#include "ahoyd/config_reader.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/tu/push.h"

enum { WAIT_S = 20, WAIT_MOST_S = 60 };

static const char usage[] =
    "push { url = \"https://push.example/wake\", providers = { \"fcm\", \"apns\" } }";

_Static_assert((int)OPTION_TEXTS_LIMIT <= (int)AHOYD_PROVIDERS_LIMIT, "there is room for all");

/* A scheme that we speak, a host, and nothing that a URL may not have. */
static bool is_url(struct span text)
{
    size_t host = ahoy_span_starts_nocase(text, SPAN("http://")) ? 7 : 8;
    bool is_http = host == 7 || ahoy_span_starts_nocase(text, SPAN("https://"));
    bool sound = is_http && text.size > host && text.size <= AHOYD_HOOK_LIMIT &&
                 strchr("/?#:", text.at[host]) == NULL;
    for (size_t i = 0; sound && i < text.size; i++)
        sound = text.at[i] > ' ' && text.at[i] < 0x7f && strchr("\"<>\\^`{|}", text.at[i]) == NULL;
    return sound;
}

/* What can be written as pn-provider and as a value of +sip.pns: a token. */
static bool is_provider(struct span text)
{
    const char *end = ahoy_span_end(text);
    return text.size > 0 && text.size <= AHOY_PUSH_PROVIDER_LIMIT &&
           ahoy_skip(text.at, end, AHOY_TOKEN) == end;
}

static bool read_providers(lua_State *lua, const struct option *option, struct ahoyd_hook *hook)
{
    struct reader *reader = config_reader_of(lua);
    for (size_t i = 0; i < option->number; i++) {
        if (!is_provider(option->texts[i])) {
            config_fault(reader, config_line(lua),
                         "push: providers = { \"%.64s\" } is no name of a push service; write %s",
                         option->texts[i].at, usage);
            return false;
        }
        hook->providers[i] = config_keep(reader, option->texts[i]);
    }
    hook->provider_count = option->number;
    return true;
}

int config_word_push(lua_State *lua)
{
    enum { URL, PROVIDERS, WAIT, OPTIONS };
    struct option options[OPTIONS] = {
        [URL] = { .name = "url", .type = OPTION_TEXT },
        [PROVIDERS] = { .name = "providers", .type = OPTION_TEXTS },
        [WAIT] = { .name = "wait", .type = OPTION_NUMBER, .least = 1, .most = WAIT_MOST_S },
    };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_hook hook = { .wait_s = WAIT_S };
    if (!config_once(lua, "push", &reader->push_line) ||
        !config_options(lua, 1, "push", options, OPTIONS))
        return 0;
    if (!options[URL].given || !options[PROVIDERS].given) {
        config_fault(reader, config_line(lua), "push needs a URL and providers: write %s", usage);
        return 0;
    }
    if (!is_url(options[URL].text)) {
        config_fault(reader, config_line(lua), "push: url = \"%.100s\" is none of http; write %s",
                     options[URL].text.at, usage);
        return 0;
    }
    if (!read_providers(lua, &options[PROVIDERS], &hook))
        return 0;
    if (options[WAIT].given)
        hook.wait_s = (uint32_t)options[WAIT].number;
    hook.url = (char *)(uintptr_t)config_keep(reader, options[URL].text).at;
    reader->config->push = hook;
    return 0;
}
