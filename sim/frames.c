#include "sim/frames.h"

static const char mask[4] = { 0x37, (char)0xfa, 0x21, 0x3d };

struct span sim_frames_request(void)
{
    return SPAN("GET /any?path HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Origin: http://www.example.com\r\nSec-WebSocket-Protocol: sip\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n");
}

void sim_frames_put_head(struct ahoy_buf *buf, unsigned first, unsigned mask_bit, uint64_t length,
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

void sim_frames_put(struct ahoy_buf *buf, unsigned first, struct span payload)
{
    unsigned length_size = payload.size > 65535 ? 8 : payload.size > 125 ? 2 : 1;
    sim_frames_put_head(buf, first, SIM_FRAME_MASK, payload.size, length_size);
    for (size_t i = 0; i < payload.size; i++)
        ahoy_buf_put_byte(buf, (char)(payload.at[i] ^ mask[i % 4]));
}
