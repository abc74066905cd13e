//! What is shared, and what each one does with it, blocking or awaited.

use super::channels::{Ends, Question};
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use sync::extra::{RLock, RLockGuard};
use sync::{Barrier, Condvar, Event, Mutex, Queue, RwLock, Semaphore, select, select_async};

/// What each one does, and after how many of those all meet.
const ACTS: usize = 500;
const STRETCH: usize = 100;
const PERMITS: usize = 2;
/// Long enough to park, short enough to pass often.
const LIMIT: Duration = Duration::from_micros(50);
/// Nothing lasts as long as this, unless a wake-up is lost.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// One of each kind.
pub(crate) struct World {
    begun: Event,
    count: Mutex<u64>,
    /// Always alike.
    halves: RwLock<[u64; 2]>,
    queue: Queue<u64>,
    permits: Semaphore,
    inside: AtomicUsize,
    /// Twice for each who was there.
    again: RLock<Cell<u64>>,
    never: Event,
    turns: Mutex<u64>,
    turned: Condvar,
    /// Where all wait for all.
    meeting: Barrier,
    /// Set while nobody is behind it.
    gate: Event,
    behind: AtomicUsize,
    either: [Queue<u64>; 2],
    /// Without a place: an item goes from hand to hand.
    hand: Queue<u64>,
    questions: Queue<Question>,
}

/// What somebody has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    counted: u64,
    written: u64,
    again: u64,
    put: u64,
    got: u64,
    turned: u64,
    led: usize,
    chosen: [u64; 2],
    handed: [u64; 2],
    asked: u64,
    answered: u64,
    letters_sent: u64,
    pub(crate) letters_read: u64,
    shouted: u64,
    pub(crate) heard: u64,
    shown: u64,
}

#[derive(Clone, Copy)]
enum Act {
    Count,
    Read,
    Write,
    Again,
    PutAndGet(u64),
    Enter,
    Turn,
    Gate,
    Choose(u64),
    Give(u64),
    Take,
    Ask(u64),
    Send(u64),
    Shout,
    Show,
}

impl World {
    /// For so many who take part.
    pub(crate) fn new(participants: usize) -> Self {
        let gate = Event::auto_reset();
        gate.set();
        World {
            begun: Event::new(),
            count: Mutex::new(0),
            halves: RwLock::new([0; 2]),
            queue: Queue::bounded(3),
            permits: Semaphore::new(PERMITS),
            inside: AtomicUsize::new(0),
            again: RLock::new(Cell::new(0)),
            never: Event::new(),
            turns: Mutex::new(0),
            turned: Condvar::new(),
            meeting: Barrier::new(participants),
            gate,
            behind: AtomicUsize::new(0),
            either: [Queue::bounded(1), Queue::bounded(2)],
            hand: Queue::rendezvous(),
            questions: Queue::unbounded(),
        }
    }

    pub(crate) fn begin(&self) {
        self.begun.set();
    }

    /// As a thread or a greenlet.
    pub(crate) fn take_part(&self, seed: u64, mut ends: Ends) -> Share {
        let mut share = Share::default();
        in_time(|| self.begun.wait_timeout(LONG));
        for (number, act) in acts(seed).enumerate() {
            if number % STRETCH == 0 {
                share.led += usize::from(in_time(|| self.meeting.wait_timeout(LONG)).is_leader());
            }
            share.note(act);
            match act {
                Act::Count => *in_time(|| self.count.lock_timeout(LONG)) += 1,
                Act::Read => same(*in_time(|| self.halves.read_timeout(LONG))),
                Act::Write => {
                    let mut halves = in_time(|| self.halves.write_timeout(LONG));
                    halves[0] += 1;
                    std::thread::yield_now();
                    halves[1] += 1;
                }
                Act::Again => {
                    let outer = in_time(|| self.again.lock_timeout(LONG));
                    outer.set(outer.get() + 1);
                    let half = outer.get();
                    // Other greenlets of the thread go on meanwhile.
                    assert!(self.never.wait_timeout(LIMIT).is_err());
                    self.take_again(&outer, half);
                }
                // Whoever puts takes one afterwards, so that there is always one for him.
                Act::PutAndGet(item) => {
                    in_time(|| self.queue.put_timeout(item, LONG));
                    share.got += in_time(|| self.queue.get_timeout(LONG));
                }
                Act::Enter => {
                    let _permit = in_time(|| self.permits.acquire_timeout(LONG));
                    self.inside();
                }
                Act::Turn => {
                    let mut turns = in_time(|| self.turns.lock_timeout(LONG));
                    *turns += 1;
                    self.turned.notify_one();
                    drop(self.turned.wait_timeout(turns, LIMIT));
                }
                Act::Gate => {
                    in_time(|| self.gate.wait_timeout(LONG));
                    self.pass_the_gate();
                }
                // As with one queue: whoever puts takes one afterwards, from wherever there is one.
                Act::Choose(item) => {
                    in_time(|| self.either[chosen(item)].put_timeout(item, LONG));
                    share.chosen[1] += select! {
                        item = self.either[0].get_async() => item.expect("nobody closes it"),
                        item = self.either[1].get_async() => item.expect("nobody closes it"),
                        after(LONG) => panic!("an item or a wake-up is lost"),
                    };
                }
                Act::Give(item) => {
                    let given = self.hand.put_timeout(item, LIMIT).is_ok();
                    share.handed[0] += if given { item } else { 0 };
                }
                Act::Take => share.handed[1] += self.hand.get_timeout(LIMIT).unwrap_or(0),
                // The same again: for each who waits for an answer, a question was taken and is answered.
                Act::Ask(number) => {
                    let (question, answer) = Question::new();
                    in_time(|| self.questions.put_timeout(question, LONG));
                    in_time(|| self.questions.get_timeout(LONG)).answer(number);
                    share.answered += in_time(|| answer.get_timeout(LONG));
                }
                Act::Send(letter) => ends.send(letter),
                Act::Shout => ends.shout(&mut share),
                Act::Show => ends.show(),
            }
        }
        in_time(|| self.meeting.wait_timeout(LONG));
        ends.listen(&mut share);
        share
    }

