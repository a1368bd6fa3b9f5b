#include "power_cuts/disk.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>

namespace minibatch::test {
namespace {

constexpr std::int64_t sector = 512;

using random_source = std::mt19937;

bool heads(random_source& random) { return (random() & 1) != 0; }

void put(std::string& content, std::int64_t offset, char const* bytes, std::int64_t size) {
    auto const end = static_cast<std::size_t>(offset + size);
    if (content.size() < end) content.resize(end, '\0');
    std::copy_n(bytes, size, content.begin() + offset);
}

void apply(std::string& content, disk_event const& event) {
    if (event.what == disk_event::kind::truncate)
        content.resize(static_cast<std::size_t>(event.offset), '\0');
    else
        put(content, event.offset, event.bytes->data(), static_cast<std::int64_t>(event.bytes->size()));
}

/// Any of its sectors.
void tear(std::string& content, disk_event const& event, random_source& random) {
    if (event.what == disk_event::kind::truncate) return apply(content, event);
    auto const end = event.offset + static_cast<std::int64_t>(event.bytes->size());
    for (auto at = event.offset; at < end;) {
        auto const next = std::min(end, (at / sector + 1) * sector);
        if (heads(random)) put(content, at, event.bytes->data() + (at - event.offset), next - at);
        at = next;
    }
}

struct file_state {
    std::string durable;
    std::vector<disk_event const*> pending;

    /// The end of what is pending: by a sync, whether it succeeded or not, or by the power cut.
    void settle(survival what, random_source& random) {
        for (auto const* const event : pending) {
            if (what == survival::all) {
                apply(durable, *event);
            } else if (what == survival::some) {
                auto const fate = random() % 3;
                if (fate == 0) apply(durable, *event);
                if (fate == 1) tear(durable, *event, random);
            }
        }
        pending.clear();
    }
};

struct directory_state {
    std::map<std::string, int> names;
    std::vector<disk_event const*> pending;

    void settle(survival what, random_source& random) {
        for (auto const* const event : pending) {
            if (what == survival::synced_only || (what == survival::some && heads(random))) continue;
            if (event->what == disk_event::kind::create)
                names[event->name] = event->file;
            else
                names.erase(event->name);
        }
        pending.clear();
    }
};

}  // namespace

std::size_t disk::size() const {
    std::lock_guard const lock(mutex_);
    return events_.size();
}

int disk::record(disk_event event) {
    std::lock_guard const lock(mutex_);
    if (event.what == disk_event::kind::create) event.file = ++files_;
    events_.push_back(std::move(event));
    return files_;
}

int disk::number_of(std::string_view name) const {
    std::lock_guard const lock(mutex_);
    auto const made = std::find_if(events_.rbegin(), events_.rend(), [&](auto const& event) {
        return event.what == disk_event::kind::create && event.name == name;
    });
    return made == events_.rend() ? 0 : made->file;
}

void disk::after_power_cut(std::size_t cut, survival what, random_source& random,
                           std::filesystem::path const& into) const {
    std::lock_guard const lock(mutex_);
    auto const at_failed_sync = what == survival::not_failed ? survival::synced_only : what;
    auto const at_cut = what == survival::not_failed ? survival::all : what;
    std::map<int, file_state> files;
    directory_state directory;
    for (std::size_t i = 0; i < cut; ++i) {
        auto const& event = events_[i];
        switch (event.what) {
            case disk_event::kind::write:
            case disk_event::kind::truncate:
                files[event.file].pending.push_back(&event);
                break;
            case disk_event::kind::sync:
                files[event.file].settle(survival::all, random);
                break;
            case disk_event::kind::failed_sync:
                files[event.file].settle(at_failed_sync, random);
                break;
            case disk_event::kind::create:
            case disk_event::kind::remove:
                directory.pending.push_back(&event);
                break;
            case disk_event::kind::directory_sync:
                directory.settle(survival::all, random);
                break;
            case disk_event::kind::failed_directory_sync:
                break;  // names stay to be written, unlike data
        }
    }
    directory.settle(at_cut, random);
    for (auto const& [name, number] : directory.names) {
        auto& file = files[number];
        file.settle(at_cut, random);
        std::ofstream out(into / name, std::ios::binary);
        out.write(file.durable.data(), static_cast<std::streamsize>(file.durable.size()));
        if (!out) throw std::runtime_error("cannot write " + (into / name).string());
    }
}

}  // namespace minibatch::test
