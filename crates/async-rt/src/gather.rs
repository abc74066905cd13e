//! Several futures at once, results in order. Runtime-free.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Waits for all futures of a tuple, at the same time, and returns their outputs as a tuple in the same order.
///
/// The futures share the task that awaits the answer: they take turns on one thread and may borrow from it. To use
/// several threads, [`spawn`](crate::spawn) them and gather the handles.
///
/// # Cancel safety
/// Dropping it drops all of them.
///
/// # Examples
/// ```
/// let both = async_rt::run(async_rt::Backend::Native, async {
///     async_rt::gather((async { 6 }, async { "seven" })).await
/// })?;
/// assert_eq!(both, (6, "seven"));
/// # Ok::<(), async_rt::StartError>(())
/// ```
#[doc(alias = "join")]
pub fn gather<G: Gather>(futures: G) -> impl Future<Output = G::Outputs> {
    futures.gather()
}

/// Tuples of up to eight futures; see [`gather`](gather()).
pub trait Gather {
    /// The tuple of their outputs.
    type Outputs;

    /// Waits for all of them.
    fn gather(self) -> impl Future<Output = Self::Outputs>;
}

macro_rules! gather_tuple {
    ($($future:ident $output:ident $part:ident),+) => {
        impl<$($part: Future),+> Gather for ($($part,)+) {
            type Outputs = ($($part::Output,)+);

            async fn gather(self) -> Self::Outputs {
                let ($($future,)+) = self;
                $(let mut $future = pin!(Some($future));)+
                $(let mut $output = None;)+
                poll_fn(|cx| {
                    let mut waiting = false;
                    $(waiting |= !poll_part($future.as_mut(), &mut $output, cx);)+
                    if waiting { Poll::Pending } else { Poll::Ready(()) }
                })
                .await;
                match ($($output,)+) {
                    ($(Some($output),)+) => ($($output,)+),
                    _ => unreachable!("nobody waits any more, so all outputs are there"),
                }
            }
        }
    };
}

gather_tuple!(a x A);
gather_tuple!(a x A, b y B);
gather_tuple!(a x A, b y B, c z C);
gather_tuple!(a x A, b y B, c z C, d u D);
gather_tuple!(a x A, b y B, c z C, d u D, e v E);
gather_tuple!(a x A, b y B, c z C, d u D, e v E, f w F);
gather_tuple!(a x A, b y B, c z C, d u D, e v E, f w F, g s G);
gather_tuple!(a x A, b y B, c z C, d u D, e v E, f w F, g s G, h t H);

/// Polls one of them unless it is over, in which case it is dropped; says whether it is.
fn poll_part<F: Future>(
    mut future: Pin<&mut Option<F>>,
    output: &mut Option<F::Output>,
    cx: &mut Context<'_>,
) -> bool {
    let Some(part) = future.as_mut().as_pin_mut() else { return true };
    let Poll::Ready(done) = part.poll(cx) else { return false };
    future.set(None);
    *output = Some(done);
    true
}

/// Waits for any number of futures of one type, at the same time, and returns their outputs in the same order.
///
/// They share the task that awaits the answer, as with [`gather`](gather()). Only those are polled that were woken. One
/// allocation for each future and one for its waker.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// let slow_first = [30, 20, 10].map(|ms| async move {
///     async_rt::sleep(Duration::from_millis(ms)).await;
///     ms
/// });
/// let all = async_rt::run(async_rt::Backend::Native, async_rt::gather_all(slow_first))?;
/// assert_eq!(all, [30, 20, 10]);
/// # Ok::<(), async_rt::StartError>(())
/// ```
#[doc(alias = "join_all")]
pub fn gather_all<I>(futures: I) -> GatherAll<I::Item>
where
    I: IntoIterator,
    I::Item: Future,
{
    let woken = Arc::new(Mutex::new(Woken::default()));
    let parts: Vec<_> = futures
        .into_iter()
        .enumerate()
        .map(|(index, future)| {
            let waker = Waker::from(Arc::new(PartWaker { index, woken: Arc::clone(&woken) }));
            Part::Waiting { future: Box::pin(future), waker }
        })
        .collect();
    // The first poll is for all.
    lock(&woken).parts = (0..parts.len()).collect();
    GatherAll { left: parts.len(), parts, woken }
}

/// Several futures of one type; see [`gather_all`].
///
/// # Cancel safety
/// Dropping it drops all of them, and the outputs of those that were ready.
///
/// # Panics
/// When it is polled after it was ready.
#[must_use = "futures do nothing unless awaited"]
pub struct GatherAll<F: Future> {
    parts: Vec<Part<F>>,
    left: usize,
    woken: Arc<Mutex<Woken>>,
}

enum Part<F: Future> {
    Waiting { future: Pin<Box<F>>, waker: Waker },
    Ready(F::Output),
}

/// Which of them were woken, and who awaits them all.
#[derive(Default)]
struct Woken {
    /// Indexes; one may be there more than once, which costs a poll.
    parts: Vec<usize>,
    whole: Option<Waker>,
}

struct PartWaker {
    index: usize,
    woken: Arc<Mutex<Woken>>,
}

// The futures are in boxes of their own, so moving this moves none of them; outputs are never pinned.
impl<F: Future> Unpin for GatherAll<F> {}

impl<F: Future> Future for GatherAll<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // The waker is there before the first part is polled, so a part that is woken meanwhile wakes the whole.
        let mut woken = lock(&this.woken);
        let old = match &woken.whole {
            Some(whole) if whole.will_wake(cx.waker()) => None,
            _ => woken.whole.replace(cx.waker().clone()),
        };
        let parts = std::mem::take(&mut woken.parts);
        drop(woken);
        // Outside the lock: a waker's destructor may be anything.
        drop(old);
        for index in parts {
            let part = &mut this.parts[index];
            if let Part::Waiting { future, waker } = part {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
                    *part = Part::Ready(output);
                    this.left -= 1;
                }
            }
        }
        if this.left > 0 {
            return Poll::Pending;
        }
        let outputs = std::mem::take(&mut this.parts).into_iter().map(|part| match part {
            Part::Ready(output) => output,
            Part::Waiting { .. } => unreachable!("none is left"),
        });
        Poll::Ready(outputs.collect())
    }
}

impl Wake for PartWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut woken = lock(&self.woken);
        woken.parts.push(self.index);
        // Whoever was woken already will look; its waker stays for the next time.
        let whole = if woken.parts.len() == 1 { woken.whole.clone() } else { None };
        drop(woken);
        if let Some(whole) = whole {
            whole.wake();
        }
    }
}

impl<F: Future> fmt::Debug for GatherAll<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatherAll").field("left", &self.left).finish_non_exhaustive()
    }
}

fn lock(woken: &Mutex<Woken>) -> std::sync::MutexGuard<'_, Woken> {
    woken.lock().unwrap_or_else(PoisonError::into_inner)
}
