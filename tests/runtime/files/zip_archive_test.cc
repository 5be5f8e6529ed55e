// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/zip_archive.h"

#include <zip.h>

#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::Slurp;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::HasSubstr;

TEST(ZipArchive, ReadsWhatItWrites) {
  ASSERT_OK_AND_ASSIGN(const std::string bytes,
                       ZipBytes({{"a/b.txt", "one"}, {"empty", ""}, {"z", std::string(100'000, 'z')}}));
  ASSERT_OK_AND_ASSIGN(const std::vector<ZipMember> members, ReadZip(bytes, "f"));
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].name, "a/b.txt");
  EXPECT_EQ(members[0].bytes, "one");
  EXPECT_EQ(members[1].bytes, "");
  EXPECT_EQ(members[2].bytes, std::string(100'000, 'z'));
  EXPECT_FALSE(ZipBytes({}).ok());
  EXPECT_THAT(ReadZip("", "f"), StatusHasMessage("f: no zip archive: it is empty"));
}

// Ten megabytes of zeros in ten kilobytes.
std::string Bomb(const TempFolder& folder) {
  static const std::string zeros(10'000'000, '\0');
  zip_t* archive = zip_open((folder / "bomb.zip").c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const char* name : {"a", "b"}) {
    zip_file_add(archive, name, zip_source_buffer(archive, zeros.data(), zeros.size(), 0), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  return Slurp(folder / "bomb.zip");
}

TEST(ZipArchive, StopsAtItsBudget) {
  const TempFolder folder;
  const std::string bomb = Bomb(folder);
  EXPECT_LT(bomb.size(), 30'000u);
  EXPECT_THAT(ReadZip(bomb, "f", 15'000'000), StatusHasMessage(HasSubstr("f: member 'b' would unpack from")));
  EXPECT_OK(ReadZip(bomb, "f", 20'000'000));
}

TEST(ZipArchive, SeesDamage) {
  ASSERT_OK_AND_ASSIGN(std::string bytes, ZipBytes({{"a", "hello hello hello"}}));
  bytes[bytes.find("hello")] = 'j';
  EXPECT_THAT(ReadZip(bytes, "f"), StatusHasMessage(HasSubstr("f: member 'a' is corrupt: CRC error")));
}

}  // namespace
}  // namespace fusebox
