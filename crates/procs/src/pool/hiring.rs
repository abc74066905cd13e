//! Starting the workers of a pool, and passing on what they report.

use super::board::{SeatId, Shared};
use crate::engine::{self, End, NotStarted, Owner, Worker};
use crate::job;
use ipc::Parcel;
use std::sync::Arc;

/// The owner of a pool's worker.
pub(super) struct Hired {
    pool: Arc<Shared>,
    seat: SeatId,
}

impl Hired {
    /// Starts a worker, which first runs the initializer and then `job`.
    pub(super) fn start(pool: &Arc<Shared>, seat: SeatId, job: Parcel) {
        let name = pool.settings.name.as_deref();
        let owner: Arc<dyn Owner> = Arc::new(Hired { pool: Arc::clone(pool), seat });
        let started = match job::set_initializer(job, pool.settings.initializer) {
            Ok(job) => engine::start(name, &owner, job),
            Err(why) => Err((why, Parcel::default())),
        };
        if let Err((why, job)) = started {
            owner.not_started(NotStarted::Refused(why), job);
        }
    }
}

impl Owner for Hired {
    fn started(&self, worker: &Arc<Worker>) {
        self.pool.started(self.seat, worker);
    }

    fn not_started(&self, why: NotStarted, first: Parcel) {
        self.pool.not_started(self.seat, &why, first);
    }

    fn answered(&self, answer: Parcel) {
        self.pool.answered(self.seat, answer);
    }

    fn ended(&self, end: End) {
        self.pool.ended(self.seat, end);
    }
}
