/* The two machines of RFC 3261 17.1.1 and 17.2.1, with RFC 6026, and a wire between them; users
 * above who do whatever the owner lets them do.  Each event and its effects are one step, as they
 * are in libahoy/transaction/client.c and server.c. */
#include "tables.pml"
#include "wire.pml"

#define INVITE      1
#define ACK         2 /* To a failure: the client's machine makes it. */
#define ACK_SUCCESS 3 /* To a 2xx: the client's user makes it. */
#define CANCEL      4 /* Its own transaction is looked at in noninvite.pml. */
#define PROVISIONAL 5
#define SUCCESS     6
#define FAILURE     7

/* A server transaction is made by the first INVITE that arrives. */
#define ABSENT 0

/* The client: its machine, its clocks, what it keeps to be sent, and what its user has heard. */
byte client, client_again = NONE, client_end = NONE, client_sends, client_kept = INVITE;
bool client_failed, ack_failed, is_cancelled;
byte failures_heard;
bool heard_success, heard_timeout, heard_unreachable;

/* The server, and what its user has answered and heard. */
byte server = ABSENT, server_again = NONE, server_end = NONE, server_sends, server_kept = NONE;
bool server_failed, is_silent, was_confirmed, heard_ack, heard_no_ack, has_rung;
byte finals, first_final = NONE;

#define is_there    (server != ABSENT && server != INS_TERMINATED)
#define is_thinking (is_there && finals == 0)
/* A client whose server's user never answers waits until its own user loses patience (16.8); a
 * server whose user never answers waits for ever. */
#define over (client == INC_TERMINATED && \
              (!is_there || (server == INS_PROCEEDING && is_silent)) && \
              empty(to_server) && empty(to_client))

inline tell_client(event)
{
    if
    :: event == INC_PROVISIONAL -> assert(!heard_success && failures_heard == 0)
    :: event == INC_SUCCESS ->
        heard_success = true;
        assert(first_final == SUCCESS);
        send(to_server, ACK_SUCCESS, ack_failed);
        ack_failed = false /* Its user hears of that, who will get the 2xx again. */
    :: event == INC_FAILURE -> failures_heard++; assert(first_final == FAILURE)
    fi
}

inline apply_client(event)
{
    if :: effects & INC_STOP -> client_again = NONE; client_end = NONE :: else fi;
    if :: effects & INC_TELL -> tell_client(event) :: else fi;
    if :: effects & INC_SEND_ACK -> assert(client_kept == INVITE); client_kept = ACK :: else fi;
    if :: effects & INC_SEND_REQUEST -> assert(client_kept == INVITE) :: else fi;
    if :: effects & INC_RESEND_ACK -> assert(client_kept == ACK) :: else fi;
    if
    :: effects & (INC_SEND_REQUEST | INC_SEND_ACK | INC_RESEND_ACK) ->
        send(to_server, client_kept, client_failed)
    :: else
    fi;
    if :: effects & INC_FORGET -> client_kept = NONE :: else fi;
    if :: effects & INC_TELL_TIMEOUT -> heard_timeout = true :: else fi;
    if :: effects & INC_TELL_UNREACHABLE -> heard_unreachable = true :: else fi;
#ifndef RELIABLE
    if
    :: (effects & INC_START_A) && client_sends < SENDS ->
        client_again = INC_TIMER_A; client_sends++
    :: else
    fi;
#endif
    if :: effects & INC_START_B -> client_end = INC_TIMER_B :: else fi;
    if :: effects & INC_START_D -> client_end = INC_TIMER_D :: else fi;
    if :: effects & INC_START_M -> client_end = INC_TIMER_M :: else fi;
    if
    :: client == INC_TERMINATED ->
        assert(!(effects & ~(INC_TELL | INC_TELL_TIMEOUT | INC_TELL_UNREACHABLE)));
        client_again = NONE; client_end = NONE; client_failed = false
    :: else
    fi;
    /* The user hears one outcome; only that its ACK to a failure cannot be sent may come on top. */
    assert(failures_heard + heard_success + heard_timeout <= 1);
    assert(!heard_unreachable || !(heard_success || heard_timeout))
}

proctype client_side()
{
    int effects;
    byte event;
    atomic { inc_start(client, effects); apply_client(NONE) };
    do
    :: atomic {
        if
        :: arrives(to_client, PROVISIONAL) -> event = INC_PROVISIONAL
        :: arrives(to_client, SUCCESS) -> event = INC_SUCCESS
        :: arrives(to_client, FAILURE) -> event = INC_FAILURE
        :: client_failed -> client_failed = false; event = INC_SEND_FAILED
        :: client == INC_PROCEEDING && !is_cancelled ->
            is_cancelled = true; event = INC_CANCEL_SENT;
            if
            :: nfull(to_server) -> put(to_server, CANCEL)
#ifdef HASTY
            :: true -> skip
#endif
            fi
        :: client_again != NONE && may_send_again -> event = client_again; client_again = NONE
        :: client_end != NONE && may_end -> event = client_end; client_end = NONE
        fi;
        if
        :: client == INC_TERMINATED /* A stray: it is dropped (RFC 6026 8.9). */
        :: else -> inc_step(client, event, effects); apply_client(event)
        fi }
    :: over -> break
    od;
    /* What the server's user gave as its final response has reached the client's user, or that
     * one knows that nothing did. */
    assert(failures_heard == 1 || heard_success || heard_timeout || heard_unreachable);
#ifndef HASTY
    assert(failures_heard == 1 || heard_success)
#endif
}

