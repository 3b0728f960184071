-- The configuration of ahoyd: a Lua file that is run once, when it starts.
-- ahoyd --check FILE names every fault in it; ahoyd.lua(5) says what each word does.
-- Every word stands here, and every option; what is commented out is an example that can be used.
-- Five lines are enough to begin with: those that are not.

-- Where it listens: transport, address, port (5060 where none is given).  SIP wants UDP and TCP at
-- the same place.  An address of its own each time is better than 0.0.0.0 or [::]: answers then
-- leave from the address that was asked.
listen "udp:127.0.0.1:5060"
listen "tcp:127.0.0.1:5060"
listen "udp:[::1]:5060"
listen "tcp:[::1]:5060"

-- Behind a NAT, say what others must use to reach it:
-- listen("udp:10.0.0.5:5060", { advertise = "sip.atlanta.example" })

-- TLS, with a certificate and its key in PEM files; certificates that change are read again within
-- a minute, or at once with SIGHUP.  With verify = "optional" or "required" clients show theirs:
-- listen("tls:192.0.2.1:5061", { certificate = "atlanta.pem", key = "atlanta.key" })
-- listen("wss:192.0.2.1:443", { certificate = "atlanta.pem", key = "atlanta.key",
--                              origins = { "https://phone.atlanta.example" } })
-- listen("tls:192.0.2.1:5071", { certificate = "atlanta.pem", key = "atlanta.key",
--                                verify = "required", authorities = "partners.pem" })
-- domain("biloxi.example", { certificate = "biloxi.pem", key = "biloxi.key" })
-- Whom to believe, and what to show, when it opens a connection itself:
-- tls { authorities = "partners.pem", certificate = "atlanta.pem", key = "atlanta.key" }

-- Whose calls and registrations it serves.  Users are added with ahoyctl:
--     ahoyctl user add alice@atlanta.example
-- and their further names, numbers for example:
--     ahoyctl user alias add 100@atlanta.example alice@atlanta.example
domain("atlanta.example", { auth = "digest", min_expires = 60, max_expires = 7200,
                            default_expires = 3600 })

-- One whose users need no password, which nobody but this machine should reach; one whose users are
-- sent on, not connected; and one that tells nobody who asks the names of those who register:
-- domain("lab.example", { auth = "none", insecure = true })
-- domain("dallas.example", { mode = "redirect" })
-- domain("reno.example", { userhash = true, rspauth = true, user_certificates = true,
--                          redirections = "pass", numbers = { ["0"] = "+49" } })

-- Without MD5, and with the body of each request covered by the digest, where all phones can do it:
-- domain("denver.example", { algorithms = { "SHA-512-256", "SHA-256" }, qop = { "auth-int" } })

-- Phones one after the other, by the q that they register with, 15 seconds each:
-- domain("chicago.example", { ring = "order", ring_time = 15 })

-- Phones learn when they register that their calls must come by this proxy (RFC 3608):
-- domain("boston.example", { service_route = { "sip:proxy.boston.example;lr" } })

-- What a user may have at once, and one who may have more:
-- domain("miami.example", { user_contacts = 4, user_calls_per_second = 2,
--                           user_unanswered_calls = 3 })
-- user("desk@miami.example", { contacts = 10, calls_per_second = 20, unanswered_calls = 30 })

-- Where users and registrations are kept, from here: a file, or "memory:" for nothing.
store "sqlite:ahoy.db"

-- Or in a Redis Cluster that several servers share, and how the others reach this one:
-- store "redis-cluster://ahoy:password@10.0.1.1:6379,10.0.1.2:6379?wait=1"
-- or, where a binding must outlive the database's loss of power:
-- store "postgresql://ahoy:password@10.0.1.1/ahoy"
-- node "sip:10.0.0.1:5060;transport=tcp"

-- Users in a table of PostgreSQL that other programs read and write, beside whichever store:
-- users "postgresql://ahoy:password@10.0.1.1/ahoy"
--- Or in such a table in a file of SQLite:
-- users "sqlite:/var/lib/ahoyd/users.db"

