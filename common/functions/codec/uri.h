#pragma once

#include <optional>
#include <string_view>

namespace tidemill {

// The parts of a URI, as they are written. A part that is missing is nothing; an opaque URI
// (mailto:a@b) has no path. Views into the text that was parsed.
struct Uri {
  std::optional<std::string_view> scheme, authority, user_info, host, path, query, fragment;

  // By the grammar of java.net.URI: RFC 2396, with other characters than ASCII where escapes may
  // stand. Nothing where the text does not follow it. A host that is not one ("a_b.org") makes
  // the authority a registry's, without host and user.
  static std::optional<Uri> Parse(std::string_view text);
};

}  // namespace tidemill