inline apply_server()
{
    if :: effects & INS_SEND -> server_kept = kind :: else fi;
    if :: effects & INS_RESEND -> kind = server_kept :: else fi;
    if
    :: (effects & (INS_SEND | INS_SEND_ONCE | INS_RESEND)) && kind != NONE ->
        send(to_client, kind, server_failed)
    :: else
    fi;
    if :: effects & INS_STOP -> server_again = NONE; server_end = NONE :: else fi;
    if :: effects & INS_FORGET -> server_kept = NONE :: else fi;
    if :: effects & INS_TELL_ACK -> heard_ack = true :: else fi;
    if :: effects & INS_TELL_NO_ACK -> heard_no_ack = true :: else fi;
#ifndef RELIABLE
    if
    :: (effects & INS_START_G) && server_sends < SENDS ->
        assert(server_kept == FAILURE);
        server_again = INS_TIMER_G; server_sends++
    :: else
    fi;
#endif
    if :: effects & INS_START_H -> server_end = INS_TIMER_H :: else fi;
    if :: effects & INS_START_I -> server_end = INS_TIMER_I :: else fi;
    if :: effects & INS_START_L -> server_end = INS_TIMER_L :: else fi;
    if :: server == INS_CONFIRMED -> was_confirmed = true :: else fi;
    if
    :: server == INS_TERMINATED ->
        assert(!(effects & ~(INS_TELL_ACK | INS_TELL_UNREACHABLE | INS_TELL_NO_ACK)));
        server_again = NONE; server_end = NONE; server_failed = false
    :: else
    fi
}

/* What the user's response of |kind| is to the machine; none leaves |event| as it is. */
inline answer(kind)
{
    if
    :: kind == PROVISIONAL -> event = INS_PROVISIONAL
    :: kind == SUCCESS -> event = INS_SUCCESS
    :: kind == FAILURE -> event = INS_FAILURE
    :: else
    fi;
    if
    :: kind == SUCCESS || kind == FAILURE ->
        if :: finals == 0 -> first_final = kind :: else fi;
        finals++
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
        :: arrives(to_server, INVITE) -> event = INS_INVITE
        :: arrives(to_server, ACK) -> event = INS_ACK
        /* It makes no transaction, but that of a peer of RFC 2543 matches the INVITE's. */
        :: arrives(to_server, ACK_SUCCESS) ->
            if :: true -> heard_ack = true :: is_there -> event = INS_ACK; kind = ACK_SUCCESS fi
        :: arrives(to_server, CANCEL) -> if :: is_thinking -> kind = FAILURE :: else fi
        /* The user may answer again and too late; it is a fault of its own, and does no harm. */
        :: is_there && !is_silent && !has_rung -> has_rung = true; kind = PROVISIONAL
        :: is_there && !is_silent && finals < 2 -> kind = SUCCESS
        :: is_there && !is_silent && finals < 2 -> kind = FAILURE
#ifdef HASTY
        :: is_thinking && !is_silent -> is_silent = true
#endif
        /* A 2xx is sent again by the user until its ACK comes (13.3.1.4). */
        :: server == INS_ACCEPTED && !heard_ack && server_sends < SENDS && may_send_again ->
            server_sends++; event = INS_SUCCESS; kind = SUCCESS
        :: server_failed -> server_failed = false; event = INS_SEND_FAILED
        :: server_again != NONE && may_send_again -> event = server_again; server_again = NONE
        :: server_end != NONE && may_end -> event = server_end; server_end = NONE
        fi;
        if :: event == NONE -> answer(kind) :: else fi;
        if
        :: event == NONE
        :: event == INS_INVITE && server == ABSENT -> ins_start(server, effects)
        /* What comes to it now makes a transaction of its own, which is not looked at. */
        :: event == INS_INVITE && server == INS_TERMINATED
        :: event != NONE && event != INS_INVITE && !is_there
        :: event != NONE && is_there ->
            ins_step(server, event, effects);
            apply_server();
            assert(kind != ACK_SUCCESS || heard_ack)
        fi;
        event = NONE; kind = NONE }
    :: over -> break
    od;
    /* Who gave a failure knows whether it arrived. */
    assert(first_final != FAILURE || was_confirmed || heard_no_ack);
#ifndef HASTY
    assert(!heard_no_ack && (first_final != SUCCESS || heard_ack))
#endif
}

init
{
    atomic { run client_side(); run server_side() }
}
