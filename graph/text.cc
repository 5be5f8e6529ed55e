// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/text.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "fmt/format.h"
#include "fusebox/graph/printable.h"
#include "fusebox/graph/text_syntax.h"

namespace fusebox {
namespace {

std::string ToText(double v) {
  if (std::isnan(v)) return "nan";
  return fmt::format("{}", v);  // The shortest text that reads back as the same number.
}

std::string ToText(const AttributeValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return Quote(*text);
  if (const auto* real = std::get_if<double>(&value)) {
    std::string text = ToText(*real);
    // A point or an exponent tells a float from an integer.
    if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
    return text;
  }
  std::string list = "[";
  for (const int64_t d : std::get<Ints>(value)) {
    if (list.size() > 1) list += ", ";
    if (d >= -1) {
      list += d >= 0 ? std::to_string(d) : "N";
    } else {
      list += std::to_string(d).substr(1) + "*N";
    }
  }
  return list + "]";
}

std::string WordOrQuoted(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, IsKeyCharacter) ? text : Quote(text);
}

// The attributes that the rest of the line does not tell.
std::string Attributes(const Node& node, const std::string& name) {
  std::string text;
  for (const auto& [key, value] : node.attributes) {
    if (Implied(node, name, key) == value) continue;
    if (node.op == Op::kConstant && key == "value" && std::holds_alternative<double>(value)) continue;
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", WordOrQuoted(key), ToText(value));
  }
  return text.empty() ? "" : " {" + text + "}";
}

// Everything before the colon.
std::string Head(const Node& node, const std::string& self, const std::vector<std::string>& names) {
  std::string text = fmt::format("{} = {}", self, node.info().name);
  const AttributeValue* value = node.attributes.Find("value");
  if (node.op == Op::kConstant && value != nullptr && std::holds_alternative<double>(*value)) {
    text += " " + ToText(std::get<double>(*value));
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    text += i > 0 ? ", " : " ";
    text += node.inputs[i] > 0 && node.inputs[i] < names.size() ? names[node.inputs[i]] : "%?";
  }
  return text + Attributes(node, self);
}

std::string Tail(const Node& node) {
  std::string text = ": " + ToString(node.type);
  if (!node.scope.empty()) text += "  @" + WordOrQuoted(node.scope);
  return text;
}

// The colons of lines up to this length are aligned.
constexpr size_t kWidest = 64;

void PrintInto(std::string& out, const Graph& graph, const std::string& indent) {
  if (!graph.metadata.empty()) {
    std::string facts;
    for (const auto& [key, value] : graph.metadata) {
      facts += fmt::format("{}{} = {}", facts.empty() ? "" : ", ", WordOrQuoted(key), Quote(value));
    }
    out += fmt::format("{}program {{{}}}\n", indent, facts);
  }
  const std::vector<std::string> names = ValueNames(graph);
  std::vector<std::string> heads(graph.size());
  size_t width = 0;
  for (NodeId id = 1; id < graph.size(); ++id) {
    heads[id] = Head(graph[id], names[id], names);
    if (heads[id].size() <= kWidest) width = std::max(width, heads[id].size());
  }
  for (NodeId id = 1; id < graph.size(); ++id) {
    out += fmt::format("{}{:{}}   {}", indent, heads[id], width, Tail(graph[id]));
    const char* open = " {\n";
    for (const Graph& region : graph[id].regions) {
      out += open;
      PrintInto(out, region, indent + "  ");
      out += indent;
      open = "} {\n";
    }
    out += graph[id].regions.empty() ? "\n" : "}\n";
  }
  for (const auto& update : graph.updates()) {
    out += fmt::format("{}update {} = {}\n", indent, names[update.state], names[update.value]);
  }
  std::string outputs;
  for (const auto& [name, value] : graph.outputs()) {
    outputs += outputs.empty() ? " " : ", ";
    if (!name.empty()) outputs += WordOrQuoted(name) + " = ";
    outputs += names[value];
  }
  if (!outputs.empty()) out += fmt::format("{}return{}\n", indent, outputs);
}

}  // namespace

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const size_t length = PrintableLength(text);
    const char c = text[0];
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (length == 0) {
      quoted += fmt::format("\\x{:02x}", uint8_t(c));
    } else {
      quoted += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return quoted + '"';
}

std::optional<AttributeValue> Implied(const Node& node, std::string_view name, std::string_view key) {
  for (const AttributeSpec& spec : node.info().attributes) {
    if (spec.name == nullptr || spec.name != key || !spec.required) continue;
    if (key == "name" && spec.type == FB_STRING) return std::string(name.substr(1));
    if (key == "dims" && spec.type == FB_INTS) return Ints(node.type.shape.begin(), node.type.shape.end());
    if (key == "dtype" && spec.type == FB_INT) return int64_t(node.type.dtype);
  }
  return std::nullopt;
}

std::vector<std::string> ValueNames(const Graph& graph) {
  std::vector<std::string> names(graph.size());
  std::unordered_set<std::string> taken;
  int64_t number = 0;
  for (NodeId id = 1; id < graph.size(); ++id) {
    std::string name = graph[id].attributes.String("name");
    if (name.empty()) {
      names[id] = "%" + std::to_string(number++);
      continue;
    }
    for (char& c : name) {
      if (!IsNameCharacter(c)) c = '_';
    }
    // A name of digits alone belongs to values without a name.
    if (name.find_first_not_of("0123456789") == std::string::npos) name = "arg" + name;
    std::string unique = name;
    for (int copy = 2; !taken.insert(unique).second; ++copy) unique = fmt::format("{}.{}", name, copy);
    names[id] = "%" + unique;
  }
  return names;
}

std::string Print(const Graph& graph) {
  std::string text;
  PrintInto(text, graph, "");
  return text;
}

std::string PrintNode(const Graph& graph, NodeId id) {
  const std::vector<std::string> names = ValueNames(graph);
  return Head(graph[id], names[id], names) + " " + Tail(graph[id]);
}

}  // namespace fusebox
