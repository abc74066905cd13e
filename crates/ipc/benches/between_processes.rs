//! What a message costs between two processes, beside the bare socket underneath.
//!
//! The peer is this program again, as another process. `round_trip` sends one message and waits for the answer, so both
//! sides sleep in between; `one_way` sends many, and the peer answers the last.

#[cfg(target_os = "linux")]
mod linux {
    use criterion::{Criterion, Throughput};
    use ipc::fd::AsFd;
    use ipc::{Descriptor, Pipe, Receiver, Sender, channel, pipe};
    use serde::{Deserialize, Serialize};
    use std::io::{Read, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Child, Command, Stdio};

    const PEER: &str = "IPC_BENCH_PEER";
    /// Messages in one measurement of `one_way`.
    const MANY: u64 = 1_000;

    /// What the peer is to do.
    #[derive(Serialize, Deserialize)]
    enum Part {
        EchoStream(Descriptor),
        EchoPipe(Pipe<String, String>),
        EchoChannel(Receiver<String>, Sender<String>),
        /// Answers each message that is not empty with nothing, and an empty one with an empty one.
        TakeStream(Descriptor, usize),
        TakePipe(Pipe<String, String>),
        TakeChannel(Receiver<String>, Pipe<String, String>),
    }

    pub(crate) fn main() {
        if std::env::var_os(PEER).is_some() {
            let stdin = std::io::stdin().as_fd().try_clone_to_owned().expect("a descriptor");
            return play(Pipe::<(), Part>::from_fd(stdin).expect("a pipe").recv().expect("a part"));
        }
        let mut criterion = Criterion::default().configure_from_args();
        round_trip(&mut criterion);
        one_way(&mut criterion);
        criterion.final_summary();
    }

    fn start(part: Part) -> Child {
        let (here, there) = pipe::<Part, ()>().expect("a pipe");
        let peer = Command::new(std::env::current_exe().expect("this program"))
            .env(PEER, "1")
            .stdin(Stdio::from(OwnedFd::from(there)))
            .spawn()
            .expect("a peer");
        here.send(part).expect("the peer listens");
        peer
    }

    fn play(part: Part) {
        match part {
            Part::EchoStream(descriptor) => {
                let mut stream = UnixStream::from(descriptor.into_inner());
                let mut message = [0; 64];
                while stream.read_exact(&mut message).is_ok() {
                    stream.write_all(&message).expect("the other side listens");
                }
            }
            Part::EchoPipe(end) => {
                while let Ok(message) = end.recv() {
                    end.send(message).expect("the other side listens");
                }
            }
            Part::EchoChannel(receiver, sender) => {
                for message in &receiver {
                    sender.send(message.expect("a message")).expect("the other side listens");
                }
            }
            Part::TakeStream(descriptor, size) => {
                let mut stream = UnixStream::from(descriptor.into_inner());
                let mut message = vec![0; size];
                while (0..MANY).all(|_| stream.read_exact(&mut message).is_ok()) {
                    stream.write_all(&[0]).expect("the other side listens");
                }
            }
            Part::TakePipe(end) => {
                while let Ok(message) = end.recv() {
                    if message.is_empty() {
                        end.send(message).expect("the other side listens");
                    }
                }
            }
            Part::TakeChannel(receiver, end) => {
                for message in receiver.iter().map_while(Result::ok) {
                    if message.is_empty() {
                        end.send(message).expect("the other side listens");
                    }
                }
            }
        }
    }

    fn round_trip(criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("round_trip_64_bytes");
        let message = "x".repeat(64);

        let (mut stream, theirs) = UnixStream::pair().expect("two sockets");
        let mut peer = start(Part::EchoStream(Descriptor(theirs.into())));
        let mut answer = [0; 64];
        group.bench_function("unix_stream", |bencher| {
            bencher.iter(|| {
                stream.write_all(message.as_bytes()).expect("the peer listens");
                stream.read_exact(&mut answer).expect("the peer answers");
            });
        });
        drop(stream);
        peer.wait().expect("the peer ends");

        let (here, there) = pipe().expect("a pipe");
        let mut peer = start(Part::EchoPipe(there));
        group.bench_function("pipe", |bencher| {
            bencher.iter(|| {
                here.send(message.clone()).expect("the peer listens");
                here.recv().expect("the peer answers")
            });
        });
        drop(here);
        peer.wait().expect("the peer ends");

        let (sender, theirs) = channel(16).expect("a channel");
        let (answers, receiver) = channel(16).expect("a channel");
        let mut peer = start(Part::EchoChannel(theirs, answers));
        group.bench_function("channel", |bencher| {
            bencher.iter(|| {
                sender.send(message.clone()).expect("the peer listens");
                receiver.recv().expect("the peer answers")
            });
        });
        drop(sender);
        peer.wait().expect("the peer ends");
    }

    fn one_way(criterion: &mut Criterion) {
        for size in [64, 4_096, 1 << 20] {
            let mut group = criterion.benchmark_group(format!("one_way_{size}_bytes"));
            group.throughput(Throughput::Elements(MANY)).sample_size(10);
            let message = "x".repeat(size);

            let (mut stream, theirs) = UnixStream::pair().expect("two sockets");
            let mut peer = start(Part::TakeStream(Descriptor(theirs.into()), size));
            group.bench_function("unix_stream", |bencher| {
                bencher.iter(|| {
                    (0..MANY).for_each(|_| stream.write_all(message.as_bytes()).expect("the peer listens"));
                    stream.read_exact(&mut [0]).expect("the peer answers");
                });
            });
            drop(stream);
            peer.wait().expect("the peer ends");

            let (here, there) = pipe().expect("a pipe");
            let mut peer = start(Part::TakePipe(there));
            group.bench_function("pipe", |bencher| {
                bencher.iter(|| {
                    (0..MANY).for_each(|_| here.send(message.clone()).expect("the peer listens"));
                    here.send(String::new()).expect("the peer listens");
                    here.recv().expect("the peer answers")
                });
            });
            drop(here);
            peer.wait().expect("the peer ends");

            let (sender, theirs) = channel(64).expect("a channel");
            let (here, there) = pipe().expect("a pipe");
            let mut peer = start(Part::TakeChannel(theirs, there));
            group.bench_function("channel", |bencher| {
                bencher.iter(|| {
                    (0..MANY).for_each(|_| sender.send(message.clone()).expect("the peer listens"));
                    sender.send(String::new()).expect("the peer listens");
                    here.recv().expect("the peer answers")
                });
            });
            drop(sender);
            peer.wait().expect("the peer ends");
        }
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
