#include "artillery/clock.hpp"
#include "byte_json.hpp"
#include "commands/commands.hpp"
#include "control/client.hpp"
#include "notation.hpp"
#include "output/print.hpp"

namespace tool {

exit_code run(const leave_options& options) {
  const artillery::time_point deadline = artillery::clock::now() + options.common.timeout;
  control::client client{options.common.socket_path()};
  nlohmann::json request{{"op", "leave"}};
  if (!options.reason.empty()) request["reason"] = bytes_to_json(options.reason);
  (void)client.request(request, options.common.timeout);
  if (!client.wait_for_end(deadline))
    throw failure{exit_code::timed_out, "the agent has not ended within " + to_text(options.common.timeout) +
                                            "; it goes on taking leave, and ends then"};
  output::print(options.common.format, {{"left", true}}, {});
  return exit_code::done;
}

}  // namespace tool
