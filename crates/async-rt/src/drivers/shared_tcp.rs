//! TCP of async-std and smol, whose streams have the same shape: they can be cloned and speak `futures-io`.

use super::{Read, Write};
use futures_io::{AsyncRead, AsyncWrite};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The half of a stream that reads.
#[derive(Debug)]
pub(crate) struct ReadHalf<S>(pub(super) S);

/// The half of a stream that writes. Closes its direction when dropped.
#[derive(Debug)]
pub(crate) struct WriteHalf<S: ShutDown>(pub(super) S);

/// A stream whose writing direction can be closed from a destructor.
pub(crate) trait ShutDown {
    fn shut_down(&self) -> io::Result<()>;
}

impl<S: AsyncRead + fmt::Debug + Send + Unpin> Read for ReadHalf<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + ShutDown + fmt::Debug + Send + Unpin> Write for WriteHalf<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shut_down())
    }
}

impl<S: ShutDown> Drop for WriteHalf<S> {
    fn drop(&mut self) {
        // The reading half may keep the socket open. It fails where the peer has gone already.
        let _ = self.0.shut_down();
    }
}

/// Makes the sockets of a backend our `Stream` and `Listener`.
macro_rules! futures_sockets {
    ($stream:ty, $listener:ty) => {
        impl $crate::drivers::shared_tcp::ShutDown for $stream {
            fn shut_down(&self) -> io::Result<()> {
                match self.shutdown(std::net::Shutdown::Write) {
                    Err(why) if why.kind() == io::ErrorKind::NotConnected => Ok(()),
                    done => done,
                }
            }
        }

        impl $crate::drivers::Stream for $stream {
            type Read = $crate::drivers::shared_tcp::ReadHalf<$stream>;
            type Write = $crate::drivers::shared_tcp::WriteHalf<$stream>;

            fn split(self) -> $crate::drivers::Halves<Self> {
                let reader = $crate::drivers::shared_tcp::ReadHalf(self.clone());
                (reader, $crate::drivers::shared_tcp::WriteHalf(self))
            }

            fn local_addr(&self) -> io::Result<SocketAddr> {
                <$stream>::local_addr(self)
            }

            fn peer_addr(&self) -> io::Result<SocketAddr> {
                <$stream>::peer_addr(self)
            }

            fn nodelay(&self) -> io::Result<bool> {
                <$stream>::nodelay(self)
            }

            fn set_nodelay(&self, on: bool) -> io::Result<()> {
                <$stream>::set_nodelay(self, on)
            }
        }

        impl $crate::drivers::Read for $stream {
            fn poll_read(
                &mut self,
                cx: &mut std::task::Context<'_>,
                buffer: &mut [u8],
            ) -> std::task::Poll<io::Result<usize>> {
                futures_io::AsyncRead::poll_read(std::pin::Pin::new(self), cx, buffer)
            }
        }

        impl $crate::drivers::Write for $stream {
            fn poll_write(
                &mut self,
                cx: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<io::Result<usize>> {
                futures_io::AsyncWrite::poll_write(std::pin::Pin::new(self), cx, bytes)
            }

            fn poll_close(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
                std::task::Poll::Ready($crate::drivers::shared_tcp::ShutDown::shut_down(self))
            }
        }

        impl $crate::drivers::Listener for $listener {
            type Stream = $stream;

            async fn accept(&self) -> io::Result<($stream, SocketAddr)> {
                <$listener>::accept(self).await
            }

            fn local_addr(&self) -> io::Result<SocketAddr> {
                <$listener>::local_addr(self)
            }
        }
    };
}

pub(crate) use futures_sockets;
