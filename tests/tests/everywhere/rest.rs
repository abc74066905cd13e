//! What was left: arms that are known at run time only, jobs that are to be done, permits by the handful, all who are told at once,
//! streams, tokens with children, what drops what is old, and what has no lock. Shared in the same way.

use super::world::{LONG, in_time};
use std::ops::DerefMut;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use sync::condvar::Guard;
use sync::extra::Latch;
use sync::lockfree::{ArrayQueue, Counter};
use sync::queue::{Buffer, Overflow};
use sync::select::Select;
use sync::{CancelToken, Condvar, Mutex, Queue, RwLock, Semaphore, timer};

/// What each one does, and after how many of those all meet.
const TURNS: u64 = 60;
const STRETCH: u64 = 10;
const PERMITS: usize = 3;
/// Long enough to park, short enough to pass often.
const LIMIT: Duration = Duration::from_micros(50);
const LOST: &str = "a wake-up is lost";

/// One of each kind.
pub(crate) struct Rest {
    participants: u64,
    either: [Queue<u64>; 3],
    /// Each is true when it has been done.
    jobs: Queue<Arc<AtomicBool>>,
    permits: Semaphore,
    inside: AtomicUsize,
    /// How many have come, and how often all have.
    under_mutex: Mutex<[u64; 2]>,
    under_rwlock: RwLock<[u64; 2]>,
    all_came: [Condvar; 2],
    /// Closed when everybody has put what he puts.
    letters: Queue<u64>,
    at_work: Latch,
    tokens: Queue<CancelToken>,
    over: CancelToken,
    buffer: Buffer<u64>,
    ring: ArrayQueue<u64>,
    count: Counter,
}

/// A guard of how many have come, and how often all have.
trait AtMeeting: Guard<Value = [u64; 2], Back = Self> + DerefMut<Target = [u64; 2]> {}

impl<G: Guard<Value = [u64; 2], Back = G> + DerefMut<Target = [u64; 2]>> AtMeeting for G {}

/// What went in and what came out, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    chosen: [u64; 2],
    letters: [u64; 2],
    buffered: [u64; 2],
    ring: [u64; 2],
    counted: i64,
}

impl Rest {
    /// For so many who take part.
    pub(crate) fn new(participants: u64) -> Self {
        Rest {
            participants,
            either: [Queue::bounded(1), Queue::bounded(2), Queue::unbounded()],
            jobs: Queue::bounded(2),
            permits: Semaphore::new(PERMITS),
            inside: AtomicUsize::new(0),
            under_mutex: Mutex::new([0; 2]),
            under_rwlock: RwLock::new([0; 2]),
            all_came: [Condvar::new(), Condvar::new()],
            letters: Queue::unbounded(),
            at_work: Latch::new(participants as usize),
            tokens: Queue::unbounded(),
            over: CancelToken::new(),
            buffer: Buffer::new(2, Overflow::DropOldest),
            ring: ArrayQueue::new(2),
            count: Counter::new(),
        }
    }

    /// As a thread or a greenlet.
    pub(crate) fn take_part(&self) -> Sums {
        let mut sums = Sums::default();
        let mine = self.over.child();
        let mut letters = self.letters.iter();
        for turn in 1..=TURNS {
            if turn % STRETCH == 0 {
                self.meet(&self.all_came[0], in_time(|| self.under_mutex.lock_timeout(LONG)));
                self.meet(&self.all_came[1], in_time(|| self.under_rwlock.write_timeout(LONG)));
            }
            // Whoever puts takes one afterwards, from wherever there is one.
            in_time(|| self.either_of(turn).put_timeout(turn, LONG));
            let (_, item) = in_time(|| self.arms().wait_timeout(LONG));
            sums.chosen = both(sums.chosen, [turn, item]);

            let job = Arc::default();
            in_time(|| self.jobs.put_timeout(Arc::clone(&job), LONG));
            self.work(&in_time(|| self.jobs.get_timeout(LONG)));
            if turn % 4 == 0 {
                in_time(|| self.jobs.join_timeout(LONG));
                assert!(
                    job.load(Ordering::SeqCst),
                    "a job was not done, and its owner was told that all were"
                );
            }
            let count = handful(turn);
            let permit = in_time(|| self.permits.acquire_many_timeout(count, LONG));
            self.inside(count);
            drop(permit);

            // Each cancels somebody's token, and waits for the child of his own.
            let (token, child) = self.token();
            self.tokens.try_put(token).expect("there is always room");
            in_time(|| self.tokens.get_timeout(LONG)).cancel();
            in_time(|| child.wait_timeout(LONG));

            sums.letters = both(sums.letters, [self.write_letters(turn), 0]);
            sums.letters[1] += in_time(|| letters.next().ok_or("they are closed"));
            let back = self.buffer.put_timeout(turn, LONG).expect("there is always room");
            let got = back.into_iter().chain(self.buffer.get_timeout(LIMIT));
            sums.buffered = both(sums.buffered, [turn, got.sum()]);
            self.without_locks(turn, &mut sums);
        }
        self.at_work.count_down(1);
        // Not before: a letter for each turn of the others is theirs.
        in_time(|| self.at_work.wait_timeout(LONG));
        sums.letters[1] += letters.sum::<u64>();
        in_time(|| mine.wait_timeout(LONG));
        sums
    }

