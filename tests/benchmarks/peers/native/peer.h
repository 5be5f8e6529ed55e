// SPDX-License-Identifier: Apache-2.0
// Shared by the native peers: arguments in, measured seconds out. ../python/workload.py is the same for Python.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace peers {

// --name value --name value ...
class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
  }
  std::string Text(const std::string& name, const std::string& otherwise) const {
    const auto it = values_.find("--" + name);
    return it == values_.end() ? otherwise : it->second;
  }
  int64_t Int(const std::string& name, int64_t otherwise) const {
    return std::stoll(Text(name, std::to_string(otherwise)));
  }
  double Real(const std::string& name, double otherwise) const {
    return std::stod(Text(name, std::to_string(otherwise)));
  }

 private:
  std::map<std::string, std::string> values_;
};

// Ends a peer that cannot do the requested work: `run` prints the reason.
[[noreturn]] inline void GiveUp(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::exit(1);
}

template <class Work>
double SecondsOf(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds of one call, five times: each is the mean over enough calls to take `seconds`, after a warm-up.
template <class Call>
std::vector<double> SecondsOfACall(double seconds, Call&& call) {
  int64_t calls = 1;
  const auto many = [&] {
    return SecondsOf([&] {
      for (int64_t i = 0; i < calls; ++i) call();
    });
  };
  double took = 0;
  while ((took = many()) < seconds / 5) calls *= 2;
  calls = std::max<int64_t>(1, int64_t(double(calls) * seconds / took));
  std::vector<double> result(5);
  for (double& mean : result) mean = many() / double(calls);
  return result;
}

// Prints the result for `run`. `check` is a number on which peers should agree: the first epoch's loss, or the digest
// of an output.
inline void Answer(const std::vector<double>& seconds, double check, const std::string& version) {
  std::printf("{\"seconds\": [");
  for (size_t i = 0; i < seconds.size(); ++i) std::printf("%s%.9g", i == 0 ? "" : ", ", seconds[i]);
  std::printf("], \"check\": %.9g, \"version\": \"%s\"}\n", check, version.c_str());
}

}  // namespace peers
