//! The process from which all workers are forked.
//!
//! 1. It has one thread, and the only foreign code that runs in it are constructors that would run before `main` anyway.
//!    So a fork of it is as good as a new process, and costs the same however large the program has grown.
//! 2. It ends when the program does: its socket is closed then; should it be stopped at that time, the kernel kills it,
//!    because the thread that started it is gone.
//! 3. Its workers end when it does: each asks the kernel for that, before anything else.
//! 4. It reaps its workers and tells how they ended. There are no zombies, unless it is killed: then the system reaps.
//! 5. Signals that are meant for the whole group, such as that of Ctrl-C, do not end it: that is for the program to decide.

use super::hook;
use super::requests::{self, Fork, Heard, Report, WorkerId};
use super::system::{self, Changed, Mask, Side};
use super::worker;
use ipc::Link;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::sockopt;
use rustix::process::{
    self, Pid, PidfdFlags, Resource, Rlimit, Signal, getpid, getppid, getuid, set_parent_process_death_signal,
};
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;

/// What epoll calls the program's socket. Workers are called by their numbers, which begin with 1.
const PROGRAM: u64 = 0;

pub(super) struct Zygote {
    program: Link,
    epoll: OwnedFd,
    /// Not a `HashMap`: that would draw random keys, and all workers would share them.
    workers: BTreeMap<WorkerId, Worker>,
    /// What workers get back as it was.
    mask: Mask,
    reaping: Changed,
    descriptors_max: Rlimit,
}

struct Worker {
    pid: Pid,
    pidfd: OwnedFd,
}

/// Makes sure that it was the program who asked, and makes this process its zygote.
pub(super) fn prepare(parent: &OsStr) -> Result<Zygote, String> {
    if system::is_privileged() {
        return Err("it has more rights than its user".into());
    }
    system::remove_variable(hook::VARIABLE)?;
    authenticate(parent).map_err(|why| format!("its parent is not the program: {why}"))?;
    take_over().map_err(|why| format!("cannot set it up: {why}"))
}

/// Whoever can start this program can set a variable. What cannot be had that way are a parent that runs the same file,
/// for the same user, and holds the other end of the socket.
fn authenticate(parent: &OsStr) -> Result<(), String> {
    let expected = parent.to_str().and_then(|parent| parent.parse().ok()).and_then(Pid::from_raw);
    let actual = getppid();
    if expected.is_none() || expected != actual {
        return Err(format!("the variable says {expected:?}, the parent is {actual:?}"));
    }
    let peer = sockopt::socket_peercred(io::stdin())
        .map_err(|why| format!("standard input is not its socket: {why}"))?;
    if Some(peer.pid) != actual || peer.uid != getuid() {
        return Err(format!("the socket is that of {:?}, user {}", peer.pid, peer.uid.as_raw()));
    }
    let file = |path: &str| {
        fs::metadata(path).map(|file| (file.dev(), file.ino())).map_err(|why| format!("{path}: {why}"))
    };
    if file("/proc/self/exe")? != file(&format!("/proc/{}/exe", peer.pid.as_raw_nonzero()))? {
        return Err(format!("{:?} runs another file", peer.pid));
    }
    Ok(())
}

fn take_over() -> io::Result<Zygote> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the kernel knew that it matters to us.
    if getppid() != parent {
        std::process::exit(hook::EXIT_NO_ZYGOTE);
    }
    let program = Link::from_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    system::close_inherited()?;
    // As Rust's own start does it before `main`, which this process never reaches.
    system::ignore(Signal::PIPE)?;
    // Blocked, not ignored: one that is meant for a worker that is just being forked waits until it is ready.
    let mask = system::block(&[Signal::INT, Signal::QUIT, Signal::TERM, Signal::HUP, Signal::TSTP])?;
    // A program that ignores this one has its children reaped by the system, and nobody would know how they ended.
    let reaping = system::reset(Signal::CHILD)?;
    // A descriptor for each worker: as many as may be.
    let descriptors_max = process::getrlimit(Resource::Nofile);
    process::setrlimit(Resource::Nofile, Rlimit { current: descriptors_max.maximum, ..descriptors_max })?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &program, EventData::new_u64(PROGRAM), EventFlags::IN)?;
    Ok(Zygote { program, epoll, workers: BTreeMap::new(), mask, reaping, descriptors_max })
}

