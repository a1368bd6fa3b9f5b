#include "store/mongo/wire/deadline_stream.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "store/mongo/wire/name_resolution.hpp"
#include "store/time_limit.hpp"

namespace minibatch::store::mongo {
using std::chrono::steady_clock;

/// The driver's stream for a socket, with the time limit of the thread that uses it.
struct limited_stream : mongoc_stream_t {
    mongoc_stream_t* base;
    bool out_of_time;
    std::size_t server;  // see `route`
    std::uint64_t number;

    static limited_stream* self(mongoc_stream_t* stream) { return static_cast<limited_stream*>(stream); }

    /// Milliseconds that are left of `timeout` (negative: for ever) and of the limit. Zero: the time is over.
    static std::int32_t left(std::int32_t timeout) {
        auto const end = time_limit::end();
        if (end == steady_time::max()) return timeout;
        auto const until = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
        auto const bounded = std::clamp<std::int64_t>(until, 0, 3'600'000);
        return static_cast<std::int32_t>(timeout < 0 ? bounded : std::min<std::int64_t>(bounded, timeout));
    }

    ssize_t expired() {
        out_of_time = true;
        errno = ETIMEDOUT;
        return -1;
    }

    /// Waits for POLLIN or POLLOUT in steps, since the limit may be moved forward. False: no time left.
    bool wait(int events, steady_time until) {
        for (;;) {
            auto const rest = std::chrono::ceil<milliseconds>(std::min(until, time_limit::end()) - steady_clock::now());
            if (rest.count() <= 0) return false;
            mongoc_stream_poll_t one{base, events, 0};
            auto const ready =
                mongoc_stream_poll(&one, 1, static_cast<std::int32_t>(std::min(rest, time_limit::slice).count()));
            if (ready != 0) return true;  // an error shows when it is read or written
        }
    }
};

namespace {

std::atomic<std::uint64_t> connections_made = 0;
thread_local route last_read;

constexpr auto slice = static_cast<std::int32_t>(time_limit::slice.count());

/// The rest of a message that is read or written in pieces.
class remainder {
  public:
    remainder(mongoc_iovec_t const* parts, std::size_t count) : parts_(parts, parts + count) { skip(0); }

    bool empty() const noexcept { return at_ == parts_.size(); }
    mongoc_iovec_t* data() noexcept { return parts_.data() + at_; }
    std::size_t count() const noexcept { return parts_.size() - at_; }
    void skip(std::size_t bytes) noexcept {
        for (; at_ < parts_.size() && bytes >= parts_[at_].iov_len; ++at_) bytes -= parts_[at_].iov_len;
        if (empty()) return;
        parts_[at_].iov_base = static_cast<char*>(parts_[at_].iov_base) + bytes;
        parts_[at_].iov_len -= bytes;
    }

