/* Fields are taken off a line in place: what stands in quotes moves over them. */
#include "ahoyd/ctl/import_table.h"

#include <ctype.h>

static const char *const column_names[IMPORT_COLUMNS] = { "user", "realm",  "password",
                                                          "md5",  "sha256", "sha512_256" };

/* Takes the field at |*at| off a line, in place; false where a quote stays open, or is followed by
 * anything but a comma. */
static bool next_field(char **at, struct span *field)
{
    char *from = *at;
    char *to = *at;
    bool is_quoted = *from == '"';
    if (is_quoted)
        from++;
    *field = (struct span){ to, 0 };
    while (*from != '\0' && (is_quoted || *from != ',')) {
        if (is_quoted && *from == '"' && *++from != '"') {
            is_quoted = false;
            break;
        }
        *to++ = *from++;
    }
    field->size = (size_t)(to - field->at);
    *at = from;
    return !is_quoted && (*from == '\0' || *from == ',');
}

/* What is wrong with |line|; NULL where it is split into |fields|. */
static const char *split(char *line, struct span fields[IMPORT_FIELDS_LIMIT], size_t *count)
{
    for (*count = 0; *count < IMPORT_FIELDS_LIMIT; line++) {
        if (!next_field(&line, &fields[(*count)++]))
            return "a quote is out of place";
        if (*line == '\0')
            return NULL;
    }
    return "too many fields";
}

const char *import_table_columns(struct import_table *table, char *line)
{
    struct span fields[IMPORT_FIELDS_LIMIT];
    const char *fault = split(line, fields, &table->fields);
    for (unsigned i = 0; i < IMPORT_COLUMNS; i++)
        table->places[i] = IMPORT_FIELDS_LIMIT;
    for (size_t i = 0; fault == NULL && i < table->fields; i++) {
        unsigned column = 0;
        while (column < IMPORT_COLUMNS &&
               !ahoy_span_equal_nocase(fields[i], ahoy_span(column_names[column])))
            column++;
        if (column == IMPORT_COLUMNS || table->places[column] != IMPORT_FIELDS_LIMIT)
            fault = "the first line names the columns, each once: user, realm, password, md5, "
                    "sha256, sha512_256";
        else
            table->places[column] = i;
    }
    if (fault == NULL && table->places[IMPORT_USER] == IMPORT_FIELDS_LIMIT)
        fault = "there is no column user";
    return fault;
}

static struct span value_of(const struct import_table *table, const struct span *fields,
                            enum import_column column)
{
    return table->places[column] < IMPORT_FIELDS_LIMIT ? fields[table->places[column]] : SPAN("");
}

static bool set(json_t *row, const char *name, struct span text)
{
    return json_object_set_new(row, name, json_stringn(text.at, text.size)) == 0;
}

static const char *put_digests(const struct import_table *table, const struct span *fields,
                               struct span user, struct span realm, json_t *row)
{
    struct span password = value_of(table, fields, IMPORT_PASSWORD);
    bool has_digest = false;
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        struct span given =
            value_of(table, fields, (enum import_column)(IMPORT_MD5 + i - AHOY_DIGEST_MD5));
        struct ahoy_digest_hex ha1;
        if (password.size > 0 &&
            !ahoy_digest_ha1((enum ahoy_digest_algorithm)i, user, realm, password, &ha1))
            return "the password could not be hashed";
        has_digest = has_digest || given.size > 0;
        if (password.size > 0)
            given = (struct span){ ha1.text, ha1.size };
        if (given.size > 0 && !set(row, ahoyd_command_digests[i], given))
            return "a digest is no UTF-8";
    }
    if (password.size > 0 && has_digest)
        return "a password and digests at once";
    return password.size > 0 || has_digest ? NULL : "neither a password nor a digest";
}

const char *import_table_user(const struct import_table *table, char *line, json_t *row)
{
    struct span fields[IMPORT_FIELDS_LIMIT];
    size_t count;
    const char *fault = split(line, fields, &count);
    if (fault != NULL)
        return fault;
    if (count != table->fields)
        return "not as many fields as columns";
    struct span user = value_of(table, fields, IMPORT_USER);
    struct span realm = value_of(table, fields, IMPORT_REALM);
    size_t at = user.size;
    while (realm.size == 0 && at > 0 && user.at[at - 1] != '@')
        at--;
    if (realm.size == 0) {
        realm = ahoy_span_after(user, at);
        user.size = at > 0 ? at - 1 : 0;
    }
    for (char *letter = (char *)(uintptr_t)realm.at; letter < realm.at + realm.size; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    if (!set(row, "user", user) || !set(row, "realm", realm))
        return "a name is no UTF-8";
    fault = put_digests(table, fields, user, realm, row);
    return fault != NULL ? fault : ahoyd_command_user_fault(row);
}
