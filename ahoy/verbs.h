/* The verbs: each returns the exit code. */
#pragma once

#include "ahoy/options.h"

enum { PHONE_PATIENCE_MS = 5000 }; /* To say goodbye to those who do not answer. */

int phone_register(const struct phone_options *options);
int phone_call(const struct phone_options *options);
int phone_answer(const struct phone_options *options);
int phone_watch(const struct phone_options *options);
int phone_message(const struct phone_options *options);
int phone_refer(const struct phone_options *options);
int phone_ask(const struct phone_options *options);
/* All three of them. */
int phone_load(const struct phone_options *options);
/* Needs no account and no network, so it reads options of its own. */
int phone_explain(int argc, char **argv);
