#pragma once

#include <functional>
#include <string>
#include <vector>

namespace bench {

double median(std::vector<double> values);
/// The value that `share` (0 … 1) of the values do not exceed.
double percentile(std::vector<double> values, double share);

struct interval {
    double low = 0;
    double high = 0;
};
/// In which the median of the whole lies with a probability of 95 %, by order statistics. Of fewer than six values, for
/// which there is none: the least and the greatest.
interval median_interval(std::vector<double> values);

/// 1234567 → "1,230,000": three digits, as no measurement here has more.
std::string figure(double value);
/// With so many digits after the point.
std::string fixed(double value, int digits);

/// One line of the table: what is claimed, what was measured, and whether it holds.
struct row {
    std::string claim;
    std::string ours;
    std::string compared_with;
    std::string other;
    std::string ratio;
    std::string target;
    bool met = false;
};
/// Prints a line of the Markdown table whose head `bench/run` prints.
void print(row const& line);
/// A line for the reader's information, not for the table.
void note(std::string const& text);

/// A contestant gives its figure for one run.
struct contestant {
    std::string name;
    std::function<double()> run;
};
struct standing {
    std::vector<double> figures;
    double median = 0;
};
/// Runs all in turn, round after round, so that what else the machine does hits all alike.
std::vector<standing> alternate(int rounds, std::vector<contestant> const& contestants);
/// The median over the rounds of first/second.
double median_ratio(standing const& first, standing const& second);
/// A row that states a rate against a peer's: the medians, and the ratio of ours to theirs with its spread over the
/// rounds and its least value.
void print_ratio(std::string const& claim, standing const& ours, std::string const& peer, standing const& other,
                 double least);

}  // namespace bench
