/* The configuration: what is understood, and that every fault names its line and its mend. */
#include "ahoyd/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct told {
    unsigned count;
    int lines[16];
    char text[4096];
};

static void tell(void *context, const char *file, int line, const char *what)
{
    struct told *told = context;
    (void)file; /* The same for all. */
    if (told->count < 16)
        told->lines[told->count] = line;
    told->count++;
    size_t size = strlen(told->text);
    snprintf(told->text + size, sizeof told->text - size, "%s\n", what);
}

static struct ahoyd_config *parse(const char *text, struct told *told)
{
    *told = (struct told){ 0 };
    struct ahoyd_config_faults faults = { .told = tell, .context = told };
    struct ahoyd_config *config =
        ahoyd_config_parse(text, strlen(text), "/etc/ahoy/ahoyd.lua", &faults);
    assert_int_equal(faults.count, told->count);
    assert_int_equal(config == NULL, told->count > 0);
    return config;
}

static void assert_span(struct span span, const char *text)
{
    assert_true(ahoy_span_equal(span, ahoy_span(text)));
}

static void test_all_words(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse("listen \"udp:127.0.0.1:5060\"\n"
              "listen(\"tcp:[::1]\", { advertise = \"sip.atlanta.example:5070\" })\n"
              "domain(\"Atlanta.Example\", { auth = \"digest\", min_expires = 90 })\n"
              "domain \"b.example\"\n"
              "store \"sqlite:data/ahoy.db\"\n"
              "route { domain = \"bench.example\", to = \"carrier\", from = \"anyone\" }\n"
              "trunk(\"carrier\", { \"sip:127.0.0.1:5070\", \"sip:[::1];transport=tcp\" })\n"
              "udp { padding = 64 }\n"
              "overload { target = 20 }\n"
              "push { url = \"https://push.example:8443/wake?a=b\", providers = { \"fcm\" } }\n"
              "observe { memory = 2, http = '[::1]' }\n"
              "api { token = 'secret', write = true, hosts = { 'ahoy.example' } }\n"
              "process { user = 'ahoyd', filter = false }\n"
              "workers(3) control \"unix:/run/x.sock\" trace \"t.jsonl\"\n",
              &told);
    assert_non_null(config);
    assert_int_equal(config->listen_count, 2);
    assert_int_equal(config->listens[0].transport, AHOY_UDP);
    assert_int_equal(config->listens[1].transport, AHOY_TCP);
    assert_int_equal(config->listens[1].ip.port, 5060);
    assert_int_equal(config->listens[1].ip.family, AHOY_IPV6);
    assert_span(config->listens[1].advertise, "sip.atlanta.example:5070");
    assert_int_equal(config->listens[1].line, 2);
    assert_int_equal(config->domain_count, 2);
    assert_span(config->domains[0].name, "atlanta.example");
    assert_int_equal(config->domains[0].min_expires_s, 90);
    assert_int_equal(config->domains[1].min_expires_s, 60);
    assert_int_equal(config->domains[1].max_expires_s, 7200);
    assert_int_equal(config->store, AHOYD_STORE_SQLITE);
    assert_string_equal(config->store_path, "/etc/ahoy/data/ahoy.db");
    assert_int_equal(config->trunk_count, 1);
    assert_int_equal(config->trunks[0].count, 2);
    assert_int_equal(config->trunks[0].targets[1].ip.port, 5060);
    assert_int_equal(config->trunks[0].targets[1].transport, AHOY_TCP);
    assert_string_equal(config->push.url, "https://push.example:8443/wake?a=b");
    assert_int_equal(config->push.provider_count, 1);
    assert_int_equal(config->push.wait_s, 20);
    assert_int_equal(config->route_count, 1);
    assert_int_equal(config->routes[0].from[0].kind, AHOYD_FROM_ANYONE);
    assert_int_equal(config->routes[0].to.at[0].kind, AHOYD_GOAL_TRUNK);
    assert_int_equal(config->workers, 3);
    assert_int_equal(config->padding, 64);
    assert_int_equal(config->overload_ms, 20);
    assert_int_equal(config->ring_size, 2 << 20);
    assert_int_equal(config->http.family, AHOY_IPV6);
    assert_int_equal(config->http.port, 9464);
    assert_int_equal(config->api.ip.port, 9465);
    assert_true(ahoy_ip_is_loopback(&config->api.ip) && config->api.writes);
    assert_string_equal(config->api.token_path, "/etc/ahoy/secret");
    assert_span(config->api.hosts[0], "ahoy.example");
    assert_string_equal(config->process.user, "ahoyd");
    assert_false(config->process.filters);
    assert_int_equal(config->process.line, 13);
    assert_string_equal(config->control_path, "/run/x.sock");
    assert_string_equal(config->trace_path, "/etc/ahoy/t.jsonl");
    ahoyd_config_free(config);
}

