// SPDX-License-Identifier: Apache-2.0
// A text that is not JSON: one error, at the right place, in words. And: everything in a right one knows its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/tree.hpp"
#include "config_support.hpp"

namespace config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Broken {
  const char* text;
  const char* line;
};

class Syntax : public ::testing::TestWithParam<Broken> {};

TEST_P(Syntax, IsExplainedWhereItIsWrong) {
  EXPECT_THAT(testing::lines_of(GetParam().text), ElementsAre(GetParam().line)) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Errors, Syntax,
    ::testing::Values(
        Broken{"", "f:1:1: the file is empty; expected { ... }"},
        Broken{" \n\n", "f:3:1: the file is empty; expected { ... }"},
        Broken{"{\n  \"router_id\": \"a\"\n",
               "f:3:1: the file ends here, but the { of line 1 is still open; expected a comma or }"},
        Broken{"{\n  \"a\": 1\n  \"b\": 2\n}", "f:3:3: a comma is missing before this"},
        Broken{"{ \"a\": [ {}\n {} ] }", "f:2:2: a comma is missing before this"},
        Broken{"{ \"a\": 1,\n}", "f:1:9: this comma is too much: nothing follows it before the }"},
        Broken{"{ \"a\": [1, 2,] }", "f:1:13: this comma is too much: nothing follows it before the ]"},
        Broken{"{ \"a\" 1 }", "f:1:7: a colon is missing before this"},
        Broken{"{ a: 1 }",
               "f:1:3: unexpected \"a\"; expected a key in double quotes or } (texts and keys need double quotes)"},
        Broken{"{ \"state\": MASTER }",
               "f:1:12: unexpected \"MASTER\"; expected a value (texts and keys need double quotes)"},
        Broken{"{ \"state\": 'MASTER' }", "f:1:12: texts and keys are written in \"double quotes\""},
        Broken{"{\n# comment\n\"a\": 1 }", "f:2:1: JSON has no comments; remove it"},
        Broken{"{ \"a\": 1 // comment\n }", "f:1:10: JSON has no comments; remove it"},
        Broken{"{ \"a\": 1e999 }", "f:1:8: the number \"1e999\" is too large"},
        Broken{"{ \"a\": 0x10 }",
               "f:1:9: unexpected \"x10\"; expected a comma or } (texts and keys need double quotes)"},
        Broken{"{ \"a\": 07 }", "f:1:9: a number has no leading zero"},
        Broken{"[-00]", "f:1:4: a number has no leading zero"},
        Broken{"[1.5e+3,-0.5,1E2 2]", "f:1:18: a comma is missing before this"},
        Broken{"{ \"a\": .5 }", "f:1:8: \".5\" is not a number as JSON writes it; expected a value"},
        Broken{"{ \"a\": 12. }", "f:1:8: \"12.\" is not a number as JSON writes it; expected a value"},
        Broken{"{ \"a\": \"x\ny\" }", "f:1:8: the text has no closing double quote on its line"},
        Broken{"{ \"a\": \"x\ty\" }", "f:1:10: a text cannot hold a control character; write a tab as \\t"},
        Broken{"{ \"a\": \"C:\\x\" }",
               "f:1:11: a backslash in a text begins an escape; write a backslash itself as \\\\"},
        Broken{"{ \"a\": \"\xff\" }", "f:1:8: the text is not valid: bytes that are not UTF-8, or a broken \\u escape"},
        Broken{"{ \"a\": ] }", "f:1:8: unexpected \"]\"; expected a value"},
        Broken{"{ \"a\": [1} }", "f:1:10: unexpected \"}\"; expected a comma or ]"},
        Broken{"{} }",
               "f:1:4: the configuration ended before this; remove what follows, or look for a bracket too many above"},
        // Columns count characters, not bytes; a byte order mark is no character.
        Broken{"\xef\xbb\xbf{ \"\xc3\xa9\xc3\xa9\": x }",
               "f:1:9: unexpected \"x\"; expected a value (texts and keys need double quotes)"}));

TEST(Syntax, OfAPasswordIsExplainedWithoutThePassword) {
  EXPECT_THAT(testing::lines_of("{ \"authentication\": { \"auth_pass\": s3cret } }"),
              ElementsAre("f:1:36: expected a value"));
  EXPECT_THAT(testing::lines_of("{ \"authentication\": { \"auth_pass\": \"s\"3cret\" } }"),
              ElementsAre("f:1:39: a comma is missing before this"));
  EXPECT_THAT(testing::lines_of("{ \"authentication\": { \"auth_pass\": \"s\"cret\" } }"),
              ElementsAre("f:1:39: expected a comma or }"));
  EXPECT_THAT(testing::lines_of("{ \"authentication\": { \"auth_pass\": 07 } }"),
              ElementsAre("f:1:37: a number has no leading zero"));
}

TEST(Syntax, RefusesWhatIsNestedTooDeep) {
  const std::string deep = "{\"a\":" + std::string(100'000, '[');
  EXPECT_THAT(testing::lines_of(deep), ElementsAre("f:1:21: nested too deep; allowed are 16 levels"));
}

TEST(Syntax, RefusesAFileThatIsTooLarge) {
  const std::string large(kLongestText + 1, ' ');
  EXPECT_THAT(testing::lines_of(large), ElementsAre(HasSubstr("the file has 33554433 bytes; allowed are 33554432")));
}

TEST(Tree, EverythingKnowsItsPlace) {
  const auto root = parse("{\n  \"a\" : -1.5e0,\n  \"list\": [\n    true, null, \"x\\\"y\",{ \"b\":0 } ]\n}");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->members[0].position, (Position{2, 3}));
  EXPECT_EQ(locate(*root, ""), (Position{1, 1}));
  EXPECT_EQ(locate(*root, "a"), (Position{2, 9}));
  EXPECT_EQ(root->members[0].value.text, "-1.5e0");
  EXPECT_EQ(locate(*root, "list"), (Position{3, 11}));
  EXPECT_EQ(locate(*root, "list[0]"), (Position{4, 5}));
  EXPECT_EQ(locate(*root, "list[2]"), (Position{4, 17}));
  EXPECT_EQ(locate(*root, "list[3]"), (Position{4, 24}));
  EXPECT_EQ(locate(*root, "list[3].b"), (Position{4, 30}));
  EXPECT_EQ(locate(*root, "list[3].missing"), (Position{4, 24})) << "where it would have to be added";
}

}  // namespace
}  // namespace config
