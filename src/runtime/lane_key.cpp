#include "runtime/lane_key.hpp"

#include <type_traits>
#include <variant>

namespace minibatch::runtime {

lane_key lane_of_append(store::write_scope scope, store::log_id log) {
    return scope == store::write_scope::whole_store ? lane_key{} : lane_key{lane_key::kind::log, log, {}};
}

lane_key lane_of(store::write_scope scope, store::write_request const& request) {
    if (scope == store::write_scope::whole_store) return {};
    return std::visit(
        [](auto const& r) -> lane_key {
            using type = std::decay_t<decltype(r)>;
            if constexpr (std::is_same_v<type, store::renew_request>)
                return {};
            else if constexpr (std::is_same_v<type, store::trim_request>)
                return {lane_key::kind::trims, r.log, {}};
            else if constexpr (requires { r.log; })
                return {lane_key::kind::log, r.log, {}};
            else
                return {lane_key::kind::group, r.group.log, r.group.group};
        },
        request);
}

}  // namespace minibatch::runtime