/* Where the log, records of calls and copies of messages go. */
static void test_what_can_be_seen(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse("listen 'udp:127.0.0.1:5060' domain 'a.example'\n"
              "log { format = 'json', to = 'stdout', level = 'warning' }\n"
              "records 'csv:calls.csv'\n"
              "hep('udp:192.0.2.9', { id = 7 })\n",
              &told);
    assert_non_null(config);
    assert_true(config->log.json && config->log.to_stdout);
    assert_int_equal(config->log.level, AHOY_LOG_WARNING);
    assert_int_equal(config->records, AHOYD_RECORDS_CSV);
    assert_string_equal(config->records_place, "/etc/ahoy/calls.csv");
    assert_int_equal(config->hep.port, 9060);
    assert_int_equal(config->hep_id, 7);
    ahoyd_config_free(config);
}

/* Names where addresses may stand, and name servers of our own. */
static void test_names(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse("listen 'udp:127.0.0.1:5060' domain 'a.example'\n"
              "trunk('x', { 'sip:carrier.example', 'sip:192.0.2.1:5070' })\n"
              "dns { servers = { '127.0.0.1:5353', '2001:db8::53', '[::1]:54' }, anchor = 'k' }",
              &told);
    assert_non_null(config);
    assert_int_equal(config->trunks[0].targets[0].ip.family, AHOY_NO_FAMILY);
    assert_span(config->trunks[0].uris[0], "sip:carrier.example");
    assert_int_equal(config->trunks[0].targets[1].ip.port, 5070);
    assert_int_equal(config->name_server_count, 3);
    assert_int_equal(config->name_servers[0].port, 5353);
    assert_int_equal(config->name_servers[1].port, 53);
    assert_int_equal(config->name_servers[1].family, AHOY_IPV6);
    assert_int_equal(config->name_servers[2].port, 54);
    assert_string_equal(config->anchor_path, "/etc/ahoy/k");
    ahoyd_config_free(config);
}

static void test_defaults(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config = parse("listen 'udp:127.0.0.1:5060' domain 'a.example'", &told);
    assert_non_null(config);
    assert_int_equal(config->store, AHOYD_STORE_SQLITE);
    assert_string_equal(config->store_path, "/etc/ahoy/ahoy.db");
    assert_string_equal(config->control_path, "/etc/ahoy/ahoyd.sock");
    assert_null(config->trace_path);
    assert_int_equal(config->domains[0].auth, AHOYD_AUTH_DIGEST);
    assert_true(config->workers >= 1);
    assert_int_equal(config->padding, 128);
    assert_int_equal(config->overload_ms, 100);
    assert_int_equal(config->ring_size, 16 << 20);
    assert_int_equal(config->http.family, AHOY_NO_FAMILY);
    assert_null(config->process.user);
    assert_true(config->process.filters);
    ahoyd_config_free(config);
}