-- Where calls to other domains go, and who may send them there: "users" (who have a password of
-- ours; the default), "trunks", or "anyone".
-- A trunk's targets are tried in this order; a name is looked up when it is needed.
trunk("carrier", { "sip:192.0.2.10:5060", "sip:carrier.example;transport=tcp" })
route { domain = "carrier.example", to = "carrier", from = "users" }
-- One that is believed who calls, and that is told so too (P-Asserted-Identity):
-- trunk("branch", { "sip:branch.example;transport=tls" }, { trusted = true })
-- One that is asked every minute whether it is there, bears 30 calls and 5 new ones a second, gets
-- three of four calls at its first address, and writes numbers in its own way:
-- trunk("gateway", { { "sip:192.0.2.20", priority = 1, weight = 3 }, { "sip:192.0.2.21" } },
--       { probe = 60, calls = 30, rate = 5, receives = { ["0"] = "+49" },
--         sends = { ["+"] = "00" } })

-- More than that: numbers, groups, hours, redirections and refusals.  docs/routing.md has twenty
-- examples; ahoyd --route and ahoyd --test try them without a call.
-- group("sales", { "alice@atlanta.example", "bob@atlanta.example" }, { ring_time = 15 })
-- route { user = "sales", hours = "Mon-Fri 08:00-18:00", zone = "Europe/Berlin", to = "sales" }
-- route { user = "sales", reject = 480, reason = "We are at home" }
-- route { number = "+49900.", reject = 603 }
-- route { user = "fax", reject = 503, retry_after = 3600 }
-- route { user = "old", redirect = "sip:*@atlanta.example" }
-- route { number = "00.", rewrite = { ["00"] = "+" }, to = "carrier", ring_time = 30 }
-- route { number = "+.", to = "carrier" }
-- route { method = "MESSAGE", transport = "udp", source = "192.0.2.0/24", reject = 488 }
-- route { header = "Subject", when = function(call) return call.header("Subject") == "spam" end,
--         reject = 608 }
-- route { domain = "transit.example", from = "trunks", to = "carrier", stateless = true }

-- One worker a core, unless it says otherwise:
-- workers(2)

-- Datagrams to one address leave together, made equally long by spaces behind Content-Length: at
-- most so many each.
-- udp { padding = 128 }

-- Messages that wait for longer than this many milliseconds mean overload: new requests are
-- refused.
-- overload { target = 100 }

-- Phones that sleep are woken through a push service (RFC 8599), which this hook asks:
-- push { url = "http://127.0.0.1:8099/wake", providers = { "fcm", "apns" }, wait = 20 }

-- Name servers of your own, in place of those of /etc/resolv.conf:
-- dns { servers = { "192.0.2.53", "[2001:db8::53]:5353" }, anchor = "/usr/share/dns/root.key" }

-- For ahoyctl; this is the default:
control "unix:ahoyd.sock"

-- Memory, in MB a worker, for what happened last: ahoyctl calls, ahoyctl explain.
-- observe { memory = 16 }
-- With an address, metrics for Prometheus too, at /metrics (and /health, /ready):
-- observe { http = "127.0.0.1:9464" }
-- The API and the console, a page for the operator (docs/api.md):
-- api { http = "127.0.0.1:9465", token = "ahoyd.token", write = true, hosts = { "ahoy.example" } }

-- A row for each call, in a file of CSV, in SQLite or in PostgreSQL (docs/records.md):
-- records "csv:calls.csv"
-- A copy of each message for a Homer server (docs/hep.md):
-- hep("udp:192.0.2.60:9060", { id = 7 })

-- The log is text on standard error, which systemd's journal reads; a collector may like this more:
-- log { format = "json", to = "stdout", level = "notice" }

-- Started as root, it becomes this user before it opens anything.  System calls that it does not
-- need are refused, unless filter = false says that they are not:
-- process { user = "ahoyd", filter = true }

-- Every message as a line of JSON, to look for a fault; it grows without end:
-- trace "trace.jsonl"