impl Zygote {
    /// Serves the program until it is gone.
    pub(super) fn serve(mut self) -> ! {
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); 32];
        loop {
            let ready = match epoll::wait(&self.epoll, &mut events, None) {
                Err(Errno::INTR) => continue,
                other => or_exit(other).0,
            };
            for event in ready {
                match event.data.u64() {
                    PROGRAM => {
                        if let ControlFlow::Break(born) = self.answer() {
                            self.be_worker(born);
                        }
                    }
                    worker => self.reap(worker),
                }
            }
        }
    }

    /// Does what the program asks for. Breaks in a new worker.
    fn answer(&mut self) -> ControlFlow<Born> {
        let zygote = getpid();
        match or_exit(requests::receive::<Fork>(&self.program)) {
            Heard::End => std::process::exit(0),
            Heard::Lost => self.report(&Report::RequestLost),
            Heard::Message(request) => match system::fork() {
                Ok(Side::Worker) => return ControlFlow::Break(Born { zygote, request }),
                Ok(Side::Zygote(pid)) => self.register(request.id, pid),
                Err(why) => self.report(&refused(request.id, &why)),
            },
        }
        ControlFlow::Continue(())
    }

    /// Tells that there is a new worker. One that cannot be watched, or told of, is ended before it has had a job.
    fn register(&mut self, id: WorkerId, pid: Pid) {
        match self.announce(id, pid) {
            Ok(pidfd) => {
                self.workers.insert(id, Worker { pid, pidfd });
            }
            Err(why) => {
                // It was not reaped, so the number is still its own.
                let _ = process::kill_process(pid, Signal::KILL);
                system::reap(pid);
                self.report(&refused(id, &why));
            }
        }
    }

    /// Arranges for [`reap`](Zygote::reap) when the worker ends, and gives the program its descriptor; here is ours.
    fn announce(&self, id: WorkerId, pid: Pid) -> io::Result<OwnedFd> {
        let pidfd = process::pidfd_open(pid, PidfdFlags::empty())?;
        epoll::add(&self.epoll, &pidfd, EventData::new_u64(id), EventFlags::IN)?;
        let for_program = pidfd.try_clone()?.into();
        let pid = pid.as_raw_nonzero().get().unsigned_abs();
        // It may be refused, as it carries a descriptor: others of this user may have too many on their way.
        requests::send(&self.program, &Report::Started { id, pid, pidfd: for_program })?;
        Ok(pidfd)
    }

    /// Tells how a worker has ended.
    fn reap(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.remove(&id) else { return };
        // The program has a copy of the descriptor, so closing ours does not take it off.
        or_exit(epoll::delete(&self.epoll, &worker.pidfd));
        let how = system::reap(worker.pid);
        self.report(&Report::Ended { id, how });
    }

    fn report(&self, report: &Report) {
        or_exit(requests::send(&self.program, report));
    }

    /// The zygote's copy becomes the worker: whatever is the zygote's goes.
    fn be_worker(self, born: Born) -> ! {
        or_exit(set_parent_process_death_signal(Some(Signal::KILL)));
        // It may have died before the kernel knew that it matters to us.
        if getppid() != Some(born.zygote) {
            std::process::exit(0);
        }
        let Zygote { program, epoll, workers, mask, reaping, descriptors_max } = self;
        drop((program, epoll, workers));
        or_exit(reaping.restore());
        or_exit(process::setrlimit(Resource::Nofile, descriptors_max));
        // A name with a zero in it is none that the system could take.
        if let Some(name) = born.request.name.and_then(|name| CString::new(name).ok()) {
            or_exit(rustix::thread::set_name(&name));
        }
        hook::now_worker();
        or_exit(mask.restore());
        worker::work(&born.request.link)
    }
}

/// A worker that was just forked, and knows that only by this.
struct Born {
    zygote: Pid,
    request: Fork,
}

fn refused(id: WorkerId, why: &io::Error) -> Report {
    Report::Refused { id, errno: why.raw_os_error().unwrap_or(0) }
}

/// There is nobody to tell: the program sees that this process ends, and with it all workers.
fn or_exit<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|_| std::process::exit(hook::EXIT_NO_ZYGOTE))
}