/* RFC 7118: ports by default, and whose scripts are let in. */
static void test_websockets(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse("listen 'udp:127.0.0.1:5060' domain 'a.example'\n"
              "listen('ws:127.0.0.1', { origins = { 'https://a.example', 'http://b:8080' } })\n"
              "listen('wss:[::1]', { certificate = 'c.pem', key = '/k.pem' })\n",
              &told);
    assert_non_null(config);
    assert_int_equal(config->listens[1].transport, AHOY_WS);
    assert_int_equal(config->listens[1].ip.port, 80);
    assert_span(config->listens[1].origins, "https://a.example http://b:8080");
    assert_int_equal(config->listens[2].transport, AHOY_WSS);
    assert_int_equal(config->listens[2].ip.port, 443);
    assert_span(config->listens[2].origins, "");
    assert_string_equal(config->listens[2].pair.certificate, "/etc/ahoy/c.pem");
    ahoyd_config_free(config);
}

/* A sound beginning, then |text| on line 2: one fault there, which says |what|. */
static void assert_fault(const char *text, const char *what)
{
    char all[1024];
    struct told told;
    snprintf(all, sizeof all, "listen 'udp:127.0.0.1:5060' domain 'a.example'\n%s\n", text);
    assert_null(parse(all, &told));
    if (strstr(told.text, what) == NULL || told.count != 1 || told.lines[0] != 2)
        fail_msg("%s: told \"%s\" of line %d, not \"%s\"", text, told.text, told.lines[0], what);
}

static void test_faults_of_websockets_and_tls(void **state)
{
    (void)state;
    assert_fault("listen 'wss:127.0.0.1'", "listen by wss needs a certificate");
    assert_fault("listen('ws:127.0.0.1', { certificate = 'a', key = 'a' })", "is for tls and wss");
    assert_fault("listen('tcp:127.0.0.1', { origins = { 'https://a.example' } })",
                 "origins is for ws and wss");
    assert_fault("listen('ws:127.0.0.1', { origins = 'https://a.example' })",
                 "a table of 1 to 8 texts");
    assert_fault("listen('ws:127.0.0.1', { origins = {} })", "a table of 1 to 8 texts");
    assert_fault("listen('ws:127.0.0.1', { origins = { 5 } })", "a table of 1 to 8 texts");
    assert_fault("listen('ws:127.0.0.1', { origins = { 'https://a https://b' } })", "is no origin");
    assert_fault("listen('ws:127.0.0.1', { origins = { 'https://a.example/' } })", "is no origin");
    assert_fault("listen('ws:127.0.0.1', { origins = { 'a.example' } })", "is no origin");
    assert_fault("listen 'tls:127.0.0.1:5061'", "needs a certificate");
    assert_fault("listen('tls:127.0.0.1', { certificate = 'a.pem' })", "write key = \"key.pem\"");
    assert_fault("listen('tls:127.0.0.1', { key = 'a.key' })", "write certificate = ");
    assert_fault("listen('tls:127.0.0.1', { certificate = '', key = 'a' })", "is no path");
    assert_fault("listen('tcp:127.0.0.1', { certificate = 'a', key = 'a' })", "is for tls");
    assert_fault("listen('udp:127.0.0.1:5070', { verify = 'none' })", "is for tls");
    assert_fault("listen('tls:127.0.0.1', { certificate = 'a', key = 'b', verify = 'yes' })",
                 "verify = \"yes\" is unknown");
    assert_fault("listen('tls:127.0.0.1', { certificate = 'a', key = 'b', verify = 'required' })",
                 "go together");
    assert_fault("listen('tls:127.0.0.1', { certificate = 'a', key = 'b', authorities = 'c' })",
                 "go together");
    assert_fault("domain('b.example', { certificate = 'a', key = 'b' })", "nothing listens by tls");
    assert_fault("domain('b.example', { certificate = 'a' })", "certificate's key is missing");
    assert_fault("tls { authorities = 'ca.pem' }", "nothing listens by tls");
    assert_fault("tls { authority = 'ca.pem' }", "tls has no option 'authority'");
    assert_fault("tls { key = 'a.key' }", "write certificate");
}

