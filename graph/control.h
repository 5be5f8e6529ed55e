// SPDX-License-Identifier: Apache-2.0
// Branches and loops that depend on data. Ordinary C++ that writes symbols decides what depends on shapes and settings
// alone; these functions decide by values, and are compiled as a branch or a loop, never unrolled.
//
//   const auto [carry, y] = Scan([&](const Values& carry, const Values& x) -> Scanned {
//     const Value h = Tanh(MatMul(x[0], w) + MatMul(carry[0], u));
//     return {{h}, {h}};
//   }, {h0}, {xs});
//
// Each given function is called once, with values that stand for those of any iteration. It may use values from around
// it, weights too; a gradient flows through a scan and through the branch that was taken. Values that it makes are
// known inside it alone, and it may change no state, add no loss and set no mask. Random numbers in a loop are the same
// in each iteration. Names and meanings are those of keras.ops.scan, cond and while_loop.
// Public header without a library: includes value.h alone; every room and every plugin may include it.
#pragma once
#include <concepts>
#include <cstddef>
#include <functional>
#include <type_traits>

#include "fusebox/graph/value.h"

namespace fusebox {

// What the body of a scan returns: the carries' next values, and the outputs of this iteration. And what a scan
// returns: the last carries, and the outputs of all iterations, [length, ...].
struct Scanned {
  Values carry, y;  // See above.
};

// What Scan may be told beyond its operands.
struct ScanOptions {
  int64_t length = 0;    // A dimension. The sequences give it, if there are any.
  bool reverse = false;  // From the last entry to the first; y keeps the order of the sequences.
};

// What While may be told beyond its operands.
struct WhileOptions {
  int64_t maximum_iterations = 0;  // 0: no limit.
};

namespace control {

// Whether the host is new enough to have these functions.
inline bool IsKnown(const Value& host) {
  return host.api->struct_size >= offsetof(FbApi, result) + sizeof(FbApi::result);
}

inline std::vector<FbId> Ids(const Values& values) {
  std::vector<FbId> ids;
  for (const Value& v : values) ids.push_back(v.id);
  return ids;
}

// Writes one region: parameters of these types, and what `body` returns for them.
inline void Region(const Value& host, const std::vector<FbType>& types,
                   const std::function<Values(const Values&)>& body) {
  host.api->begin_region(host.builder);
  Values parameters;
  for (const FbType& type : types) {
    parameters.push_back({host.api, host.builder, host.api->parameter(host.builder, &type)});
  }
  Values made = body(parameters);
  for (Value& value : made) {
    if (value.ok() && value.builder != host.builder)
      value = host.Error("a loop or branch returns a value of another graph");
  }
  const std::vector<FbId> results = Ids(made);
  host.api->end_region(host.builder, results.data(), uint32_t(results.size()));
}

// Makes a node of the regions that were written last. Returns all its results; after an error, error values.
inline Values Finish(const Value& host, const char* op, const Values& operands,
                     std::initializer_list<NamedAttribute> attributes, std::source_location where) {
  const std::vector<FbId> ids = Ids(operands);
  std::vector<FbAttribute> raw;
  for (const NamedAttribute& a : attributes) raw.push_back(a.raw);
  const FbSource source = MakeSource(where);
  const FbNode node = {sizeof node, uint32_t(ids.size()), uint32_t(raw.size()), 0, op, ids.data(), raw.data(), &source};
  uint32_t count = 0;
  const FbId first = host.api->control(host.builder, &node, &count);
  Values results;
  for (uint32_t i = 0; i < count; ++i) {
    results.push_back({host.api, host.builder, host.api->result(host.builder, first, i, &source)});
  }
  return results;
}

inline std::vector<FbType> TypesOf(const Values& values) {
  std::vector<FbType> types;
  for (const Value& v : values) types.push_back(v.type());
  return types;
}

// As many error values as the caller expects, so that it can take them by number after an error, too.
inline Values AtLeast(Values values, size_t count, const Value& host) {
  while (values.size() < count) values.push_back({host.api, host.builder, 0});
  return values;
}

// The first value that belongs to a graph; an error value if the values belong to several graphs or to none.
inline Value HostOf(const Values& values, const char* who, std::source_location where) {
  Value host;
  for (const Value& v : values) {
    if (v.api == nullptr) continue;
    if (host.api == nullptr) host = v;
    if (v.builder != host.builder) return host.Error(std::string(who) + ": operands of two graphs", where);
    if (!v.ok()) host.id = 0;
  }
  if (host.ok() && !IsKnown(host))
    return host.Error(std::string(who) + ": this host knows no branches or loops", where);
  return host;
}

}  // namespace control

// Runs `body` on the first carries and the first entries of the sequences xs [length, ...], then on the carries that it
// returned and the second entries, and so on. Differentiable. Errors: no operand at all, sequences of different
// lengths, a body that returns carries of other types than it was given.
inline Scanned Scan(const std::function<Scanned(const Values& carry, const Values& x)>& body, const Values& init,
                    const Values& xs, ScanOptions options = {},
                    std::source_location where = std::source_location::current()) {
  Values operands = init;
  operands.insert(operands.end(), xs.begin(), xs.end());
  const Value host = control::HostOf(operands, "scan", where);
  const Value failed{host.api, host.builder, 0};
  // The caller takes the outputs by number, after an error too; the body makes as many of error values.
  const auto nothing = [&]() -> Scanned {
    Scanned made = body(Values(init.size(), failed), Values(xs.size(), failed));
    for (Values* const values : {&made.carry, &made.y}) {
      for (Value& value : *values) {
        // Without operands only the body knows a graph.
        if (host.api == nullptr && value.ok()) value.Error("scan: expects a carry or a sequence", where);
        value.id = 0;
      }
    }
    return made;
  };
  if (!host.ok()) return nothing();
  std::vector<FbType> types = control::TypesOf(init);
  int64_t length = options.length;
  for (const Value& x : xs) {
    FbType type = x.type();
    if (type.rank < 1 || (length != 0 && type.dims[0] != length)) {
      failed.Error("scan: expects sequences [length, ...] of the same length, got " + ToString(type), where);
      return nothing();
    }
    length = type.dims[0];
    std::copy(type.dims + 1, type.dims + type.rank, type.dims);
    --type.rank;
    types.push_back(type);
  }
  size_t kept = 0;
  control::Region(host, types, [&](const Values& parameters) {
    const auto middle = parameters.begin() + int64_t(init.size());
    auto [results, y] = body(Values(parameters.begin(), middle), Values(middle, parameters.end()));
    kept = y.size();
    if (results.size() != init.size()) {
      failed.Error("scan: expects " + std::to_string(init.size()) + " carries of its body, got " +
                       std::to_string(results.size()),
                   where);
    }
    results.insert(results.end(), y.begin(), y.end());
    return results;
  });
  Values results = control::Finish(host, "scan", operands,
                                   {{"carries", int64_t(init.size())},
                                    {"sequences", int64_t(xs.size())},
                                    {"length", length},
                                    {"reverse", options.reverse}},
                                   where);
  results = control::AtLeast(std::move(results), init.size() + kept, host);
  const auto middle = results.begin() + int64_t(init.size());
  return {Values(results.begin(), middle), Values(middle, results.end())};
}

// Returns what `then` returns if the predicate, bool[], is true, else what `otherwise` returns. Both return the same
// number of values of the same types, as Values or as one Value. Only the chosen one runs.
template <std::invocable Then, std::invocable Otherwise>
auto Cond(Value predicate, const Then& then, const Otherwise& otherwise,
          std::source_location where = std::source_location::current()) {
  constexpr bool kOne = std::is_convertible_v<std::invoke_result_t<Then>, Value>;
  size_t count = 1;
  const auto region = [&](const auto& branch) {
    control::Region(predicate, {}, [&](const Values&) -> Values {
      if constexpr (kOne) {
        return {branch()};
      } else {
        Values values = branch();
        count = values.size();
        return values;
      }
    });
  };
  Values results;
  predicate = control::HostOf({predicate}, "cond", where);
  if (predicate.ok()) {
    region(then);
    region(otherwise);
    results = control::Finish(predicate, "cond", {predicate}, {}, where);
  } else if constexpr (!kOne) {
    count = then().size();  // The caller takes them by number.
  }
  results = control::AtLeast(std::move(results), count, predicate);
  if constexpr (kOne) {
    return results[0];
  } else {
    return results;
  }
}

// Runs `body`, which makes new values of the same types, as long as `goes_on` returns true, bool[]. Not differentiable,
// as the number of iterations is known at run time only: a gradient that would flow through it is an error. A loop
// without a limit whose `goes_on` never returns false never ends.
inline Values While(const std::function<Value(const Values&)>& goes_on,
                    const std::function<Values(const Values&)>& body, const Values& init, WhileOptions options = {},
                    std::source_location where = std::source_location::current()) {
  const Value host = control::HostOf(init, "while", where);
  if (host.api == nullptr || !host.ok()) return Values(init.size(), Value{host.api, host.builder, 0});
  const std::vector<FbType> types = control::TypesOf(init);
  control::Region(host, types, [&](const Values& now) -> Values { return {goes_on(now)}; });
  control::Region(host, types, body);
  return control::AtLeast(
      control::Finish(host, "while", init, {{"carries", int64_t(init.size())}, {"limit", options.maximum_iterations}},
                      where),
      init.size(), host);
}

}  // namespace fusebox
