/* Which phone this is (RFC 5626 4.1): a UUID that is made once, kept where the user's configuration
 * is, and stays. */
#pragma once

#include <stdbool.h>

enum { PHONE_INSTANCE_SIZE = 46 }; /* "urn:uuid:", the UUID, a NUL. */

/* Finds it, or makes it from |random|.  Phones that run at the same time are several, each with a
 * name of its own: the file is locked until the process ends.  False where there is no such folder,
 * or nothing can be kept in it; the phone is then nobody's instance. */
bool phone_instance_find(const unsigned char random[16], char urn[PHONE_INSTANCE_SIZE]);
