/* The tables in PostgreSQL.  Each version of them brings the one before up to date.
 *
 * One table of rows for all that nodes share: a key, a version that is compared, bytes that only
 * ahoyd reads (shared_rows.h), and when they lapse.  Whoever changes a row, be it by hand, is
 * heard by all nodes, as the trigger tells its key. */
#include "ahoyd/store/pgsql_inside.h"

const char pgsql_schema[] =
    "DO $do$ BEGIN "
    "PERFORM pg_advisory_xact_lock(5060); "
    "IF to_regclass('ahoy_schema') IS NULL THEN "

    "CREATE TABLE ahoy_schema (version bigint NOT NULL); "
    "CREATE TABLE ahoy_rows ("
    "  key bytea PRIMARY KEY,"
    "  version bigint NOT NULL,"
    "  bytes bytea NOT NULL,"
    "  until_ms bigint NOT NULL); "
    "CREATE INDEX ahoy_rows_until ON ahoy_rows (until_ms) WHERE until_ms > 0; "

    /* What becomes of a swap: whether it is done, or was by an attempt whose answer was lost; else
     * what is there. */
    "CREATE FUNCTION ahoy_swap(the_key bytea, expected bigint, new_version bigint,"
    "  new_bytes bytea, new_until bigint,"
    "  OUT done boolean, OUT version bigint, OUT bytes bytea) "
    "LANGUAGE plpgsql AS $f$ BEGIN "
    "  IF length(new_bytes) = 0 THEN"
    "    DELETE FROM ahoy_rows r WHERE r.key = the_key AND r.version = expected;"
    "  ELSIF expected = 0 THEN"
    "    INSERT INTO ahoy_rows VALUES (the_key, new_version, new_bytes, new_until)"
    "      ON CONFLICT (key) DO NOTHING;"
    "  ELSE"
    "    UPDATE ahoy_rows r SET version = new_version, bytes = new_bytes, until_ms = new_until"
    "      WHERE r.key = the_key AND r.version = expected;"
    "  END IF;"
    "  done := FOUND;"
    "  IF done THEN RETURN; END IF;"
    "  SELECT r.version, r.bytes INTO version, bytes FROM ahoy_rows r WHERE r.key = the_key;"
    "  done := CASE WHEN FOUND THEN version = new_version ELSE length(new_bytes) = 0 END;"
    "END $f$; "

    "CREATE FUNCTION ahoy_tell() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN "
    "  PERFORM pg_notify('ahoy_rows', encode(COALESCE(NEW.key, OLD.key), 'hex'));"
    "  RETURN NULL; "
    "END $f$; "
    "CREATE TRIGGER ahoy_tell AFTER INSERT OR UPDATE OR DELETE ON ahoy_rows"
    "  FOR EACH ROW EXECUTE FUNCTION ahoy_tell(); "

    "INSERT INTO ahoy_schema VALUES (1); "
    "END IF; "
    "END $do$";

const char pgsql_version_query[] = "SELECT max(version) FROM ahoy_schema";