static void test_faults_of_what_can_be_seen(void **state)
{
    (void)state;
    assert_fault("process { user = 7 }", "user");
    assert_fault("process { user = '' }", "is no user");
    assert_fault("process { filter = 'none' }", "filter");
    assert_fault("process { filter = true } process { user = 'ahoyd' }", "already");
    assert_fault("log { format = 'xml' }", "json");
    assert_fault("log { level = 'loud' }", "debug");
    assert_fault("hep '192.0.2.1'", "udp:192.0.2.1:9060");
    assert_fault("records 'calls.csv'", "csv:calls.csv");
    assert_fault("records 'csv:calls.csv' records 'csv:calls.csv'", "already");
    assert_fault("observe { memory = 0 } records 'csv:calls.csv'", "memory");
    assert_fault("observe { memory = 0 } hep 'udp:192.0.2.1'", "memory");
}

static void test_faults(void **state)
{
    (void)state;
    assert_fault("lisen 'udp:127.0.0.1:5061'", "unknown name 'lisen'; did you mean 'listen'?");
    assert_fault("elephant()", "unknown name 'elephant'");
    assert_fault("listen(5060)", "listen takes a text, not number");
    assert_fault("listen 'udp:127.0.0.1:5060'", "stands here twice");
    assert_fault("listen 'sctp:127.0.0.1:5061'", "not on others");
    assert_fault("listen 'udp:localhost'", "is no transport and address");
    assert_fault("listen 'udp:127.0.0.1:99999'", "is no transport and address");
    assert_fault("listen('udp:127.0.0.1:5062', { advertise = 'a b' })", "advertise");
    assert_fault("domain('b.example', { auht = 'digest' })", "did you mean 'auth'?");
    assert_fault("domain('b.example', { min_expires = '60' })", "must be a whole number");
    assert_fault("domain('b.example', { min_expires = 1 })", "must be between");
    assert_fault("domain('b.example', { min_expires = 300, max_expires = 200 })", "min_expires <=");
    assert_fault("domain('b.example', { auth = 'basic' })", "\"digest\" or \"none\"");
    assert_fault("domain 'A.example'", "stands here twice");
    assert_fault("domain 'a b'", "is no domain name");
    assert_fault("store 'ahoy.db'", "store \"sqlite:ahoy.db\"");
    assert_fault("trunk('x', {})", "1 to 16 URIs");
    assert_fault(
        "trunk('x', { 'sip:a234567890b234567890c234567890d234567890e234567890f234567890gggg' })",
        "must be a SIP URI");
    assert_fault("dns { servers = '127.0.0.1' }", "must be a table of 1 to 8 texts");
    assert_fault("dns { servers = {} }", "must be a table of 1 to 8 texts");
    assert_fault("dns { servers = { 53 } }", "must be a table of 1 to 8 texts");
    assert_fault("dns { servers = { 'localhost' } }", "is no address of a name server");
    assert_fault("dns { servers = { '127.0.0.1:0' } }", "is no address of a name server");
    assert_fault("dns { server = {} }", "did you mean 'servers'?");
    assert_fault("dns {} dns {}", "already");
    assert_fault("trunk('x', { 'tel:1' })", "must be a SIP URI");
    assert_fault("trunk('x', { 'sips:192.0.2.1' })", "goes by tls while nothing listens there");
    assert_fault("route { domain = 'c.example', to = 'nobody' }", "no such trunk");
    assert_fault("route { domain = 'c.example' }", "needs to, redirect or reject");
    assert_fault("domain('a', { mode = 'both' })", "write \"proxy\" or \"redirect\"");
    assert_fault("domain('a', { ring = 'one' })", "write \"all\" or \"order\"");
    assert_fault("domain('a', { ring_time = 4 })", "between 5 and 180");
    assert_fault("domain('a', { service_route = { 'sip:p.example' } })", "is no proxy");
    assert_fault("domain('a', { service_route = { 'tel:+1;lr' } })", "is no proxy");
    assert_fault("domain('a', { service_route = { 'sip:p.example;lr?x=y' } })", "is no proxy");
    assert_fault("domain('a', { service_route = 'sip:p.example;lr' })", "a table of 1 to 8 texts");
    assert_fault("domain('a', { redirections = 'no' })", "write \"follow\" or \"pass\"");
    assert_fault("domain('a', { algorithms = { 'MD4' } })",
                 "\"MD4\" is unknown; write \"MD5\", \"SHA-256\" or \"SHA-512-256\"");
    assert_fault("domain('a', { algorithms = {} })", "must be a table of 1 to 8 texts");
    assert_fault("domain('a', { qop = { 'none' } })", "write \"auth-int\" or \"auth\"");
    assert_fault("domain('a', { userhash = 'yes' })", "'userhash' must be");
    assert_fault("trunk('t', { 'sip:192.0.2.1' })"
                 "route { domain = 'c.example', to = 't', stateless = true }",
                 "stateless is for");
    assert_fault("workers(0)", "from 1 to 64");
    assert_fault("workers = 4", "local workers");
    assert_fault("udp { padding = 1025 }", "between 0 and 1024");
    assert_fault("udp { padding = -1 }", "between 0 and 1024");
    assert_fault("udp { paddin = 1 }", "did you mean 'padding'?");
    assert_fault("udp { padding = 0 } udp {}", "already");
    assert_fault("overload { target = 10001 }", "between 0 and 10000");
    assert_fault("overload { targt = 1 }", "did you mean 'target'?");
    assert_fault("overload {} overload {}", "already");
    assert_fault("observe { memory = 1025 }", "between 0 and 1024");
    assert_fault("observe { http = 'localhost' }", "127.0.0.1:9464");
    assert_fault("observe {} observe {}", "already");
    assert_fault("store 'memory:' store 'memory:'", "already");
    assert_fault("x = = 1", "unexpected symbol");
    assert_fault("error 'stop'", "stop");
    assert_fault("while true do pcall(function() while true do end end) end", "come to an end");
    assert_fault("local d = string.rep('a.', 9)", "nil value");
}

