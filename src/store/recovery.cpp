#include "store/recovery.hpp"

namespace minibatch::store {

recovery recovery_from(error_code code) noexcept {
    if (code.category() != error_category()) return recovery::never;  // cancelled, or not ours
    // Without a default, so that the compiler asks for the place of a new code.
    switch (static_cast<errc>(code.value())) {
        case errc::unavailable:
        case errc::timeout:
        case errc::storage_full:
        case errc::outcome_unknown:
        case errc::store_failure:
            return recovery::by_itself;
        case errc::invalid_argument:
        case errc::invalid_url:
        case errc::invalid_name:
        case errc::invalid_document:
        case errc::document_too_large:
        case errc::stream_not_found:
        case errc::partition_mismatch:
        case errc::group_in_use:
        case errc::fenced:
        case errc::read_only:
        case errc::access_denied:
        case errc::schema_too_new:
        case errc::unsupported:
        case errc::too_many_pending:
        case errc::too_many_ranges:
        case errc::emitter_failed:
            return recovery::by_action;
        case errc::stream_deleted:
        case errc::group_not_found:
        case errc::corrupt:
        case errc::not_a_database:
        case errc::forked:
        case errc::closed:
        case errc::window_closed:
            return recovery::never;
    }
    return recovery::never;
}

}  // namespace minibatch::store
