/* ahoy, the phone: which verb it is. */
#include <stdio.h>
#include <string.h>

#include "ahoy/device.h"
#include "ahoy/verbs.h"

struct verb {
    enum phone_verb verb;
    int (*run)(const struct phone_options *options);
};

static const struct verb verbs[] = {
    { PHONE_REGISTER, phone_register },  { PHONE_CALL, phone_call },
    { PHONE_ANSWER, phone_answer },      { PHONE_WATCH, phone_watch },
    { PHONE_MESSAGE, phone_message },    { PHONE_OPTIONS, phone_ask },
    { PHONE_LOAD_CALL, phone_load },     { PHONE_LOAD_ANSWER, phone_load },
    { PHONE_LOAD_REGISTER, phone_load }, { PHONE_REFER, phone_refer },
};

/* Big, and its texts are pointed into. */
static struct phone_options options;

static int run(const struct verb *verb, int argc, char **argv)
{
    int code = phone_options_read(&options, verb->verb, argc, argv);
    if (code == -1)
        code = verb->run(&options);
    explicit_bzero(options.password, sizeof options.password);
    explicit_bzero(options.turn.password, sizeof options.turn.password);
    return code;
}

int main(int argc, char **argv)
{
    char word[64] = "";
    int words = argc > 2 && strcmp(argv[1], "load") == 0 ? 2 : 1;
    if (argc > 1)
        snprintf(word, sizeof word, "%s%s%s", argv[1], words == 2 ? " " : "",
                 words == 2 ? argv[2] : "");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, phone_verb_name(verbs[i].verb)) == 0)
            return run(&verbs[i], argc - words, argv + words);
    }
    if (strcmp(word, "explain") == 0)
        return phone_explain(argc - 1, argv + 1);
    if (strcmp(word, "devices") == 0)
        return phone_list_devices(argc - 1, argv + 1);
    if (strcmp(word, "--version") == 0) {
        printf("ahoy %s\n", AHOY_VERSION);
        return PHONE_DONE;
    }
    if (strcmp(word, "--help") == 0) {
        phone_print_help();
        return PHONE_DONE;
    }
    fprintf(stderr, "ahoy: %s%s (see: ahoy --help)\n",
            argc > 1 ? "there is no verb " : "what is to be done?", word);
    return PHONE_MISUSED;
}
