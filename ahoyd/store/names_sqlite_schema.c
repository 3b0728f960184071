/* The tables in a file of SQLite.  ahoy_users is for whoever manages users: whatever changes there
 * is noted in ahoy_changes by triggers, so that it is found without reading all.  They see to what
 * a file does not see to unless each program asks for it: that aliases go with their users. */
#include "ahoyd/store/names_sqlite.h"

/* A version is never 0. */
#define ANOTHER "random() | 1"

#define USERS                                                                                      \
    "CREATE TABLE ahoy_schema (version INTEGER NOT NULL);"                                         \
    "CREATE TABLE ahoy_users ("                                                                    \
    "  id INTEGER PRIMARY KEY,"                                                                    \
    "  name TEXT NOT NULL,"                                                                        \
    "  realm TEXT NOT NULL,"                                                                       \
    "  md5 TEXT, sha256 TEXT, sha512_256 TEXT,"                                                    \
    "  alias_of TEXT,"                                                                             \
    "  version INTEGER NOT NULL DEFAULT (" ANOTHER "),"                                            \
    "  UNIQUE (realm, name));"                                                                     \
    "CREATE INDEX ahoy_users_aliases ON ahoy_users (realm, alias_of)"                              \
    "  WHERE alias_of IS NOT NULL;"

/* Numbers without a gap, so that one shows. */
#define CHANGES                                                                                    \
    "CREATE TABLE ahoy_changes ("                                                                  \
    "  number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, realm TEXT);"                          \
    "CREATE TRIGGER ahoy_changes_kept AFTER INSERT ON ahoy_changes BEGIN"                          \
    "  DELETE FROM ahoy_changes WHERE number <= NEW.number - 10000;"                               \
    "END;"
_Static_assert(NAMES_KEPT_CHANGES == 10000, "as in CHANGES");

#define NO_SUCH_USER                                                                               \
    "NEW.alias_of IS NOT NULL AND NOT EXISTS"                                                      \
    "  (SELECT 1 FROM ahoy_users WHERE realm = NEW.realm AND name = NEW.alias_of) "                \
    "BEGIN SELECT RAISE(ABORT, 'alias_of is no user of this realm'); END;"

#define ALIASES_OF(user) "realm = " user ".realm AND alias_of = " user ".name"

/* REPLACE removes a row without a word to triggers, so it is noted before. */
#define TRIGGERS                                                                                   \
    "CREATE TRIGGER ahoy_users_sound BEFORE INSERT ON ahoy_users WHEN " NO_SUCH_USER               \
    "CREATE TRIGGER ahoy_users_sound_still BEFORE UPDATE OF alias_of, realm ON ahoy_users"         \
    "  WHEN NEW.alias_of IS NOT OLD.alias_of AND " NO_SUCH_USER                                    \
    "CREATE TRIGGER ahoy_users_replaced BEFORE INSERT ON ahoy_users BEGIN"                         \
    "  INSERT INTO ahoy_changes (name, realm)"                                                     \
    "    SELECT name, realm FROM ahoy_users WHERE id = NEW.id;"                                    \
    "END;"                                                                                         \
    "CREATE TRIGGER ahoy_users_added AFTER INSERT ON ahoy_users BEGIN"                             \
    "  INSERT INTO ahoy_changes (name, realm) VALUES (NEW.name, NEW.realm);"                       \
    "END;"                                                                                         \
    "CREATE TRIGGER ahoy_users_changed AFTER UPDATE ON ahoy_users BEGIN"                           \
    "  UPDATE ahoy_users SET version = " ANOTHER                                                   \
    "    WHERE id = NEW.id AND NEW.version = OLD.version;"                                         \
    "  INSERT INTO ahoy_changes (name, realm)"                                                     \
    "    SELECT OLD.name, OLD.realm UNION SELECT NEW.name, NEW.realm;"                             \
    "END;"                                                                                         \
    "CREATE TRIGGER ahoy_users_renamed AFTER UPDATE OF name, realm ON ahoy_users"                  \
    "  WHEN NEW.name <> OLD.name OR NEW.realm <> OLD.realm BEGIN"                                  \
    "  UPDATE ahoy_users SET alias_of = NEW.name, realm = NEW.realm WHERE " ALIASES_OF(            \
        "OLD") ";"                                                                                 \
               "END;"                                                                              \
               "CREATE TRIGGER ahoy_users_removed AFTER DELETE ON ahoy_users BEGIN"                \
               "  INSERT INTO ahoy_changes (name, realm) VALUES (OLD.name, OLD.realm);"            \
               "  INSERT INTO ahoy_changes (name, realm)"                                          \
               "    SELECT name, realm FROM ahoy_users WHERE " ALIASES_OF(                         \
                   "OLD") ";"                                                                      \
                          "  DELETE FROM ahoy_users WHERE " ALIASES_OF("OLD") ";"                  \
                                                                              "END;"

const char *const names_schema[NAMES_VERSION] = {
    USERS CHANGES TRIGGERS "INSERT INTO ahoy_schema VALUES (1);",
};
