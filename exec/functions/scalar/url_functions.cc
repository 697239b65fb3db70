// Functions over URLs, taken apart as Java's URI does (RFC 2396).

#include <optional>

#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/encoded_text.h"
#include "exec/functions/scalar/kernel_rows_inl.h"
#include "exec/functions/scalar/unicode_text.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "URL";

/// The parts of a URL as written; those it lacks are nothing.
struct Url {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> host;
  std::optional<int32_t> port;
  std::optional<std::string_view> path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;
};

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsScheme(std::string_view text) {
  if (text.empty() || !IsLetter(text[0])) return false;
  for (const char c : text) {
    if (!IsLetter(c) && !IsDigit(c) && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

bool HasIllegalCharacter(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte <= 0x20 || byte == 0x7F) return true;
    if (std::string_view("<>\"{}|\\^`").find(c) != std::string_view::npos) return true;
  }
  return false;
}

/// [user@]host[:port]; an authority of another form has no host.
void ParseAuthority(std::string_view authority, Url& url) {
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  size_t end = authority.find(':');
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return;
    end = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
  }
  const std::string_view host = authority.substr(0, end);
  if (host.empty()) return;
  for (const char c : host) {
    const bool fits = IsLetter(c) || IsDigit(c) || c == '-' || c == '.' ||
                      (host[0] == '[' && (c == '[' || c == ']' || c == ':' || c == '%'));
    if (!fits) return;
  }
  if (end != std::string_view::npos) {
    int64_t port = -1;
    for (const char c : authority.substr(end + 1)) {
      if (!IsDigit(c)) return;
      port = std::max<int64_t>(port, 0) * 10 + (c - '0');
      if (port > INT32_MAX) return;
    }
    if (port >= 0) url.port = static_cast<int32_t>(port);
  }
  url.host = host;
}

/// False if Java would not take the text for a URI.
bool ParseUrl(std::string_view text, Url& url) {
  if (HasIllegalCharacter(text)) return false;
  if (const size_t hash = text.find('#'); hash != std::string_view::npos) {
    url.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  const size_t colon = text.find_first_of(":/?");
  if (colon != std::string_view::npos && text[colon] == ':') {
    if (!IsScheme(text.substr(0, colon))) return false;
    url.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
    if (text[0] != '/') return true;  // mailto:…: nothing more to take apart.
  }
  if (const size_t mark = text.find('?'); mark != std::string_view::npos) {
    url.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const size_t slash = std::min(text.find('/'), text.size());
    ParseAuthority(text.substr(0, slash), url);
    text.remove_prefix(slash);
  }
  url.path = text;
  return true;
}

/// Appends `text` with %XX decoded; false at a % that starts none.
bool AppendDecoded(std::string_view text, bool plus_is_blank, std::string& out) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const size_t before = bytes.size();
      if (i + 3 > text.size() || !DecodeText(text.substr(i + 1, 2), TextEncoding::kHex, bytes) ||
          bytes.size() != before + 1) {
        return false;
      }
      i += 2;
    } else {
      bytes.push_back(plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  AppendValidUtf8(bytes, out);
  return true;
}

/// One part of the URL, decoded.
template <std::optional<std::string_view> Url::*kPart>
void ExtractKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    Url url;
    scratch.clear();
    if (!ParseUrl(call.args[0]->GetString(row), url) ||
        (url.*kPart && !AppendDecoded(*(url.*kPart), false, scratch))) {
      call.Error(row, "the text is not a URL");
      return out.AppendNull();
    }
    if (!(url.*kPart)) return out.AppendNull();
    out.AppendBytes(scratch);
  });
}

void ExtractPortKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    Url url;
    if (!ParseUrl(call.args[0]->GetString(row), url)) {
      call.Error(row, "the text is not a URL");
    }
    if (url.port) {
      out.AppendInt32(*url.port);
    } else {
      out.AppendNull();
    }
  });
}

