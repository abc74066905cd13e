//! Starting the workers of a pool, and passing on what they report.

use super::board::{SeatId, Shared};
use crate::engine::{self, End, NotStarted, Owner, Worker};
use crate::job;
use ipc::Parcel;
use std::io;
use std::sync::Arc;

/// The owner of a pool's worker.
pub(super) struct Hired {
    pool: Arc<Shared>,
    seat: SeatId,
}

impl Hired {
    /// Starts a worker, which first runs the initializer and then `job`.
    ///
    /// # Errors
    /// It could not even be asked for; here is `job` again. Otherwise the pool hears of it later.
    pub(super) fn start(pool: &Arc<Shared>, seat: SeatId, job: Parcel) -> Result<(), (io::Error, Parcel)> {
        let settings = &pool.settings;
        let owner: Arc<dyn Owner> = Arc::new(Hired { pool: Arc::clone(pool), seat });
        let job = job::set_initializer(job, settings.initializer).map_err(|why| (why, Parcel::default()))?;
        engine::start(settings.name.as_deref(), &owner, job).map_err(|(why, first)| {
            match for_anybody(first) {
                Ok(job) => (why, job),
                Err(why) => (why, Parcel::default()),
            }
        })
    }
}

/// The job of a worker that was not started, for one that may have run the initializer long ago.
fn for_anybody(first: Parcel) -> io::Result<Parcel> {
    job::set_initializer(first, None)
}

impl Owner for Hired {
    fn started(&self, worker: &Arc<Worker>) {
        self.pool.started(self.seat, worker);
    }

    fn not_started(&self, why: NotStarted, first: Parcel) {
        match for_anybody(first) {
            Ok(job) => self.pool.not_started(self.seat, &why, job),
            Err(why) => self.pool.not_started(self.seat, &NotStarted::Refused(why), Parcel::default()),
        }
    }

    fn answered(&self, answer: Parcel) {
        self.pool.answered(self.seat, answer);
    }

    fn ended(&self, end: End) {
        self.pool.ended(self.seat, end);
    }
}
