/* wslay reads the frames themselves: lengths, masks, and that control frames are short and whole.
 * Which frame may follow which is decided here.  Between two frames nothing of wslay's is kept, so
 * a quiet WebSocket costs little. */
#include "libahoy/transport/websocket.h"

#include <assert.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "libahoy/base/utf8.h"

struct ahoy_websocket {
    bool open, is_client;
    uint8_t opcode;      /* Of the message that goes on; 0 between two. */
    size_t message_size; /* Of it, so far. */
    bool in_frame;       /* Its head is read, and something is left of its payload: */
    uint64_t left;
    uint64_t ahead;     /* Bytes that wslay has got beyond the frames that it has told of. */
    struct span *input; /* Of this call. */
    wslay_frame_context_ptr frames; /* NULL where it has nothing. */
    uint8_t control_size;
    char control[AHOY_SHORT_FRAME_LIMIT];
};

struct ahoy_websocket *ahoy_websocket_new(bool is_client)
{
    struct ahoy_websocket *websocket = calloc(1, sizeof *websocket);
    if (websocket != NULL)
        websocket->is_client = is_client;
    return websocket;
}

static void drop_frames(struct ahoy_websocket *websocket)
{
    if (websocket->frames != NULL)
        wslay_frame_context_free(websocket->frames);
    websocket->frames = NULL;
}

void ahoy_websocket_free(struct ahoy_websocket *websocket)
{
    if (websocket == NULL)
        return;
    drop_frames(websocket);
    free(websocket);
}

void ahoy_websocket_open(struct ahoy_websocket *websocket)
{
    websocket->open = true;
}

bool ahoy_websocket_is_open(const struct ahoy_websocket *websocket)
{
    return websocket->open;
}

bool ahoy_websocket_is_amid(const struct ahoy_websocket *websocket)
{
    return websocket->opcode != 0 || websocket->frames != NULL;
}

/* wslay asks for more. */
static ssize_t give_input(uint8_t *at, size_t size, int flags, void *context)
{
    (void)flags; /* It has none to give. */
    struct ahoy_websocket *websocket = context;
    struct span *input = websocket->input;
    if (size > input->size)
        size = input->size;
    if (size == 0)
        return -1;
    memcpy(at, input->at, size);
    *input = ahoy_span_after(*input, size);
    websocket->ahead += size;
    return (ssize_t)size;
}

static bool have_frames(struct ahoy_websocket *websocket)
{
    const struct wslay_frame_callbacks callbacks = { .recv_callback = give_input };
    return websocket->frames != NULL ||
           wslay_frame_context_init(&websocket->frames, &callbacks, websocket) == 0;
}

/* Nothing is left to read. */
static enum ahoy_websocket_verdict rest(struct ahoy_websocket *websocket)
{
    if (!websocket->in_frame && websocket->ahead == 0)
        drop_frames(websocket);
    return AHOY_WEBSOCKET_MORE;
}

static enum ahoy_websocket_verdict end(struct ahoy_websocket_part *part, unsigned code)
{
    part->code = code;
    return AHOY_WEBSOCKET_CLOSE;
}

static bool is_control(unsigned opcode)
{
    return opcode >= AHOY_CLOSE_FRAME;
}

/* Whether a frame with this head may come now (5.1, 5.2, 5.4); 0, or why not. */
static unsigned objection(const struct ahoy_websocket *websocket,
                          const struct wslay_frame_iocb *frame, size_t limit)
{
    bool is_masked = frame->mask != 0;
    if (is_masked == websocket->is_client || frame->rsv != 0 || frame->opcode > AHOY_PONG_FRAME ||
        (frame->opcode > AHOY_BINARY_FRAME && frame->opcode < AHOY_CLOSE_FRAME))
        return AHOY_CLOSE_PROTOCOL;
    if (is_control(frame->opcode))
        return 0;
    if ((frame->opcode == WSLAY_CONTINUATION_FRAME) != (websocket->opcode != 0))
        return AHOY_CLOSE_PROTOCOL;
    return frame->payload_length > limit - websocket->message_size ? AHOY_CLOSE_TOO_BIG : 0;
}