    /// As a task.
    pub(crate) async fn take_part_async(&self, seed: u64, mut ends: Ends) -> Share {
        let mut share = Share::default();
        self.begun.wait_async_timeout(LONG).await.expect("it begins");
        for (number, act) in acts(seed).enumerate() {
            if number % STRETCH == 0 {
                share.led += usize::from(self.meet().await);
            }
            share.note(act);
            match act {
                Act::Count => *self.count.lock_async_timeout(LONG).await.expect("the lock is lost") += 1,
                Act::Read => same(*self.halves.read_async().await),
                Act::Write => {
                    let mut halves = self.halves.write_async().await;
                    halves[0] += 1;
                    smol::future::yield_now().await;
                    halves[1] += 1;
                }
                // The guard is not for another thread, so nothing is awaited under it.
                Act::Again => {
                    let outer = self.again.lock_async_timeout(LONG).await.expect("the lock is lost");
                    outer.set(outer.get() + 1);
                    let half = outer.get();
                    std::thread::yield_now();
                    self.take_again(&outer, half);
                }
                Act::PutAndGet(item) => {
                    let mut item = Some(item);
                    // What loses to the limit is put all the same.
                    while item.is_some() {
                        select_async! {
                            done = self.queue.put_from_async(&mut item) => done.expect("nobody closes it"),
                            after(LIMIT) => (),
                        }
                    }
                    share.got +=
                        self.queue.get_async_timeout(LONG).await.expect("an item or a wake-up is lost");
                }
                Act::Enter => {
                    let permit = self.permits.acquire_async_timeout(LONG).await;
                    let _permit = permit.expect("a permit is lost");
                    self.inside();
                }
                Act::Turn => {
                    let mut turns = self.turns.lock_async().await;
                    *turns += 1;
                    self.turned.notify_one();
                    drop(self.turned.wait_async_timeout(turns, LIMIT).await);
                }
                Act::Gate => {
                    self.gate.wait_async_timeout(LONG).await.expect("a set or a wake-up is lost");
                    self.pass_the_gate();
                }
                Act::Choose(item) => {
                    self.either[chosen(item)].put_async(item).await.expect("nobody closes it");
                    share.chosen[1] += select_async! {
                        item = self.either[0].get_async() => item.expect("nobody closes it"),
                        item = self.either[1].get_async() => item.expect("nobody closes it"),
                        after(LONG) => panic!("an item or a wake-up is lost"),
                    };
                }
                Act::Give(item) => {
                    let given = self.hand.put_async_timeout(item, LIMIT).await.is_ok();
                    share.handed[0] += if given { item } else { 0 };
                }
                Act::Take => share.handed[1] += self.hand.get_async_timeout(LIMIT).await.unwrap_or(0),
                Act::Ask(number) => {
                    let (question, answer) = Question::new();
                    self.questions.put_async(question).await.expect("nobody closes it");
                    self.questions.get_async_timeout(LONG).await.expect("a question is lost").answer(number);
                    share.answered += answer.get_async_timeout(LONG).await.expect("an answer is lost");
                }
                Act::Send(letter) => ends.send_async(letter).await,
                Act::Shout => ends.shout_async(&mut share).await,
                Act::Show => ends.show_async().await,
            }
        }
        self.meet().await;
        ends.listen(&mut share);
        share
    }

    /// Whether this one leads.
    async fn meet(&self) -> bool {
        self.meeting
            .wait_async_timeout(LONG)
            .await
            .expect("somebody does not come, or is not let through")
            .is_leader()
    }

