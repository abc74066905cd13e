//! The macros, and what they share.

/// Waits for the first of several arms and runs its body. Blocks this thread, or this coroutine only.
///
/// An arm is `pattern = future => body`, and all bodies have one type, the macro's. The pattern must always match. An arm
/// with `, if condition` behind its future is there only if the condition holds; otherwise its future is not even made.
/// The bodies run where the macro stands, when all arms are gone: they may `return`, `break`, `?` and `.await`.
///
/// The last arm may be one of these:
/// - `default => body`: does not wait. Each arm is asked once.
/// - `after(limit) => body`: waits at most for this [`Duration`](std::time::Duration).
/// - `until(instant) => body`: waits at most until this [`Instant`](std::time::Instant).
///
/// With `biased;` at the beginning, the arms are asked in the order in which they are written; otherwise none is
/// preferred. Allocates nothing. How losers are rolled back, what each kind of arm does, and what differs from the macros
/// of this name elsewhere, is told in the [module](mod@crate::select).
///
/// # Panics
/// If every arm has an `if` that does not hold, and there is none of the last arms above: the wait would have no end.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use sync::{Event, Queue, select};
///
/// let (urgent, rest, stop) = (Queue::unbounded(), Queue::unbounded(), Event::new());
/// urgent.put("the house is on fire")?;
/// rest.put("good morning")?;
///
/// let mut read = Vec::new();
/// loop {
///     select! {
///         biased;
///         () = stop.wait_async() => break,
///         message = urgent.get_async() => read.push(message?),
///         message = rest.get_async() => read.push(message?),
///         after(Duration::from_millis(1)) => stop.set(),
///     }
/// }
/// assert_eq!(read, ["the house is on fire", "good morning"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A pattern that might not match does not compile, since what came would be lost:
///
/// ```compile_fail,E0005
/// let queue = sync::Queue::<u8>::unbounded();
/// sync::select! { Ok(item) = queue.get_async() => drop(item), default => () }
/// ```
#[macro_export]
macro_rules! select {
    (biased; $($arms:tt)+) => { $crate::__select!(@block Written [] $($arms)+) };
    ($($arms:tt)+) => { $crate::__select!(@block Random [] $($arms)+) };
}

/// Waits for the first of several arms and runs its body, without blocking: as [`select!`], and awaited.
///
/// It stands where `.await` may stand. Its limits come from the timer of the runtime, if that has installed one, and
/// need none otherwise.
///
/// # Cancel safety
/// While it waits, that of its arms: those of this crate lose nothing, but for the item of a dropped `put_async`.
///
/// # Panics
/// As [`select!`].
///
/// # Examples
/// An item that waits for room is not lost when something else comes first:
///
/// ```
/// use sync::{Event, Queue, park, select_async};
///
/// let (full, bell) = (Queue::bounded(1), Event::new());
/// full.put("first")?;
/// bell.set();
/// let mut item = Some("second");
/// let rang = park::block_on(async {
///     select_async! {
///         done = full.put_from_async(&mut item) => done.map(|()| false),
///         () = bell.wait_async() => Ok(true),
///     }
/// })?;
/// assert!(rang);
/// assert_eq!(item, Some("second"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! select_async {
    (biased; $($arms:tt)+) => { $crate::__select!(@wait Written [] $($arms)+) };
    ($($arms:tt)+) => { $crate::__select!(@wait Random [] $($arms)+) };
}