/* What would show the token to others, or make its owner believe that it does not. */
static void test_faults_of_the_api(void **state)
{
    (void)state;
    assert_fault("api { http = 'localhost' }", "127.0.0.1:9465");
    assert_fault("api { http = '0.0.0.0' }", "insecure = true");
    assert_fault("api { http = '[::]:80' }", "insecure = true");
    assert_fault("api { http = '192.0.2.1:80' }", "for all to read");
    assert_fault("api { token = 1 }", "'token' must be");
    assert_fault("api {} api {}", "already");
}

static void test_faults_of_push(void **state)
{
    (void)state;
    assert_fault("push {}", "push needs a URL and providers");
    assert_fault("push { url = 'http://h' }", "push needs a URL and providers");
    assert_fault("push { url = 'ftp://h', providers = { 'fcm' } }", "is none of http");
    assert_fault("push { url = 'http://', providers = { 'fcm' } }", "is none of http");
    assert_fault("push { url = 'https:///x', providers = { 'fcm' } }", "is none of http");
    assert_fault("push { url = 'http://h/a b', providers = { 'fcm' } }", "is none of http");
    assert_fault("push { url = 'http://h', providers = { 'f;c' } }", "is no name of a push");
    assert_fault("push { url = 'http://h', providers = { '' } }", "is no name of a push");
    assert_fault("push { url = 'http://h', providers = { 'fcm' }, wait = 61 }", "between 1 and 60");
    assert_fault("push { url = 'http://h', providers = { 'fcm' } } "
                 "push { url = 'http://h', providers = { 'fcm' } }",
                 "already");
}