    /// The event let one through, and lets the next one through when this returns.
    fn pass_the_gate(&self) {
        assert_eq!(self.behind.fetch_add(1, Ordering::SeqCst), 0, "one set let two through");
        std::thread::yield_now();
        self.behind.fetch_sub(1, Ordering::SeqCst);
        self.gate.set();
    }

    /// The second half, under a second guard, with the lock held in between.
    fn take_again(&self, outer: &RLockGuard<'_, Cell<u64>>, half: u64) {
        let inner = self.again.try_lock().expect("it is ours");
        assert_eq!((inner.get(), self.again.depth()), (half, 2), "somebody else was let in");
        outer.set(half + 1);
    }

    fn inside(&self) {
        assert!(
            self.inside.fetch_add(1, Ordering::SeqCst) < PERMITS,
            "more are inside than there are permits"
        );
        std::thread::yield_now();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    /// At the end: what all have done together is what is there.
    pub(crate) fn check(&self, shown: u64, participants: u64, all: &Share) {
        assert_eq!(*self.count.try_lock().expect("nobody holds it"), all.counted);
        assert_eq!(*self.halves.try_read().expect("nobody writes"), [all.written; 2]);
        assert_eq!(self.again.try_lock().expect("nobody holds it").get(), 2 * all.again);
        assert_eq!((self.queue.len(), all.got), (0, all.put));
        assert_eq!(self.permits.available(), PERMITS);
        assert_eq!(*self.turns.try_lock().expect("nobody holds it"), all.turned);
        assert_eq!((self.meeting.arrived(), all.led), (0, ACTS / STRETCH), "one leads each time");
        assert!(self.gate.try_wait() && !self.gate.try_wait(), "the gate was left set, once");
        assert_eq!(all.chosen[0], all.chosen[1], "of two queues");
        assert_eq!(all.handed[0], all.handed[1], "from hand to hand");
        assert_eq!((self.questions.len(), all.asked), (0, all.answered));
        assert_eq!(all.letters_sent, all.letters_read);
        assert_eq!(all.shouted * participants, all.heard, "everybody hears or is told what he missed");
        assert_eq!(shown, all.shown);
    }
}

impl Share {
    fn note(&mut self, act: Act) {
        match act {
            Act::Count => self.counted += 1,
            Act::Write => self.written += 1,
            Act::Again => self.again += 1,
            Act::PutAndGet(item) => self.put += item,
            Act::Turn => self.turned += 1,
            Act::Choose(item) => self.chosen[0] += item,
            Act::Ask(number) => self.asked += number,
            Act::Send(letter) => self.letters_sent += letter,
            Act::Shout => self.shouted += 1,
            Act::Show => self.shown += 1,
            // What becomes of them is known afterwards.
            Act::Read | Act::Enter | Act::Gate | Act::Give(_) | Act::Take => {}
        }
    }

    pub(crate) fn add(self, other: Share) -> Share {
        let both = |mine: [u64; 2], others: [u64; 2]| [mine[0] + others[0], mine[1] + others[1]];
        Share {
            counted: self.counted + other.counted,
            written: self.written + other.written,
            again: self.again + other.again,
            put: self.put + other.put,
            got: self.got + other.got,
            turned: self.turned + other.turned,
            led: self.led + other.led,
            chosen: both(self.chosen, other.chosen),
            handed: both(self.handed, other.handed),
            asked: self.asked + other.asked,
            answered: self.answered + other.answered,
            letters_sent: self.letters_sent + other.letters_sent,
            letters_read: self.letters_read + other.letters_read,
            shouted: self.shouted + other.shouted,
            heard: self.heard + other.heard,
            shown: self.shown + other.shown,
        }
    }
}

/// What the seed draws.
fn acts(seed: u64) -> impl Iterator<Item = Act> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..ACTS).map(move |_| {
        // Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8 (14), 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let item = state >> 40;
        match (state >> 32) % 15 {
            0 => Act::Count,
            1 => Act::Read,
            2 => Act::Write,
            3 => Act::PutAndGet(item),
            4 => Act::Enter,
            5 => Act::Turn,
            6 => Act::Gate,
            7 => Act::Choose(item),
            8 => Act::Give(item),
            9 => Act::Take,
            10 => Act::Ask(item),
            11 => Act::Send(item),
            12 => Act::Shout,
            13 => Act::Again,
            _ => Act::Show,
        }
    })
}

fn chosen(item: u64) -> usize {
    usize::from(item % 2 == 1)
}

#[track_caller]
pub(crate) fn same([left, right]: [u64; 2]) {
    assert_eq!(left, right, "somebody writes while another reads");
}

/// A wait that its limit has ended is a wake-up that was lost, be it that what it waited for is there when it looks once
/// more.
#[track_caller]
pub(crate) fn in_time<R, E: fmt::Debug>(wait: impl FnOnce() -> Result<R, E>) -> R {
    let begin = Instant::now();
    let result = wait().expect("a wake-up is lost");
    assert!(begin.elapsed() < LONG, "a wake-up is lost");
    result
}
