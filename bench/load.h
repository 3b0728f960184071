/* What the calls of bench-load travel by. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum { MESSAGE_SIZE = 4096 };

enum side { CALLER, CALLEE, SIDES };

struct ends {
    struct sockaddr_in server, own[SIDES];
    const char *certificate, *key; /* PEM files of the callee, for TLS. */
};

/* A message, which ends with a NUL, has come to |side| by |path|. */
typedef void hear_fn(enum side side, unsigned path, const char *message);

struct way {
    const char *name, *via; /* As a URI and as a Via name it. */
    bool loses;             /* Messages may be lost, and are sent again. */
    void (*open)(const struct ends *ends);
    /* A caller may choose any |path|; a callee answers by that which brought the request. */
    void (*send)(enum side side, unsigned path, const char *bytes, size_t size);
    /* Reads what has come, a few messages at a time, and writes what waits; never sleeps. */
    void (*turn)(hear_fn *hears);
};

extern const struct way way_udp, way_tcp, way_tls;

/* Sleeps a little, or until something comes by datagram. */
void way_udp_rest(void);

/* load_call.c, for both programs: says what went wrong, with errno, and ends. */
_Noreturn void die(const char *what);
/* Of a clock that nobody sets. */
uint64_t clock_ms(void);
