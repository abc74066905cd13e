//! A typed value through whatever carries parcels.

use crate::error::SendError;
use crate::handoff::{self, Moves, Parcel};
use crate::link::LinkError;
use serde::Serialize;

/// Writes `value` down and sends it by `send`. If that fails, the value is given back as it was.
pub(crate) fn carry<T: Serialize>(
    value: T,
    send: impl FnOnce(&Parcel) -> Result<(), LinkError>,
) -> Result<(), SendError<T>> {
    let (parcel, unsent) = Unsent::write(value)?;
    unsent.settle(send(&parcel))
}

/// As [`carry`], where sending waits as a future.
pub(crate) async fn carry_async<T: Serialize>(
    value: T,
    send: impl AsyncFnOnce(&Parcel) -> Result<(), LinkError>,
) -> Result<(), SendError<T>> {
    let (parcel, unsent) = Unsent::write(value)?;
    unsent.settle(send(&parcel).await)
}

/// A value that is written down and still here.
struct Unsent<T> {
    value: T,
    moves: Moves,
}

impl<T: Serialize> Unsent<T> {
    fn write(value: T) -> Result<(Parcel, Self), SendError<T>> {
        match handoff::encode_moving(&value) {
            Ok((parcel, moves)) => Ok((parcel, Unsent { value, moves })),
            Err(error) => Err(SendError::new(error, value)),
        }
    }

    fn settle(self, sent: Result<(), LinkError>) -> Result<(), SendError<T>> {
        let Unsent { value, moves } = self;
        match sent {
            Ok(()) => {
                moves.done();
                Ok(())
            }
            Err(error) => {
                drop(moves);
                Err(SendError::new(error, value))
            }
        }
    }
}
