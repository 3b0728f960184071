/* What becomes of calls in their records: one row each, made of what the server has noted and of
 * nothing else, and where it goes. */
#include "ahoyd/records/ledger.h"
#include "ahoyd/records/records.h"
#include "ahoyd/records/sink.h"
#include "tests/support/exchange.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include <sqlite3.h>

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"atlanta.example\", { auth = \"digest\" })\n"
    "store \"memory:\"\n"
    "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" })\n"
    "trunk(\"second\", { \"sip:203.0.113.6:5070\" })\n"
    "route { domain = \"far.example\", to = { \"carrier\", \"second\" } }\n"
    "route { from = \"carrier\", user = \"door\", to = \"bob@atlanta.example\" }\n";

#define BOB     "192.0.2.2:5060"
#define CARRIER "203.0.113.5:5070"
#define SECOND  "203.0.113.6:5070"

enum { DAY_MS = 86400000, AGAIN_MS = 5000 };

/* What a ledger has read of an exchange. */
struct desk {
    struct exchange *exchange;
    struct ahoyd_ledger *ledger;
    uint64_t from;
    struct ahoy_message message;
    char piece[65536];
};

static int setup(void **state)
{
    static const struct ahoy_hash_key key = { { 1, 2 } };
    struct desk *desk = calloc(1, sizeof *desk);
    desk->exchange = exchange_of_atlanta(config);
    exchange_bind(desk->exchange, "bob@atlanta.example", "sip:bob@192.0.2.2:5060", BOB);
    desk->ledger = ahoyd_ledger_new(&key, SPAN("sip:10.0.0.1"), desk->exchange->now_ms);
    *state = desk;
    return 0;
}

static int teardown(void **state)
{
    struct desk *desk = *state;
    exchange_free(desk->exchange);
    ahoyd_ledger_free(desk->ledger);
    free(desk);
    return 0;
}

static void take(struct desk *desk, const struct ahoy_note *note, struct span text)
{
    struct ahoyd_noted noted = { .note = note, .text = text, .message = &desk->message };
    noted.call_id = ahoyd_case_of(note, text, &desk->message);
    ahoyd_ledger_take(desk->ledger, &noted);
}

static void read_notes(struct desk *desk)
{
    struct span text, bytes = { desk->piece, 0 };
    struct ahoy_note note;
    while ((bytes.size = ahoy_ring_copy(ahoyd_server_ring(desk->exchange->server), &desk->from,
                                        desk->piece, sizeof desk->piece)) > 0) {
        for (bytes.at = desk->piece; ahoy_note_next(&bytes, &note, &text);)
            take(desk, &note, text);
    }
}

/* The next row |ms| from now, or NULL; the caller's. */
static json_t *row_in(struct desk *desk, uint64_t ms)
{
    read_notes(desk);
    return ahoyd_ledger_row(desk->ledger, desk->exchange->now_ms + ms);
}

static void assert_text(const json_t *row, const char *column, const char *text)
{
    const char *value = json_string_value(json_object_get(row, column));
    if (text == NULL)
        assert_null(value);
    else
        assert_string_equal(value != NULL ? value : "nothing", text);
}

static void assert_number(const json_t *row, const char *column, int number)
{
    assert_true(json_is_integer(json_object_get(row, column)));
    assert_int_equal(json_integer_value(json_object_get(row, column)), number);
}

static struct ask alice_calls(const char *uri)
{
    return (struct ask){ .method = "INVITE",
                         .uri = uri,
                         .from = "sip:alice@atlanta.example",
                         .user = "alice",
                         .password = "wonderland",
                         .rows = "User-Agent: Horn/1 \"x\"\r\n" };
}

/* A BYE of the call, as it comes; nobody has to answer it (RFC 3261 15.1.1). */
static void bye(struct desk *desk, const char *from, const char *to)
{
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "BYE sip:x@192.0.2.100 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;"
                        "branch=z9hG4bKbye\r\nFrom: <sip:a@x.example>;tag=%s\r\n"
                        "To: <sip:b@x.example>;tag=%s\r\nCall-ID: call\r\nCSeq: 9 BYE\r\n\r\n",
                        from, to);
    const struct ahoy_note note = { .kind = AHOY_NOTE_IN, .now_ms = desk->exchange->now_ms };
    read_notes(desk);
    take(desk, &note, (struct span){ text, (size_t)size });
}

