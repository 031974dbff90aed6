#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/associated_allocator.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include "artillery/error.hpp"

/// How every `async_x(…, token)` of the library is made: the handler that the token stands for is erased into a
/// `completion`, and the operation goes on in a .cpp that knows nothing of its type.
///
/// Not for users: this header is public only because the templates that take tokens are.
namespace artillery::detail {

/// A handler together with what it is called with: what is posted to the handler's executor.
template <class Handler, class... Values>
class bound_handler {
public:
  using allocator_type = asio::associated_allocator_t<Handler>;

  bound_handler(Handler&& handler, std::tuple<Values...>&& values)
      : handler_{std::move(handler)}, values_{std::move(values)} {}

  [[nodiscard]] allocator_type get_allocator() const noexcept { return asio::get_associated_allocator(handler_); }

  void operator()() {
    std::apply([this](Values&... values) { std::move(handler_)(std::move(values)...); }, values_);
  }

private:
  Handler handler_;
  std::tuple<Values...> values_;
};

/// What a `completion` points to. `post` and `drop` end its life.
template <class... Values>
class held_handler {
public:
  explicit held_handler(asio::cancellation_slot slot) noexcept : slot_{slot} {}
  held_handler(const held_handler&) = delete;
  held_handler& operator=(const held_handler&) = delete;

  virtual void post(std::tuple<Values...>&& values) = 0;
  virtual void drop() noexcept = 0;
  [[nodiscard]] asio::cancellation_slot slot() const noexcept { return slot_; }

protected:
  virtual ~held_handler() = default;

private:
  asio::cancellation_slot slot_;
};

/// The executor on which work is held for a handler: its own, but for strands, which Asio 1.22 cannot count work on.
template <class Executor>
struct work_executor {
  using type = Executor;
};
template <class Inner>
struct work_executor<asio::strand<Inner>> {
  using type = asio::any_io_executor;
};

template <class Handler, class... Values>
class held_handler_of final : public held_handler<Values...> {
  using associated_executor = typename work_executor<asio::associated_executor_t<Handler, asio::any_io_executor>>::type;
  using allocator =
      typename std::allocator_traits<asio::associated_allocator_t<Handler>>::template rebind_alloc<held_handler_of>;
  using allocator_traits = std::allocator_traits<allocator>;

public:
  static held_handler_of* make(Handler&& handler, const asio::any_io_executor& executor) {
    allocator memory{asio::get_associated_allocator(handler)};
    held_handler_of* place = allocator_traits::allocate(memory, 1);
    try {
      return ::new (static_cast<void*>(place)) held_handler_of{std::move(handler), executor};
    } catch (...) {
      allocator_traits::deallocate(memory, place, 1);
      throw;
    }
  }

  void post(std::tuple<Values...>&& values) override {
    // Everything moves to the stack and the memory is given back before the handler can run: it may start the next
    // operation, which then finds this memory free.
    Handler handler{std::move(handler_)};
    const auto work = std::move(work_);
    const auto object_work = std::move(object_work_);
    free(handler);
    asio::post(work.get_executor(), bound_handler<Handler, Values...>{std::move(handler), std::move(values)});
  }

  void drop() noexcept override {
    Handler handler{std::move(handler_)};
    free(handler);
  }

private:
  // The slot is asked for while the handler is still whole: after the move it may know of none.
  held_handler_of(Handler&& handler, const asio::any_io_executor& executor)
      : held_handler<Values...>{asio::get_associated_cancellation_slot(handler)},
        work_{associated_executor{asio::get_associated_executor(handler, executor)}},
        handler_{std::move(handler)} {
    bool elsewhere = true;
    if constexpr (std::is_same_v<associated_executor, asio::any_io_executor>)
      elsewhere = work_.get_executor() != executor;
    if (elsewhere) object_work_.emplace(executor);
  }
  ~held_handler_of() override = default;

  void free(const Handler& handler) noexcept {
    allocator memory{asio::get_associated_allocator(handler)};
    this->~held_handler_of();
    allocator_traits::deallocate(memory, this, 1);
  }

  asio::executor_work_guard<associated_executor> work_;
  // A handler that runs elsewhere must also keep the object's own executor running, on which the operation goes on.
  std::optional<asio::executor_work_guard<asio::any_io_executor>> object_work_;
  Handler handler_;
};

template <class Signature>
class completion;

/// A handler whose type is forgotten: move-only, one allocation (with the handler's allocator), to be called at most
/// once.
///
/// It keeps work on the handler's executor, so that a context runs on until it is called. Calling it *posts* to that
/// executor: the user's code never runs inside the caller, so an object may complete operations in the middle of its
/// own work. A completion that is destroyed uncalled destroys the handler, as when an io_context ends.
template <class... Args>
class completion<void(Args...)> {
public:
  completion() noexcept = default;
  template <class Handler>
  completion(Handler&& handler, const asio::any_io_executor& executor)
      : held_{held_handler_of<std::decay_t<Handler>, std::decay_t<Args>...>::make(
            std::decay_t<Handler>{std::forward<Handler>(handler)}, executor)} {}
  completion(completion&& other) noexcept : held_{std::exchange(other.held_, nullptr)} {}
  completion& operator=(completion&& other) noexcept {
    completion moved{std::move(other)};
    std::swap(held_, moved.held_);
    return *this;
  }
  ~completion() {
    if (held_ != nullptr) held_->drop();
  }

  /// Whether there is a handler that was not called yet.
  explicit operator bool() const noexcept { return held_ != nullptr; }

