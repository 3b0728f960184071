/* The two machines of RFC 3261 17.1.2 and 17.2.2 with a wire between them, and users above who do
 * whatever the owner lets them do.  Each event and its effects are one step, as they are in
 * libahoy/transaction/client.c and server.c. */
#include "tables.pml"
#include "wire.pml"

#define REQUEST     1
#define PROVISIONAL 2
#define FINAL       3

/* A server transaction is made by the first request that arrives. */
#define ABSENT 0

/* The client: its machine, its clocks, what it was told to send, and what its user has heard. */
byte client, client_again = NONE, client_end = NONE, client_sends;
bool client_failed, client_has_request;
byte finals_heard;
bool heard_timeout, heard_unreachable;

/* The server, and what its user has answered. */
byte server = ABSENT, server_end = NONE, server_kept = NONE;
bool server_failed, is_silent, has_rung;
byte finals;

#define is_there    (server != ABSENT && server != NIS_TERMINATED)
#define is_thinking (is_there && finals == 0)
#define over (client == NIC_TERMINATED && (server == ABSENT || server == NIS_TERMINATED) && \
              empty(to_server) && empty(to_client))

inline apply_client(event)
{
    if :: effects & NIC_STOP -> client_again = NONE; client_end = NONE :: else fi;
    if
    :: (effects & NIC_TELL) && event == NIC_FINAL -> finals_heard++
    :: (effects & NIC_TELL) && event == NIC_PROVISIONAL -> assert(finals_heard == 0)
    :: else
    fi;
    if
    :: effects & NIC_SEND_REQUEST ->
        assert(client_has_request);
        send(to_server, REQUEST, client_failed)
    :: else
    fi;
    if :: effects & NIC_FORGET -> client_has_request = false :: else fi;
    if :: effects & NIC_TELL_TIMEOUT -> heard_timeout = true :: else fi;
    if :: effects & NIC_TELL_UNREACHABLE -> heard_unreachable = true :: else fi;
#ifndef RELIABLE
    if
    :: (effects & (NIC_START_E | NIC_START_E_AT_T2)) && client_sends < SENDS ->
        client_again = NIC_TIMER_E; client_sends++
    :: else
    fi;
#endif
    if :: effects & NIC_START_F -> client_end = NIC_TIMER_F :: else fi;
    if :: effects & NIC_START_K -> client_end = NIC_TIMER_K :: else fi;
    if
    :: client == NIC_TERMINATED ->
        assert(!(effects & ~(NIC_TELL | NIC_TELL_TIMEOUT | NIC_TELL_UNREACHABLE)));
        client_again = NONE; client_end = NONE; client_failed = false
    :: else
    fi;
    /* The user hears one outcome, and a final response but once. */
    assert(finals_heard + heard_timeout + heard_unreachable <= 1)
}

proctype client_side()
{
    int effects;
    byte event;
    atomic { client_has_request = true; nic_start(client, effects); apply_client(NONE) };
    do
    :: atomic {
        if
        :: arrives(to_client, PROVISIONAL) -> event = NIC_PROVISIONAL
        :: arrives(to_client, FINAL) -> event = NIC_FINAL
        :: client_failed -> client_failed = false; event = NIC_SEND_FAILED
        :: client_again != NONE && may_send_again -> event = client_again; client_again = NONE
        :: client_end != NONE && may_end -> event = client_end; client_end = NONE
        fi;
        if
        :: client == NIC_TERMINATED /* A stray: it is dropped. */
        :: else -> nic_step(client, event, effects); apply_client(event)
        fi }
    :: over -> break
    od;
    /* What the server's user gave as its final response has reached the client's user, or that
     * one knows that nothing did. */
    assert(finals_heard == 1 || heard_timeout || heard_unreachable);
#ifndef HASTY
    assert(finals_heard == 1)
#endif
}

inline apply_server()
{
    if :: effects & NIS_SEND -> server_kept = kind :: else fi;
    if
    :: effects & (NIS_SEND | NIS_RESEND) ->
        assert(server_kept != NONE);
        send(to_client, server_kept, server_failed)
    :: else
    fi;
    if :: effects & NIS_STOP -> server_end = NONE :: else fi;
    if :: effects & NIS_START_F -> server_end = NIS_TIMER_F :: else fi;
    if :: effects & NIS_START_J -> server_end = NIS_TIMER_J :: else fi;
    if
    :: server == NIS_TERMINATED ->
        assert(!(effects & ~NIS_TELL_UNREACHABLE));
        server_end = NONE; server_failed = false
    :: else
    fi
}

proctype server_side()
{
    int effects;
    byte event = NONE, kind = NONE;
    do
    :: atomic {
        if
        :: arrives(to_server, REQUEST) -> event = NIS_REQUEST
        /* The user may answer again and too late; it is a fault of its own, and does no harm. */
        :: is_there && !is_silent && !has_rung ->
            has_rung = true; event = NIS_PROVISIONAL; kind = PROVISIONAL
        :: is_there && !is_silent && finals < 2 -> finals++; event = NIS_FINAL; kind = FINAL
#ifdef HASTY
        :: is_thinking && !is_silent -> is_silent = true
#endif
        :: server_failed -> server_failed = false; event = NIS_SEND_FAILED
        :: server_end != NONE && may_end -> event = server_end; server_end = NONE
        fi;
        if
        :: event == NONE || (event == NIS_REQUEST && server == NIS_TERMINATED)
        :: event == NIS_REQUEST && server == ABSENT ->
            nis_start(server, effects);
            apply_server()
        :: event != NONE && is_there -> nis_step(server, event, effects); apply_server()
        fi;
        event = NONE; kind = NONE }
    :: over -> break
    od
}

init
{
    atomic { run client_side(); run server_side() }
}
