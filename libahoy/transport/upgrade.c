/* Both sides of the handshake.  Rows are read one by one; what must be there once is there once,
 * whatever HTTP allows: no two readers may take one request for two different ones. */
#include "libahoy/transport/upgrade.h"

#include <openssl/evp.h>

#define KEY_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum { KEY_SIZE = 24, ACCEPT_SIZE = 28, DIGEST_SIZE = 20 };

/* The rows that count, of a request or of the answer to one. */
struct rows {
    struct span host, key, version, origin;
    struct span accept, extensions;
    bool upgrades;     /* Upgrade names "websocket". */
    bool is_connected; /* Connection names "Upgrade". */
    bool speaks_sip;   /* Sec-WebSocket-Protocol names "sip". */
};

static const struct refusal {
    unsigned status;
    struct span reason, rows;
} refusals[] = {
    { 400, SPAN_INIT("Bad Request"), SPAN_INIT("") },
    { 403, SPAN_INIT("Forbidden"), SPAN_INIT("") },
    { 405, SPAN_INIT("Method Not Allowed"), SPAN_INIT("Allow: GET\r\n") },
    { 426, SPAN_INIT("Upgrade Required"),
      SPAN_INIT("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n") },
    { 431, SPAN_INIT("Request Header Fields Too Large"), SPAN_INIT("") },
    { 500, SPAN_INIT("Internal Server Error"), SPAN_INIT("") },
};

void ahoy_upgrade_refuse(unsigned status, struct ahoy_buf *answer)
{
    const struct refusal *refusal = refusals;
    while (refusal->status != status)
        refusal++;
    ahoy_buf_put(answer, SPAN("HTTP/1.1 "));
    ahoy_buf_put_number(answer, status);
    ahoy_buf_put(answer, SPAN(" "));
    ahoy_buf_put(answer, refusal->reason);
    ahoy_buf_put(answer, SPAN("\r\n"));
    ahoy_buf_put(answer, refusal->rows);
    ahoy_buf_put(answer, SPAN("Connection: close\r\nContent-Length: 0\r\n\r\n"));
}

size_t ahoy_upgrade_size(struct span bytes, size_t seen)
{
    const size_t end_size = 4;
    for (size_t i = seen < end_size ? 0 : seen - end_size + 1; i + end_size <= bytes.size; i++) {
        if (memcmp(bytes.at + i, "\r\n\r\n", end_size) == 0)
            return i + end_size;
    }
    return 0;
}

/* Takes a row, without its end, off |rest|. */
static bool next_row(struct span *rest, struct span *row)
{
    size_t size = ahoy_span_find(*rest, '\n');
    if (size == rest->size || size == 0 || rest->at[size - 1] != '\r')
        return false;
    *row = (struct span){ rest->at, size - 1 };
    *rest = ahoy_span_after(*rest, size + 1);
    return true;
}

/* Whether the list |value| names |token|; protocols are told apart by case, the rest is not. */
static bool names(struct span value, struct span token, bool by_case)
{
    while (value.size > 0) {
        size_t size = ahoy_span_find(value, ',');
        struct span item = ahoy_span_trim((struct span){ value.at, size });
        if (by_case ? ahoy_span_equal(item, token) : ahoy_span_equal_nocase(item, token))
            return true;
        value = ahoy_span_after(value, size < value.size ? size + 1 : size);
    }
    return false;
}

/* Keeps what may be there once. */
static bool keep(struct span *kept, struct span value)
{
    if (kept->at != NULL)
        return false;
    *kept = value;
    return true;
}

static bool take_row(struct rows *rows, struct span name, struct span value)
{
    if (ahoy_span_equal_nocase(name, SPAN("Host")))
        return keep(&rows->host, value);
    if (ahoy_span_equal_nocase(name, SPAN("Origin")))
        return keep(&rows->origin, value);
    if (ahoy_span_equal_nocase(name, SPAN("Sec-WebSocket-Key")))
        return keep(&rows->key, value);
    if (ahoy_span_equal_nocase(name, SPAN("Sec-WebSocket-Version")))
        return keep(&rows->version, value);
    if (ahoy_span_equal_nocase(name, SPAN("Sec-WebSocket-Accept")))
        return keep(&rows->accept, value);
    if (ahoy_span_equal_nocase(name, SPAN("Sec-WebSocket-Extensions")))
        rows->extensions = value;
    if (ahoy_span_equal_nocase(name, SPAN("Upgrade")))
        rows->upgrades |= names(value, SPAN("websocket"), false);
    else if (ahoy_span_equal_nocase(name, SPAN("Connection")))
        rows->is_connected |= names(value, SPAN("Upgrade"), false);
    else if (ahoy_span_equal_nocase(name, SPAN("Sec-WebSocket-Protocol")))
        rows->speaks_sip |= names(value, SPAN("sip"), true);
    return true;
}

static bool read_rows(struct span rest, struct rows *rows)
{
    struct span row;
    while (next_row(&rest, &row)) {
        if (row.size == 0)
            return true;
        size_t colon = ahoy_span_find(row, ':');
        struct span name = { row.at, colon };
        bool sound = colon > 0 && colon < row.size && ahoy_span_trim(name).size == colon &&
                     memchr(row.at, '\0', row.size) == NULL;
        if (!sound || !take_row(rows, name, ahoy_span_trim(ahoy_span_after(row, colon + 1))))
            return false;
    }
    return false;
}

