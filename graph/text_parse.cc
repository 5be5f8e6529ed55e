// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>

#include "fmt/format.h"
#include "fusebox/graph/text.h"
#include "fusebox/graph/text_lexer.h"
#include "fusebox/graph/text_syntax.h"
#include "fusebox/graph/verify.h"

namespace fusebox {
namespace {

constexpr int kMaxDepth = 16;
constexpr int64_t kMaxNodes = 1'000'000;
constexpr size_t kMaxUpdates = 50'000;

// Recursive descent over the text, one function a rule.
class Parser : private Lexer {
 public:
  using Lexer::Lexer;

  absl::StatusOr<Graph> Run() {
    Graph graph;
    if (!Body(graph, 0)) return error();
    if (absl::Status s = Verify(graph, Stage::kDeclared); !s.ok()) return s;
    return graph;
  }

 private:
  using Names = std::unordered_map<std::string_view, NodeId>;

  // ---- Parts of a node.

  bool ParseType(Type& out) {
    const std::string_view word = Ahead();
    const auto dtype = DTypeFromName(word);
    if (!dtype) return Expected("a type like f32[N,784]");
    Skip(word);
    out.dtype = *dtype;
    out.shape.clear();
    if (!Expect('[')) return false;
    if (Accept(']')) return true;
    do {
      int64_t d = 0;
      if (!Dim(d, false)) return false;
      out.shape.push_back(d);
    } while (Accept(','));
    if (out.rank() > FB_MAX_RANK)
      return Fail(fmt::format("expected at most {} dimensions, found {}", int(FB_MAX_RANK), out.rank()));
    return Expect(']');
  }

  bool Attribute(uint32_t wanted, AttributeValue& out) {
    if (Peek() == '"') {
      std::string text;
      if (!String(text)) return false;
      out = std::move(text);
      return true;
    }
    if (Accept('[')) {
      Ints list;
      if (!Accept(']')) {
        do {
          if (!Dim(list.emplace_back(), true)) return false;
        } while (Accept(','));
        if (!Expect(']')) return false;
      }
      out = std::move(list);
      return true;
    }
    const std::string_view word = NumberWord();
    int64_t integer = 0;
    double real = 0;
    if (word == "true" || word == "false") {
      out = word == "true";
    } else if (wanted != FB_FLOAT && Whole(word, integer)) {
      out = integer;
    } else if (word.find_first_not_of("-0123456789") == std::string_view::npos && wanted != FB_FLOAT) {
      PutBack(word);
      return Expected(word.empty() ? "an attribute: true, 3, 0.5, \"text\" or [1, 2]" : "an integer of 64 bits");
    } else if (Real(word, real)) {
      out = real;
    } else {
      PutBack(word);
      return Expected("an attribute: true, 3, 0.5, \"text\" or [1, 2]");
    }
    return true;
  }
  bool Attributes(Node& node) {
    if (!Accept('{')) return true;
    if (Accept('}')) return true;
    do {
      std::string key;
      AttributeValue value;
      if (!Key(key, "an attribute's name")) return false;
      uint32_t wanted = 0;
      for (const AttributeSpec& spec : node.info().attributes) {
        if (spec.name != nullptr && spec.name == key) wanted = spec.type;
      }
      if (wanted == 0) return Fail(fmt::format("'{}' has no attribute '{}'", node.info().name, key));
      if (node.attributes.Find(key) != nullptr) return Fail(fmt::format("attribute '{}' is given twice", key));
      if (!Expect('=') || !Attribute(wanted, value)) return false;
      node.attributes.Set(key, std::move(value));
    } while (Accept(','));
    return Expect('}');
  }

  // Operands: %x, or a number, which becomes a constant of the dtype of the first %x.
  bool Operands(Graph& graph, const Names& names, Node& node) {
    std::vector<std::pair<size_t, double>> numbers;
    do {
      const char c = Peek();
      if (c == '%') {
        std::string_view name;
        if (!ValueName(name)) return false;
        const auto it = names.find(name);
        if (it == names.end()) return Fail(fmt::format("no value {} comes before this line", name));
        node.inputs.push_back(it->second);
      } else if (c == '{' || c == ':') {
        return node.inputs.empty() || Expected("an operand");
      } else {
        const std::string_view word = NumberWord();
        double number = 0;
        if (!Real(word, number)) {
          PutBack(word);
          return Expected("an operand");
        }
        numbers.emplace_back(node.inputs.size(), number);
        node.inputs.push_back(0);
      }
    } while (Accept(','));
    if (node.op == Op::kConstant && numbers.size() == 1 && node.inputs.size() == 1) {
      node.inputs.clear();
      node.attributes.Set("value", numbers[0].second);
      return true;
    }
    DType dtype = DType::kError;
    for (const NodeId input : node.inputs) {
      if (dtype == DType::kError && input != 0) dtype = graph[input].type.dtype;
    }
    if (!numbers.empty() && dtype == DType::kError)
      return Fail("expected a value among the operands, found only numbers");
    for (const auto& [i, number] : numbers) {
      Node constant{.op = Op::kConstant, .type = {dtype, {}}};
      constant.attributes.Set("value", number);
      if (!Count(line())) return false;
      node.inputs[i] = graph.Add(std::move(constant));
    }
    return true;
  }

