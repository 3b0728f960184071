/* dlopen, with which a file that is missing is no fault of those who do not need it. */
#include "ahoy/late.h"

#include <dlfcn.h>
#include <string.h>

void *phone_late_open(const char *file, const char *const *names, size_t count, void *calls)
{
    void *library = dlopen(file, RTLD_NOW);
    for (size_t i = 0; i < count && library != NULL; i++) {
        void *found = dlsym(library, names[i]);
        if (found == NULL)
            return NULL; /* It stays open: to close it might clear what dlerror says. */
        memcpy((char *)calls + i * sizeof found, &found, sizeof found);
    }
    return library;
}
