//! Which task is where.
//!
//! ```text
//!   submit ──► waiting ──► a seat's task ──► answered, or the worker ended
//!                 ▲              │
//!                 └──────────────┘ its worker ended before it began
//! ```
//!
//! A **seat** is the place of one worker, from the decision to start it until nothing is left of the process.
//!
//! 1. Everything is decided under one short lock. Jobs are sent under it too, which never waits, so that a task that is
//!    on a seat was sent, and nothing that happens to the worker can come in between.
//! 2. What runs foreign code (results, callbacks, destructors of these, wakers) or starts processes is collected in
//!    [`Afterwards`] and done after the lock is released.
//! 3. A worker has at most one task. If it dies without having read it, the task has not begun and goes to another one,
//!    unless descriptors travelled with it: they are gone.
//! 4. Each task is finished exactly once: whoever takes it out of `waiting` or off its seat finishes it.

use super::hiring::Hired;
use crate::engine::{End, NotStarted, Worker};
use crate::job::{self, Initializer};
use executor::{Entry, Ledger};
use ipc::{LinkError, Parcel};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};
use sync::timer::{self, Scheduled};
use sync::{JoinError, cancel::OnCancel};

/// Decodes what came of a task, and tells its handle.
pub(super) type Finish = Box<dyn FnOnce(Result<Parcel, JoinError>) + Send>;

/// In order of submission.
pub(super) type TaskId = u64;

pub(super) type SeatId = u64;

/// What a pool was built with.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) workers: usize,
    pub(super) name: Option<String>,
    pub(super) initializer: Option<Initializer>,
    pub(super) task_timeout: Option<Duration>,
    pub(super) tasks_per_worker: Option<NonZeroUsize>,
}

pub(super) struct Shared {
    pub(super) settings: Settings,
    /// Tasks that have not ended.
    pub(super) tasks: Ledger,
    /// Processes of which something is left.
    pub(super) house: Ledger,
    board: Mutex<Board>,
}

#[derive(Default)]
struct Board {
    waiting: BTreeMap<TaskId, Waiting>,
    seats: BTreeMap<SeatId, Seat>,
    /// Seats whose worker has nothing to do. The one that was busy last is taken first: it is the warmest.
    idle: Vec<SeatId>,
    last_task: TaskId,
    last_seat: SeatId,
    /// The pool was dropped: workers that come up are killed.
    stopped: bool,
}

struct Waiting {
    job: Parcel,
    ticket: Ticket,
}

/// What stays here of a task while its job travels.
struct Ticket {
    finish: Finish,
    on_cancel: Option<OnCancel>,
    /// How often it has come back without having begun.
    returns: u32,
}

struct Seat {
    /// There once the process is.
    worker: Option<Arc<Worker>>,
    task: Option<Running>,
    tasks_done: usize,
    /// It takes no more tasks.
    leaving: bool,
    entry: Entry,
}

struct Running {
    id: TaskId,
    ticket: Ticket,
    /// The job, if it can be sent again.
    job: Option<Parcel>,
    stop: Option<Stop>,
    timer: Option<Scheduled>,
}

/// Why a task that runs is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Cancelled,
    TimedOut,
}

/// What is done after the lock is released.
#[derive(Default)]
struct Afterwards {
    finish: Vec<(Ticket, Result<Parcel, JoinError>)>,
    timers: Vec<Scheduled>,
    arm: Vec<TaskId>,
    hire: Vec<(SeatId, Parcel)>,
    /// Of seats that are no more. Whoever waits until the house is empty finds that their tasks have ended, too.
    left: Vec<Entry>,
}

