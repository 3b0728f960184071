/* Receiving in batches.  One buffer each for the largest datagram that there can be: they are
 * 64 KiB apart in address space and cost a page or two each in memory. */
#include "libahoy/io/datagrams_in.h"

#include <netinet/udp.h>
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
                                                  .msg_iovlen = 1,
                                                  .msg_control = in->controls[i].bytes,
                                                  .msg_controllen = sizeof in->controls[i] };
    }
    return true;
}

void ahoy_datagrams_in_fini(struct ahoy_datagrams_in *in)
{
    if (in->area != NULL)
        munmap(in->area, AREA_SIZE);
    in->area = NULL;
}

void ahoy_datagrams_in_couple(int fd)
{
    int one = 1;
    /* Where it fails, all come one by one. */
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
    ahoy_arrival_note_times(fd);
    ahoy_arrival_note_losses(fd);
}

int ahoy_datagrams_in_read(struct ahoy_datagrams_in *in, int fd)
{
    /* The kernel has shortened what it wrote to the time before. */
    for (unsigned i = 0; i < in->count; i++) {
        in->headers[i].msg_hdr.msg_namelen = sizeof in->names[i];
        in->headers[i].msg_hdr.msg_controllen = sizeof in->controls[i];
    }
    in->count = 0;
    in->place = (struct ahoy_in_place){ 0 };
    in->found_count = in->taken_count = 0;
    int count = recvmmsg(fd, in->headers, AHOY_BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0)
        return count;
    in->count = (unsigned)count;
    in->now = ahoy_arrival_now();
    in->note = ahoy_arrival_read(&in->headers[count - 1].msg_hdr, &in->now);
    return count;
}

/* The size of the segments of what |header| received: all of it where it is no train. */
static size_t segment_of(struct mmsghdr *header)
{
    int segment = 0;
    struct cmsghdr *control = CMSG_FIRSTHDR(&header->msg_hdr);
    for (; control != NULL; control = CMSG_NXTHDR(&header->msg_hdr, control)) {
        if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO)
            memcpy(&segment, CMSG_DATA(control), sizeof segment);
    }
    return segment > 0 ? (size_t)segment : header->msg_len;
}

/* Goes to where anything is, from |place| on; false at the end. */
static bool seek(struct ahoy_datagrams_in *in, struct ahoy_in_place *place)
{
    for (; place->piece < in->count; *place = (struct ahoy_in_place){ .piece = place->piece + 1 }) {
        struct mmsghdr *header = &in->headers[place->piece];
        if (place->offset == header->msg_len || (header->msg_hdr.msg_flags & MSG_TRUNC) != 0)
            continue;
        if (place->segment == 0)
            place->segment = segment_of(header);
        return true;
    }
    return false;
}

/* Finds the next ones, so many at once that each is looked for once though it is told twice: that
 * it comes, and when it does.  False where there is none. */
static bool find(struct ahoy_datagrams_in *in)
{
    struct ahoy_in_place place = in->place;
    unsigned count = 0;
    for (; count <= AHOY_COMING_LIMIT && seek(in, &place); count++) {
        size_t left = in->headers[place.piece].msg_len - place.offset;
        size_t size = left < place.segment ? left : place.segment;
        in->found[count] =
            (struct span){ in->area + (size_t)place.piece * STRIDE + place.offset, size };
        in->found_piece[count] = place.piece;
        place.offset += size;
    }
    in->place = place;
    in->found_count = (uint8_t)count;
    in->taken_count = 0;
    return count > 0;
}

bool ahoy_datagrams_in_next(struct ahoy_datagrams_in *in, struct ahoy_ip *from, struct span *bytes)
{
    if (in->taken_count == in->found_count && !find(in))
        return false;
    unsigned piece = in->found_piece[in->taken_count];
    *bytes = in->found[in->taken_count++];
    if (in->is_exact)
        in->note = ahoy_arrival_read(&in->headers[piece].msg_hdr, &in->now);
    ahoy_socket_read_ip(&in->names[piece], from);
    return true;
}

const struct span *ahoy_datagrams_in_coming(const struct ahoy_datagrams_in *in, uint8_t *count)
{
    bool is_first = in->taken_count == 1;
    *count = is_first ? (uint8_t)(in->found_count - 1) : 0;
    return is_first ? in->found + 1 : NULL;
}

void ahoy_datagrams_in_trim(struct ahoy_datagrams_in *in)
{
    /* Where it fails, the pages merely stay. */
    (void)madvise(in->area, AREA_SIZE, MADV_DONTNEED);
}