  bool Count(int64_t at_line) {
    return ++nodes_ <= kMaxNodes || FailAt(at_line, fmt::format("more than {} nodes", kMaxNodes));
  }

  // %3 = op operands {attributes} : type @scope {regions}
  bool Statement(Graph& graph, Names& names, int depth) {
    std::string_view name;
    if (!ValueName(name) || !Expect('=')) return false;
    if (names.contains(name)) return Fail(fmt::format("{} is defined twice", name));
    const std::string_view op_name = Ahead();
    const auto op = OpFromName(op_name);
    if (!op) return Expected("the name of an op");
    Skip(op_name);
    Node node{.op = *op};
    const int64_t first = line();
    if (!Operands(graph, names, node) || !Attributes(node) || !Expect(':') || !ParseType(node.type)) return false;
    if (Accept('@') && !Key(node.scope, "a scope after '@'")) return false;
    while (Accept('{')) {
      if (depth + 1 > kMaxDepth) return Fail(fmt::format("expected at most {} nested regions", kMaxDepth));
      if (!Body(node.regions.emplace_back(), depth + 1)) return false;
    }
    for (const AttributeSpec& spec : node.info().attributes) {
      if (spec.name == nullptr || node.attributes.Find(spec.name) != nullptr) continue;
      if (auto value = Implied(node, name, spec.name)) node.attributes.Set(spec.name, *std::move(value));
    }
    std::vector<Type> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(graph[input].type);
    const absl::StatusOr<Type> type = InferType(*op, {inputs, node.attributes, &node.type});
    if (!type.ok()) return FailAt(first, fmt::format("{} = {}", name, std::string(type.status().message())));
    if (*type != node.type) {
      return FailAt(first, fmt::format("{} = {}: expected the type {}, found {}", name, op_name, ToString(*type),
                                       ToString(node.type)));
    }
    if (!Count(first)) return false;
    names[name] = graph.Add(std::move(node));
    return true;
  }

  bool Known(const Names& names, NodeId& out) {
    std::string_view name;
    if (!ValueName(name)) return false;
    const auto it = names.find(name);
    if (it == names.end()) return Fail(fmt::format("no value {} comes before this line", name));
    out = it->second;
    return true;
  }

  // update %w = %9
  bool Update(Graph& graph, const Names& names) {
    NodeId state = 0, value = 0;
    if (!Known(names, state)) return false;
    if (graph[state].op != Op::kState)
      return Fail(fmt::format("expected a state to update, found {}", graph[state].info().name));
    if (graph.update_of(state) != 0) return Fail("this state is updated twice");
    if (!Expect('=') || !Known(names, value)) return false;
    if (graph[value].type != graph[state].type) {
      return Fail(fmt::format("expected a new value of the state's type {}, found {}", ToString(graph[state].type),
                              ToString(graph[value].type)));
    }
    if (graph.updates().size() >= kMaxUpdates) return Fail(fmt::format("more than {} updates", kMaxUpdates));
    graph.SetUpdate(state, value);
    return true;
  }

  // return loss = %7, %3
  bool Return(Graph& graph, const Names& names) {
    do {
      std::string key;
      NodeId value = 0;
      if (Peek() != '%' && (!Key(key, "an output") || !Expect('='))) return false;
      if (!Known(names, value)) return false;
      graph.AddOutput(key, value);
    } while (Accept(','));
    return true;
  }

  // program {key = "value", ...}
  bool Program(Graph& graph) {
    if (!Expect('{')) return false;
    if (Accept('}')) return true;
    do {
      std::string key, value;
      if (!Key(key, "a fact's name") || !Expect('=') || !String(value)) return false;
      graph.metadata[key] = value;
    } while (Accept(','));
    return Expect('}');
  }

  // Statements up to the end of the text, or of the region.
  bool Body(Graph& graph, int depth) {
    Names names;
    while (depth > 0 ? !Accept('}') : !End()) {
      const std::string_view word = Ahead();
      const bool value = Peek() == '%';
      if (!value) Skip(word);
      if (value) {
        if (!Statement(graph, names, depth)) return false;
      } else if (word == "update" && depth == 0) {
        if (!Update(graph, names)) return false;
      } else if (word == "return") {
        if (!Return(graph, names)) return false;
      } else if (word == "program" && depth == 0) {
        if (!Program(graph)) return false;
      } else {
        PutBack(word);
        return Expected(depth > 0 ? "'%x = ...', return or '}'" : "'%x = ...', update, return or program");
      }
    }
    return true;
  }

  int64_t nodes_ = 0;
};

}  // namespace

absl::StatusOr<Graph> Parse(std::string_view text) { return Parser(text).Run(); }

}  // namespace fusebox