    /// As a task.
    pub(crate) async fn take_part_async(&self) -> Sums {
        let mut sums = Sums::default();
        let mine = self.over.child();
        let mut letters = pin!(self.letters.stream());
        for turn in 1..=TURNS {
            if turn % STRETCH == 0 {
                let guard = self.under_mutex.lock_async_timeout(LONG).await.expect(LOST);
                self.meet_async(&self.all_came[0], guard).await;
                let guard = self.under_rwlock.write_async_timeout(LONG).await.expect(LOST);
                self.meet_async(&self.all_came[1], guard).await;
            }
            self.either_of(turn).put_async_timeout(turn, LONG).await.expect(LOST);
            let (_, item) = self.arms().wait_async_timeout(LONG).await.expect(LOST);
            sums.chosen = both(sums.chosen, [turn, item]);

            let job = Arc::default();
            self.jobs.put_async_timeout(Arc::clone(&job), LONG).await.expect(LOST);
            self.work(&self.jobs.get_async_timeout(LONG).await.expect(LOST));
            if turn % 4 == 0 {
                self.jobs.join_async_timeout(LONG).await.expect(LOST);
                assert!(
                    job.load(Ordering::SeqCst),
                    "a job was not done, and its owner was told that all were"
                );
            }
            let count = handful(turn);
            let permit = self.permits.acquire_many_async_timeout(count, LONG).await.expect(LOST);
            self.inside(count);
            drop(permit);

            let (token, child) = self.token();
            self.tokens.try_put(token).expect("there is always room");
            self.tokens.get_async_timeout(LONG).await.expect(LOST).cancel();
            child.wait_async_timeout(LONG).await.expect(LOST);

            sums.letters = both(sums.letters, [self.write_letters(turn), 0]);
            sums.letters[1] += timer::timeout(LONG, letters.as_mut().next()).await.expect(LOST).expect(LOST);
            let back = self.buffer.put_async_timeout(turn, LONG).await.expect("there is always room");
            let got = back.into_iter().chain(self.buffer.get_async_timeout(LIMIT).await);
            sums.buffered = both(sums.buffered, [turn, got.sum()]);
            self.without_locks(turn, &mut sums);
        }
        self.at_work.count_down(1);
        self.at_work.wait_async_timeout(LONG).await.expect(LOST);
        while let Some(letter) = timer::timeout(LONG, letters.as_mut().next()).await.expect(LOST) {
            sums.letters[1] += letter;
        }
        mine.wait_async_timeout(LONG).await.expect(LOST);
        sums
    }

    /// When all have done what they do, they are let go; who iterates is so after a while at any rate, for he has no limit.
    pub(crate) fn end(&self) {
        let ended = self.at_work.wait_timeout(2 * LONG);
        self.letters.close();
        ended.expect(LOST);
        // So that most wait for it by then.
        std::thread::sleep(Duration::from_millis(20));
        self.over.cancel();
    }

    fn either_of(&self, turn: u64) -> &Queue<u64> {
        &self.either[turn as usize % self.either.len()]
    }

