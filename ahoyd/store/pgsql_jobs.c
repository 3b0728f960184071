/* Queues of what PostgreSQL is asked, oldest first. */
#include "ahoyd/store/pgsql_inside.h"

#include <stdlib.h>
#include <string.h>

void pgsql_jobs_init(struct pgsql_jobs *jobs)
{
    jobs->first = NULL;
    jobs->last = &jobs->first;
}

void pgsql_jobs_put(struct pgsql_jobs *jobs, struct pgsql_job *job)
{
    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
}

struct pgsql_job *pgsql_jobs_take(struct pgsql_jobs *jobs)
{
    struct pgsql_job *job = jobs->first;
    if (job == NULL)
        return NULL;
    jobs->first = job->next;
    if (jobs->first == NULL)
        jobs->last = &jobs->first;
    return job;
}

void pgsql_jobs_free(struct pgsql_jobs *jobs)
{
    struct pgsql_job *job;
    while ((job = pgsql_jobs_take(jobs)) != NULL)
        pgsql_job_free(job);
}

struct pgsql_job *pgsql_job_new(bool is_swap, const struct shared_swap *swap)
{
    const struct shared_row *row = &swap->row;
    struct pgsql_job *job = malloc(sizeof *job + row->key.size + row->bytes.size);
    if (job == NULL)
        return NULL;
    *job = (struct pgsql_job){ .is_swap = is_swap, .swap = *swap };
    memcpy(job->text, row->key.at, row->key.size);
    if (row->bytes.size > 0)
        memcpy(job->text + row->key.size, row->bytes.at, row->bytes.size);
    job->swap.row.key = (struct span){ job->text, row->key.size };
    job->swap.row.bytes = (struct span){ job->text + row->key.size, row->bytes.size };
    return job;
}

void pgsql_job_free(struct pgsql_job *job)
{
    if (job == NULL)
        return;
    PQclear(job->result);
    free(job);
}
