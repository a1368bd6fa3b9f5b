#pragma once

/// The whole of minibatch: mini-batch stream processing on Boost.Asio.
#include <minibatch/database.hpp>
#include <minibatch/document.hpp>
#include <minibatch/emitter.hpp>
#include <minibatch/error.hpp>
#include <minibatch/log.hpp>
#include <minibatch/message.hpp>
#include <minibatch/options.hpp>
#include <minibatch/producer.hpp>
#include <minibatch/strategy.hpp>
#include <minibatch/stream.hpp>
#include <minibatch/streaming.hpp>
#include <minibatch/window.hpp>
