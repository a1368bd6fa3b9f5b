#include "runtime/partition_session.hpp"

namespace minibatch::runtime {

partition_session::partition_session(partition_context const& context, std::weak_ptr<partition_worker> worker,
                                     lease_applicant::grant const& granted, progress_saver::listener& listener,
                                     outage_pause& outage)
    : lease(context.group, granted.answer.held.epoch, context.member.options.lease, granted.asked),
      tracker(granted.answer.state),
      pending(granted.answer.state),
      planner(context.member.how, granted.answer.state, context.group.log.partition),
      trimmer(std::make_shared<log_trimmer>(context, granted.answer.state.low_number)),
      saver(std::make_shared<progress_saver>(context, lease, tracker, *trimmer, listener)),
      windows(context, lease, tracker, *saver),
      reader(context, pending, tracker,
             [this, &context](store::time_range times, std::int64_t lost) { removed(context, times, lost); }),
      maker(context, std::move(worker), lease, pending, planner, tracker, reader, *saver, windows, outage) {}

void partition_session::removed(partition_context const& context, store::time_range times, std::int64_t lost) {
    if (planner.cuts_by_stamps()) tracker.times_removed(times);
    if (lost > 0)
        context.env.say(log_level::warning, std::to_string(lost) + " messages of stream '" +
                                                context.member.stream.name +
                                                "' were removed by retention before group '" + context.group.group +
                                                "' had committed them");
    saver->save();
}

void partition_session::end(std::string_view why) {
    lease.end();
    windows.close_all(why);
    saver->end(why);
    trimmer->end();
}

}  // namespace minibatch::runtime
