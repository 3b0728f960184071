/* An array of records; whoever asks walks it. */
#include "sim/zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "libahoy/resolve/answer.h"
#include "libahoy/resolve/records.h"

enum { WORD_LIMIT = 256, FAIL = 1000, SILENT, SLOW };

struct record {
    char name[WORD_LIMIT];
    uint16_t type;             /* Of the DNS, or one of ours. */
    unsigned numbers[3];       /* In the order in which they are written. */
    char texts[4][WORD_LIMIT]; /* Likewise. */
};

struct sim_zone {
    size_t count;
    struct record records[SIM_RECORDS_LIMIT];
};

struct sim_zone *sim_zone_new(void)
{
    return calloc(1, sizeof(struct sim_zone));
}

void sim_zone_free(struct sim_zone *zone)
{
    free(zone);
}

/* What stands behind the name and the type. */
static bool read_data(struct record *record, const char *type, const char *data)
{
    unsigned *numbers = record->numbers;
    struct ahoy_ip ip;
    if (strcmp(type, "NAPTR") == 0) {
        record->type = AHOY_DNS_NAPTR;
        return sscanf(data, "%u %u %255s %255s %255s %255s", &numbers[0], &numbers[1],
                      record->texts[0], record->texts[1], record->texts[2], record->texts[3]) >= 5;
    }
    if (strcmp(type, "SRV") == 0) {
        record->type = AHOY_DNS_SRV;
        return sscanf(data, "%u %u %u %255s", &numbers[0], &numbers[1], &numbers[2],
                      record->texts[0]) == 4;
    }
    if (strcmp(type, "A") == 0 || strcmp(type, "AAAA") == 0) {
        record->type = type[1] == '\0' ? AHOY_DNS_A : AHOY_DNS_AAAA;
        return sscanf(data, "%255s", record->texts[0]) == 1 &&
               ahoy_ip_parse(ahoy_span(record->texts[0]), &ip);
    }
    record->type = strcmp(type, "FAIL") == 0 ? FAIL : strcmp(type, "SILENT") == 0 ? SILENT : SLOW;
    return record->type != SLOW ||
           (strcmp(type, "SLOW") == 0 && sscanf(data, "%u", &numbers[0]) == 1);
}

bool sim_zone_add(struct sim_zone *zone, const char *line)
{
    char type[16];
    int at = 0;
    struct record *record = &zone->records[zone->count];
    if (zone->count == SIM_RECORDS_LIMIT ||
        sscanf(line, "%255s %15s %n", record->name, type, &at) != 2 || at == 0 ||
        !read_data(record, type, line + at))
        return false;
    zone->count++;
    return true;
}

static void put_data(struct ahoy_buf *buf, const struct record *record)
{
    struct ahoy_ip ip;
    unsigned numbers = record->type == AHOY_DNS_SRV ? 3 : record->type == AHOY_DNS_NAPTR ? 2 : 0;
    for (unsigned i = 0; i < numbers; i++)
        ahoy_answer_put_number(buf, record->numbers[i]);
    if (record->type == AHOY_DNS_NAPTR) {
        ahoy_answer_put_string(buf, ahoy_span(record->texts[0]));
        ahoy_answer_put_string(buf, ahoy_span(record->texts[1]));
        ahoy_answer_put_string(buf, ahoy_span(record->texts[3]));
        ahoy_answer_put_name(buf, ahoy_span(record->texts[2]));
    } else if (record->type == AHOY_DNS_SRV) {
        ahoy_answer_put_name(buf, ahoy_span(record->texts[0]));
    } else if (ahoy_ip_parse(ahoy_span(record->texts[0]), &ip)) {
        size_t size = ip.family == AHOY_IPV4 ? 4 : 16;
        ahoy_buf_put(buf, (struct span){ (const char *)ip.bytes, size });
    }
}

static void put_record(struct ahoy_buf *buf, const struct record *record)
{
    char space[4 * WORD_LIMIT];
    struct ahoy_buf data = ahoy_buf_over(space, sizeof space);
    put_data(&data, record);
    ahoy_answer_add(buf, record->type, ahoy_buf_text(&data));
}

static const struct record *find(const struct sim_zone *zone, struct span name, uint16_t type,
                                 size_t from)
{
    for (size_t i = from; i < zone->count; i++) {
        if (zone->records[i].type == type &&
            ahoy_span_equal_nocase(ahoy_span(zone->records[i].name), name))
            return &zone->records[i];
    }
    return NULL;
}

static unsigned count(const struct sim_zone *zone, struct span name, uint16_t type)
{
    unsigned found = 0;
    const struct record *record = find(zone, name, type, 0);
    for (; record != NULL; record = find(zone, name, type, (size_t)(record - zone->records) + 1))
        found++;
    return found;
}

bool sim_zone_answer(const struct sim_zone *zone, struct span name, uint16_t type,
                     struct ahoy_buf *message, uint32_t *delay_ms)
{
    const struct record *slow = find(zone, name, SLOW, 0);
    *delay_ms = slow == NULL ? 0 : slow->numbers[0];
    if (find(zone, name, SILENT, 0) != NULL)
        return false;
    if (find(zone, name, FAIL, 0) != NULL)
        return true;
    ahoy_answer_begin(message, name, type, count(zone, name, type));
    const struct record *record = find(zone, name, type, 0);
    for (; record != NULL; record = find(zone, name, type, (size_t)(record - zone->records) + 1))
        put_record(message, record);
    return true;
}