  /// The handler's cancellation slot. Connect it (see `on_cancel`) in the initiating function, before the completion
  /// goes to another thread.
  [[nodiscard]] asio::cancellation_slot slot() const noexcept {
    return held_ == nullptr ? asio::cancellation_slot{} : held_->slot();
  }

  /// Posts the handler with these results. Does nothing when it was called before.
  void operator()(std::decay_t<Args>... args) {
    if (auto* held = std::exchange(held_, nullptr)) held->post({std::move(args)...});
  }

private:
  held_handler<std::decay_t<Args>...>* held_ = nullptr;
};

/// What is handed to `asio::async_initiate`: erases the handler and calls `Initiation` with the completion.
///
/// A class with a constructor rather than a lambda: g++ 12 destroys capturing lambdas twice in some coroutines.
template <class Signature, class Initiation>
class erasing_initiation {
public:
  using executor_type = asio::any_io_executor;

  erasing_initiation(asio::any_io_executor executor, Initiation initiation)
      : executor_{std::move(executor)}, initiation_{std::move(initiation)} {}

  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

  template <class Handler>
  void operator()(Handler&& handler) && {
    // A coroutine that waits keeps this object in its frame, and the state that the initiation shares keeps the frame:
    // a ring that nobody would free. So what the initiation holds leaves this object before it is called.
    Initiation once{std::move(initiation_)};
    std::move(once)(completion<Signature>{std::forward<Handler>(handler), executor_});
  }
  template <class Handler>
  void operator()(Handler&& handler) const& {
    Initiation copy{initiation_};
    std::move(copy)(completion<Signature>{std::forward<Handler>(handler), executor_});
  }

private:
  asio::any_io_executor executor_;
  Initiation initiation_;
};

/// Starts an asynchronous operation: `initiation(completion<Signature>)` is called now, or later when the token defers
/// it. So the initiation owns all it needs: strings by value and a shared reference to the object's state, never the
/// object itself.
template <class Signature, class Token, class Initiation>
auto initiate(Token&& token, const asio::any_io_executor& executor, Initiation initiation) {
  return asio::async_initiate<Token, Signature>(
      erasing_initiation<Signature, Initiation>{executor, std::move(initiation)}, token);
}

/// Connects an operation's cancellation: when the slot fires, `cancel(Owner&)` runs on `owner->executor()`.
///
/// The slot may fire on any thread and long after the operation, even after the owner: it holds a weak reference only,
/// and posts, so that it comes after the operation's own start. `cancel` must bear an operation that has ended.
template <class Owner, class Cancel>
void on_cancel(asio::cancellation_slot slot, const std::shared_ptr<Owner>& owner, Cancel cancel) {
  if (!slot.is_connected()) return;
  slot.assign([weak = std::weak_ptr<Owner>{owner}, cancel](asio::cancellation_type_t type) {
    if (type == asio::cancellation_type::none) return;
    if (auto alive = weak.lock()) {
      const auto executor = alive->executor();
      asio::post(executor, [alive = std::move(alive), cancel] { cancel(*alive); });
    }
  });
}

template <class Signature>
class waiting_list;

/// Operations that wait for something to happen, oldest first. Each completes exactly once: by a result, by its
/// cancellation or when the list is closed or destroyed (`asio::error::operation_aborted`).
///
/// Thread safety: `reserve` may be called from any thread, everything else on the owner's strand.
template <class... Args>
class waiting_list<void(std::error_code, Args...)> {
public:
  using waiting = completion<void(std::error_code, Args...)>;

  /// Further operations complete at once with `errc::would_overflow`.
  explicit waiting_list(std::size_t operations_max = 1024) : operations_max_{operations_max} {}
  waiting_list(const waiting_list&) = delete;
  waiting_list& operator=(const waiting_list&) = delete;
  ~waiting_list() { close(asio::error::operation_aborted); }

  /// A number for an operation that is about to start: its name in `add`, `complete` and `cancel`.
  [[nodiscard]] std::uint64_t reserve() noexcept { return next_.fetch_add(1, std::memory_order_relaxed); }

  void add(std::uint64_t number, waiting what) {
    if (closed_) return what(closed_, std::decay_t<Args>{}...);
    if (waiting_.size() >= operations_max_) return what(make_error_code(errc::would_overflow), std::decay_t<Args>{}...);
    waiting_.emplace(number, std::move(what));
  }

  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

  /// Completes the operation that has waited longest; false when none waits.
  bool complete_first(std::error_code error, std::decay_t<Args>... args) {
    if (waiting_.empty()) return false;
    auto node = waiting_.extract(waiting_.begin());
    node.mapped()(error, std::move(args)...);
    return true;
  }

  /// Completes one operation; false when it has ended.
  bool complete(std::uint64_t number, std::error_code error, std::decay_t<Args>... args) {
    auto node = waiting_.extract(number);
    if (node.empty()) return false;
    node.mapped()(error, std::move(args)...);
    return true;
  }

  /// Completes one operation with `asio::error::operation_aborted`; false when it has ended.
  bool cancel(std::uint64_t number) {
    return complete(number, asio::error::operation_aborted, std::decay_t<Args>{}...);
  }

  /// Completes all that wait now.
  void complete_all(std::error_code error, const std::decay_t<Args>&... args) {
    auto all = std::exchange(waiting_, {});
    for (auto& [number, what] : all) what(error, args...);
  }

  /// Completes all that wait now, and all that are ever added, with `error`.
  void close(std::error_code error) {
    closed_ = error;
    complete_all(error, std::decay_t<Args>{}...);
  }

private:
  std::atomic<std::uint64_t> next_{1};
  std::size_t operations_max_;
  std::error_code closed_;
  std::map<std::uint64_t, waiting> waiting_;
};

}  // namespace artillery::detail
