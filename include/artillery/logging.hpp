#pragma once

#include <functional>
#include <string_view>

namespace artillery {

enum class log_level { debug, info, warning, error };

/// Where an object's remarks go. The library prints nothing by itself: without a sink remarks are dropped before they
/// are made.
///
/// `component` is the module ("membership"), `message` one line without a newline; both are valid only during the call.
/// Called on the object's strand; it must return soon and must not call back into the object. An exception from it is
/// swallowed.
using log_sink = std::function<void(log_level level, std::string_view component, std::string_view message)>;

[[nodiscard]] std::string_view to_string(log_level level) noexcept;

}  // namespace artillery
