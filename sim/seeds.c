/* A child takes every n-th seed.  What it is at stands where its parent sees it, so that a seed
 * that stops it has a name. */
#include "sim/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/scene.h"

enum { REPEAT_EVERY = 50, JOBS_LIMIT = 64, SHOWN_MOST = 3 };

/* What a child tells. */
struct job {
    uint64_t next; /* Its place in the row of seeds. */
    uint64_t broken, messages;
    struct sim_phone_told told; /* By all phones. */
};

bool sim_seeds_play(uint64_t number, bool ladder)
{
    struct sim_verdict verdict;
    sim_scene_run(number, ladder, &verdict);
    printf("seed %llu: %llu messages, trace %016llx%s%s\n", (unsigned long long)number,
           (unsigned long long)verdict.messages, (unsigned long long)verdict.hash,
           verdict.law == 0 ? "" : ", ", verdict.what);
    return verdict.law == 0;
}

static void play(struct job *job, uint64_t number, bool again)
{
    struct sim_verdict verdict, second;
    sim_scene_run(number, false, &verdict);
    job->messages += verdict.messages;
    sim_phone_told_add(&job->told, &verdict.told);
    if (again)
        sim_scene_run(number, false, &second);
    if (again && verdict.law == 0 && second.hash != verdict.hash) {
        verdict.law = 1;
        snprintf(verdict.what, sizeof verdict.what, "played again, it was not the same");
    }
    if (verdict.law == 0)
        return;
    fprintf(stderr, "seed %llu: %s (ahoy-sim seed %llu --ladder)\n", (unsigned long long)number,
            verdict.what, (unsigned long long)number);
    if (++job->broken <= SHOWN_MOST)
        (void)sim_seeds_play(number, true); /* It has been counted. */
    fflush(stdout);
}

static void work(const struct sim_seeds *seeds, struct job *job)
{
    for (; job->next < seeds->count; job->next += seeds->jobs)
        play(job, seeds->first + job->next, job->next % REPEAT_EVERY == 0);
}

static pid_t start(const struct sim_seeds *seeds, struct job *job)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        work(seeds, job);
        exit(0);
    }
    return child;
}

/* A child has ended: in the midst of a seed, another goes on behind it. */
static pid_t take_end(const struct sim_seeds *seeds, struct job *job, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return -1;
    uint64_t number = seeds->first + job->next;
    fprintf(stderr, "seed %llu: stopped, by signal %d or code %d (ahoy-sim seed %llu --ladder)\n",
            (unsigned long long)number, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            WIFEXITED(status) ? WEXITSTATUS(status) : 0, (unsigned long long)number);
    job->broken++;
    job->next += seeds->jobs;
    return job->next < seeds->count ? start(seeds, job) : -1;
}

static void print_told(const struct sim_phone_told *told)
{
    printf("phones:");
#define SIM_PHONE_COUNTER(name) printf(" " #name " %u", told->name);
    SIM_PHONE_TOLD(SIM_PHONE_COUNTER)
#undef SIM_PHONE_COUNTER
    putchar('\n');
}

static void show(const struct sim_seeds *seeds, const struct job *jobs)
{
    uint64_t done = 0;
    for (unsigned i = 0; i < seeds->jobs; i++)
        done += jobs[i].next / seeds->jobs;
    fprintf(stderr, "\r%llu of %llu",
            (unsigned long long)(done < seeds->count ? done : seeds->count),
            (unsigned long long)seeds->count);
}

/* Waits until all children are done. */
static void attend(const struct sim_seeds *seeds, struct job *jobs, pid_t *children)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    unsigned living = seeds->jobs;
    while (living > 0) {
        int status;
        pid_t child = waitpid(-1, &status, terminal ? WNOHANG : 0);
        if (child < 0)
            break;
        if (child == 0) {
            show(seeds, jobs);
            usleep(200000);
        }
        for (unsigned i = 0; child > 0 && i < seeds->jobs; i++) {
            if (children[i] != child)
                continue;
            children[i] = take_end(seeds, &jobs[i], status);
            living -= children[i] < 0;
        }
    }
    if (terminal)
        fputs("\r", stderr);
}

bool sim_seeds_run(const struct sim_seeds *seeds)
{
    pid_t children[JOBS_LIMIT];
    struct sim_seeds all = *seeds;
    uint64_t broken = 0, messages = 0;
    struct sim_phone_told told = { 0 };
    if (all.jobs > JOBS_LIMIT)
        all.jobs = JOBS_LIMIT;
    struct job *jobs = mmap(NULL, sizeof *jobs * JOBS_LIMIT, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (jobs == MAP_FAILED)
        return false;
    memset(jobs, 0, sizeof *jobs * JOBS_LIMIT);
    for (unsigned i = 0; i < all.jobs; i++) {
        jobs[i].next = i;
        children[i] = start(&all, &jobs[i]);
    }
    attend(&all, jobs, children);
    for (unsigned i = 0; i < all.jobs; i++) {
        broken += jobs[i].broken;
        messages += jobs[i].messages;
        sim_phone_told_add(&told, &jobs[i].told);
    }
    munmap(jobs, sizeof *jobs * JOBS_LIMIT);
    printf("%llu seeds, %llu messages, %llu broken\n", (unsigned long long)all.count,
           (unsigned long long)messages, (unsigned long long)broken);
    print_told(&told);
    return broken == 0;
}
