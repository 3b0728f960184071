/* A call as a capture that Wireshark reads: each message in a made-up UDP datagram of IP. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Writes the messages among |notes|, an answer's, to the file |path|; false after saying why. */
bool ctl_pcap_write(const char *path, const json_t *notes);
