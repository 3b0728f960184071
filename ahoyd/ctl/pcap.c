/* The old format of libpcap (draft-ietf-opsawg-pcap), whose packets begin with the IP header. */
#include "ahoyd/ctl/pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/ctl/ctl.h"

enum { LINKTYPE_RAW = 101, UDP_SIZE = 8, IPV4_SIZE = 20, IPV6_SIZE = 40, PACKET_MOST = 65535 };

/* Little endian, in which the file is written. */
static void put_file_number(struct ahoy_buf *buf, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        ahoy_buf_put_byte(buf, (char)(number >> 8 * i & 255));
}

/* Big endian, in which packets are. */
static void put_number(struct ahoy_buf *buf, uint32_t number, unsigned size)
{
    for (unsigned i = size; i > 0; i--)
        ahoy_buf_put_byte(buf, (char)(number >> 8 * (i - 1) & 255));
}

/* RFC 1071, of |bytes| and what |sum| is of before. */
static uint16_t checksum(struct span bytes, uint32_t sum)
{
    for (size_t i = 0; i < bytes.size; i++)
        sum += (uint32_t)(unsigned char)bytes.at[i] << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* "192.0.2.1:5060", "[2001:db8::1]:5060"; what cannot be read, or is bound to no address, is an
 * address of |family| that nobody has. */
static struct ahoy_ip read_address(const char *text, uint8_t family)
{
    struct ahoy_ip ip;
    uint64_t port = 0;
    const char *colon = text == NULL ? NULL : strrchr(text, ':');
    if (colon == NULL || !ahoy_ip_parse(ahoy_span_between(text, colon), &ip) ||
        !ahoy_span_number(ahoy_span(colon + 1), UINT16_MAX, &port))
        ip = (struct ahoy_ip){ .family = family };
    ip.port = (uint16_t)port;
    return ip;
}

static void put_ip(struct ahoy_buf *buf, const struct ahoy_ip *ip)
{
    ahoy_buf_put(buf, (struct span){ (const char *)ip->bytes, ip->family == AHOY_IPV4 ? 4 : 16 });
}

/* RFC 791, with its checksum at byte 10; or RFC 8200. */
static void put_ip_header(struct ahoy_buf *buf, const struct ahoy_ip *from,
                          const struct ahoy_ip *to, size_t size)
{
    if (from->family == AHOY_IPV4) {
        put_number(buf, 0x45000000u | (uint32_t)(IPV4_SIZE + size), 4);
        put_number(buf, 0, 4);
        put_number(buf, 64 << 8 | 17, 2);
        put_number(buf, 0, 2);
    } else {
        put_number(buf, 0x60000000u, 4);
        put_number(buf, (uint32_t)size << 16 | 17 << 8 | 64, 4);
    }
    put_ip(buf, from);
    put_ip(buf, to);
    if (from->family == AHOY_IPV4) {
        uint16_t sum = checksum((struct span){ buf->at, IPV4_SIZE }, 0);
        buf->at[10] = (char)(sum >> 8);
        buf->at[11] = (char)(sum & 255);
    }
}

/* RFC 768: the checksum is over the addresses, the protocol and the length too. */
static void put_udp(struct ahoy_buf *buf, uint16_t from_port, uint16_t to_port, struct span bytes)
{
    size_t header = buf->size;
    size_t addresses = header == IPV4_SIZE ? 8 : 32;
    uint32_t size = (uint32_t)(UDP_SIZE + bytes.size);
    put_number(buf, from_port, 2);
    put_number(buf, to_port, 2);
    put_number(buf, size, 2);
    put_number(buf, 0, 2);
    ahoy_buf_put(buf, bytes);
    if (buf->overflow)
        return;
    struct span summed = { buf->at + header - addresses, addresses + size };
    uint16_t sum = checksum(summed, 17 + size);
    sum = sum == 0 ? 0xffff : sum;
    buf->at[header + 6] = (char)(sum >> 8);
    buf->at[header + 7] = (char)(sum & 255);
}

/* The bytes of a text in which each stands as the character of its number. */
static void put_bytes(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte < 0x80) {
            ahoy_buf_put_byte(buf, (char)byte);
        } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < text.size) {
            ahoy_buf_put_byte(buf, (char)((byte & 3) << 6 | (text.at[++i] & 0x3f)));
        } else {
            ahoy_buf_put_byte(buf, '\0'); /* The sign for it, of three bytes. */
            i += 2;
        }
    }
}

static bool write_packet(FILE *file, const json_t *note, char *packet, char *message)
{
    const json_t *text = json_object_get(note, "bytes");
    const char *dir = json_string_value(json_object_get(note, "dir"));
    bool in = dir != NULL && strcmp(dir, "in") == 0;
    struct ahoy_ip remote =
        read_address(json_string_value(json_object_get(note, "remote")), AHOY_IPV4);
    struct ahoy_ip local =
        read_address(json_string_value(json_object_get(note, "local")), remote.family);
    if (local.family != remote.family)
        local = (struct ahoy_ip){ .family = remote.family, .port = local.port };
    const struct ahoy_ip *from = in ? &remote : &local, *to = in ? &local : &remote;
    struct ahoy_buf bytes = ahoy_buf_over(message, PACKET_MOST);
    put_bytes(&bytes, (struct span){ json_string_value(text), json_string_length(text) });
    struct ahoy_buf buf = ahoy_buf_over(packet, PACKET_MOST);
    put_ip_header(&buf, from, to, UDP_SIZE + bytes.size);
    put_udp(&buf, from->port, to->port, ahoy_buf_text(&bytes));
    uint64_t us = (uint64_t)json_integer_value(json_object_get(note, "us"));
    char space[16];
    struct ahoy_buf head = ahoy_buf_over(space, sizeof space);
    put_file_number(&head, (uint32_t)(us / 1000000));
    put_file_number(&head, (uint32_t)(us % 1000000));
    put_file_number(&head, (uint32_t)buf.size);
    put_file_number(&head, (uint32_t)buf.size);
    return !buf.overflow && fwrite(space, 1, head.size, file) == head.size &&
           fwrite(packet, 1, buf.size, file) == buf.size;
}

static bool write_head(FILE *file)
{
    char space[24];
    struct ahoy_buf head = ahoy_buf_over(space, sizeof space);
    put_file_number(&head, 0xa1b2c3d4);
    put_file_number(&head, 4 << 16 | 2);
    put_file_number(&head, 0);
    put_file_number(&head, 0);
    put_file_number(&head, PACKET_MOST);
    put_file_number(&head, LINKTYPE_RAW);
    return fwrite(space, 1, head.size, file) == head.size;
}

bool ctl_pcap_write(const char *path, const json_t *notes)
{
    size_t index = 0;
    json_t *note = NULL;
    char *packet = malloc(PACKET_MOST), *message = malloc(PACKET_MOST);
    FILE *file = fopen(path, "wb");
    bool sound = file != NULL && packet != NULL && message != NULL && write_head(file);
    json_array_foreach(notes, index, note)
    {
        if (sound && json_object_get(note, "bytes") != NULL)
            sound = write_packet(file, note, packet, message);
    }
    if (file != NULL && fclose(file) != 0)
        sound = false;
    if (!sound)
        ctl_say("%s cannot be written: %s", path, strerror(errno));
    free(packet);
    free(message);
    return sound;
}
