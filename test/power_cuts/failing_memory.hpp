#pragma once

namespace minibatch::test {

/// Memory for SQLite that runs out. One for the program; while nothing is armed it only passes calls on.
class failing_memory {
  public:
    /// The n-th allocation from now on fails, counted from 1, and those that follow it, so many in all.
    static void arm(int n, int times = 1);
    static void disarm();
    /// How many allocations there were since it was armed.
    static int count();
};

}  // namespace minibatch::test
