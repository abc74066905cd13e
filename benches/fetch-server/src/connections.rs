//! Who is connected, under which number.
//!
//! A place is used again when its connection has ended, but a number never is: it is made of the place and of how often
//! the place was used before. So an event or a timer that is meant for one that is gone finds nobody, instead of its
//! successor.

use crate::connection::Connection;

#[derive(Default)]
pub(crate) struct Connections {
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Place {
    uses: u32,
    connection: Option<Connection>,
}

impl Connections {
    /// Takes a connection in and gives it a number.
    pub(crate) fn add(&mut self, connection: Connection) -> u64 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).expect("there are fewer descriptors than that")
        });
        let place = &mut self.places[index as usize];
        place.connection = Some(connection);
        u64::from(place.uses) << 32 | u64::from(index)
    }

    /// The connection of that number, if it is still there.
    pub(crate) fn find(&mut self, number: u64) -> Option<&mut Connection> {
        self.place(number)?.connection.as_mut()
    }

    /// Takes a connection out; its number is never given again.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Connection> {
        let place = self.place(number)?;
        let connection = place.connection.take()?;
        // After 2^32 uses of one place a number would come again; no timer is that old.
        place.uses = place.uses.wrapping_add(1);
        self.free.push(index(number));
        Some(connection)
    }

    fn place(&mut self, number: u64) -> Option<&mut Place> {
        let place = self.places.get_mut(index(number) as usize)?;
        (u64::from(place.uses) == number >> 32).then_some(place)
    }
}

fn index(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).expect("the lower half of a number")
}
