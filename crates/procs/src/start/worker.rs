//! What runs in a worker: one job after the other, until there will be none.

use crate::job::{Answer, Job, Last};
use ipc::Link;

/// Does the program's jobs and ends. Never reaches `main`.
pub(super) fn work(link: &Link) -> ! {
    link.set_bytes_max(u64::MAX);
    let me = std::process::id();
    // The program closes its end when it needs the worker no more, and the system does when the program is gone.
    while let Ok(parcel) = link.receive(None) {
        let (answer, last) = match Job::open(parcel) {
            Ok(job) => job.run(),
            Err(why) => (Answer::<()>::Failed(why).encode(), Last::No),
        };
        if std::process::id() != me {
            // A task has forked, and its child has come back here instead of ending: it must neither answer nor take the
            // next job, for both would be the worker's.
            std::process::exit(0);
        }
        if last == Last::Yes {
            // Whoever tries to send another job is told, and gives it to another worker.
            let _ = link.shut_down(ipc::ready::Interest::Read);
        }
        let sent = match link.send(&answer, None) {
            // The system refuses it, for want of descriptors perhaps. A few words need none.
            Err(why) if !why.is_disconnected() => {
                let why = format!("the result cannot be sent: {why}");
                link.send(&Answer::<()>::Failed(why).encode(), None)
            }
            done => done,
        };
        if sent.is_err() || last == Last::Yes {
            break;
        }
    }
    std::process::exit(0)
}