/// A task comes back without having begun when its worker or the zygote dies in just that moment. If that goes on,
/// something is wrong that another attempt does not mend.
const RETURNS_MAX: u32 = 3;

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Shared { settings, tasks: Ledger::new(), house: Ledger::new(), board: Mutex::default() }
    }

    pub(super) fn submit(self: &Arc<Self>, job: Parcel, finish: Finish) -> TaskId {
        let ticket = Ticket { finish, on_cancel: None, returns: 0 };
        self.with(|board, afterwards| {
            board.last_task += 1;
            let id = board.last_task;
            // Asked under the lock: either this sees that the pool is shutting down, or `give_up_waiting` sees the task.
            if self.tasks.is_cancelling() {
                afterwards.finish.push((ticket, Err(JoinError::ShutDown)));
            } else {
                board.waiting.insert(id, Waiting { job, ticket });
                self.dispatch(board, afterwards);
            }
            id
        })
    }

    /// Keeps the registration as long as the task has not ended.
    pub(super) fn keep(&self, id: TaskId, on_cancel: OnCancel) {
        let mut on_cancel = Some(on_cancel);
        let mut board = self.lock();
        if let Some(ticket) = board.ticket(id) {
            ticket.on_cancel = on_cancel.take();
        }
        drop(board);
        drop(on_cancel);
    }

    /// Takes a task back if it waits, and kills its worker if it runs.
    pub(super) fn stop(self: &Arc<Self>, id: TaskId, why: Stop) {
        self.with(|board, afterwards| {
            if let Some(Waiting { ticket, .. }) = board.waiting.remove(&id) {
                afterwards.finish.push((ticket, Err(why.error())));
                return;
            }
            let seat =
                board.seats.values_mut().find(|seat| seat.task.as_ref().is_some_and(|task| task.id == id));
            if let Some(seat) = seat {
                seat.stop(why);
            }
        });
    }

    /// Ends what waits; for a pool that shuts down.
    pub(super) fn give_up_waiting(self: &Arc<Self>) {
        self.with(|board, afterwards| {
            let waiting = std::mem::take(&mut board.waiting);
            let given_up =
                waiting.into_values().map(|Waiting { ticket, .. }| (ticket, Err(JoinError::ShutDown)));
            afterwards.finish.extend(given_up);
        });
    }

    /// Lets idle workers end; for a pool that has no more tasks.
    pub(super) fn dismiss_all(self: &Arc<Self>) {
        self.with(|board, _| {
            for id in std::mem::take(&mut board.idle) {
                if let Some(seat) = board.seats.get_mut(&id) {
                    seat.dismiss();
                }
            }
        });
    }

    /// Kills every worker.
    pub(super) fn kill_all(self: &Arc<Self>) {
        self.with(|board, _| {
            board.stopped = true;
            board.idle.clear();
            for seat in board.seats.values_mut() {
                seat.stop(Stop::Cancelled);
            }
        });
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.lock().seats.values().filter_map(|seat| Some(seat.worker.as_ref()?.process()?.pid())).collect()
    }

    pub(super) fn started(self: &Arc<Self>, seat: SeatId, worker: &Arc<Worker>) {
        self.with(|board, afterwards| {
            let Some(seat) = board.seats.get_mut(&seat) else { return };
            seat.worker = Some(Arc::clone(worker));
            let stopped = seat.task.as_ref().is_some_and(|task| task.stop.is_some());
            if stopped || board.stopped {
                seat.kill();
            }
            afterwards.arm.extend(seat.task.as_ref().map(|task| task.id));
        });
    }

    pub(super) fn not_started(self: &Arc<Self>, seat: SeatId, why: &NotStarted, job: Parcel) {
        self.with(|board, afterwards| self.vacate(board, afterwards, seat, why, job));
    }

    /// A seat for which there is no worker. Its task gets another chance if there is one.
    fn vacate(
        &self,
        board: &mut Board,
        afterwards: &mut Afterwards,
        seat: SeatId,
        why: &NotStarted,
        job: Parcel,
    ) {
        let Some(Seat { task, entry, .. }) = board.seats.remove(&seat) else { return };
        afterwards.left.push(entry);
        let Some(Running { id, ticket, stop, .. }) = task else { return };
        let error = match why {
            _ if stop.is_some() => stop.map(Stop::error),
            // One of the others will take the task: one that is idle by now at once, for nothing else would remind it. To
            // hire again at once would be in vain.
            NotStarted::Refused(_) if !board.seats.is_empty() => {
                board.waiting.insert(id, Waiting { job, ticket });
                board.send_to_idle(afterwards);
                return;
            }
            NotStarted::Refused(why) => Some(JoinError::failed(format_args!("cannot start a worker: {why}"))),
            NotStarted::ZygoteLost if ticket.returns < RETURNS_MAX => None,
            NotStarted::ZygoteLost => Some(JoinError::failed(
                "cannot start a worker: the zygote ended each time; something kills it, or it cannot start",
            )),
        };
        match error {
            Some(error) => afterwards.finish.push((ticket, Err(error))),
            None => board.put_back(id, job, ticket),
        }
        self.dispatch(board, afterwards);
    }

    pub(super) fn answered(self: &Arc<Self>, id: SeatId, answer: Parcel) {
        self.with(|board, afterwards| {
            let Some(seat) = board.seats.get_mut(&id) else { return };
            let Some(task) = seat.task.take() else { return };
            seat.tasks_done += 1;
            let worn = self.settings.tasks_per_worker.is_some_and(|most| seat.tasks_done >= most.get());
            if seat.leaving {
                // It was killed, and has answered all the same.
            } else if worn {
                seat.dismiss();
            } else {
                board.idle.push(id);
            }
            afterwards.timers.extend(task.timer);
            afterwards.finish.push((task.ticket, Ok(answer)));
            self.dispatch(board, afterwards);
        });
    }

    pub(super) fn ended(self: &Arc<Self>, id: SeatId, end: End) {
        self.with(|board, afterwards| {
            let Some(Seat { task, entry, .. }) = board.seats.remove(&id) else { return };
            afterwards.left.push(entry);
            board.idle.retain(|idle| *idle != id);
            if let Some(Running { id, ticket, job, stop, timer }) = task {
                afterwards.timers.extend(timer);
                let unread = end.unread;
                match (end.outcome(), stop, job) {
                    (Err(_), Some(stop), _) => afterwards.finish.push((ticket, Err(stop.error()))),
                    (Err(_), None, Some(job)) if unread && ticket.returns < RETURNS_MAX => {
                        board.put_back(id, job, ticket);
                    }
                    (outcome, ..) => afterwards.finish.push((ticket, outcome)),
                }
            }
            self.dispatch(board, afterwards);
        });
    }

    /// Gives tasks that wait to idle workers, and to new ones while there may be more.
    fn dispatch(&self, board: &mut Board, afterwards: &mut Afterwards) {
        loop {
            board.send_to_idle(afterwards);
            if board.waiting.is_empty() {
                return;
            }
            let working = board.seats.values().filter(|seat| !seat.leaving).count();
            // The house is closed by nobody.
            let (true, Ok(entry)) = (working < self.settings.workers, self.house.enter()) else { return };
            let Some((id, Waiting { job, ticket })) = board.waiting.pop_first() else { return };
            board.last_seat += 1;
            let task = Running { id, ticket, job: None, stop: None, timer: None };
            let seat = Seat { worker: None, task: Some(task), tasks_done: 0, leaving: false, entry };
            board.seats.insert(board.last_seat, seat);
            afterwards.hire.push((board.last_seat, job));
        }
    }

    fn with<R>(self: &Arc<Self>, change: impl FnOnce(&mut Board, &mut Afterwards) -> R) -> R {
        let mut afterwards = Afterwards::default();
        let result = change(&mut self.lock(), &mut afterwards);
        // A refusal may hand the seat to the next task: a loop, because there may be many.
        while let Some((seat, job)) = afterwards.hire.pop() {
            if let Err((why, job)) = Hired::start(self, seat, job) {
                let why = NotStarted::Refused(why);
                self.vacate(&mut self.lock(), &mut afterwards, seat, &why, job);
            }
        }
        let Afterwards { finish, timers, arm, left, .. } = afterwards;
        drop(timers);
        for (Ticket { finish, on_cancel, .. }, answer) in finish {
            drop(on_cancel);
            sync::contain(|| finish(answer));
        }
        // The last one wakes whoever waits for the house, by a waker that may be anybody's.
        sync::contain(|| drop(left));
        for id in arm {
            self.arm(id);
        }
        result
    }

    /// Starts the clock of a task that runs.
    fn arm(self: &Arc<Self>, id: TaskId) {
        let at = self.settings.task_timeout.and_then(|limit| Instant::now().checked_add(limit));
        let Some(at) = at else { return };
        let waker = Waker::from(Arc::new(Deadline { pool: Arc::downgrade(self), id }));
        let mut timer = Some(timer::schedule(at, waker));
        let mut board = self.lock();
        let task = board.seats.values_mut().filter_map(|seat| seat.task.as_mut()).find(|task| task.id == id);
        if let Some(task) = task {
            task.timer = timer.take();
        }
        drop(board);
        drop(timer);
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        // No foreign code runs under the lock, and ours does not panic half way through a change.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn ticket(&mut self, id: TaskId) -> Option<&mut Ticket> {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            return Some(&mut waiting.ticket);
        }
        let running = self.seats.values_mut().filter_map(|seat| seat.task.as_mut());
        running.into_iter().find(|task| task.id == id).map(|task| &mut task.ticket)
    }

    /// Its number gives it its old place.
    fn put_back(&mut self, id: TaskId, job: Parcel, ticket: Ticket) {
        let ticket = Ticket { returns: ticket.returns + 1, ..ticket };
        self.waiting.insert(id, Waiting { job, ticket });
    }

    /// Gives tasks that wait to idle workers, until there are none of the ones or of the others.
    fn send_to_idle(&mut self, afterwards: &mut Afterwards) {
        while !self.waiting.is_empty() {
            let Some(seat) = self.idle.pop() else { return };
            self.send_first(seat, afterwards);
        }
    }

    /// Sends the first task that waits to an idle worker.
    fn send_first(&mut self, seat_id: SeatId, afterwards: &mut Afterwards) {
        let Some(seat) = self.seats.get_mut(&seat_id) else { return };
        let Some(worker) = &seat.worker else { return };
        let Some((id, Waiting { job, ticket })) = self.waiting.pop_first() else { return };
        match worker.send(&job) {
            Ok(()) => {
                // Descriptors that stay open here would keep their other side waiting.
                let job = job.descriptors.is_empty().then_some(job);
                seat.task = Some(Running { id, ticket, job, stop: None, timer: None });
                afterwards.arm.push(id);
            }
            Err(LinkError::Disconnected) => {
                // It has died, and we have not heard of it yet. The task was not sent.
                seat.kill();
                self.waiting.insert(id, Waiting { job, ticket });
            }
            Err(why) => {
                afterwards.finish.push((ticket, Err(job::unsent(&why))));
                self.idle.push(seat_id);
            }
        }
    }
}

impl Seat {
    fn stop(&mut self, why: Stop) {
        if let Some(task) = &mut self.task {
            task.stop.get_or_insert(why);
        }
        self.kill();
    }

    /// Kills the worker; one that is not there yet is killed when it comes up.
    fn kill(&mut self) {
        self.leaving = true;
        if let Some(worker) = &self.worker {
            worker.kill();
        }
    }

    fn dismiss(&mut self) {
        self.leaving = true;
        if let Some(worker) = &self.worker {
            worker.dismiss();
        }
    }
}

impl Stop {
    fn error(self) -> JoinError {
        match self {
            Stop::Cancelled => JoinError::Cancelled,
            Stop::TimedOut => JoinError::TimedOut,
        }
    }
}

/// The end of a task's time, in the shape of a waker.
struct Deadline {
    pool: Weak<Shared>,
    id: TaskId,
}

impl Wake for Deadline {
    fn wake(self: Arc<Self>) {
        if let Some(pool) = self.pool.upgrade() {
            pool.stop(self.id, Stop::TimedOut);
        }
    }
}
