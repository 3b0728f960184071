/* libosip2, asked for a verdict.  It loses memory on some faults, so it gets its memory from a
 * block of ours that is emptied before each question: what it loses is found again, and what it
 * writes beside is its own. */
#include "tests/osip/theirs.h"

#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

enum { MEMORY = 1 << 24, ALIGNMENT = 16 };

static _Alignas(ALIGNMENT) char memory[MEMORY];
static size_t used;

/* Each piece has its size in front of it. */
static void *take_memory(size_t size)
{
    size_t room = (size + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > MEMORY || room > MEMORY - used)
        return NULL;
    char *piece = memory + used;
    used += room;
    memcpy(piece, &size, sizeof size);
    return piece + ALIGNMENT;
}

static void *take_more(void *piece, size_t size)
{
    size_t old = 0;
    char *more = take_memory(size);
    if (piece != NULL)
        memcpy(&old, (char *)piece - ALIGNMENT, sizeof old);
    if (more != NULL && piece != NULL)
        memcpy(more, piece, old < size ? old : size);
    return more;
}

static void give_back(void *piece)
{
    (void)piece;
}

static void ignore(const char *file, int line, osip_trace_level_t level, const char *format,
                   va_list arguments)
{
    (void)file;
    (void)line;
    (void)level;
    (void)format;
    (void)arguments;
}

static void start(void)
{
    static bool started;
    memset(memory, 0, used);
    used = 0;
    if (started)
        return;
    started = true;
    parser_init();
    osip_set_allocators(take_memory, take_more, give_back);
    osip_trace_initialize_func(TRACE_LEVEL0, ignore);
}

/* What RFC 3261 8.1.1 asks for; libosip2 looks for it later, in its transactions. */
static bool has_headers(const osip_message_t *message)
{
    return message->from != NULL && message->to != NULL && message->call_id != NULL &&
           message->cseq != NULL && osip_list_size(&message->vias) > 0;
}

static bool parse(struct span bytes, osip_message_t **message)
{
    return osip_message_init(message) == OSIP_SUCCESS &&
           osip_message_parse(*message, bytes.at, bytes.size) == OSIP_SUCCESS;
}

bool osip_takes(struct span bytes)
{
    osip_message_t *message;
    start();
    return parse(bytes, &message) && has_headers(message);
}

/* Whether it takes a message of |start_line| and |row|. */
static bool takes_lines(struct span start_line, struct span row)
{
    static char text[2 * AHOY_MESSAGE_LIMIT];
    osip_message_t *message;
    start();
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, start_line);
    ahoy_buf_put(&buf, row);
    ahoy_buf_put(&buf, SPAN("\r\n"));
    return parse(ahoy_buf_text(&buf), &message);
}

struct span osip_culprit(const struct ahoy_message *message)
{
    for (unsigned i = 0; i < message->field_count; i++) {
        if (!takes_lines(SPAN("OPTIONS sip:a.example SIP/2.0\r\n"), message->fields[i].row))
            return message->fields[i].row;
    }
    if (!takes_lines(message->start_line, SPAN("")))
        return message->start_line;
    return message->body;
}
