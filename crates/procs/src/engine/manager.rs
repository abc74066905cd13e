//! The one thread that looks after all processes.
//!
//! 1. A manager and its zygote belong together: the thread starts the zygote, and when one of the two ends, so does the
//!    other. The next start makes a new pair. So there is no state "manager without zygote", and because the kernel ends
//!    the zygote when the thread that started it ends, nothing survives.
//! 2. Nobody waits for the thread to do what can be done without it: whoever starts a worker sends the request to the
//!    zygote himself, and jobs go straight to the workers. The thread listens, and sends the requests that found no room.
//!    Nobody waits for that room, least of all the thread, where callbacks may start workers too: a zygote that has no
//!    room for its reports reads no requests until the thread has listened.
//! 3. A worker is in the table from before its request is sent until its end was told. So whatever the zygote reports is
//!    about somebody known, and when the zygote is lost nobody is forgotten.
//! 4. When the table has been empty for a while, the thread closes it and ends. Who finds it closed asks for a new manager.

use super::memory::MemoryKills;
use super::worker::Worker;
use super::{Exit, NotStarted, Owner};
use crate::start::hook;
use crate::start::requests::{self, Fork, Report, WorkerId};
use ipc::handoff::{self, Descriptor};
use ipc::{Link, LinkError, Parcel};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How long thread and zygote stay when there is no process. Starting them again costs a millisecond and more in a large
/// program; keeping them costs a sleeping thread and a sleeping process.
const LINGER: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// What epoll calls the zygote's link. Workers are called by their numbers.
const ZYGOTE: u64 = 0;

pub(super) struct Manager {
    /// The process that this is in: a copy of the program, made by a bare `fork`, has no such thread.
    program: u32,
    zygote: Link,
    epoll: OwnedFd,
    table: Mutex<Table>,
    /// Requests for which there was no room, the oldest first. While there are some, epoll tells of room.
    unsent: Mutex<VecDeque<(WorkerId, Parcel)>>,
}

#[derive(Default)]
struct Table {
    workers: BTreeMap<WorkerId, Arc<Worker>>,
    last_id: WorkerId,
    closed: bool,
}

static CURRENT: Mutex<Option<Arc<Manager>>> = Mutex::new(None);

