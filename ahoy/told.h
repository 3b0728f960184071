/* What a NOTIFY tells, read for people: presence (RFC 3863), calls (RFC 4235), waiting messages
 * (RFC 3842), registrations (RFC 3680).  Pure; bytes of strangers in, bytes of strangers out. */
#pragma once

#include "libahoy/tu/subscription.h"

enum {
    PHONE_TOLD_ITEMS = 32,      /* Further ones are not kept, ... */
    PHONE_TOLD_TEXT_SIZE = 128, /* ... nor is what is longer. */
    PHONE_TOLD_DEPTH = 32       /* Elements within elements; more is refused. */
};

struct phone_told_text {
    size_t size;
    char at[PHONE_TOLD_TEXT_SIZE];
};

/* A way to reach somebody, one of his calls, a kind of messages, a contact. */
struct phone_told_item {
    struct phone_told_text state; /* "open"; "confirmed"; "2 new, 8 old"; "active" */
    struct phone_told_text about; /* A URI; or the kind of messages. */
    struct phone_told_text note;
};

struct phone_told {
    size_t count;
    struct phone_told_item items[PHONE_TOLD_ITEMS];
};

/* Reads |document| of |package|.  False where it is none: nothing is told then. */
bool phone_told_read(const struct ahoy_event_package *package, struct span document,
                     struct phone_told *told);

/* For told_xml.c and told.c: adds |more| at the end of |text|. */
void phone_told_add(struct phone_told_text *text, struct span more);
/* Reads a document of XML that has |package|'s elements. */
bool phone_told_read_xml(const struct ahoy_event_package *package, struct span document,
                         struct phone_told *told);
