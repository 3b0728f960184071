/* What nobody should send. */
#include <stdio.h>

#include "sim/actor_inside.h"

enum { LATE_MOST_MS = 40000 };

static void flip(struct sim_actor *actor, char *bytes, size_t size)
{
    for (uint64_t i = 1 + actor_below(actor, 4); i > 0 && size > 0; i--)
        bytes[actor_below(actor, size)] = (char)actor_below(actor, 256);
}

/* Cuts a part out, or writes one twice; returns the size that results. */
static size_t splice(struct sim_actor *actor, char *bytes, size_t size)
{
    size_t at = actor_below(actor, size);
    size_t part = 1 + actor_below(actor, size - at);
    if (part > 64)
        part = 64;
    if (actor_chance(actor, 50)) {
        memmove(bytes + at, bytes + at + part, size - at - part);
        return size - part;
    }
    if (size + part > ACTOR_MESSAGE_LIMIT)
        return size;
    memmove(bytes + at + part, bytes + at, size - at);
    return size + part;
}

void actor_mutate(struct sim_actor *actor, const struct ahoy_ip *to, uint64_t stream,
                  struct span bytes)
{
    char space[ACTOR_MESSAGE_LIMIT];
    size_t size = bytes.size < sizeof space ? bytes.size : sizeof space;
    if (size == 0)
        return;
    memcpy(space, bytes.at, size);
    switch (actor_below(actor, 3)) {
    case 0:
        flip(actor, space, size);
        break;
    case 1:
        size = splice(actor, space, size);
        break;
    default:
        size = actor_below(actor, size); /* It ends too early. */
        break;
    }
    if (size > 0)
        actor_send(actor, to, stream, (struct span){ space, size });
}

/* Sends again what it or others have sent, soon or late. */
static void replay(struct sim_actor *actor)
{
    struct actor_kept *lists[] = { actor->asked, actor->answered, actor->seen };
    const size_t counts[] = { ACTOR_ASKED_LIMIT, ACTOR_ANSWERED_LIMIT, ACTOR_SEEN_LIMIT };
    size_t which = actor_below(actor, 3);
    const struct actor_kept *kept = &lists[which][actor_below(actor, counts[which])];
    struct span bytes = { kept->bytes, kept->size };
    if (kept->bytes == NULL)
        return;
    if (actor_chance(actor, 50))
        actor_mutate(actor, &actor->options.server, 0, bytes);
    else
        (void)actor_later(actor, actor_below(actor, LATE_MOST_MS), &actor->options.server, 0,
                          bytes); /* Where it cannot be, it is not replayed. */
}

/* A request in another's name, without his proof, and from where he is. */
static void forge(struct sim_actor *actor)
{
    static const char *const methods[] = { "REGISTER", "INVITE", "BYE", "CANCEL", "MESSAGE" };
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    const char *method = methods[actor_below(actor, 5)];
    const char *victim = actor->options.friends[0];
    bool is_register = strcmp(method, "REGISTER") == 0;
    if (victim == NULL)
        return;
    actor_put(&buf, "%s sip:%s%satlanta.example SIP/2.0\r\n", method, is_register ? "" : victim,
              is_register ? "" : "@");
    actor_put_via(actor, &buf);
    actor_put(&buf, "Max-Forwards: 70\r\nFrom: <sip:%s@atlanta.example>;tag=f%u\r\n", victim,
              ++actor->calls);
    actor_put(&buf, "To: <sip:%s@atlanta.example>%s\r\nCall-ID: forged-%u\r\nCSeq: 1 %s\r\n",
              victim, actor_chance(actor, 30) ? ";tag=forged" : "", actor->calls, method);
    actor_put(&buf, "Contact: ");
    actor_put_contact(actor, &buf);
    actor_put(&buf, "\r\nContent-Length: 0\r\n\r\n");
    actor_ask(actor, ahoy_buf_text(&buf)); /* Its own proof is all that it has. */
}

/* A response to something that nobody asked. */
static void answer_nothing(struct sim_actor *actor)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    actor_put(&buf, "SIP/2.0 %u Wild\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%s%llx\r\n",
              (unsigned)(100 + actor_below(actor, 600)), AHOY_BRANCH_COOKIE,
              (unsigned long long)ahoy_rng_next(&actor->rng));
    actor_put_via(actor, &buf);
    actor_put(&buf, "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: w\r\n"
                    "CSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    actor_send(actor, &actor->options.server, 0, ahoy_buf_text(&buf));
}

void actor_be_wild(struct sim_actor *actor)
{
    switch (actor_below(actor, 4)) {
    case 0:
        forge(actor);
        break;
    case 1:
        answer_nothing(actor);
        break;
    default:
        replay(actor);
        break;
    }
}