thread_local! {
    static IS_MANAGER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is the manager's thread, on which nobody may wait for processes.
pub(crate) fn is_manager() -> bool {
    IS_MANAGER.get()
}

/// Starts a worker, which does `first`. The owner hears of it all.
///
/// # Errors
/// There is no manager and none can be started: no thread, no descriptors, or not this kind of program.
pub(crate) fn start(
    name: Option<&str>,
    owner: &Arc<dyn Owner>,
    mut first: Parcel,
) -> Result<(), (io::Error, Parcel)> {
    if let Err(why) = hook::check() {
        return Err((why, first));
    }
    loop {
        let manager = match Manager::current() {
            Ok(manager) => manager,
            Err(why) => return Err((why, first)),
        };
        match manager.admit(name, owner, first)? {
            None => return Ok(()),
            // It has closed in this moment.
            Some(again) => first = again,
        }
    }
}

impl Manager {
    fn current() -> io::Result<Arc<Manager>> {
        let mut current = lock(&CURRENT);
        if let Some(manager) = &*current {
            if manager.program == std::process::id() && !lock(&manager.table).closed {
                return Ok(Arc::clone(manager));
            }
        }
        let (zygote, theirs) = Link::pair()?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &zygote, EventData::new_u64(ZYGOTE), EventFlags::IN)?;
        let manager = Arc::new(Manager {
            program: std::process::id(),
            zygote,
            epoll,
            table: Mutex::default(),
            unsent: Mutex::default(),
        });
        let running = Arc::clone(&manager);
        thread::Builder::new().name("trefoil-procs".into()).spawn(move || running.run(theirs))?;
        *current = Some(Arc::clone(&manager));
        Ok(manager)
    }

    /// Takes a worker into the table and asks the zygote for it. Gives the job back if the table is closed.
    fn admit(
        &self,
        name: Option<&str>,
        owner: &Arc<dyn Owner>,
        first: Parcel,
    ) -> Result<Option<Parcel>, (io::Error, Parcel)> {
        let (ours, theirs) = match Link::pair() {
            Ok(pair) => pair,
            Err(why) => return Err((why, first)),
        };
        let mut table = lock(&self.table);
        if table.closed {
            return Ok(Some(first));
        }
        let id = table.last_id + 1;
        let request = requests::encode(&Fork { id, name: name.map(Into::into), link: theirs });
        let request = match request {
            Ok(request) => request,
            Err(why) => return Err((why, first)),
        };
        if let Err(why) = epoll::add(&self.epoll, &ours, EventData::new_u64(id), EventFlags::IN) {
            return Err((why.into(), first));
        }
        table.last_id = id;
        table.workers.insert(id, Arc::new(Worker::new(ours, Arc::clone(owner), first)));
        drop(table);
        match self.ask(id, request) {
            // If the zygote is lost, the thread learns it too, and tells the owner.
            Ok(()) | Err(LinkError::Disconnected) => Ok(None),
            // The system refuses: an ordinary user may have so many descriptors on their way, memory is short.
            Err(why) => match self.remove(id).and_then(|worker| worker.take_first()) {
                Some(first) => Err((requests::system_error(why), first)),
                // Its owner was told meanwhile that it was not started.
                None => Ok(None),
            },
        }
    }

    /// Sends a request, now or when there is room. Never waits.
    fn ask(&self, id: WorkerId, request: Parcel) -> Result<(), LinkError> {
        let mut unsent = lock(&self.unsent);
        if unsent.is_empty() {
            match self.zygote.try_send(&request) {
                Err(LinkError::WouldBlock) => self.tell_of_zygote(EventFlags::IN | EventFlags::OUT)?,
                done => return done,
            }
        }
        unsent.push_back((id, request));
        Ok(())
    }

    /// Sends what waits for room, as much as there is room for.
    fn send_unsent(&self) {
        loop {
            let mut unsent = lock(&self.unsent);
            let Some((id, request)) = unsent.pop_front() else {
                // An error means that the zygote is gone from epoll, which will tell of nothing any more.
                let _ = self.tell_of_zygote(EventFlags::IN);
                return;
            };
            match self.zygote.try_send(&request) {
                // Where the zygote is lost, that is noticed next.
                Ok(()) | Err(LinkError::Disconnected) => {}
                Err(LinkError::WouldBlock) => return unsent.push_front((id, request)),
                Err(why) => {
                    drop(unsent);
                    if let Some(worker) = self.remove(id) {
                        worker.not_started(NotStarted::Refused(requests::system_error(why)));
                    }
                }
            }
        }
    }

    fn tell_of_zygote(&self, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, &self.zygote, EventData::new_u64(ZYGOTE), flags)?)
    }

    fn run(self: Arc<Self>, theirs: Link) {
        IS_MANAGER.set(true);
        match exec_zygote(theirs) {
            Ok(mut zygote) => {
                self.listen();
                // Stopped, it would not notice that its link is closed.
                let _ = zygote.kill();
                let _ = zygote.wait();
                self.close(|| NotStarted::ZygoteLost);
            }
            Err(why) => {
                let kind = why.kind();
                let text = format!("cannot start this program once more, as /proc/self/exe: {why}");
                self.close(|| NotStarted::Refused(io::Error::new(kind, text.clone())));
            }
        }
        // Its descriptors go with it.
        lock(&CURRENT).take_if(|current| Arc::ptr_eq(current, &self));
    }

    /// Ends when the zygote is lost, or when there has been nobody for a while; then the table is closed.
    fn listen(&self) {
        let mut memory_kills = MemoryKills::of_this_process();
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); 64];
        loop {
            let limit = lock(&self.table).workers.is_empty().then_some(LINGER);
            let ready = match epoll::wait(&self.epoll, &mut events, limit.as_ref()) {
                Err(Errno::INTR) => continue,
                Err(_) => return,
                Ok((ready, _)) => ready,
            };
            if ready.is_empty() {
                let mut table = lock(&self.table);
                if table.workers.is_empty() {
                    table.closed = true;
                    return;
                }
            }
            for event in ready {
                let (who, flags) = (event.data.u64(), event.flags);
                if who != ZYGOTE {
                    self.hear_worker(who, flags);
                    continue;
                }
                if flags.contains(EventFlags::OUT) {
                    self.send_unsent();
                }
                if self.hear_zygote(&mut memory_kills).is_err() {
                    return;
                }
            }
        }
    }

    /// Receives at most one answer, so that what the flags say is still true: see [`Worker::look_for_unread`].
    fn hear_worker(&self, id: WorkerId, flags: EventFlags) {
        let Some(worker) = lock(&self.table).workers.get(&id).map(Arc::clone) else { return };
        if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            worker.look_for_unread();
        }
        if !worker.receive() {
            // The zygote will tell how it has ended.
            let _ = epoll::delete(&self.epoll, worker.link());
        }
    }

    fn hear_zygote(&self, memory_kills: &mut MemoryKills) -> Result<(), ZygoteLost> {
        loop {
            let report = match self.zygote.try_receive() {
                Err(LinkError::WouldBlock) => return Ok(()),
                Err(LinkError::DescriptorsLost) => {
                    self.refuse_starting();
                    continue;
                }
                Err(_) => return Err(ZygoteLost),
                Ok(parcel) => handoff::decode::<Report>(parcel).map_err(|_| ZygoteLost)?,
            };
            match report {
                Report::Started { id, pid, pidfd: Descriptor(pidfd) } => {
                    let worker = lock(&self.table).workers.get(&id).map(Arc::clone);
                    if let Some(worker) = worker {
                        worker.started(pid, pidfd);
                    }
                }
                Report::Refused { id, errno } => {
                    if let Some(worker) = self.remove(id) {
                        worker.not_started(NotStarted::Refused(refusal(errno)));
                    }
                }
                Report::RequestLost => self.refuse_starting(),
                Report::Ended { id, how } => {
                    if let Some(worker) = self.remove(id) {
                        let by_another = how == Exit::Signal(KILLED)
                            && !worker.process().is_some_and(|process| process.was_killed());
                        let for_memory = by_another && memory_kills.happened();
                        worker.ended(if for_memory { Exit::OutOfMemory } else { how });
                    }
                }
            }
        }
    }

    /// A descriptor did not fit into this process or the zygote, and with it went the message that says which worker it is
    /// about: one of those that are being started. All of them are refused; one that comes up all the same finds its
    /// link closed, and ends without having had a job.
    fn refuse_starting(&self) {
        let mut table = lock(&self.table);
        let (there, starting) = std::mem::take(&mut table.workers)
            .into_iter()
            .partition(|(_, worker)| worker.process().is_some());
        table.workers = there;
        drop::<MutexGuard<'_, Table>>(table);
        let starting: BTreeMap<WorkerId, Arc<Worker>> = starting;
        for worker in starting.into_values() {
            let _ = epoll::delete(&self.epoll, worker.link());
            worker.not_started(NotStarted::Refused(Errno::MFILE.into()));
        }
    }

    fn remove(&self, id: WorkerId) -> Option<Arc<Worker>> {
        let worker = lock(&self.table).workers.remove(&id)?;
        // It may be off already.
        let _ = epoll::delete(&self.epoll, worker.link());
        Some(worker)
    }

    /// Tells the owners of all workers that there were that they are gone. The zygote is; the kernel ends its workers.
    fn close(&self, why: impl Fn() -> NotStarted) {
        let mut table = lock(&self.table);
        table.closed = true;
        let workers = std::mem::take(&mut table.workers);
        drop(table);
        lock(&self.unsent).clear();
        for worker in workers.into_values() {
            match worker.process() {
                None => worker.not_started(why()),
                Some(process) => {
                    worker.kill();
                    let mut gone = [PollFd::from_borrowed_fd(process.pidfd(), PollFlags::IN)];
                    while rustix::event::poll(&mut gone, None) == Err(Errno::INTR) {}
                    worker.ended(Exit::Signal(KILLED));
                }
            }
        }
    }
}

const KILLED: i32 = rustix::process::Signal::KILL.as_raw();

struct ZygoteLost;

/// Starts this program once more, as the zygote. Its link is its standard input: a descriptor that no other process can
/// inherit, whatever other threads start at the same time.
fn exec_zygote(link: Link) -> io::Result<Child> {
    let mut arguments = std::env::args_os();
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command
        .args(arguments)
        .env(hook::VARIABLE, std::process::id().to_string())
        .stdin(Stdio::from(OwnedFd::from(link)))
        .spawn()
}

fn refusal(errno: i32) -> io::Error {
    if Errno::from_raw_os_error(errno) == Errno::DEADLK {
        return io::Error::new(
            io::ErrorKind::Unsupported,
            "a constructor that runs before `main` has started a thread, so the zygote cannot fork",
        );
    }
    io::Error::from_raw_os_error(errno)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nobody's code runs under these locks, and ours does not panic half way through a change.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
