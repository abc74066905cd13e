//! A typed value through whatever carries parcels.

use crate::error::SendError;
use crate::handoff::{self, Parcel};
use crate::link::LinkError;
use serde::Serialize;

/// Writes `value` down and sends it by `send`. If that fails, the value is given back as it was.
pub(crate) fn carry<T: Serialize>(
    value: T,
    send: impl FnOnce(&Parcel) -> Result<(), LinkError>,
) -> Result<(), SendError<T>> {
    let (parcel, moves) = match handoff::encode_moving(&value) {
        Ok(encoded) => encoded,
        Err(error) => return Err(SendError::new(error, value)),
    };
    match send(&parcel) {
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

/// As [`carry`], where sending waits as a future.
pub(crate) async fn carry_async<T: Serialize>(
    value: T,
    send: impl AsyncFnOnce(&Parcel) -> Result<(), LinkError>,
) -> Result<(), SendError<T>> {
    let (parcel, moves) = match handoff::encode_moving(&value) {
        Ok(encoded) => encoded,
        Err(error) => return Err(SendError::new(error, value)),
    };
    match send(&parcel).await {
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
