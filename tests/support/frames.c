#include "tests/support/frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char mask[4] = { 0x37, (char)0xfa, 0x21, 0x3d };

struct span frames_request(void)
{
    return SPAN("GET /any?path HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Origin: http://www.example.com\r\nSec-WebSocket-Protocol: sip\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n");
}

void frames_put_head(struct ahoy_buf *buf, unsigned first, unsigned mask_bit, uint64_t length,
                     unsigned length_size)
{
    unsigned mark = length_size == 8 ? 127 : length_size == 2 ? 126 : (unsigned)length;
    ahoy_buf_put_byte(buf, (char)first);
    ahoy_buf_put_byte(buf, (char)(mask_bit | mark));
    for (unsigned i = 0; length_size > 1 && i < length_size; i++)
        ahoy_buf_put_byte(buf, (char)(length >> 8 * (length_size - 1 - i) & 0xff));
    if (mask_bit != 0)
        ahoy_buf_put(buf, (struct span){ mask, sizeof mask });
}

void frames_put(struct ahoy_buf *buf, unsigned first, struct span payload)
{
    unsigned length_size = payload.size > 65535 ? 8 : payload.size > 125 ? 2 : 1;
    frames_put_head(buf, first, FRAME_MASK, payload.size, length_size);
    for (size_t i = 0; i < payload.size; i++)
        ahoy_buf_put_byte(buf, (char)(payload.at[i] ^ mask[i % 4]));
    assert_false(buf->overflow);
}

struct span frames_take(struct span *bytes, unsigned first)
{
    assert_true(bytes->size >= 2);
    assert_int_equal((unsigned char)bytes->at[0], first);
    size_t size = (unsigned char)bytes->at[1];
    size_t length_size = size == 127 ? 8 : size == 126 ? 2 : 0;
    assert_true(bytes->size >= 2 + length_size);
    for (size_t i = 0; i < length_size; i++)
        size = (i == 0 ? 0 : size << 8) | (unsigned char)bytes->at[2 + i];
    *bytes = ahoy_span_after(*bytes, 2 + length_size);
    assert_true(bytes->size >= size);
    struct span payload = { bytes->at, size };
    *bytes = ahoy_span_after(*bytes, size);
    return payload;
}
