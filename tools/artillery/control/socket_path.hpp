#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Where the socket of an agent lies, by the names of its cluster and of the agent.
namespace tool::control {

/// `$XDG_RUNTIME_DIR/artillery`, or `/tmp/artillery-<uid>` when that variable names no directory.
[[nodiscard]] std::string default_directory();

/// The file name of an agent's socket, `<name>@<cluster>.sock`; characters that would not be safe in a file name, and
/// '@', are written as %XX, so that two agents never get the same one.
[[nodiscard]] std::string socket_file_name(std::string_view cluster, std::string_view name);

/// The default directory and the file name.
[[nodiscard]] std::string default_socket_path(std::string_view cluster, std::string_view name);

/// Fails (wrong use) when the system cannot bind a path so long.
void require_bindable(const std::string& path);

/// Makes the default directory with mode 0700. Fails when there is something else in its place: a link, a directory of
/// another user, or one that others may enter.
void make_default_directory();

/// Sockets in `directory`, for a hint in an error; sorted, at most ten.
[[nodiscard]] std::vector<std::string> sockets_in(const std::string& directory);

}  // namespace tool::control
