// SPDX-License-Identifier: Apache-2.0
// fusebox summary MODEL
#include <memory>

#include "tools/command.h"

namespace fusebox::tools {

void AddSummary(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("summary", "Print a table of a model's layers, shapes and parameters");
  const auto reference = std::make_shared<std::string>();
  verb->add_option("MODEL", *reference, "As for train")->required();
  verb->callback([reference, &action] {
    action = [reference]() -> absl::Status {
      FUSEBOX_ASSIGN_OR_RETURN(const OpenedModel opened, OpenModel(*reference));
      Print(opened.model.Summary());
      return absl::OkStatus();
    };
  });
}

}  // namespace fusebox::tools
