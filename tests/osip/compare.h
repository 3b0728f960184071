/* Ahoy and libosip2 asked about the same bytes: who takes them as a SIP message, and where they
 * differ, why.  The classes of differences are explained in classes.tsv, with the RFC that decides
 * each. */
#pragma once

#include "libahoy/syntax/message.h"

struct osip_comparison {
    bool ours;             /* Ahoy takes it: index, routing and check. */
    bool theirs;           /* libosip2 takes it, and finds the headers that 8.1.1 asks for. */
    struct ahoy_err fault; /* Where Ahoy refuses: what it says. */
    struct span culprit;   /* Where only libosip2 refuses: the line that it does not take, or the
                            * body. */
    const char *reason;    /* The class of the difference: "-" where there is none, NULL where no
                            * class explains it. */
};

/* |bytes| are read in place, and must live as long as the comparison. */
void osip_compare(struct span bytes, struct osip_comparison *comparison);

/* The names of all classes, some more than once; NULL behind the last. */
const char *osip_class_name(size_t i);
