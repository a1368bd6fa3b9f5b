#pragma once

#include <CLI/CLI.hpp>

#include "tool/options.hpp"

namespace minibatch::tool {

/// The commands and options that the parser knows, and where it puts their values.
class option_grammar {
  public:
    option_grammar();
    option_grammar(option_grammar const&) = delete;
    option_grammar& operator=(option_grammar const&) = delete;

    CLI::App& app() { return app_; }

    /// The command after a successful parse. Throws CLI::ParseError for what the parser itself cannot see.
    command_line result() const;

  private:
    CLI::App& add_command(CLI::App& parent, std::string const& name, std::string const& help);
    void add_common(CLI::App& app);
    void add_append();
    void add_consume();
    void add_peek();
    void add_info();
    void add_delete();
    void add_groups();

    append_options append() const;
    consume_options consume() const;
    peek_options peek() const;
    delete_group_options delete_group() const;

    CLI::App app_;
    CLI::App* append_ = nullptr;
    CLI::App* consume_ = nullptr;
    CLI::App* peek_ = nullptr;
    CLI::App* streams_ = nullptr;
    CLI::App* info_ = nullptr;
    CLI::App* delete_ = nullptr;
    CLI::App* groups_ = nullptr;
    CLI::App* delete_group_ = nullptr;

    command_line line_;
    append_options append_options_;
    consume_options consume_options_;
    peek_options peek_options_;
    info_options info_options_;
    delete_options delete_options_;
    delete_group_options delete_group_options_;
};

}  // namespace minibatch::tool
