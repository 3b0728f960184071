/* The table of keys, and what is typed. */
#include "ahoy/keys.h"

enum { ESCAPE = 0x1b, BACKSPACE = 0x08, DELETE = 0x7f };

#define KEY_ROW(name, key, label, what, when) { key, SPAN_INIT(label), SPAN_INIT(what), when },
static const struct {
    char key;
    struct span label, what;
    unsigned when;
} rows[PHONE_WISHES] = { { '\0', SPAN_INIT(""), SPAN_INIT(""), 0 }, PHONE_KEYS(KEY_ROW) };
#undef KEY_ROW

/* A sequence is ESC, "[" or "O", and ends with its first letter or "~" (ECMA-48 5.4). */
bool phone_key_next(struct span *bytes, char *key)
{
    if (bytes->size == 0)
        return false;
    bool is_sequence =
        bytes->size > 1 && bytes->at[0] == ESCAPE && (bytes->at[1] == '[' || bytes->at[1] == 'O');
    if (!is_sequence) {
        *key = bytes->at[0];
        *bytes = ahoy_span_after(*bytes, 1);
        return true;
    }
    size_t size = 2;
    while (size < bytes->size && (bytes->at[size] < '@' || bytes->at[size] > '~'))
        size++;
    *bytes = ahoy_span_after(*bytes, size < bytes->size ? size + 1 : size);
    return phone_key_next(bytes, key);
}

static bool is_digit(char key)
{
    return (key >= '0' && key <= '9') || key == '*' || key == '#';
}

static size_t count_calls(const struct phone_view *view)
{
    size_t count = 0;
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++)
        count += view->calls[i].session.generation != 0;
    return count;
}

/* The set of PHONE_WHEN_... that hold. */
static unsigned moment(const struct phone_view *view)
{
    const struct phone_view_call *call = &view->calls[view->selected];
    unsigned when = PHONE_ALWAYS;
    if (call->session.generation != 0)
        when |= call->state == PHONE_INCOMING ? PHONE_WHEN_INCOMING : PHONE_WHEN_CALL;
    if (call->state == PHONE_TALKING)
        when |= PHONE_WHEN_TALKING;
    if (count_calls(view) > 1)
        when |= PHONE_WHEN_SEVERAL;
    return when;
}

static void select_next(struct phone_view *view)
{
    do
        view->selected = (view->selected + 1) % AHOY_UA_SESSIONS_LIMIT;
    while (view->calls[view->selected].session.generation == 0);
}

static enum phone_wish type(struct phone_view *view, char key)
{
    if (key == ESCAPE || key == '\r' || key == '\n') {
        view->is_asking = false;
        return key != ESCAPE && view->typed_size > 0 ? PHONE_WISH_TRANSFER : PHONE_NO_WISH;
    }
    if ((key == BACKSPACE || key == DELETE) && view->typed_size > 0)
        view->typed_size--;
    else if (key > ' ' && key < DELETE && view->typed_size < sizeof view->typed)
        view->typed[view->typed_size++] = key;
    return PHONE_NO_WISH;
}

enum phone_wish phone_key_press(struct phone_view *view, char key)
{
    unsigned when = moment(view);
    enum phone_wish wish = PHONE_WISHES - 1;
    if (view->is_asking && (when & PHONE_WHEN_TALKING) != 0)
        return type(view, key);
    while (wish != PHONE_NO_WISH && rows[wish].key != (is_digit(key) ? '0' : key))
        wish--;
    if ((rows[wish].when & when) == 0)
        return PHONE_NO_WISH;
    switch (wish) {
    case PHONE_WISH_LADDER:
        view->shows_ladder = !view->shows_ladder;
        return PHONE_NO_WISH;
    case PHONE_WISH_NEXT:
        select_next(view);
        return PHONE_NO_WISH;
    case PHONE_WISH_TRANSFER:
        view->is_asking = true;
        view->typed_size = 0;
        return PHONE_NO_WISH;
    default:
        return wish;
    }
}

void phone_keys_print(const struct phone_view *view, size_t columns, struct ahoy_buf *help)
{
    unsigned when = moment(view);
    size_t used = 0;
    if (view->is_asking && (when & PHONE_WHEN_TALKING) != 0) {
        ahoy_buf_put(help, SPAN("to whom? "));
        ahoy_buf_put(help, (struct span){ view->typed, view->typed_size });
        ahoy_buf_put(help, SPAN("_ (Enter, Esc)"));
        return;
    }
    for (enum phone_wish wish = PHONE_NO_WISH + 1; wish < PHONE_WISHES; wish++) {
        size_t size = rows[wish].label.size + 1 + rows[wish].what.size;
        if ((rows[wish].when & when) == 0)
            continue;
        bool fits = used + 2 + size <= columns;
        if (used > 0)
            ahoy_buf_put(help, fits ? SPAN("  ") : SPAN("\n"));
        used = fits && used > 0 ? used + 2 + size : size;
        ahoy_buf_put(help, rows[wish].label);
        ahoy_buf_put_byte(help, ' ');
        ahoy_buf_put(help, rows[wish].what);
    }
}