/// Takes one arm after the other off the front, as `{(whether and what to ask) pattern body}`, until all are known.
#[doc(hidden)]
#[macro_export]
macro_rules! __select {
    // The end, in its four forms.
    (@block $order:ident [$($arm:tt)+]) => {
        $crate::__select!(@match $crate::select::support::block($crate::__select!(@first $order [$($arm)+])), [$($arm)+])
    };
    (@wait $order:ident [$($arm:tt)+]) => {
        $crate::__select!(@match $crate::select::support::wait($crate::__select!(@first $order [$($arm)+])).await, [$($arm)+])
    };
    (@$how:ident $order:ident [$($arm:tt)+] default => $body:expr $(,)?) => {
        $crate::__select!(@match_or $crate::select::support::now($crate::__select!(@first $order [$($arm)+])), [$($arm)+] $body)
    };
    (@block $order:ident [$($arm:tt)+] after($limit:expr) => $body:expr $(,)?) => {
        $crate::__select!(@match_or
            $crate::park::block_on_timeout($crate::__select!(@first $order [$($arm)+]), $limit).ok(), [$($arm)+] $body)
    };
    (@wait $order:ident [$($arm:tt)+] after($limit:expr) => $body:expr $(,)?) => {
        $crate::__select!(@match_or
            $crate::timer::timeout($limit, $crate::__select!(@first $order [$($arm)+])).await.ok(), [$($arm)+] $body)
    };
    (@block $order:ident [$($arm:tt)+] until($at:expr) => $body:expr $(,)?) => {
        $crate::__select!(@match_or
            $crate::park::block_on_until($crate::__select!(@first $order [$($arm)+]), ::core::option::Option::Some($at)),
            [$($arm)+] $body)
    };
    (@wait $order:ident [$($arm:tt)+] until($at:expr) => $body:expr $(,)?) => {
        $crate::__select!(@match_or
            $crate::select::support::until($at, $crate::__select!(@first $order [$($arm)+])).await, [$($arm)+] $body)
    };
    (@$how:ident $order:ident [$($arm:tt)*] default => $($rest:tt)*) => {
        ::core::compile_error!("`default` stands behind all other arms, of which there must be one")
    };
    (@$how:ident $order:ident [$($arm:tt)*] after($limit:expr) => $($rest:tt)*) => {
        ::core::compile_error!("`after` stands behind all other arms, of which there must be one")
    };
    (@$how:ident $order:ident [$($arm:tt)*] until($at:expr) => $($rest:tt)*) => {
        ::core::compile_error!("`until` stands behind all other arms, of which there must be one")
    };

    // The next arm. A body that is a block needs no comma, as in a `match`.
    (@$how:ident $order:ident [$($arm:tt)*] $p:pat = $f:expr, if $c:expr => $body:block, $($rest:tt)*) => {
        $crate::__select!(@$how $order [$($arm)* {(if $c, $f) $p, $body}] $($rest)*)
    };
    (@$how:ident $order:ident [$($arm:tt)*] $p:pat = $f:expr, if $c:expr => $body:block $($rest:tt)*) => {
        $crate::__select!(@$how $order [$($arm)* {(if $c, $f) $p, $body}] $($rest)*)
    };
    (@$how:ident $order:ident [$($arm:tt)*] $p:pat = $f:expr, if $c:expr => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@$how $order [$($arm)* {(if $c, $f) $p, $body}] $($($rest)*)?)
    };
    (@$how:ident $order:ident [$($arm:tt)*] $p:pat = $f:expr => $body:block, $($rest:tt)*) => {
        $crate::__select!(@$how $order [$($arm)* {($f) $p, $body}] $($rest)*)
    };
    (@$how:ident $order:ident [$($arm:tt)*] $p:pat = $f:expr => $body:block $($rest:tt)*) => {
        $crate::__select!(@$how $order [$($arm)* {($f) $p, $body}] $($rest)*)
    };
    (@$how:ident $order:ident [$($arm:tt)*] $p:pat = $f:expr => $body:expr $(, $($rest:tt)*)?) => {
        $crate::__select!(@$how $order [$($arm)* {($f) $p, $body}] $($($rest)*)?)
    };

    // All arms, pinned in this frame until the end of the statement, which is before the bodies.
    (@first $order:ident [$({$about:tt $p:pat, $body:expr})+]) => {
        $crate::select::support::First::new(
            $crate::__select!(@nested $($about)+),
            $crate::select::support::Order::$order,
            [$($crate::__select!(@unit $about)),+],
        )
    };
    (@unit $about:tt) => { () };
    (@nested) => { () };
    (@nested (if $c:expr, $f:expr) $($rest:tt)*) => {
        (
            ::core::pin::pin!(if $c {
                ::core::option::Option::Some(::core::future::IntoFuture::into_future($f))
            } else {
                ::core::option::Option::None
            })
            .as_pin_mut(),
            $crate::__select!(@nested $($rest)*),
        )
    };
    (@nested ($f:expr) $($rest:tt)*) => {
        (
            ::core::option::Option::Some(::core::pin::pin!(::core::future::IntoFuture::into_future($f))),
            $crate::__select!(@nested $($rest)*),
        )
    };

    // The body of the winner.
    (@match $won:expr, [$($arm:tt)+]) => {{
        let won = $won;
        $crate::__select!(@body won, $($arm)+)
    }};
    (@match_or $won:expr, [$($arm:tt)+] $otherwise:expr) => {{
        let won = $won;
        match won {
            ::core::option::Option::Some(won) => $crate::__select!(@body won, $($arm)+),
            ::core::option::Option::None => $otherwise,
        }
    }};
    (@body $won:ident, {$about:tt $p:pat, $body:expr}) => {{
        // Behind the last arm there is none that could have won.
        let $crate::select::support::Won::This(output) = $won;
        let $p = output;
        $body
    }};
    (@body $won:ident, {$about:tt $p:pat, $body:expr} $($rest:tt)+) => {
        match $won {
            $crate::select::support::Won::This(output) => {
                let $p = output;
                $body
            }
            $crate::select::support::Won::Other(other) => $crate::__select!(@body other, $($rest)+),
        }
    };
}
