#include "store/sqlite/reader_pool.hpp"

namespace minibatch::store::sqlite {

reader_pool::loan::loan(reader_pool& pool, char const* operation, steady_time deadline) : pool_(pool) {
    {
        std::unique_lock lock(pool.mutex_);
        if (!pool.returned_.wait_until(lock, deadline, [&] { return pool.lent_ < pool.size_; }))
            throw error(errc::timeout,
                        "database '" + pool.files_.path() + "', " + operation + ": all readers are busy");
        if (!pool.idle_.empty()) {
            connection_ = std::move(pool.idle_.back());
            pool.idle_.pop_back();
        }
        ++pool.lent_;
    }
    try {
        if (!connection_) connection_ = pool.open(operation, deadline);
    } catch (...) {
        std::lock_guard const lock(pool.mutex_);
        --pool.lent_;
        throw;
    }
    connection_->start(operation, deadline);
}

std::unique_ptr<connection> reader_pool::open(char const* operation, steady_time deadline) {
    auto out = std::make_unique<connection>(files_.path(), how_);
    out->start(operation, deadline);
    files_.check_opened(*out, operation);
    if (how_ != connection::opening::read_only) out->execute("PRAGMA query_only = 1");
    return out;
}

reader_pool::loan::~loan() {
    {
        std::lock_guard const lock(pool_.mutex_);
        pool_.idle_.push_back(std::move(connection_));
        --pool_.lent_;
    }
    pool_.returned_.notify_one();
}

}  // namespace minibatch::store::sqlite
