/* A UDP echo server that takes and sends 64 datagrams with a system call: what the kernel's path for
 * each datagram leaves over for any server.
 *
 * usage: udp_batch PORT     (0 takes any free port; prints `listening on 127.0.0.1:PORT`)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 64, LONGEST = 2048 };

static char data[BATCH][LONGEST];
static struct sockaddr_in peers[BATCH];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int open_socket(unsigned short port) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) < 0) fail("getsockname");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int count, char **arguments) {
    int fd = open_socket(count > 1 ? (unsigned short)atoi(arguments[1]) : 0);
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            pieces[i] = (struct iovec){.iov_base = data[i], .iov_len = LONGEST};
            messages[i].msg_hdr = (struct msghdr){.msg_name = &peers[i],
                                                  .msg_namelen = sizeof peers[i],
                                                  .msg_iov = &pieces[i],
                                                  .msg_iovlen = 1};
        }
        /* Waits for one, takes all that are there. */
        int received = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        if (received < 0 && errno != EINTR) fail("recvmmsg");
        for (int i = 0; i < received; i++) pieces[i].iov_len = messages[i].msg_len;
        for (int sent = 0; sent < received;) {
            int more = sendmmsg(fd, messages + sent, (unsigned)(received - sent), 0);
            /* The first one failed: leave it out, as an echo server may. */
            sent += more > 0 ? more : 1;
        }
    }
}