  private:
    std::vector<mongoc_iovec_t> parts_;
    std::size_t at_ = 0;
};

steady_time end_of(std::int32_t timeout) {
    return steady_clock::now() + milliseconds(timeout < 0 ? 3'600'000 : timeout);
}

void on_destroy(mongoc_stream_t* stream) {
    mongoc_stream_destroy(limited_stream::self(stream)->base);
    delete limited_stream::self(stream);
}
void on_failed(mongoc_stream_t* stream) {
    mongoc_stream_failed(limited_stream::self(stream)->base);
    delete limited_stream::self(stream);
}
int on_close(mongoc_stream_t* stream) { return mongoc_stream_close(limited_stream::self(stream)->base); }
int on_flush(mongoc_stream_t* stream) { return mongoc_stream_flush(limited_stream::self(stream)->base); }

ssize_t on_write(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::int32_t timeout) {
    auto* const self = limited_stream::self(stream);
    auto const until = end_of(timeout);
    remainder rest(parts, count);
    ssize_t written = 0;
    while (!rest.empty()) {
        if (!self->wait(POLLOUT, until)) return self->expired();
        auto const now = mongoc_stream_writev(self->base, rest.data(), rest.count(), slice);
        self->out_of_time = now < 0 && mongoc_stream_timed_out(self->base);
        if (now < 0) return now;
        written += now;
        rest.skip(static_cast<std::size_t>(now));
    }
    return written;
}

ssize_t on_read(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::size_t min_bytes,
                std::int32_t timeout) {
    auto* const self = limited_stream::self(stream);
    auto const until = end_of(timeout);
    remainder rest(parts, count);
    std::size_t read = 0;
    do {
        if (!self->wait(POLLIN, until)) return self->expired();
        auto const now = mongoc_stream_readv(self->base, rest.data(), rest.count(), 1, slice);
        self->out_of_time = now < 0 && mongoc_stream_timed_out(self->base);
        if (now <= 0) return now;
        read += static_cast<std::size_t>(now);
        rest.skip(static_cast<std::size_t>(now));
        last_read = {self->server, self->number, 0};
    } while (read < min_bytes && !rest.empty());
    return static_cast<ssize_t>(read);
}

int on_setsockopt(mongoc_stream_t* stream, int level, int name, void* value, mongoc_socklen_t length) {
    return mongoc_stream_setsockopt(limited_stream::self(stream)->base, level, name, value, length);
}
mongoc_stream_t* on_base(mongoc_stream_t* stream) { return limited_stream::self(stream)->base; }
bool on_check_closed(mongoc_stream_t* stream) { return mongoc_stream_check_closed(limited_stream::self(stream)->base); }

ssize_t on_poll(mongoc_stream_poll_t* streams, std::size_t count, std::int32_t timeout) {
    std::unique_ptr<mongoc_stream_poll_t[]> const below(new mongoc_stream_poll_t[count]);
    for (std::size_t i = 0; i < count; ++i)
        below[i] = {limited_stream::self(streams[i].stream)->base, streams[i].events, 0};
    auto const ready = mongoc_stream_poll(below.get(), count, limited_stream::left(timeout));
    for (std::size_t i = 0; i < count; ++i) streams[i].revents = below[i].revents;
    return ready;
}

bool on_timed_out(mongoc_stream_t* stream) {
    auto* const self = limited_stream::self(stream);
    return self->out_of_time || mongoc_stream_timed_out(self->base);
}
bool on_should_retry(mongoc_stream_t* stream) { return mongoc_stream_should_retry(limited_stream::self(stream)->base); }

mongoc_stream_t* limited(mongoc_stream_t* base, mongoc_host_list_t const* host) {
    constexpr int own_type = 77;  // not used by the driver
    auto* const made = new limited_stream();
    std::memset(static_cast<mongoc_stream_t*>(made), 0, sizeof(mongoc_stream_t));
    made->type = own_type;
    made->destroy = on_destroy;
    made->failed = on_failed;
    made->close = on_close;
    made->flush = on_flush;
    made->writev = on_write;
    made->readv = on_read;
    made->setsockopt = on_setsockopt;
    made->get_base_stream = on_base;
    made->check_closed = on_check_closed;
    made->poll = on_poll;
    made->timed_out = on_timed_out;
    made->should_retry = on_should_retry;
    made->base = base;
    made->out_of_time = false;
    made->server = std::hash<std::string_view>()(host->host_and_port);
    made->number = ++connections_made;
    return made;
}

struct socket_deleter {
    void operator()(mongoc_socket_t* socket) const noexcept { mongoc_socket_destroy(socket); }
};
using socket_ptr = std::unique_ptr<mongoc_socket_t, socket_deleter>;

void report(bson_error_t* problem, std::uint32_t code, mongoc_host_list_t const* host, char const* what) {
    bson_set_error(problem, MONGOC_ERROR_STREAM, code, "%s: %s", host->host_and_port, what);
}

socket_ptr connect_to(sockaddr const* address, socklen_t length, int family, std::int32_t timeout) {
    socket_ptr made(mongoc_socket_new(family, SOCK_STREAM, 0));
    if (!made) return nullptr;
    auto const expires = bson_get_monotonic_time() + std::int64_t{timeout} * 1000;
    if (mongoc_socket_connect(made.get(), address, length, expires) != 0) {
        errno = mongoc_socket_errno(made.get());
        return nullptr;
    }
    return made;
}

socket_ptr connect_to(mongoc_host_list_t const* host, std::int32_t timeout, bson_error_t* problem) {
    if (host->family == AF_UNIX) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, host->host, std::min(std::strlen(host->host), sizeof address.sun_path - 1));
        auto made = connect_to(reinterpret_cast<sockaddr const*>(&address), sizeof address, AF_UNIX, timeout);
        if (!made)
            report(problem, MONGOC_ERROR_STREAM_CONNECT, host, std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
        return made;
    }
    auto const found = resolve(host->host, host->port, host->family, end_of(timeout));
    if (found.failed != 0) {
        report(problem, MONGOC_ERROR_STREAM_NAME_RESOLUTION, host, ::gai_strerror(found.failed));
        return nullptr;
    }
    int why = 0;
    for (auto const* at = found.addresses.get(); at; at = at->ai_next) {
        auto const left = limited_stream::left(timeout);
        if (left == 0) {
            why = ETIMEDOUT;
            break;
        }
        if (auto made = connect_to(at->ai_addr, at->ai_addrlen, at->ai_family, left)) {
            int on = 1;
            mongoc_socket_setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            mongoc_socket_setsockopt(made.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
            return made;
        }
        why = errno;
    }
    report(problem, MONGOC_ERROR_STREAM_CONNECT, host,
           why == 0 ? "no address" : std::strerror(why));  // NOLINT(concurrency-mt-unsafe)
    return nullptr;
}

/// Takes ownership of `plain`.
mongoc_stream_t* with_tls(mongoc_stream_t* plain, mongoc_uri_t const* uri, mongoc_host_list_t const* host,
                          std::int32_t timeout, bson_error_t* problem) {
    auto const text = [&](char const* option) { return mongoc_uri_get_option_as_utf8(uri, option, nullptr); };
    auto const flag = [&](char const* option) { return mongoc_uri_get_option_as_bool(uri, option, false); };
    mongoc_ssl_opt_t options = *mongoc_ssl_opt_get_default();
    options.pem_file = text(MONGOC_URI_TLSCERTIFICATEKEYFILE);
    options.pem_pwd = text(MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD);
    options.ca_file = text(MONGOC_URI_TLSCAFILE);
    auto const insecure = flag(MONGOC_URI_TLSINSECURE);
    options.weak_cert_validation = insecure || flag(MONGOC_URI_TLSALLOWINVALIDCERTIFICATES);
    options.allow_invalid_hostname = insecure || flag(MONGOC_URI_TLSALLOWINVALIDHOSTNAMES);
    auto* const tls = mongoc_stream_tls_new_with_hostname(plain, host->host, &options, 1);
    if (!tls) {
        mongoc_stream_destroy(plain);
        report(problem, MONGOC_ERROR_STREAM_SOCKET, host, "TLS cannot be set up; are the certificate files readable?");
        return nullptr;
    }
    bson_error_t why{};
    auto const left = limited_stream::left(timeout);
    if (left != 0 && mongoc_stream_tls_handshake_block(tls, host->host, left, &why)) return tls;
    mongoc_stream_destroy(tls);
    report(problem, MONGOC_ERROR_STREAM_SOCKET, host, left == 0 ? "no time left for TLS" : why.message);
    return nullptr;
}

}  // namespace

extern "C" mongoc_stream_t* minibatch_mongo_connect(mongoc_uri_t const* uri, mongoc_host_list_t const* host, void*,
                                                    bson_error_t* problem) {
    auto const timeout = limited_stream::left(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 5'000));
    if (timeout == 0) {
        report(problem, MONGOC_ERROR_STREAM_CONNECT, host, "no time left to connect");
        return nullptr;
    }
    auto socket = connect_to(host, timeout, problem);
    if (!socket) return nullptr;
    auto* const plain = mongoc_stream_socket_new(socket.get());
    if (!plain) return nullptr;
    static_cast<void>(socket.release());
    auto* const bounded = limited(plain, host);
    return mongoc_uri_get_tls(uri) ? with_tls(bounded, uri, host, timeout, problem) : bounded;
}

route last_route() noexcept {
    auto out = last_read;
    out.newest = connections_made;
    return out;
}

void forget_route() noexcept { last_read = {}; }

}  // namespace minibatch::store::mongo
