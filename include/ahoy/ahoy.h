/* Ahoy: SIP in C.  This is all that a program includes; what each part promises, and what its calls
 * own and return, stands in the header of that part.
 *
 *     cc program.c $(pkg-config --cflags --libs ahoy)
 *
 * The layers are RFC 3261's (section 5).  All but io/ work without sockets, clocks and threads: the
 * time is an argument, what is to be sent is polled. */
#pragma once

/* Syntax: messages read in place, and composed. */
#include "libahoy/syntax/compose.h"
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/method.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/status.h"
#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/value.h"

/* Session descriptions (RFC 8866), offer and answer (RFC 3264); digest (RFC 7616, 8760). */
#include "libahoy/auth/digest.h"
#include "libahoy/sdp/negotiate.h"
#include "libahoy/sdp/sdp.h"

/* Transport, transactions, and where servers are (RFC 3263): one stack a thread. */
#include "libahoy/resolve/locate.h"
#include "libahoy/stack/stack.h"

/* Transaction users: the user agent, the proxy, the registrar. */
#include "libahoy/tu/proxy.h"
#include "libahoy/tu/registrar.h"
#include "libahoy/tu/ua.h"

/* What there is to say about a message, for people. */
#include "libahoy/explain/explain.h"

/* Sockets, TLS and DNS; the ready loop is pump.h. */
#include "libahoy/io/driver.h"
#include "libahoy/io/pump.h"
#include "libahoy/io/tls_context.h"
