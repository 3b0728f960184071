/* Printing the messages of a call by hand: what a server makes of them is what is measured. */
#include "bench/load_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { USER_SIZE = 16 };

void die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

uint64_t clock_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

const char *find_row(const char *at, const char *name, const char **end)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\r\n%s:", name);
    const char *row = strstr(at, wanted);
    if (row == NULL)
        return NULL;
    *end = strstr(row + 2, "\r\n");
    return *end == NULL ? NULL : row + 2;
}

/* Appends every row |name| of |message|, under the name |as|, last one first where |reversed|. */
static int copy_rows(char *to, size_t room, const char *message, const char *name, const char *as,
                     bool reversed)
{
    const char *rows[8], *ends[8], *at = message;
    size_t count = 0;
    int size = 0;
    while (count < 8 && (rows[count] = find_row(at, name, &ends[count])) != NULL)
        at = ends[count++];
    for (size_t i = 0; i < count; i++) {
        size_t index = reversed ? count - 1 - i : i;
        const char *value = rows[index] + strlen(name);
        size += snprintf(to + size, room - (size_t)size, "%s%.*s\r\n", as,
                         (int)(ends[index] - value), value);
    }
    return size;
}

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
                          "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0 8\r\n"
                          "a=rtpmap:0 PCMU/8000\r\n"
                          "a=rtpmap:8 PCMA/8000\r\n";

/* Whom a call is to. */
static void print_user(const struct call_maker *maker, unsigned number, char user[USER_SIZE])
{
    if (maker->users == 0)
        snprintf(user, USER_SIZE, "service");
    else
        snprintf(user, USER_SIZE, "user%07u", number * 2654435761u % maker->users);
}

int print_invite(const struct call_maker *maker, unsigned number, size_t place,
                 char bytes[MESSAGE_SIZE])
{
    const char *host = maker->hosts[CALLER];
    unsigned port = maker->ports[CALLER];
    char user[USER_SIZE];
    print_user(maker, number, user);
    return snprintf(
        bytes, MESSAGE_SIZE,
        "INVITE sip:%s@%s SIP/2.0\r\n"
        "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK-%d-%u-1\r\n"
        "From: \"caller\" <sip:caller@example.org>;tag=c%u\r\n"
        "To: <sip:%s@%s>\r\nCall-ID: %u-%zu-%d@127.0.0.1\r\nCSeq: 1 INVITE\r\n"
        "Contact: <sip:caller@%s:%u;transport=%s>\r\nMax-Forwards: 70\r\n"
        "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n"
        "Supported: replaces, timer\r\nUser-Agent: load/1.0\r\n"
        "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
        user, maker->domain, maker->via, host, port, maker->run, number, number, user,
        maker->domain, number, place, maker->run, host, port, maker->transport, sizeof sdp - 1,
        sdp);
}

/* What both an ACK and a BYE have behind their first two rows. */
static int print_rest(const char *answer, const char *method, unsigned cseq, char *bytes,
                      size_t room)
{
    int size = copy_rows(bytes, room, answer, "From", "From", false);
    size += copy_rows(bytes + size, room - (size_t)size, answer, "To", "To", false);
    size += copy_rows(bytes + size, room - (size_t)size, answer, "Call-ID", "Call-ID", false);
    return size + snprintf(bytes + size, room - (size_t)size,
                           "CSeq: %u %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", cseq,
                           method);
}

int print_in_dialog(const struct call_maker *maker, unsigned number, const char *answer,
                    const char *method, unsigned cseq, char bytes[MESSAGE_SIZE])
{
    const char *end = NULL, *contact = find_row(answer, "Contact", &end);
    const char *uri = contact == NULL ? NULL : strchr(contact, '<');
    const char *uri_end = uri == NULL ? NULL : strchr(uri, '>');
    if (uri_end == NULL || uri_end > end)
        return 0;
    int size = snprintf(bytes, MESSAGE_SIZE,
                        "%s %.*s SIP/2.0\r\n"
                        "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK-%d-%u-%u%s\r\n",
                        method, (int)(uri_end - uri - 1), uri + 1, maker->via, maker->hosts[CALLER],
                        maker->ports[CALLER], maker->run, number, cseq, method);
    size +=
        copy_rows(bytes + size, MESSAGE_SIZE - (size_t)size, answer, "Record-Route", "Route", true);
    return size + print_rest(answer, method, cseq, bytes + size, MESSAGE_SIZE - (size_t)size);
}

int print_failure_ack(const struct call_maker *maker, unsigned number, const char *answer,
                      char bytes[MESSAGE_SIZE])
{
    char user[USER_SIZE];
    print_user(maker, number, user);
    int size = snprintf(bytes, MESSAGE_SIZE,
                        "ACK sip:%s@%s SIP/2.0\r\n"
                        "Via: SIP/2.0/%s %s:%u;branch=z9hG4bK-%d-%u-1\r\n",
                        user, maker->domain, maker->via, maker->hosts[CALLER], maker->ports[CALLER],
                        maker->run, number);
    return size + print_rest(answer, "ACK", 1, bytes + size, MESSAGE_SIZE - (size_t)size);
}

int print_reply(const struct call_maker *maker, const char *request, const char *status,
                bool with_body, char bytes[MESSAGE_SIZE])
{
    int size = snprintf(bytes, MESSAGE_SIZE, "SIP/2.0 %s\r\n", status);
    static const char *const names[] = { "Via", "Record-Route", "From", "To", "Call-ID", "CSeq" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int added = copy_rows(bytes + size, MESSAGE_SIZE - (size_t)size, request, names[i],
                              names[i], false);
        if (i == 3 && strstr(bytes + size, ";tag=") == NULL) {
            char *tag = bytes + size + added - 2;
            added += snprintf(tag, MESSAGE_SIZE - (size_t)(tag - bytes), ";tag=callee\r\n") - 2;
        }
        size += added;
    }
    return size + snprintf(bytes + size, MESSAGE_SIZE - (size_t)size,
                           "Contact: <sip:service@%s:%u;transport=%s>\r\n"
                           "%sContent-Length: %zu\r\n\r\n%s",
                           maker->hosts[CALLEE], maker->ports[CALLEE], maker->transport,
                           with_body ? "Content-Type: application/sdp\r\n" : "",
                           with_body ? sizeof sdp - 1 : 0, with_body ? sdp : "");
}

bool read_call(const char *message, unsigned *number, unsigned *place)
{
    const char *end = NULL, *row = find_row(message, "Call-ID", &end);
    return row != NULL && sscanf(row + 8, " %u-%u-", number, place) == 2;
}
