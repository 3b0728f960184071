/* The kernel runs a program of classic BPF on each datagram, which begins with the header of UDP.
 * A train that came as one piece (UDP_GRO) would be judged by its first datagram, so there are none
 * while a sieve is set. */
#include "libahoy/io/sieve.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    PAYLOAD = 8,
    URI = PAYLOAD + 7, /* After "INVITE ". */
    SHORTEST = PAYLOAD + 12,
    STUN_END = 2, /* RFC 7983 7: STUN begins with 0 or 1, and what is no text with 128 or more. */
    TEXT_LAST = 127,
    PROGRAM_LIMIT = 40
};

#define WORD(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

static const uint32_t passing[] = {
    WORD('S', 'I', 'P', '/'), WORD('A', 'C', 'K', ' '), WORD('B', 'Y', 'E', ' '),
    WORD('C', 'A', 'N', 'C'), WORD('P', 'R', 'A', 'C'), WORD('U', 'P', 'D', 'A'),
    WORD('N', 'O', 'T', 'I'), WORD('I', 'N', 'F', 'O'),
};

/* A program that grows.  Its jumps lead over one instruction at most, so that no distance has to be
 * known: who passes returns at once. */
struct program {
    struct sock_filter at[PROGRAM_LIMIT];
    unsigned short count;
};

static void put(struct program *program, uint16_t code, uint32_t k)
{
    program->at[program->count++] = (struct sock_filter)BPF_STMT(code, k);
}

/* Lets the datagram pass where the comparison is |wanted|. */
static void pass_if(struct program *program, uint16_t comparison, uint32_t k, bool wanted)
{
    program->at[program->count++] = (struct sock_filter)BPF_JUMP(
        (uint16_t)(BPF_JMP | BPF_K | comparison), k, wanted ? 0 : 1, wanted ? 1 : 0);
    put(program, BPF_RET | BPF_K, UINT32_MAX);
}

/* A call for help; what is no INVITE skips the look. */
static void pass_help(struct program *program)
{
    enum { LOOK = 4 }; /* Instructions. */
    program->at[program->count++] = (struct sock_filter)BPF_JUMP(
        BPF_JMP | BPF_K | BPF_JEQ, WORD('I', 'N', 'V', 'I'), 0, LOOK);
    put(program, BPF_LD | BPF_W | BPF_ABS, URI);
    put(program, BPF_ALU | BPF_OR | BPF_K, 0x20202020); /* Capitals too; a colon has that bit. */
    pass_if(program, BPF_JEQ, WORD('u', 'r', 'n', ':'), true);
}

static void write_program(struct program *program, unsigned share)
{
    program->count = 0;
    put(program, BPF_LD | BPF_W | BPF_LEN, 0);
    pass_if(program, BPF_JGE, SHORTEST, false);
    put(program, BPF_LD | BPF_B | BPF_ABS, PAYLOAD);
    pass_if(program, BPF_JGE, STUN_END, false);
    pass_if(program, BPF_JGT, TEXT_LAST, true);
    put(program, BPF_LD | BPF_W | BPF_ABS, PAYLOAD);
    for (unsigned i = 0; i < sizeof passing / sizeof *passing; i++)
        pass_if(program, BPF_JEQ, passing[i], true);
    pass_help(program);
    put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
    put(program, BPF_ALU | BPF_AND | BPF_K, AHOY_SIEVE_ALL - 1);
    pass_if(program, BPF_JGE, share, false);
    put(program, BPF_RET | BPF_K, 0);
}

static void set_trains(int fd, int on)
{
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on); /* As datagrams_in.c has it. */
}

bool ahoy_sieve_set(int fd, unsigned share)
{
    int unused = 0;
    if (share >= AHOY_SIEVE_ALL) {
        (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
        set_trains(fd, 1);
        return true;
    }
    struct program program;
    write_program(&program, share);
    const struct sock_fprog whole = { .len = program.count, .filter = program.at };
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof whole) != 0)
        return false;
    set_trains(fd, 0);
    return true;
}

bool ahoy_sieve_is_full(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS] = { 0 };
    socklen_t size = sizeof memory;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0)
        return false;
    return (uint64_t)memory[SK_MEMINFO_RMEM_ALLOC] * 16 >=
           (uint64_t)memory[SK_MEMINFO_RCVBUF] * AHOY_SIEVE_FULL_SIXTEENTHS;
}