/* "GET /any/path HTTP/1.1": 0, or the status of the refusal. */
static unsigned read_start(struct span row)
{
    size_t first = ahoy_span_find(row, ' ');
    if (first == row.size)
        return 400;
    struct span rest = ahoy_span_after(row, first + 1);
    size_t second = ahoy_span_find(rest, ' ');
    if (second == 0 || second == rest.size ||
        !ahoy_span_equal(ahoy_span_after(rest, second + 1), SPAN("HTTP/1.1")))
        return 400;
    return ahoy_span_equal((struct span){ row.at, first }, SPAN("GET")) ? 0 : 405;
}

/* 16 bytes in base64 (4.2.1). */
static bool is_key(struct span key)
{
    unsigned char bytes[KEY_SIZE];
    return key.size == KEY_SIZE && key.at[KEY_SIZE - 1] == '=' && key.at[KEY_SIZE - 2] == '=' &&
           key.at[KEY_SIZE - 3] != '=' &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key.at, KEY_SIZE) == 18;
}

/* Scheme and host have no case (RFC 6454 4). */
static bool lets_in(struct span origins, struct span origin)
{
    if (origins.size == 0 || origin.at == NULL)
        return true;
    while (origins.size > 0) {
        size_t size = ahoy_span_find(origins, ' ');
        if (ahoy_span_equal_nocase((struct span){ origins.at, size }, origin))
            return true;
        origins = ahoy_span_after(origins, size < origins.size ? size + 1 : size);
    }
    return false;
}

static unsigned judge(const struct rows *request, struct span origins)
{
    if (request->host.size == 0)
        return 400;
    if (!request->upgrades || !request->is_connected)
        return 426;
    if (!ahoy_span_equal(request->version, SPAN("13")))
        return 426;
    if (!is_key(request->key) || !request->speaks_sip)
        return 400;
    return lets_in(origins, request->origin) ? 101 : 403;
}

/* Prints the proof that this server has read the key: base64 of its SHA-1 (4.2.2). */
static bool put_accept(struct span key, struct ahoy_buf *buf)
{
    char keyed[KEY_SIZE + sizeof KEY_GUID - 1];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char accept[ACCEPT_SIZE + 1];
    memcpy(keyed, key.at, KEY_SIZE);
    memcpy(keyed + KEY_SIZE, KEY_GUID, sizeof KEY_GUID - 1);
    size_t size = 0;
    if (EVP_Q_digest(NULL, "SHA1", NULL, keyed, sizeof keyed, digest, &size) != 1 ||
        EVP_EncodeBlock(accept, digest, DIGEST_SIZE) != ACCEPT_SIZE)
        return false;
    ahoy_buf_put(buf, (struct span){ (const char *)accept, ACCEPT_SIZE });
    return true;
}

static bool put_grant(struct span key, struct ahoy_buf *answer)
{
    ahoy_buf_put(answer, SPAN("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Accept: "));
    if (!put_accept(key, answer))
        return false;
    ahoy_buf_put(answer, SPAN("\r\nSec-WebSocket-Protocol: sip\r\n\r\n")); /* R7118-4.1-2 */
    return true;
}

unsigned ahoy_upgrade_answer(struct span request, struct span origins, struct ahoy_buf *answer)
{
    struct rows read = { .upgrades = false };
    struct span start;
    unsigned status = 400;
    if (next_row(&request, &start))
        status = read_start(start);
    if (status == 0)
        status = read_rows(request, &read) ? judge(&read, origins) : 400;
    struct ahoy_buf start_of_answer = *answer;
    if (status == 101 && !put_grant(read.key, answer)) {
        *answer = start_of_answer;
        status = 500;
    }
    if (status != 101)
        ahoy_upgrade_refuse(status, answer);
    return status;
}

/* The key is told in base64. */
static struct span put_key(const uint64_t random[2], char space[KEY_SIZE + 1])
{
    unsigned char bytes[2 * sizeof *random];
    memcpy(bytes, random, sizeof bytes);
    (void)EVP_EncodeBlock((unsigned char *)space, bytes, sizeof bytes); /* It cannot fail. */
    return (struct span){ space, KEY_SIZE };
}

void ahoy_upgrade_ask(struct span host, const uint64_t random[2], struct ahoy_buf *request)
{
    char key[KEY_SIZE + 1];
    ahoy_buf_put(request, SPAN("GET / HTTP/1.1\r\nHost: "));
    ahoy_buf_put(request, host);
    ahoy_buf_put(request, SPAN("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "));
    ahoy_buf_put(request, put_key(random, key));
    ahoy_buf_put(request, SPAN("\r\nSec-WebSocket-Protocol: sip\r\n\r\n")); /* R7118-4.1-1 */
}

bool ahoy_upgrade_is_granted(struct span answer, const uint64_t random[2])
{
    struct rows read = { .upgrades = false };
    struct span start;
    char key[KEY_SIZE + 1], space[ACCEPT_SIZE];
    struct ahoy_buf proof = ahoy_buf_over(space, sizeof space);
    if (!next_row(&answer, &start) || !ahoy_span_starts_nocase(start, SPAN("HTTP/1.1 101 ")) ||
        !read_rows(answer, &read) || !put_accept(put_key(random, key), &proof))
        return false;
    return read.upgrades && read.is_connected && read.speaks_sip && read.extensions.size == 0 &&
           ahoy_span_equal(read.accept, ahoy_buf_text(&proof));
}
