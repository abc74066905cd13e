//! Connections.

use super::address::Address;
use crate::context;
use crate::drivers::{AnyReadHalf, AnyStream, AnyWriteHalf, Each, Read, Stream, Write, with_each};
use futures_io::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A TCP connection. Dropping it closes it.
///
/// It reads and writes by its own async methods, or through the traits of `futures-io`, which it implements. It belongs
/// to the runtime in which it was made and can be used from tasks of another; once its runtime is closed, using it is an
/// error.
///
/// # Examples
/// ```
/// use async_rt::{Backend, TcpStream, start_server};
///
/// let answer = async_rt::run(Backend::Native, async {
///     let server = start_server("127.0.0.1:0", |mut stream, _peer| async move {
///         let _ = stream.write_all(b"hello").await;
///     })
///     .await?;
///     let mut stream = TcpStream::connect(server.local_addr()).await?;
///     let mut answer = Vec::new();
///     stream.read_to_end(&mut answer).await?;
///     Ok::<_, std::io::Error>(answer)
/// })?;
/// assert_eq!(answer?, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TcpStream {
    inner: AnyStream,
}

/// The half of a connection that reads; see [`TcpStream::into_split`].
#[derive(Debug)]
pub struct ReadHalf {
    inner: AnyReadHalf,
}

/// The half of a connection that writes; see [`TcpStream::into_split`]. Dropping it says that nothing more comes: the
/// peer reads to the end.
#[derive(Debug)]
pub struct WriteHalf {
    inner: AnyWriteHalf,
}

impl TcpStream {
    /// Connects to `address`; where a name stands for several, to the first that answers.
    ///
    /// # Errors
    /// The system's for the last address that was tried; that a name is not known; that there is no runtime on this
    /// thread.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the connection.
    #[doc(alias = "open_connection")]
    pub async fn connect(address: impl Into<Address>) -> io::Result<Self> {
        let address = address.into();
        let core = context::current().ok_or_else(|| no_runtime("TcpStream::connect"))?;
        let mut last = None;
        for address in address.resolve(&core).await? {
            match core.driver.connect(address).await {
                Ok(inner) => return Ok(TcpStream { inner }),
                Err(why) => last = Some(why),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    pub(super) fn new(inner: AnyStream) -> Self {
        TcpStream { inner }
    }

    /// Two halves that can be used at the same time, by two tasks.
    pub fn into_split(self) -> (ReadHalf, WriteHalf) {
        #[cfg_attr(
            not(target_os = "linux"),
            allow(unused_variables, reason = "without features there is no stream that could be split")
        )]
        fn split<S: Stream>(
            stream: S,
            reader: fn(S::Read) -> AnyReadHalf,
            writer: fn(S::Write) -> AnyWriteHalf,
        ) -> (ReadHalf, WriteHalf) {
            let halves = stream.split();
            (ReadHalf { inner: reader(halves.0) }, WriteHalf { inner: writer(halves.1) })
        }
        match self.inner {
            Each::Native(stream) => split(stream, Each::Native, Each::Native),
            Each::Tokio(stream) => split(stream, Each::Tokio, Each::Tokio),
            Each::AsyncStd(stream) => split(stream, Each::AsyncStd, Each::AsyncStd),
            Each::Smol(stream) => split(stream, Each::Smol, Each::Smol),
        }
    }

    /// The address of this end.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        with_each!(&self.inner, stream => Stream::local_addr(stream))
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// The system's.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        with_each!(&self.inner, stream => Stream::peer_addr(stream))
    }

    /// Whether small writes go out at once, without waiting for more.
    ///
    /// # Errors
    /// The system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        with_each!(&self.inner, stream => Stream::nodelay(stream))
    }

    /// Sets whether small writes go out at once (`TCP_NODELAY`), as in the standard library.
    ///
    /// # Errors
    /// The system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        with_each!(&self.inner, stream => Stream::set_nodelay(stream, nodelay))
    }
}