/* The tag of the caller, as exchange_ask writes it. */
static const char caller_tag[] = "from1";
static const char callee_tag[] = "theirs";

/* A response that leaves for the first request of a call. */
static void answer_leaves(struct desk *desk, unsigned status, const char *tag, const char *rows)
{
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "SIP/2.0 %u Fine\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
                        "From: <sip:alice@atlanta.example>;tag=%s\r\n"
                        "To: <sip:bob@atlanta.example>;tag=%s\r\nCall-ID: call\r\n"
                        "CSeq: 2 INVITE\r\n%s\r\n",
                        status, caller_tag, tag, rows);
    const struct ahoy_note note = { .kind = AHOY_NOTE_OUT, .now_ms = desk->exchange->now_ms };
    read_notes(desk);
    take(desk, &note, (struct span){ text, (size_t)size });
}

static void alice_calls_bob(struct desk *desk)
{
    const struct ask ask = alice_calls("sip:bob:builder@atlanta.example;x=y");
    assert_int_equal(exchange_ask_as(desk->exchange, &ask), 100);
}

/* Asked for her password, ringing, answered, ended by Bob: one row. */
static void a_call_is_one_row(void **state)
{
    struct desk *desk = *state;
    alice_calls_bob(desk);
    desk->exchange->now_ms += 1000;
    answer_leaves(desk, 180, callee_tag, "");
    desk->exchange->now_ms += 2000;
    answer_leaves(desk, 200, callee_tag, "");
    assert_null(row_in(desk, 0));
    desk->exchange->now_ms += 61500;
    bye(desk, callee_tag, caller_tag);
    bye(desk, callee_tag, caller_tag);
    json_t *row = row_in(desk, 0);
    assert_text(row, "outcome", "answered");
    assert_number(row, "status", 200);
    assert_number(row, "duration_ms", 61500);
    assert_text(row, "ended_by", "callee");
    assert_text(row, "caller", "sip:alice@atlanta.example");
    assert_text(row, "uri", "sip:bob@atlanta.example"); /* Without the password. */
    assert_text(row, "login", "alice@atlanta.example");
    assert_text(row, "source", "udp 192.0.2.1:5060");
    assert_text(row, "domain", "atlanta.example");
    assert_text(row, "trunk", NULL);
    assert_text(row, "agent", "Horn/1 \"x\"");
    assert_text(row, "call_id", "call");
    assert_text(row, "node", "sip:10.0.0.1");
    assert_text(row, "cause", NULL);
    assert_number(row, "branches", 1);
    assert_non_null(json_object_get(row, "rang"));
    json_decref(row);
    assert_null(row_in(desk, 2 * DAY_MS));
}

/* It may be made again, with a password say, so it waits; the true cause stands in it. */
static void a_call_that_fails_says_why(void **state)
{
    struct desk *desk = *state;
    alice_calls_bob(desk);
    exchange_answer(desk->exchange, BOB, 486, "");
    assert_null(row_in(desk, AGAIN_MS - 1));
    json_t *row = row_in(desk, AGAIN_MS);
    assert_text(row, "outcome", "failed");
    assert_number(row, "status", 486);
    assert_text(row, "cause", "refused_by_peer");
    assert_text(row, "why",
                "486 Busy Here: udp 192.0.2.2:5060 says 486: the callee is busy at "
                "this phone (RFC 3261 21.4.24)");
    assert_text(row, "ended_by", NULL);
    json_decref(row);
}

static void trunks_are_named(void **state)
{
    struct desk *desk = *state;
    struct ask ask = alice_calls("sip:+491@far.example");
    assert_int_equal(exchange_ask_as(desk->exchange, &ask), 100);
    exchange_answer(desk->exchange, CARRIER, 503, "");
    exchange_answer(desk->exchange, SECOND, 200, "Contact: <sip:x@203.0.113.6>\r\n");
    ask = (struct ask){ .peer = CARRIER,
                        .method = "INVITE",
                        .uri = "sip:door@atlanta.example",
                        .from = "sip:1@far.example",
                        .call_id = "in" };
    (void)exchange_ask(desk->exchange, &ask);
    exchange_answer(desk->exchange, BOB, 603, "");
    json_t *row = row_in(desk, AGAIN_MS);
    assert_text(row, "call_id", "in");
    assert_text(row, "source_trunk", "carrier");
    assert_text(row, "domain", "atlanta.example");
    assert_text(row, "login", NULL);
    json_decref(row);
    ahoyd_ledger_finish(desk->ledger);
    row = row_in(desk, 0);
    assert_text(row, "trunk", "carrier second");
    assert_text(row, "target", "udp 203.0.113.6:5070");
    assert_number(row, "branches", 2);
    assert_text(row, "ended_by", "open"); /* The server ends before it. */
    assert_null(json_object_get(row, "duration_ms"));
    json_decref(row);
}

