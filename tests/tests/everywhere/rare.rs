//! The rest, shared in the same way: what is needed rarely, queues with an order, topics, and tasks that somebody else ends.

use super::world::{LONG, in_time};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use sync::extra::{BoundedSemaphore, Exchanger, Latch, Notify, OnceCell, PoisonMutex, WaitGroup};
use sync::queue::broadcast::ReceiveError;
use sync::queue::pubsub::{PubSub, Subscription};
use sync::queue::{Buffer, DelayQueue, Delayed, LifoQueue, Overflow, PriorityQueue};
use sync::task::Promise;
use sync::{CancelToken, Queue, park, promise, timer};

/// What each one does.
const TURNS: u64 = 100;
const PERMITS: usize = 2;
/// Long enough to park, short enough to pass often.
const LIMIT: Duration = Duration::from_micros(50);

/// One of each kind.
pub(crate) struct Rare {
    ready: Latch,
    made: OnceCell<u64>,
    makes: AtomicU64,
    poison: PoisonMutex<u64>,
    permits: BoundedSemaphore,
    inside: AtomicUsize,
    /// Notified while nobody is behind it.
    gate: Notify,
    behind: AtomicUsize,
    exchanger: Exchanger<u64>,
    last_first: LifoQueue<u64>,
    smallest_first: PriorityQueue<u64>,
    delays: DelayQueue<u64>,
    buffer: Buffer<u64>,
    topics: PubSub<&'static str, u64>,
    promises: Queue<Promise<u64>>,
    group: Arc<WaitGroup>,
    over: CancelToken,
}

/// What went in and what came out, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    queued: [u64; 2],
    swapped: [u64; 2],
    promised: [u64; 2],
    heard: u64,
}

impl Rare {
    /// For so many who take part.
    pub(crate) fn new(participants: usize) -> Self {
        let gate = Notify::new();
        gate.notify_one();
        Rare {
            ready: Latch::new(participants),
            made: OnceCell::new(),
            makes: AtomicU64::new(0),
            poison: PoisonMutex::new(0),
            permits: BoundedSemaphore::new(PERMITS),
            inside: AtomicUsize::new(0),
            gate,
            behind: AtomicUsize::new(0),
            exchanger: Exchanger::new(),
            last_first: LifoQueue::bounded(2),
            smallest_first: PriorityQueue::bounded(2),
            delays: DelayQueue::bounded(2),
            buffer: Buffer::new(2, Overflow::Block),
            topics: PubSub::new(4),
            promises: Queue::unbounded(),
            group: Arc::new(WaitGroup::new()),
            over: CancelToken::new(),
        }
    }

