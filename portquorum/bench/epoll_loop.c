/* The limit: TCP checks on one epoll set with nothing around it.
 *
 * Does what producers/engine/epoll_engine.py does for a check (non-blocking connect, SO_LINGER 0, epoll,
 * TCP_INFO, close) and tells what bench/load.py tells, as one JSON object.
 *
 *   epoll_loop RATE SECONDS IN_FLIGHT ROUND_US TIMEOUT_MS PORT...
 *
 * RATE 0: as fast as it goes, IN_FLIGHT at a time. All ports are on 127.0.0.1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BULK = 128, MOST = 4000000, DESCRIPTORS = 1 << 20 };

struct check {
    int64_t begun_ns;
    int prev, next; /* all timeouts are equal: the list of those in flight is in order of deadline */
};

static struct check table[DESCRIPTORS];
static int head = -1, tail = -1, in_flight, set;
static long done, timed_out, failed;
static uint32_t *connect_us, *lag_us;
static long connects, lags;

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void ended(int fd)
{
    struct check *c = &table[fd];
    if (c->prev >= 0) table[c->prev].next = c->next; else head = c->next;
    if (c->next >= 0) table[c->next].prev = c->prev; else tail = c->prev;
    close(fd);
    in_flight--;
    done++;
}

static void begin(int port)
{
    static const struct linger reset = {1, 0};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event wanted = {.events = EPOLLOUT | EPOLLONESHOT};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || fd >= DESCRIPTORS) {
        perror("socket");
        exit(1);
    }
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    table[fd] = (struct check){now_ns(CLOCK_MONOTONIC), tail, -1};
    if (tail >= 0) table[tail].next = fd; else head = fd;
    tail = fd;
    in_flight++;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) {
        failed++;
        ended(fd);
        return;
    }
    wanted.data.fd = fd;
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted)) {
        perror("epoll_ctl");
        exit(1);
    }
}

static void answered(int fd, uint32_t events)
{
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (events != EPOLLOUT || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length)) {
        failed++;
    } else if (connects < MOST) {
        int64_t user_us = (now_ns(CLOCK_MONOTONIC) - table[fd].begun_ns) / 1000;
        int64_t again_us = user_us - 1000LL * info.tcpi_last_ack_recv;
        connect_us[connects++] = info.tcpi_total_retrans == 0 && info.tcpi_rtt ? info.tcpi_rtt
                                 : again_us > 0                               ? again_us
                                                                              : 0;
    }
    ended(fd);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double share(uint32_t *values, long count, double part)
{
    long place = (long)(count * part);
    return count ? values[place < count ? place : count - 1] : 0;
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        fprintf(stderr, "usage: epoll_loop RATE SECONDS IN_FLIGHT ROUND_US TIMEOUT_MS PORT...\n");
        return 2;
    }
    double rate = atof(argv[1]);
    int64_t length_ns = atof(argv[2]) * 1e9;
    int most = atoi(argv[3]), ports = argc - 6;
    int64_t round_ns = atoi(argv[4]) * 1000LL, timeout_ns = atoi(argv[5]) * 1000000LL;
    long begun = 0;
    struct rlimit files;
    struct epoll_event events[BULK];

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    connect_us = malloc(MOST * sizeof *connect_us);
    lag_us = malloc(MOST * sizeof *lag_us);
    set = epoll_create1(EPOLL_CLOEXEC);
    if (!connect_us || !lag_us || set < 0) return 1;

    int64_t start = now_ns(CLOCK_MONOTONIC), next_round = start, now = start;
    int64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (now - start < length_ns || in_flight) {
        if (now - start >= length_ns) {
            /* begins nothing more */
        } else if (rate == 0) {
            while (in_flight < most) begin(atoi(argv[6 + begun++ % ports]));
        } else if (now >= next_round) {
            int64_t due;
            while ((due = start + (int64_t)(begun * 1e9 / rate)) <= now) {
                if (lags < MOST) lag_us[lags++] = (now_ns(CLOCK_MONOTONIC) - due) / 1000;
                begin(atoi(argv[6 + begun++ % ports]));
            }
            next_round = now_ns(CLOCK_MONOTONIC) + round_ns;
        }
        int64_t until = start + length_ns > now && rate > 0 ? next_round : now + 100000000;
        int64_t wait = until - now_ns(CLOCK_MONOTONIC);
        struct timespec limit = {0, wait > 0 ? wait : 0};
        int count = epoll_pwait2(set, events, BULK, &limit, NULL);
        for (int i = 0; i < count; i++) answered(events[i].data.fd, events[i].events);
        now = now_ns(CLOCK_MONOTONIC);
        while (head >= 0 && now - table[head].begun_ns > timeout_ns) {
            timed_out++;
            ended(head);
        }
    }
    cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    qsort(connect_us, connects, sizeof *connect_us, by_size);
    qsort(lag_us, lags, sizeof *lag_us, by_size);
    printf("{\"checks\": %ld, \"seconds\": %.3f, \"cpu_us\": %.3f, \"connect_p50_us\": %.1f, "
           "\"connect_p99_us\": %.1f, \"timed_out\": %ld, \"failed\": %ld",
           done, (now - start) / 1e9, cpu / 1e3 / (done ? done : 1),
           share(connect_us, connects, 0.5), share(connect_us, connects, 0.99), timed_out, failed);
    if (rate > 0)
        printf(", \"lag_p50_ms\": %.3f, \"lag_p99_ms\": %.3f", share(lag_us, lags, 0.5) / 1000,
               share(lag_us, lags, 0.99) / 1000);
    printf("}\n");
    return 0;
}
