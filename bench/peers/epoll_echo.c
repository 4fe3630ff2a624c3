/* A TCP echo server as one writes it in C when speed is all: one thread, one level-triggered epoll.
 *
 * usage: epoll_echo PORT     (0 takes any free port; prints `listening on 127.0.0.1:PORT`)
 *
 * The peer that sockeye's Tasks and PerCore models are measured against.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, BACKLOG = 4096, BUFFER = 4096 };

/* A connection; what could not be sent waits in the buffer from `start` to `end`. */
struct connection {
    int fd;
    size_t start, end;
    char buffer[BUFFER];
};

static int poll_fd;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(struct connection *connection, int operation, unsigned interest) {
    struct epoll_event event = {.events = interest, .data.ptr = connection};
    if (epoll_ctl(poll_fd, operation, connection->fd, &event) < 0) fail("epoll_ctl");
}

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) continue;
            if (errno == EAGAIN) return;
            fail("accept4");
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = malloc(sizeof *connection);
        if (!connection) fail("malloc");
        connection->fd = fd;
        connection->start = connection->end = 0;
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void end(struct connection *connection) {
    close(connection->fd); /* which takes it out of the epoll as well */
    free(connection);
}

/* Sends what waits; 0 if all is out, 1 if the peer has to read first, -1 if the connection is dead. */
static int flush(struct connection *connection) {
    while (connection->start < connection->end) {
        ssize_t sent = send(connection->fd, connection->buffer + connection->start,
                            connection->end - connection->start, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) continue;
            return errno == EAGAIN ? 1 : -1;
        }
        connection->start += (size_t)sent;
    }
    return 0;
}

static void serve(struct connection *connection, unsigned ready) {
    if (ready & EPOLLOUT) {
        int left = flush(connection);
        if (left < 0) return end(connection);
        if (left == 0) watch(connection, EPOLL_CTL_MOD, EPOLLIN);
        return;
    }
    /* One read an event: with a level-triggered epoll, what is left comes up again. */
    ssize_t length = recv(connection->fd, connection->buffer, BUFFER, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) return end(connection);
    connection->start = 0;
    connection->end = (size_t)length;
    int left = flush(connection);
    if (left < 0) return end(connection);
    if (left > 0) watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
}

static int listen_on(unsigned short port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("socket");
    int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    if (listen(listener, BACKLOG) < 0) fail("listen");
    socklen_t length = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) fail("getsockname");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count, char **arguments) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(count > 1 ? (unsigned short)atoi(arguments[1]) : 0);
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll_fd < 0) fail("epoll_create1");
    struct connection listening = {.fd = listener};
    watch(&listening, EPOLL_CTL_ADD, EPOLLIN);
    struct epoll_event events[EVENTS];
    for (;;) {
        int ready = epoll_wait(poll_fd, events, EVENTS, -1);
        if (ready < 0) {
            if (errno == EINTR) continue;
            fail("epoll_wait");
        }
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == &listening)
                accept_all(listener);
            else
                serve(connection, events[i].events);
        }
    }
}