    /// One for each queue, and one that is never to win.
    fn arms(&self) -> Select<'_, u64> {
        let arm = |queue| async move { Queue::get_async(queue).await.expect("nobody closes it") };
        let mut arms: Select<'_, u64> = self.either.iter().map(arm).collect();
        arms.arm(async {
            self.over.wait_async().await;
            panic!("it was over before all had done what they do")
        });
        arms
    }

    /// Others are at work meanwhile.
    fn work(&self, job: &AtomicBool) {
        std::thread::yield_now();
        assert!(!job.swap(true, Ordering::SeqCst), "a job was done twice");
        self.jobs.task_done();
    }

    fn inside(&self, count: usize) {
        let before = self.inside.fetch_add(count, Ordering::SeqCst);
        assert!(before + count <= PERMITS, "more are inside than there are permits");
        std::thread::yield_now();
        self.inside.fetch_sub(count, Ordering::SeqCst);
    }

    fn meet<G: AtMeeting>(&self, all_came: &Condvar, guard: G) {
        if let Some((guard, not_all)) = self.come(all_came, guard) {
            in_time(|| {
                let (guard, in_time) = all_came.wait_while_timeout(guard, not_all, LONG);
                in_time.map(|()| drop(guard))
            });
        }
    }

    async fn meet_async<G: AtMeeting>(&self, all_came: &Condvar, guard: G) {
        if let Some((guard, not_all)) = self.come(all_came, guard) {
            all_came.wait_while_async_timeout(guard, not_all, LONG).await.1.expect(LOST);
        }
    }

    /// Whoever comes last tells all the others. Everybody else gets back what he waits with, and what is so until all have come.
    fn come<G: AtMeeting>(
        &self,
        all_came: &Condvar,
        mut guard: G,
    ) -> Option<(G, impl FnMut(&mut [u64; 2]) -> bool + use<G>)> {
        let [came, all] = &mut *guard;
        let before = *all;
        *came += 1;
        if *came < self.participants {
            return Some((guard, move |[_, all]: &mut [u64; 2]| *all == before));
        }
        (*came, *all) = (0, before + 1);
        drop(guard);
        all_came.notify_all();
        None
    }

    /// A token, and a child of its child.
    fn token(&self) -> (CancelToken, CancelToken) {
        let token = self.over.child();
        let child = token.child().child();
        assert!(!self.over.is_cancelled() && !child.is_cancelled());
        (token, child)
    }

    /// Of two, one is read when all have written.
    fn write_letters(&self, turn: u64) -> u64 {
        self.letters.try_put(turn).expect("they are open");
        self.letters.try_put(2 * turn).expect("they are open");
        3 * turn
    }

    fn without_locks(&self, turn: u64, sums: &mut Sums) {
        self.count.add(turn as i64);
        sums.counted += turn as i64;
        let put = if self.ring.push(turn).is_ok() { turn } else { 0 };
        sums.ring = both(sums.ring, [put, self.ring.pop().unwrap_or(0)]);
    }

    /// At the end: what all have done together is what is there.
    pub(crate) fn check(&self, all: &Sums) {
        assert!(self.either.iter().all(Queue::is_empty) && self.tokens.is_empty());
        assert_eq!(all.chosen[0], all.chosen[1], "of several queues");
        assert_eq!((self.jobs.len(), self.jobs.unfinished()), (0, 0));
        assert_eq!(self.permits.available(), PERMITS);
        let met = [0, TURNS / STRETCH];
        assert_eq!(*self.under_mutex.try_lock().expect("nobody holds it"), met);
        assert_eq!(*self.under_rwlock.try_read().expect("nobody writes"), met);
        assert_eq!(all.letters[0], all.letters[1], "letters");
        let left: u64 = self.buffer.drain().sum();
        assert_eq!(all.buffered[0], all.buffered[1] + left, "what was dropped was given back");
        let left: u64 = std::iter::from_fn(|| self.ring.pop()).sum();
        assert_eq!(all.ring[0], all.ring[1] + left, "of the ring");
        assert_eq!(self.count.sum(), all.counted);
    }
}

impl Sums {
    pub(crate) fn add(self, other: Sums) -> Sums {
        Sums {
            chosen: both(self.chosen, other.chosen),
            letters: both(self.letters, other.letters),
            buffered: both(self.buffered, other.buffered),
            ring: both(self.ring, other.ring),
            counted: self.counted + other.counted,
        }
    }
}

fn handful(turn: u64) -> usize {
    turn as usize % PERMITS + 1
}

fn both(mine: [u64; 2], others: [u64; 2]) -> [u64; 2] {
    [mine[0] + others[0], mine[1] + others[1]]
}