/// The value of a parameter in a decoded query; empty for one without '='.
std::optional<std::string_view> FindParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = parameter.find('=');
    if (parameter.empty() || parameter.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? "" : parameter.substr(equals + 1);
  }
  return std::nullopt;
}

void ExtractParameterKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string query;
  ForActiveRows(call, out, [&](int32_t row) {
    Url url;
    query.clear();
    if (!ParseUrl(call.args[0]->GetString(row), url) ||
        (url.query && !AppendDecoded(*url.query, false, query))) {
      call.Error(row, "the text is not a URL");
      return out.AppendNull();
    }
    const auto value = FindParameter(query, call.args[1]->GetString(row));
    if (value) {
      out.AppendBytes(*value);
    } else {
      out.AppendNull();
    }
  });
}

void DecodeParameterKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    scratch.clear();
    if (!AppendDecoded(call.args[0]->GetString(row), true, scratch)) {
      call.Error(row, "a % in the text is not followed by two hex digits");
      return out.AppendNull();
    }
    out.AppendBytes(scratch);
  });
}

void EncodeParameterKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    scratch.clear();
    for (const char c : call.args[0]->GetString(row)) {
      if (IsLetter(c) || IsDigit(c) || c == '-' || c == '_' || c == '.' || c == '*') {
        scratch.push_back(c);
      } else if (c == ' ') {
        scratch.push_back('+');
      } else {
        scratch.push_back('%');
        AppendHex({&c, 1}, true, scratch);
      }
    }
    out.AppendBytes(scratch);
  });
}

constexpr FunctionRowOf Row{kCategory};

constexpr FunctionRow kUrlFunctions[] = {
    Row("URL_DECODE_PARAM", "(STRING) -> STRING", &DecodeParameterKernel,
        "Decodes a value as it stands in a form or a query.",
        "URL_DECODE_PARAM('a+%26b') = 'a &b'"),
    Row("URL_ENCODE_PARAM", "(STRING) -> STRING", &EncodeParameterKernel,
        "Encodes a value to stand in a form or a query.", "URL_ENCODE_PARAM('a &b') = 'a+%26b'"),
    Row("URL_EXTRACT_FRAGMENT", "(STRING) -> STRING", &ExtractKernel<&Url::fragment>,
        "Gives what stands behind the # of a URL.",
        "URL_EXTRACT_FRAGMENT('http://a.io/?q#top') = 'top'"),
    Row("URL_EXTRACT_HOST", "(STRING) -> STRING", &ExtractKernel<&Url::host>,
        "Gives the host of a URL.", "URL_EXTRACT_HOST('http://me@a.io:80/p') = 'a.io'"),
    Row("URL_EXTRACT_PARAMETER", "(STRING, STRING) -> STRING", &ExtractParameterKernel,
        "Gives one parameter of a URL's query.",
        "URL_EXTRACT_PARAMETER('http://a.io/?x=1&y=2', 'y') = '2'"),
    Row("URL_EXTRACT_PATH", "(STRING) -> STRING", &ExtractKernel<&Url::path>,
        "Gives the path of a URL.", "URL_EXTRACT_PATH('http://a.io/p/q?x') = '/p/q'"),
    Row("URL_EXTRACT_PORT", "(STRING) -> INT", &ExtractPortKernel,
        "Gives the port of a URL, null if it names none.",
        "URL_EXTRACT_PORT('http://a.io:8080/') = 8080"),
    Row("URL_EXTRACT_PROTOCOL", "(STRING) -> STRING", &ExtractKernel<&Url::scheme>,
        "Gives the scheme of a URL.", "URL_EXTRACT_PROTOCOL('https://a.io') = 'https'"),
    Row("URL_EXTRACT_QUERY", "(STRING) -> STRING", &ExtractKernel<&Url::query>,
        "Gives the query of a URL.", "URL_EXTRACT_QUERY('http://a.io/p?x=1#f') = 'x=1'"),
};

}  // namespace

std::span<const FunctionRow> UrlFunctions() { return kUrlFunctions; }

}  // namespace weir
