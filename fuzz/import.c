/* Tables of users for `ahoyctl user import`, whoever has written them: what is taken is a user whom
 * the server would take, and what is not has a reason. */
#include <stdlib.h>

#include "ahoyd/ctl/import_table.h"
#include "ahoyd/store/spelling.h"
#include "fuzz/target.h"

static struct span text_of(const json_t *row, const char *name)
{
    const json_t *text = json_object_get(row, name);
    MUST(json_is_string(text));
    return (struct span){ json_string_value(text), json_string_length(text) };
}

static void take_line(const struct import_table *table, char *line)
{
    json_t *row = json_object();
    if (row == NULL)
        return;
    if (import_table_user(table, line, row) == NULL) {
        MUST(ahoyd_is_name(text_of(row, "user")) && ahoyd_is_name(text_of(row, "realm")));
        MUST(ahoyd_command_user_fault(row) == NULL);
    }
    json_decref(row);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_table table;
    char *text = calloc(1, size + 1);
    if (text == NULL)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    char *line = text;
    for (bool is_first = true; line < text + size; is_first = false) {
        char *next = line + strcspn(line, "\n");
        *next = '\0';
        if (!is_first)
            take_line(&table, line);
        else if (import_table_columns(&table, line) != NULL)
            break;
        line = next + 1;
    }
    free(text);
    return 0;
}