static void test_faults_of_users(void **state)
{
    (void)state;
    assert_fault("user 'alice@b.example'", "is of no domain that stands above");
    assert_fault("user '@a'", "is of no domain that stands above");
    assert_fault("domain 'a' user('b@a', { contacts = 11 })", "between 1 and 10");
    assert_fault("domain 'a' user('b@a', { calls = 1 })", "has no option 'calls'");
    assert_fault("domain 'a' user 'b@a' user 'c@a' user 'b@A'", "user \"b@a\" stands here twice");
    assert_fault("domain('a', { user_contacts = 11 })", "between 1 and 10");
    assert_fault("domain('a', { user_calls_per_second = 0 })", "between 1 and 1000");
    assert_fault("domain('a', { user_certificates = true })", "no listener asks for any");
    assert_fault("listen('tls:127.0.0.1', { certificate = 'a', key = 'b', verify = 'optional',"
                 "                          authorities = 'c' })"
                 "domain('a', { user_certificates = true, auth = 'none' })",
                 "nobody is asked who he is");
}

static void test_tls(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse("listen('tls:127.0.0.1', { certificate = 'a.pem', key = '/keys/a.key',\n"
              "    verify = 'optional', authorities = 'ca.pem' })\n"
              "domain('a.example', { certificate = 'b.pem', key = 'b.key' }) domain 'b.example'\n"
              "tls { certificate = 'c.pem', key = 'c.key', authorities = 'd.pem' }\n"
              "trunk('x', { 'sip:sbc.example;maddr=192.0.2.1;transport=tls' })\n",
              &told);
    assert_non_null(config);
    const struct ahoyd_listen *listen = &config->listens[0];
    assert_int_equal(listen->transport, AHOY_TLS);
    assert_int_equal(listen->ip.port, 5061);
    assert_string_equal(listen->pair.certificate, "/etc/ahoy/a.pem");
    assert_string_equal(listen->pair.key, "/keys/a.key");
    assert_int_equal(listen->verify, AHOYD_VERIFY_OPTIONAL);
    assert_string_equal(listen->authorities, "/etc/ahoy/ca.pem");
    assert_string_equal(config->domains[0].pair.key, "/etc/ahoy/b.key");
    assert_int_equal(config->domains[0].line, 3);
    assert_null(config->domains[1].pair.key);
    assert_string_equal(config->outward.pair.certificate, "/etc/ahoy/c.pem");
    assert_string_equal(config->outward.authorities, "/etc/ahoy/d.pem");
    assert_int_equal(config->trunks[0].targets[0].transport, AHOY_TLS);
    assert_int_equal(config->trunks[0].targets[0].ip.port, 5061);
    assert_span(config->trunks[0].targets[0].domain, "sbc.example");
    ahoyd_config_free(config);
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct told told;
    assert_null(parse("local s = 'x' while true do s = s .. s end", &told));
    assert_int_equal(told.count, 1);
    assert_non_null(strstr(told.text, "not enough memory"));
}

static void test_auth_none(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config = parse(
        "listen 'udp:127.0.0.1' listen 'udp:[::1]'\ndomain('a.example', { auth = 'none' })", &told);
    assert_non_null(config);
    ahoyd_config_free(config);
    static const char *const open_to_all[] = { "udp:0.0.0.0", "udp:[::]", "udp:192.0.2.1" };
    for (size_t i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text, "listen '%s'\ndomain('a.example', { auth = 'none' })",
                 open_to_all[i]);
        assert_null(parse(text, &told));
        assert_int_equal(told.lines[0], 2);
        assert_non_null(strstr(told.text, "insecure = true"));
    }
    config = parse("listen 'udp:0.0.0.0' domain('a.example', { auth = 'none', insecure = true })",
                   &told);
    assert_non_null(config);
    ahoyd_config_free(config);
}

static void test_every_fault_is_told(void **state)
{
    (void)state;
    struct told told;
    assert_null(parse("lisen 'x'\nworkers(0)\nlisten 'y'\n", &told));
    assert_int_equal(told.count, 3);
    assert_int_equal(told.lines[0], 1);
    assert_int_equal(told.lines[1], 2);
    assert_int_equal(told.lines[2], 3);
    assert_null(parse("", &told));
    assert_non_null(strstr(told.text, "listens nowhere"));
}

