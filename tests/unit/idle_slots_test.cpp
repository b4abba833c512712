// SPDX-License-Identifier: Apache-2.0
// A slot is given out again only once surely no connection holds it.
#include "control/idle_slots.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Counts = std::vector<dataplane::ConnectionCounts>;

const Counts kNone(4);

Counts one_of(model::Slot slot, bool active = true) {
  Counts counts = kNone;
  ++(active ? counts[slot].active : counts[slot].inactive);
  return counts;
}

}  // namespace

TEST(IdleSlots, NeedAWholePassThatBeganAfterTheyBeganToDrain) {
  IdleSlots slots;
  EXPECT_THAT(slots.pass_ended({1}, kNone), IsEmpty()) << "it may have got a connection behind the sweep's back";
  EXPECT_THAT(slots.pass_ended({1}, kNone), ElementsAre(1));
}

TEST(IdleSlots, AreKeptWhileAConnectionHoldsThem) {
  IdleSlots slots;
  slots.pass_ended({1, 2, 3}, kNone);
  EXPECT_THAT(slots.pass_ended({1, 2, 3}, one_of(1)), ElementsAre(2, 3));
  EXPECT_THAT(slots.pass_ended({1}, one_of(1, false)), IsEmpty()) << "one that is closing holds it, too";
  EXPECT_THAT(slots.pass_ended({1}, kNone), ElementsAre(1));
}

TEST(IdleSlots, NotOneThatIsInUseAgain) {
  IdleSlots slots;
  slots.pass_ended({1}, kNone);
  EXPECT_THAT(slots.pass_ended({}, kNone), IsEmpty());
}

TEST(IdleSlots, NotOneThatWasInUseAgainForAMomentOfThePass) {
  IdleSlots slots;
  slots.pass_ended({1}, kNone);
  slots.draining_are({});   // a reload brings it back, and it gets connections where the sweep has been ...
  slots.draining_are({1});  // ... and another takes it away
  EXPECT_THAT(slots.pass_ended({1}, kNone), IsEmpty());
  EXPECT_THAT(slots.pass_ended({1}, kNone), ElementsAre(1));
}

}  // namespace control