    /// What everybody has to have before anybody begins.
    pub(crate) fn subscribe(&self) -> Subscription<&'static str, u64> {
        self.topics.subscribe("news")
    }

    /// As a thread or a greenlet.
    pub(crate) fn take_part(&self, mut news: Subscription<&'static str, u64>) -> Sums {
        let mut sums = Sums::default();
        let member = self.group.enter();
        self.ready.count_down(1);
        in_time(|| self.ready.wait_timeout(LONG));
        assert_eq!(*self.made.get_or_init(|| self.make()), 7);
        for turn in 1..=TURNS {
            *in_time(|| self.poison.lock_timeout(LONG)) += 1;
            let permit = in_time(|| self.permits.acquire_timeout(LONG));
            self.inside();
            drop(permit);
            in_time(|| self.gate.wait_timeout(LONG));
            self.pass_the_gate();
            if let Ok(other) = self.exchanger.exchange_timeout(turn, LIMIT) {
                sums.swapped = both(sums.swapped, [turn, other]);
            }
            // Whoever puts takes one afterwards, so that there is always one for him.
            in_time(|| self.last_first.put_timeout(turn, LONG));
            let first = in_time(|| self.last_first.get_timeout(LONG));
            in_time(|| self.smallest_first.put_timeout(turn, LONG));
            let second = in_time(|| self.smallest_first.get_timeout(LONG));
            in_time(|| self.delays.put_timeout(Delayed::after(LIMIT, turn), LONG));
            let third = in_time(|| self.delays.get_timeout(LONG)).item;
            in_time(|| self.buffer.put_timeout(turn, LONG));
            let fourth = in_time(|| self.buffer.get_timeout(LONG));
            sums.queued = both(sums.queued, [4 * turn, first + second + third + fourth]);
            // The same with promises: each keeps somebody's.
            let (promise, task) = promise();
            in_time(|| self.promises.put_timeout(promise, LONG));
            in_time(|| self.promises.get_timeout(LONG)).finish(Ok(turn));
            let kept = in_time(|| task.join_timeout(LONG)).expect("somebody keeps it");
            sums.promised = both(sums.promised, [turn, kept]);
            self.topics.publish("news", 1);
            sums.heard += heard_by(news.get_timeout(LONG));
        }
        drop(member);
        in_time(|| self.over.wait_timeout(LONG));
        sums.heard += self.listen(news);
        sums
    }

    /// As a task.
    pub(crate) async fn take_part_async(&self, mut news: Subscription<&'static str, u64>) -> Sums {
        const LOST: &str = "a wake-up is lost";
        let mut sums = Sums::default();
        let member = self.group.enter();
        self.ready.count_down(1);
        self.ready.wait_async_timeout(LONG).await.expect(LOST);
        assert_eq!(*self.made.get_or_init_async(async { self.make() }).await, 7);
        for turn in 1..=TURNS {
            *self.poison.lock_async_timeout(LONG).await.expect(LOST) += 1;
            let permit = self.permits.acquire_async_timeout(LONG).await.expect(LOST);
            self.inside();
            drop(permit);
            self.gate.wait_async_timeout(LONG).await.expect(LOST);
            self.pass_the_gate();
            if let Ok(other) = self.exchanger.exchange_async_timeout(turn, LIMIT).await {
                sums.swapped = both(sums.swapped, [turn, other]);
            }
            self.last_first.put_async_timeout(turn, LONG).await.expect(LOST);
            let first = self.last_first.get_async_timeout(LONG).await.expect(LOST);
            self.smallest_first.put_async_timeout(turn, LONG).await.expect(LOST);
            let second = self.smallest_first.get_async_timeout(LONG).await.expect(LOST);
            self.delays.put_async_timeout(Delayed::after(LIMIT, turn), LONG).await.expect(LOST);
            let third = self.delays.get_async_timeout(LONG).await.expect(LOST).item;
            self.buffer.put_async_timeout(turn, LONG).await.expect(LOST);
            let fourth = self.buffer.get_async_timeout(LONG).await.expect(LOST);
            sums.queued = both(sums.queued, [4 * turn, first + second + third + fourth]);
            let (promise, task) = promise();
            self.promises.put_async_timeout(promise, LONG).await.expect(LOST);
            self.promises.get_async_timeout(LONG).await.expect(LOST).finish(Ok(turn));
            let kept = timer::timeout(LONG, task).await.expect(LOST).expect("somebody keeps it");
            sums.promised = both(sums.promised, [turn, kept]);
            self.topics.publish("news", 1);
            sums.heard += heard_by(news.get_async_timeout(LONG).await);
        }
        drop(member);
        self.over.wait_async_timeout(LONG).await.expect(LOST);
        sums.heard += self.listen(news);
        sums
    }

    /// When all have done what they do, they are let go.
    pub(crate) fn end(&self) {
        in_time(|| self.ready.wait_timeout(LONG));
        in_time(|| park::block_on(self.group.wait_async_timeout(LONG)));
        self.over.cancel();
    }

    fn make(&self) -> u64 {
        self.makes.fetch_add(1, Ordering::SeqCst);
        std::thread::yield_now();
        7
    }

    fn inside(&self) {
        assert!(
            self.inside.fetch_add(1, Ordering::SeqCst) < PERMITS,
            "more are inside than there are permits"
        );
        std::thread::yield_now();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    fn pass_the_gate(&self) {
        assert_eq!(self.behind.fetch_add(1, Ordering::SeqCst), 0, "one notification let two through");
        std::thread::yield_now();
        self.behind.fetch_sub(1, Ordering::SeqCst);
        self.gate.notify_one();
    }

    /// What was published and not heard yet, when nobody publishes any more.
    fn listen(&self, mut news: Subscription<&'static str, u64>) -> u64 {
        let mut heard = 0;
        loop {
            match news.try_get() {
                Err(ReceiveError::Empty) => return heard,
                one => heard += heard_by(one),
            }
        }
    }

    /// At the end: what all have done together is what is there.
    pub(crate) fn check(&self, participants: u64, all: &Sums) {
        let turns = participants * TURNS;
        assert_eq!(self.makes.load(Ordering::SeqCst), 1, "the value was made more than once");
        assert_eq!(*self.poison.try_lock().expect("nobody holds it"), turns);
        assert_eq!(self.permits.available(), PERMITS);
        assert!(self.gate.try_wait() && !self.gate.try_wait(), "the gate was left open, once");
        assert!(self.last_first.is_empty() && self.smallest_first.is_empty() && self.delays.is_empty());
        assert!(self.buffer.is_empty() && self.promises.is_empty() && self.group.is_idle());
        assert_eq!(all.queued[0], all.queued[1], "queues with an order");
        assert_eq!(all.swapped[0], all.swapped[1], "what was given is what was got");
        assert_eq!(all.promised[0], all.promised[1], "tasks");
        assert_eq!(all.heard, turns * participants, "everybody hears or is told what he missed");
    }
}

impl Sums {
    pub(crate) fn add(self, other: Sums) -> Sums {
        Sums {
            queued: both(self.queued, other.queued),
            swapped: both(self.swapped, other.swapped),
            promised: both(self.promised, other.promised),
            heard: self.heard + other.heard,
        }
    }
}

fn both(mine: [u64; 2], others: [u64; 2]) -> [u64; 2] {
    [mine[0] + others[0], mine[1] + others[1]]
}

fn heard_by(heard: Result<u64, ReceiveError>) -> u64 {
    match heard {
        Ok(one) => one,
        Err(ReceiveError::Lagged(lost)) => lost,
        Err(why) => panic!("a wake-up is lost: {why}"),
    }
}