static void test_file(void **state)
{
    (void)state;
    struct told told = { 0 };
    struct ahoyd_config_faults faults = { .told = tell, .context = &told };
    assert_null(ahoyd_config_load("/nonexistent/ahoyd.lua", &faults));
    assert_int_equal(told.count, 1);
    assert_non_null(strstr(told.text, "No such file"));
    char path[] = "/tmp/ahoyd-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "listen 'udp:127.0.0.1' domain 'a.example' store 'memory:'";
    assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    struct ahoyd_config *config = ahoyd_config_load(path, &faults);
    unlink(path);
    assert_non_null(config);
    assert_int_equal(config->store, AHOYD_STORE_MEMORY);
    assert_string_equal(config->control_path, "/tmp/ahoyd.sock");
    ahoyd_config_free(config);
}

#define SERVES "listen 'udp:127.0.0.1' domain 'a.example'\n"

static void test_a_store_that_nodes_share(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse(SERVES "store 'redis-cluster://:secret@10.0.0.1:7000?wait=1'\n"
                     "node 'sip:127.0.0.1:5060;transport=tcp'",
              &told);
    assert_int_equal(config->store, AHOYD_STORE_REDIS);
    assert_string_equal(config->store_path, "redis-cluster://:secret@10.0.0.1:7000?wait=1");
    assert_span(config->node, "sip:127.0.0.1:5060;transport=tcp");
    ahoyd_config_free(config);
    config = parse(SERVES "store 'memory:' users 'postgresql://a:secret@10.0.0.1/ahoy'", &told);
    assert_string_equal(config->users_path, "postgresql://a:secret@10.0.0.1/ahoy");
    ahoyd_config_free(config);
    config = parse(SERVES "store 'postgresql://10.0.0.1/a' node 'sip:127.0.0.1'", &told);
    assert_ptr_equal(config->users_path, config->store_path);
    ahoyd_config_free(config);
    config = parse(SERVES, &told);
    assert_null(config->users_path);
    ahoyd_config_free(config);
    /* No fault tells a secret. */
    parse(SERVES "users 'postgresql://a:secret@['", &told);
    assert_non_null(strstr(told.text, "users: libpq does not understand"));
    assert_null(strstr(told.text, "secret"));
    config = parse(SERVES "store 'memory:' users 'sqlite:users.db'", &told);
    assert_int_equal(config->users, AHOYD_STORE_SQLITE);
    assert_non_null(strstr(config->users_path, "/users.db"));
    ahoyd_config_free(config);
    parse(SERVES "users 'users.db'", &told);
    assert_non_null(strstr(told.text, "users \"sqlite:users.db\" or users \"postgresql:"));
    parse(SERVES "users 'sqlite:ahoy.db'", &told); /* The store's, which has users itself. */
    assert_non_null(strstr(told.text, "users has the file of the store"));
    parse(SERVES "store 'redis-cluster://:secret@10.0.0.1:7000'", &told);
    assert_int_equal(told.lines[0], 2);
    assert_non_null(strstr(told.text, "add node \"sip:"));
    assert_null(strstr(told.text, "secret"));
    parse(SERVES "store 'redis-cluster://:secret@10.0.0.1:70000'", &told);
    assert_non_null(strstr(told.text, "host:port"));
    assert_null(strstr(told.text, "secret"));
    parse(SERVES "store 'memory:'\nnode 'sip:bob@127.0.0.1'", &told);
    assert_int_equal(told.lines[0], 3);
    assert_non_null(strstr(told.text, "is no SIP URI of this server"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_words),
        cmocka_unit_test(test_what_can_be_seen),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_faults_of_what_can_be_seen),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_faults_of_push),
        cmocka_unit_test(test_faults_of_the_api),
        cmocka_unit_test(test_faults_of_users),
        cmocka_unit_test(test_auth_none),
        cmocka_unit_test(test_every_fault_is_told),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_websockets),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_faults_of_websockets_and_tls),
        cmocka_unit_test(test_a_store_that_nodes_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
