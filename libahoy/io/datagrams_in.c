/* Receiving in batches.  One buffer each for the largest datagram that there can be: they are
 * 64 KiB apart in address space and cost a page or two each in memory. */
#include "libahoy/io/datagrams_in.h"

#include <sys/mman.h>

enum {
    /* A little more than 64 KiB: buffers that began at the same offset would all fall into the
     * same few sets of the processor's caches. */
    STRIDE = 65536 + 17 * 64,
    AREA_SIZE = AHOY_BATCH * STRIDE
};

bool ahoy_datagrams_in_init(struct ahoy_datagrams_in *in)
{
    memset(in, 0, sizeof *in);
    void *area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return false;
    in->area = area;
    for (int i = 0; i < AHOY_BATCH; i++) {
        in->pieces[i] = (struct iovec){ in->area + (size_t)i * STRIDE, AHOY_DATAGRAM_LIMIT };
        in->headers[i].msg_hdr = (struct msghdr){ .msg_name = &in->names[i],
                                                  .msg_namelen = sizeof in->names[i],
                                                  .msg_iov = &in->pieces[i],
                                                  .msg_iovlen = 1 };
    }
    return true;
}

void ahoy_datagrams_in_fini(struct ahoy_datagrams_in *in)
{
    if (in->area != NULL)
        munmap(in->area, AREA_SIZE);
    in->area = NULL;
}

int ahoy_datagrams_in_read(struct ahoy_datagrams_in *in, int fd)
{
    /* The kernel has shortened the names that it wrote the time before. */
    for (unsigned i = 0; i < in->count; i++)
        in->headers[i].msg_hdr.msg_namelen = sizeof in->names[i];
    in->count = in->next = 0;
    int count = recvmmsg(fd, in->headers, AHOY_BATCH, MSG_DONTWAIT, NULL);
    if (count > 0)
        in->count = (unsigned)count;
    return count;
}

bool ahoy_datagrams_in_next(struct ahoy_datagrams_in *in, struct ahoy_ip *from, struct span *bytes)
{
    while (in->next < in->count) {
        unsigned i = in->next++;
        if (in->headers[i].msg_len == 0 || (in->headers[i].msg_hdr.msg_flags & MSG_TRUNC) != 0)
            continue;
        *from = ahoy_socket_ip(&in->names[i]);
        *bytes = (struct span){ in->pieces[i].iov_base, in->headers[i].msg_len };
        return true;
    }
    return false;
}

void ahoy_datagrams_in_trim(struct ahoy_datagrams_in *in)
{
    /* Where it fails, the pages merely stay. */
    (void)madvise(in->area, AREA_SIZE, MADV_DONTNEED);
}
