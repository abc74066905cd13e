//! What may go to other threads and be shared between them.

use ipc::{
    Descriptor, Link, LinkError, Parcel, Pipe, Receiver, RecvError, SendError, Sender, ready::Readiness,
};
use std::cell::Cell;
use std::rc::Rc;

fn anywhere<T: Send + Sync + Unpin>() {}

fn sent<T: Send>(_: impl FnOnce() -> T) {}

#[test]
fn ends_go_anywhere_whatever_they_carry() {
    anywhere::<Pipe<Rc<u8>, Cell<u8>>>();
    anywhere::<Sender<Rc<u8>>>();
    anywhere::<Receiver<Rc<u8>>>();
    anywhere::<Link>();
    anywhere::<Parcel>();
    anywhere::<Descriptor>();
    anywhere::<LinkError>();
    anywhere::<RecvError>();
    anywhere::<SendError<u8>>();
    anywhere::<Readiness<'static>>();
}

#[test]
fn futures_go_to_other_threads() {
    fn all(
        pipe: &'static Pipe<String, String>,
        sender: &'static Sender<String>,
        receiver: &'static Receiver<u8>,
    ) {
        let limit = std::time::Duration::ZERO;
        sent(|| pipe.send_async(String::new()));
        sent(|| pipe.send_async_timeout(String::new(), limit));
        sent(|| pipe.recv_async());
        sent(|| pipe.recv_async_timeout(limit));
        sent(|| sender.send_async(String::new()));
        sent(|| sender.send_async_timeout(String::new(), limit));
        sent(|| receiver.recv_async());
        sent(|| receiver.recv_async_timeout(limit));
    }
    fn of_a_link(link: &'static Link, parcel: &'static Parcel) {
        sent(|| link.send_async(parcel));
        sent(|| link.receive_async());
    }
    // That they compile is the test.
    let _ = (all, of_a_link);
}
