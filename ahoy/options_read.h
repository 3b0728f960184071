/* The texts behind options: each is false, or no more than a start, where it cannot be read. */
#pragma once

#include "ahoy/options.h"

/* "10" or "10s". */
bool phone_read_seconds(const char *text, uint32_t *seconds);
/* "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT". */
bool phone_read_listen(const char *text, struct ahoy_ip *ip);
/* The same, without a port that of STUN. */
bool phone_read_stun(const char *text, struct ahoy_ip *ip);
/* That, or "turn:" in front of it and "?transport=udp" behind it (RFC 7065). */
bool phone_read_turn(const char *text, struct ahoy_ip *ip);
/* "tone:440", "silence", or the name of a file. */
bool phone_read_play(const char *text, struct phone_options *options);
/* "LOW-HIGH", with an even port and the next one between them. */
bool phone_read_ports(const char *text, struct phone_options *options);
/* 0, or no less than RFC 4028 4 allows. */
bool phone_read_session(const char *text, uint32_t *seconds);
/* "off", "optional", "sdes" or "dtls"; a build without libsrtp secures nothing. */
bool phone_read_security(const char *text, enum ahoy_security *security);
/* "opus,g722": codecs that this build has. */
bool phone_read_codecs(const char *text, unsigned *codecs);
/* All of them. */
unsigned phone_codecs(void);
/* At most PHONE_COUNT_LIMIT. */
bool phone_read_count(const char *text, uint32_t *count);
/* "100", "0.5", "10-500": never 0 in the end. */
bool phone_read_rate(const char *text, struct load_rate *rate);
/* Telephone events. */
bool phone_is_digits(const char *text);
/* What can stand between quotes and angle brackets, and is a UUID: of other URNs an RFC would have
 * to say how they are used (R5626-4.1-4). */
bool phone_is_urn(struct span text);
/* "sip:" in front of |text| where it has no scheme; it ends with a NUL. */
struct span phone_with_scheme(const char *text, char *space, size_t size);
/* The first run of # in |text|, which becomes one of 0. */
struct phone_numbers phone_take_numbers(char *text);
/* How many numbers it can be. */
uint64_t phone_numbers_count(const struct phone_numbers *numbers);