/* The size of the head of the peer's frame: wslay takes the shortest only. */
static uint64_t head_size(const struct ahoy_websocket *websocket, uint64_t payload_size)
{
    uint64_t size = websocket->is_client ? 2 : 2 + AHOY_FRAME_MASK_SIZE;
    if (payload_size > UINT16_MAX)
        return size + 8;
    return payload_size > AHOY_SHORT_FRAME_LIMIT ? size + 2 : size;
}

static void begin_frame(struct ahoy_websocket *websocket, const struct wslay_frame_iocb *frame)
{
    websocket->in_frame = true;
    websocket->left = frame->payload_length;
    websocket->ahead -= head_size(websocket, frame->payload_length);
    if (is_control(frame->opcode))
        websocket->control_size = 0;
    else if (frame->opcode != WSLAY_CONTINUATION_FRAME)
        websocket->opcode = frame->opcode;
}

/* A close frame is empty, or begins with a code that may be sent, and a reason in UTF-8 (5.5.1,
 * 7.4.2).  The code goes back to the peer. */
static unsigned read_close(struct span payload)
{
    if (payload.size == 0)
        return AHOY_CLOSE_NONE;
    if (payload.size == 1)
        return AHOY_CLOSE_PROTOCOL;
    unsigned code = (unsigned)(unsigned char)payload.at[0] << 8 | (unsigned char)payload.at[1];
    bool is_known = code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
    if (!is_known && (code < 3000 || code > 4999))
        return AHOY_CLOSE_PROTOCOL;
    return ahoy_utf8_is_valid(ahoy_span_after(payload, 2)) ? code : AHOY_CLOSE_NOT_UTF8;
}

static enum ahoy_websocket_verdict end_control(struct ahoy_websocket *websocket, unsigned opcode,
                                               struct ahoy_websocket_part *part)
{
    part->bytes = (struct span){ websocket->control, websocket->control_size };
    if (opcode == AHOY_PING_FRAME)
        return AHOY_WEBSOCKET_PING;
    if (opcode == AHOY_CLOSE_FRAME)
        return end(part, read_close(part->bytes));
    return AHOY_WEBSOCKET_MORE; /* A pong says nothing. */
}

static enum ahoy_websocket_verdict take_control(struct ahoy_websocket *websocket,
                                                const struct wslay_frame_iocb *frame,
                                                struct ahoy_websocket_part *part)
{
    assert(frame->data_length <= AHOY_SHORT_FRAME_LIMIT - (size_t)websocket->control_size);
    if (frame->data_length > 0)
        memcpy(websocket->control + websocket->control_size, frame->data, frame->data_length);
    websocket->control_size = (uint8_t)(websocket->control_size + frame->data_length);
    return websocket->in_frame ? AHOY_WEBSOCKET_MORE : end_control(websocket, frame->opcode, part);
}

static enum ahoy_websocket_verdict take_data(struct ahoy_websocket *websocket,
                                             const struct wslay_frame_iocb *frame,
                                             struct ahoy_websocket_part *part)
{
    bool is_last = frame->fin != 0 && !websocket->in_frame;
    part->bytes = (struct span){ (const char *)frame->data, frame->data_length };
    part->is_text = websocket->opcode == AHOY_TEXT_FRAME;
    websocket->message_size += frame->data_length;
    if (is_last) {
        websocket->opcode = 0;
        websocket->message_size = 0;
        return AHOY_WEBSOCKET_LAST;
    }
    return frame->data_length > 0 ? AHOY_WEBSOCKET_PIECE : AHOY_WEBSOCKET_MORE;
}

/* The next bytes of a frame have come, or all of an empty one. */
static enum ahoy_websocket_verdict take(struct ahoy_websocket *websocket,
                                        const struct wslay_frame_iocb *frame, size_t limit,
                                        struct ahoy_websocket_part *part)
{
    if (!websocket->in_frame) {
        unsigned code = objection(websocket, frame, limit);
        if (code != 0)
            return end(part, code);
        begin_frame(websocket, frame);
    }
    websocket->left -= frame->data_length;
    websocket->ahead -= frame->data_length;
    websocket->in_frame = websocket->left > 0;
    if (is_control(frame->opcode))
        return take_control(websocket, frame, part);
    return take_data(websocket, frame, part);
}