/* Two phones answer at once: the call stands until both dialogs have ended. */
static void one_of_two_dialogs_is_not_the_call(void **state)
{
    struct desk *desk = *state;
    alice_calls_bob(desk);
    answer_leaves(desk, 200, "one", "");
    answer_leaves(desk, 200, "two", "");
    desk->exchange->now_ms += 100;
    bye(desk, caller_tag, "two");
    assert_null(row_in(desk, 0));
    desk->exchange->now_ms += 9900;
    bye(desk, caller_tag, "one");
    json_t *row = row_in(desk, 0);
    assert_number(row, "duration_ms", 10000);
    assert_text(row, "ended_by", "caller");
    json_decref(row);
}

/* Where a phone dies no BYE comes: a session timer may tell (RFC 4028 10), ... */
static void a_session_timer_runs_out(void **state)
{
    struct desk *desk = *state;
    alice_calls_bob(desk);
    answer_leaves(desk, 200, callee_tag, "Session-Expires: 1800;refresher=uac\r\n");
    desk->exchange->now_ms += 900000;
    answer_leaves(desk, 200, callee_tag, "Session-Expires: 1800;refresher=uac\r\n");
    assert_null(row_in(desk, 1799999));
    json_t *row = row_in(desk, 1800000);
    assert_text(row, "ended_by", "session");
    assert_text(row, "ended", NULL);
    assert_null(json_object_get(row, "duration_ms"));
    assert_non_null(json_object_get(row, "seen"));
    json_decref(row);
}

/* ... or nothing does. */
static void an_end_that_nobody_saw_is_none(void **state)
{
    struct desk *desk = *state;
    alice_calls_bob(desk);
    answer_leaves(desk, 200, callee_tag, "");
    assert_null(row_in(desk, DAY_MS - 1));
    json_t *row = row_in(desk, DAY_MS);
    assert_text(row, "ended_by", "unknown");
    json_decref(row);
}

/* A stranger who knows the Call-ID of a call ends neither that nor its record. */
static void a_call_is_not_begun_twice(void **state)
{
    struct desk *desk = *state;
    alice_calls_bob(desk);
    answer_leaves(desk, 200, callee_tag, "");
    const struct ask ask = { .peer = "198.51.100.7:5060",
                             .method = "INVITE",
                             .uri = "sip:bob@atlanta.example",
                             .from = "sip:mallory@far.example",
                             .cseq = 77 };
    (void)exchange_ask(desk->exchange, &ask);
    bye(desk, "guessed", "too");
    assert_null(row_in(desk, AGAIN_MS));
    bye(desk, caller_tag, callee_tag);
    json_t *row = row_in(desk, 0);
    assert_text(row, "caller", "sip:alice@atlanta.example");
    assert_text(row, "ended_by", "caller");
    json_decref(row);
}

static json_t *rows_of(const char *caller)
{
    return json_pack("[{s:s, s:s, s:s, s:s, s:i}]", "begun", "2026-02-01T10:20:30.123Z", "call_id",
                     "-2+3", "node", "", "caller", caller, "status", 200);
}

static void read_file(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t size = read(fd, text, room - 1);
    assert_true(size >= 0);
    text[size] = '\0';
    close(fd);
}

