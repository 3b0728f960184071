-- ahoyd.lua(5) says what each word does; ahoyd --check FILE looks at changes before a restart does.
-- Others reach this server once its own addresses stand here in place of this machine's loopback.
listen "udp:127.0.0.1:5060"
listen "tcp:127.0.0.1:5060"
domain "localhost" -- ahoyctl user add alice@localhost
store "sqlite:/var/lib/ahoyd/ahoy.db"
control "unix:/run/ahoyd/ahoyd.sock"
-- api { token = "/var/lib/ahoyd/token" } -- The console, at http://127.0.0.1:9465/