enum ahoy_websocket_verdict ahoy_websocket_next(struct ahoy_websocket *websocket, size_t limit,
                                                struct span *input,
                                                struct ahoy_websocket_part *part)
{
    *part = (struct ahoy_websocket_part){ .bytes = { NULL, 0 } };
    if (!have_frames(websocket))
        return end(part, AHOY_CLOSE_INTERNAL);
    websocket->input = input;
    enum ahoy_websocket_verdict verdict = AHOY_WEBSOCKET_MORE;
    while (verdict == AHOY_WEBSOCKET_MORE) {
        struct wslay_frame_iocb frame = { .fin = 0 };
        ssize_t size = wslay_frame_recv(websocket->frames, &frame);
        if (size == WSLAY_ERR_WANT_READ)
            return rest(websocket);
        if (size < 0)
            return end(part, AHOY_CLOSE_PROTOCOL);
        verdict = take(websocket, &frame, limit, part);
    }
    return verdict;
}

enum { MASKED = 0x80 };

/* Prints the head of a whole, unmasked frame (5.1, 5.2). */
static size_t print_head(unsigned opcode, size_t size, char head[AHOY_FRAME_HEAD_LIMIT])
{
    size_t length_size = size > UINT16_MAX ? 8 : size > AHOY_SHORT_FRAME_LIMIT ? 2 : 0;
    head[0] = (char)(0x80 | opcode);
    head[1] = (char)(length_size == 8 ? 127 : length_size == 2 ? 126 : size);
    for (size_t i = 0; i < length_size; i++)
        head[2 + i] = (char)(size >> 8 * (length_size - 1 - i) & 0xff);
    return 2 + length_size;
}

struct span ahoy_websocket_frame(unsigned opcode, char *payload, size_t size)
{
    char head[AHOY_FRAME_HEAD_LIMIT];
    size_t head_size = print_head(opcode, size, head);
    memcpy(payload - head_size, head, head_size);
    return (struct span){ payload - head_size, head_size + size };
}

struct span ahoy_websocket_frame_message(char *payload, size_t size)
{
    bool is_text = ahoy_utf8_is_valid((struct span){ payload, size });
    return ahoy_websocket_frame(is_text ? AHOY_TEXT_FRAME : AHOY_BINARY_FRAME, payload, size);
}

/* Of a frame that is not masked. */
static size_t length_size_of(struct span frame)
{
    return frame.at[1] == 127 ? 8 : frame.at[1] == 126 ? 2 : 0;
}

struct span ahoy_websocket_mask(struct span frame, uint32_t key)
{
    size_t head_size = 2 + length_size_of(frame);
    char *at = (char *)(uintptr_t)frame.at, *masked = at - AHOY_FRAME_MASK_SIZE;
    memmove(masked, at, head_size);
    masked[1] = (char)((unsigned char)masked[1] | MASKED);
    memcpy(masked + head_size, &key, AHOY_FRAME_MASK_SIZE);
    for (size_t i = head_size; i < frame.size; i++)
        at[i] = (char)(at[i] ^ masked[head_size + (i - head_size) % AHOY_FRAME_MASK_SIZE]);
    return (struct span){ masked, frame.size + AHOY_FRAME_MASK_SIZE };
}

struct span ahoy_websocket_payload(struct span frame)
{
    unsigned char first = frame.size >= 2 ? (unsigned char)frame.at[0] : 0;
    if ((first != (0x80 | AHOY_TEXT_FRAME) && first != (0x80 | AHOY_BINARY_FRAME)) ||
        ((unsigned char)frame.at[1] & MASKED) != 0)
        return SPAN("");
    size_t length_size = length_size_of(frame);
    assert(frame.size >= 2 + length_size);
    return ahoy_span_after(frame, 2 + length_size);
}

void ahoy_websocket_put(unsigned opcode, struct span payload, struct ahoy_buf *buf)
{
    char head[AHOY_FRAME_HEAD_LIMIT];
    assert(payload.size <= AHOY_SHORT_FRAME_LIMIT);
    ahoy_buf_put(buf, (struct span){ head, print_head(opcode, payload.size, head) });
    ahoy_buf_put(buf, payload);
}

void ahoy_websocket_put_close(unsigned code, struct ahoy_buf *buf)
{
    const char payload[] = { (char)(code >> 8), (char)(code & 0xff) };
    ahoy_websocket_put(AHOY_CLOSE_FRAME, (struct span){ payload, code == AHOY_CLOSE_NONE ? 0 : 2 },
                       buf);
}
