#include <minibatch/error.hpp>
#include <utility>

namespace minibatch {
namespace {

class category final : public boost::system::error_category {
  public:
    char const* name() const noexcept override { return "minibatch"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
            case errc::invalid_argument:
                return "invalid argument";
            case errc::invalid_url:
                return "invalid database URL";
            case errc::invalid_name:
                return "name not allowed";
            case errc::invalid_document:
                return "invalid document";
            case errc::document_too_large:
                return "document too large";
            case errc::stream_not_found:
                return "no such stream";
            case errc::stream_deleted:
                return "the stream was deleted";
            case errc::partition_mismatch:
                return "the stream has another number of partitions";
            case errc::group_not_found:
                return "no such consumer group";
            case errc::group_in_use:
                return "the consumer group is in use";
            case errc::unavailable:
                return "the database is unavailable";
            case errc::timeout:
                return "timed out";
            case errc::outcome_unknown:
                return "the outcome is unknown";
            case errc::fenced:
                return "another consumer has taken over";
            case errc::window_closed:
                return "the window is closed";
            case errc::storage_full:
                return "out of space";
            case errc::read_only:
                return "the database is read-only";
            case errc::access_denied:
                return "access denied";
            case errc::corrupt:
                return "the database is damaged";
            case errc::not_a_database:
                return "not a minibatch database";
            case errc::schema_too_new:
                return "the database was written by a newer version";
            case errc::unsupported:
                return "not supported";
            case errc::too_many_pending:
                return "too many pending messages";
            case errc::too_many_ranges:
                return "too many separate committed ranges";
            case errc::emitter_failed:
                return "the emitter failed";
            case errc::forked:
                return "the handle was inherited through fork";
            case errc::closed:
                return "closed";
            case errc::store_failure:
                return "the database reported a failure";
        }
        return "unknown error";
    }
};

}  // namespace

boost::system::error_category const& error_category() noexcept {
    static category const instance;
    return instance;
}

error_code make_error_code(errc value) noexcept { return {static_cast<int>(value), error_category()}; }

error::error(error_code code, std::string diagnostics)
    : system_error(code), diagnostics_(diagnostics.empty() ? code.message() : std::move(diagnostics)) {}

}  // namespace minibatch
