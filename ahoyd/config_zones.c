/* Time zones, from the database that the system has. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "ahoyd/config_reader.h"

enum { ZONE_FILE_LIMIT = 65536 };

/* "Europe/Berlin": no way out of the database's folder. */
static bool is_zone(struct span name)
{
    bool sound = name.size > 0 && name.size <= 64 && isalpha((unsigned char)name.at[0]);
    for (size_t i = 0; sound && i < name.size; i++)
        sound = isalnum((unsigned char)name.at[i]) || strchr("_+-/", name.at[i]) != NULL;
    return sound;
}

/* NULL, or what is wrong with it. */
static const char *read_file(const char *path, struct ahoy_arena *arena, struct ahoyd_zone *zone)
{
    char bytes[ZONE_FILE_LIMIT];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return strerror(errno);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return ahoyd_zone_read((struct span){ bytes, size }, arena, zone);
}

bool config_read_zone(lua_State *lua, struct span name, const struct ahoyd_zone **zone)
{
    struct reader *reader = config_reader_of(lua);
    *zone = NULL;
    if (ahoy_span_equal(name, SPAN("UTC")))
        return true;
    for (const struct zones *known = reader->zones; known != NULL; known = known->next) {
        if (ahoy_span_equal(known->zone.name, name)) {
            *zone = &known->zone;
            return true;
        }
    }
    char path[128];
    struct zones *read = ahoy_arena_take(reader->texts, sizeof *read);
    if (read == NULL) {
        reader->out_of_memory = true;
        return false;
    }
    *read = (struct zones){ .zone.name = config_keep(reader, name), .next = reader->zones };
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.64s", read->zone.name.at);
    const char *fault = is_zone(name) ? read_file(path, reader->texts, &read->zone)
                                      : "is no name; write \"Europe/Berlin\" or \"UTC\"";
    if (fault != NULL) {
        config_fault(reader, config_line(lua), "zone \"%.64s\": %s%s%s", read->zone.name.at,
                     is_zone(name) ? path : "", is_zone(name) ? ": " : "", fault);
        return false;
    }
    reader->zones = read;
    *zone = &read->zone;
    return true;
}
