//! TCP on any backend.

mod address;
mod listener;
mod server;
mod stream;

pub use address::Address;
pub use listener::TcpListener;
pub use server::{Server, start_server};
pub use stream::{ReadHalf, TcpStream, WriteHalf};