/* RFC 4180; nothing is a formula; a file that was renamed is left alone. */
static void csv_is_safe_for_spreadsheets(void **state)
{
    char folder[] = "/tmp/ahoy-records-XXXXXX", path[64], old[64], text[4096], fault[256];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/calls.csv", folder);
    snprintf(old, sizeof old, "%s/calls.csv.1", folder);
    void *sink = ahoyd_sink_csv.open(path, fault, sizeof fault);
    assert_non_null(sink);
    json_t *rows = rows_of("=cmd|'/c calc'!\"A0\"");
    assert_true(ahoyd_sink_csv.write(sink, rows, fault, sizeof fault));
    read_file(path, text, sizeof text);
    assert_string_equal(text, "begun,rang,answered,ended,seen,duration_ms,outcome,status,cause,why,"
                              "ended_by,caller,callee,uri,login,source,source_trunk,domain,trunk,"
                              "target,branches,agent,call_id,node\r\n"
                              "\"2026-02-01T10:20:30.123Z\",,,,,,,200,,,,"
                              "\"'=cmd|'/c calc'!\"\"A0\"\"\",,,,,,,,,,,\"'-2+3\",\"\"\r\n");
    assert_int_equal(rename(path, old), 0);
    assert_true(ahoyd_sink_csv.write(sink, rows, fault, sizeof fault));
    char again[4096];
    read_file(path, again, sizeof again);
    assert_string_equal(again, text);
    ahoyd_sink_csv.close(sink);
    json_decref(rows);
    assert_null(ahoyd_sink_csv.open("/nowhere/calls.csv", fault, sizeof fault));
    unlink(path);
    unlink(old);
    rmdir(folder);
}

static void hear(void *context, enum ahoy_log_level level, const char *line)
{
    char *said = context;
    size_t size = strlen(said);
    (void)level;
    snprintf(said + size, 512 - size, "%s\n", line);
}

/* A disk without room: rows wait, the log says so once, and in the end they are counted. */
static void what_cannot_be_written_is_counted(void **state)
{
    struct desk *desk = *state;
    char said[512] = "", fault[256];
    const struct ahoy_log log = { hear, said, AHOY_LOG_INFO };
    const struct ahoyd_records_options options = { .kind = AHOYD_RECORDS_CSV,
                                                   .place = "/dev/full",
                                                   .log = &log };
    struct ahoyd_records *records = ahoyd_records_open(&options, fault, sizeof fault);
    assert_non_null(records);
    const struct ahoyd_taker taker = ahoyd_records_taker(records);
    static const char invite[] = "INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;"
                                 "branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
                                 "Call-ID: full\r\nCSeq: 1 INVITE\r\n\r\n";
    const struct ahoy_note note = { .kind = AHOY_NOTE_IN, .now_ms = 1 };
    struct ahoyd_noted noted = { .note = &note,
                                 .text = { invite, sizeof invite - 1 },
                                 .message = &desk->message };
    noted.call_id = ahoyd_case_of(&note, noted.text, &desk->message);
    taker.take(taker.self, &noted);
    taker.look(taker.self, 1);
    assert_int_equal(ahoyd_records_count(records).records_lost, 0);
    ahoyd_records_close(records);
    assert_string_equal(said, "records: /dev/full cannot be written: No space left on device; they "
                              "wait, up to 8192 of them\nrecords: 1 were lost\n");
}

static int count_rows(const char *path, const char *query)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return count;
}

/* A row that comes again, as its first answer was lost, is one; a file of others is not ours. */
static void sqlite_has_each_row_once(void **state)
{
    char folder[] = "/tmp/ahoy-records-XXXXXX", path[64], fault[256];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/calls.db", folder);
    json_t *rows = rows_of("sip:o'hara@x");
    for (int i = 0; i < 2; i++) {
        void *sink = ahoyd_sink_sqlite.open(path, fault, sizeof fault);
        assert_non_null(sink);
        assert_true(ahoyd_sink_sqlite.write(sink, rows, fault, sizeof fault));
        ahoyd_sink_sqlite.close(sink);
    }
    json_decref(rows);
    assert_int_equal(count_rows(path, "SELECT count(*) FROM ahoy_calls WHERE status = 200 AND "
                                      "caller = 'sip:o''hara@x' AND trunk IS NULL"),
                     1);
    unlink(path);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE other (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_null(ahoyd_sink_sqlite.open(path, fault, sizeof fault));
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_one_row, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_that_fails_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(trunks_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(one_of_two_dialogs_is_not_the_call, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_timer_runs_out, setup, teardown),
        cmocka_unit_test_setup_teardown(an_end_that_nobody_saw_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_is_not_begun_twice, setup, teardown),
        cmocka_unit_test(csv_is_safe_for_spreadsheets),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_counted, setup, teardown),
        cmocka_unit_test(sqlite_has_each_row_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
