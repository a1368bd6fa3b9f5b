#include "support/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {

double median(std::vector<double> values) { return percentile(std::move(values), 0.5); }

double percentile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    auto const last = static_cast<double>(values.size() - 1);
    auto const place = values.begin() + static_cast<std::ptrdiff_t>(std::lround(share * last));
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

interval median_interval(std::vector<double> values) {
    if (values.empty()) return {};
    std::ranges::sort(values);
    auto const size = values.size();
    // The probability that so many of the values are below the median: binomial, one half each.
    auto exactly = std::pow(0.5, static_cast<double>(size));
    auto at_most = exactly;
    std::size_t left_out = 0;  // on either side
    for (std::size_t k = 1; k < size / 2; ++k) {
        exactly *= static_cast<double>(size - k + 1) / static_cast<double>(k);
        at_most += exactly;
        if (at_most > 0.025) break;
        left_out = k;
    }
    return {values[left_out], values[size - 1 - left_out]};
}

std::string fixed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string figure(double value) {
    if (value < 100) return fixed(value, 1);
    auto const unit = std::pow(10, std::floor(std::log10(value)) - 2);
    auto text = fixed(std::round(value / unit) * unit, 0);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(text.begin() + at, ',');
    return text;
}

void print(row const& line) {
    std::printf("| %s | %s | %s | %s | %s | %s | %s |\n", line.claim.c_str(), line.ours.c_str(),
                line.compared_with.c_str(), line.other.c_str(), line.ratio.c_str(), line.target.c_str(),
                line.met ? "yes" : "**no**");
    std::fflush(stdout);
}

void note(std::string const& text) { std::fprintf(stderr, "  %s\n", text.c_str()); }

std::vector<standing> alternate(int rounds, std::vector<contestant> const& contestants) {
    std::vector<standing> result(contestants.size());
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < contestants.size(); ++i) {
            result[i].figures.push_back(contestants[i].run());
            note(contestants[i].name + ": " + figure(result[i].figures.back()));
        }
    }
    for (auto& each : result) each.median = median(each.figures);
    return result;
}

namespace {

/// By round.
std::vector<double> ratios(standing const& first, standing const& second) {
    std::vector<double> result;
    for (std::size_t i = 0; i < first.figures.size(); ++i) result.push_back(first.figures[i] / second.figures[i]);
    return result;
}

}  // namespace

double median_ratio(standing const& first, standing const& second) { return median(ratios(first, second)); }

void print_ratio(std::string const& claim, standing const& ours, std::string const& peer, standing const& other,
                 double least) {
    auto const all = ratios(ours, other);
    auto const ratio = median(all);
    auto const [low, high] = std::minmax_element(all.begin(), all.end());
    auto const digits = ratio < 100 ? 2 : 0;
    print({claim, figure(ours.median) + "/s", peer, figure(other.median) + "/s",
           fixed(ratio, digits) + " (" + fixed(*low, digits) + " … " + fixed(*high, digits) + ")",
           "≥ " + fixed(least, 1), ratio >= least});
}

}  // namespace bench
