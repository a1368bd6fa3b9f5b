#include "power_cuts/failing_memory.hpp"

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>

namespace minibatch::test {
namespace {

struct {
    sqlite3_mem_methods real;
    std::atomic<bool> armed = false;
    std::atomic<int> calls = 0;
    std::atomic<int> first = 0;
    std::atomic<int> end = 0;

    bool fails() {
        if (!armed) return false;
        int const call = ++calls;
        return call >= first && call < end;
    }
} memory;

void* allocate(int size) { return memory.fails() ? nullptr : memory.real.xMalloc(size); }
void* reallocate(void* from, int size) { return memory.fails() ? nullptr : memory.real.xRealloc(from, size); }

/// SQLite takes another allocator only before its first use.
[[maybe_unused]] bool const allocator_replaced = [] {
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real) != SQLITE_OK) std::abort();
    auto failing = memory.real;
    failing.xMalloc = allocate;
    failing.xRealloc = reallocate;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK) std::abort();
    return true;
}();

}  // namespace

void failing_memory::arm(int n, int times) {
    memory.calls = 0;
    memory.first = n;
    memory.end = n + times;
    memory.armed = true;
}

void failing_memory::disarm() { memory.armed = false; }

int failing_memory::count() { return memory.calls; }

}  // namespace minibatch::test