/// What can be read from.
macro_rules! reads {
    ($type:ty) => {
        impl $type {
            /// Reads what is there, up to the length of `buffer`, and waits for at least one byte. Returns how many;
            /// 0 at the end, or if `buffer` is empty.
            ///
            /// # Errors
            /// The system's.
            ///
            /// # Cancel safety
            /// Nothing is lost by dropping the future.
            pub async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                poll_fn(|cx| self.poll_some(cx, buffer)).await
            }

            /// Fills `buffer`.
            ///
            /// # Errors
            /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the end comes before; the system's.
            ///
            /// # Cancel safety
            /// What was read is in `buffer`, but how much is lost with the future.
            #[doc(alias = "readexactly")]
            pub async fn read_exact(&mut self, mut buffer: &mut [u8]) -> io::Result<()> {
                while !buffer.is_empty() {
                    let count = self.read(buffer).await?;
                    if count == 0 {
                        let why = format!("the connection ended with {} bytes missing", buffer.len());
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
                    }
                    buffer = &mut buffer[count..];
                }
                Ok(())
            }

            /// Reads to the end and appends it to `bytes`. Returns how many came.
            ///
            /// # Errors
            /// The system's. What came before stays in `bytes`.
            ///
            /// # Cancel safety
            /// What was read is in `bytes`.
            pub async fn read_to_end(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
                let before = bytes.len();
                let mut chunk = vec![0; CHUNK];
                loop {
                    match self.read(&mut chunk).await? {
                        0 => return Ok(bytes.len() - before),
                        count => bytes.extend_from_slice(&chunk[..count]),
                    }
                }
            }

            fn poll_some(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
                with_each!(&mut self.inner, inner => Read::poll_read(inner, cx, buffer))
            }
        }

        impl AsyncRead for $type {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_some(cx, buffer)
            }
        }
    };
}

/// What can be written to.
macro_rules! writes {
    ($type:ty) => {
        impl $type {
            /// Writes what there is room for, and waits for room for at least one byte. Returns how many were taken.
            ///
            /// # Errors
            /// The system's, such as [`BrokenPipe`](io::ErrorKind::BrokenPipe) when the peer is gone.
            ///
            /// # Cancel safety
            /// Nothing was written if the future is dropped before it is ready.
            pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                poll_fn(|cx| with_each!(&mut self.inner, inner => Write::poll_write(inner, cx, bytes))).await
            }

            /// Writes all of `bytes`. There is no buffer, so nothing has to be flushed.
            ///
            /// # Errors
            /// The system's; how much was written before is not known.
            ///
            /// # Cancel safety
            /// How much was written is lost with the future.
            pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
                while !bytes.is_empty() {
                    match self.write(bytes).await? {
                        0 => return Err(io::ErrorKind::WriteZero.into()),
                        count => bytes = &bytes[count..],
                    }
                }
                Ok(())
            }

            /// Says that nothing more comes: the peer reads to the end. Reading goes on. The second time, nothing
            /// happens.
            ///
            /// # Errors
            /// The system's.
            #[doc(alias = "write_eof")]
            #[doc(alias = "shutdown")]
            pub async fn close(&mut self) -> io::Result<()> {
                poll_fn(|cx| with_each!(&mut self.inner, inner => Write::poll_close(inner, cx))).await
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                with_each!(&mut self.inner, inner => Write::poll_write(inner, cx, bytes))
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                // Nothing is held back here.
                Poll::Ready(Ok(()))
            }

            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                with_each!(&mut self.inner, inner => Write::poll_close(inner, cx))
            }
        }
    };
}

reads!(TcpStream);
writes!(TcpStream);
reads!(ReadHalf);
writes!(WriteHalf);

pub(super) fn no_runtime(what: &str) -> io::Error {
    io::Error::other(format!(
        "`{what}` needs a runtime, and there is none on this thread; call it inside `async_rt::run`"
    ))
}

/// How much is read at a time when reading to the end. Less means more system calls; more is seldom there at once.
const CHUNK: usize = 16 * 1024;
