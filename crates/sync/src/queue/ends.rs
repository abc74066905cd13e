//! What the ends of [`mpsc`](super::mpsc) and [`spsc`](super::spsc) have in common.

/// The sending end. It takes itself mutably where it is the only one, and the ring then believes that it is alone:
/// `[mut] self`; or not, where there are many: `[] self`.
macro_rules! sender {
    ([$($mutably:ident)?] $me:ident, $(#[$about:meta])*) => {
        $(#[$about])*
        pub struct Sender<T> {
            shared: Arc<Shared<T>>,
        }

        impl<T> Sender<T> {
            /// Waits for room and puts `item` at the end. Blocks.
            ///
            /// # Errors
            /// [`PutError`] with the item, if the receiver has gone.
            #[doc(alias = "send")]
            #[inline]
            pub fn put(&$($mutably)? $me, item: T) -> Result<(), PutError<T>> {
                // SAFETY: producers are many, or this is the only one and is borrowed mutably.
                unsafe { $me.shared.ring.put(item, None) }
            }

            /// Puts `item` at the end if there is room.
            ///
            /// # Errors
            /// [`PutError`] with the item, if there is no room, or the receiver has gone.
            #[inline]
            pub fn try_put(&$($mutably)? $me, item: T) -> Result<(), PutError<T>> {
                // SAFETY: producers are many, or this is the only one and is borrowed mutably.
                unsafe { $me.shared.ring.try_put(item) }
            }

            /// Waits for room, at most `limit`, and puts `item` at the end. Blocks.
            ///
            /// # Errors
            /// [`PutError`] with the item, if there was no room by then, or the receiver has gone.
            pub fn put_timeout(&$($mutably)? $me, item: T, limit: Duration) -> Result<(), PutError<T>> {
                // A time beyond what the clock can say is never reached.
                let deadline = Instant::now().checked_add(limit);
                // SAFETY: producers are many, or this is the only one and is borrowed mutably.
                unsafe { $me.shared.ring.put(item, deadline) }
            }

            /// Waits for room and puts `item` at the end.
            ///
            /// # Errors
            /// [`PutError`] with the item, if the receiver has gone.
            ///
            /// # Cancel safety
            /// The item is in the channel, or it is dropped with the future.
            #[inline]
            pub async fn put_async(&$($mutably)? $me, item: T) -> Result<(), PutError<T>> {
                // Mostly there is room, and no future is made.
                // SAFETY: producers are many, or this is the only one and is borrowed mutably.
                match unsafe { $me.shared.ring.room() } {
                    Ok(found) => {
                        // SAFETY: this is where the room was found.
                        unsafe { $me.shared.ring.fill(&found, item) };
                        return Ok(());
                    }
                    Err(Refusal::Full) => {}
                    Err(why) => return Err(PutError::new(why, item)),
                }
                // SAFETY: as above.
                let mut put = pin!(unsafe { $me.shared.ring.put_future(Some(item)) });
                let done = put.as_mut().await;
                put.with_item(done)
            }

            /// Waits for room, takes the item out of `item`, and puts it at the end. For an item that must not be lost when
            /// something else comes first, as in [`select!`](crate::select!).
            ///
            /// # Errors
            /// [`PutError`] if the receiver has gone; the item stays in `item`.
            ///
            /// # Panics
            /// When it is polled, if `item` is `None`.
            ///
            /// # Cancel safety
            /// If the future is dropped before it is ready, nothing was put, and the item is in `item`.
            pub async fn put_from_async(&$($mutably)? $me, item: &mut Option<T>) -> Result<(), PutError<()>> {
                assert!(item.is_some(), "there is no item to put into the channel: `item` is `None`");
                // SAFETY: producers are many, or this is the only one and is borrowed mutably.
                let done = unsafe { $me.shared.ring.put_future(item) }.await;
                done.map_err(|why| PutError::new(why, ()))
            }

            /// Waits for room, at most `limit`, and puts `item` at the end. Needs no runtime.
            ///
            /// # Errors
            /// [`PutError`] with the item, if there was no room by then, or the receiver has gone.
            ///
            /// # Cancel safety
            /// As [`put_async`](Sender::put_async).
            pub async fn put_async_timeout(&$($mutably)? $me, item: T, limit: Duration) -> Result<(), PutError<T>> {
                // SAFETY: producers are many, or this is the only one and is borrowed mutably.
                let mut put = pin!(unsafe { $me.shared.ring.put_future(Some(item)) });
                let done = timer::timeout(limit, put.as_mut()).await;
                put.with_item(done.unwrap_or(Err(Refusal::TimedOut)))
            }

            /// Whether the receiver has gone, so that nothing can be put.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.shared.ring.is_closed()
            }
        }

        impl<T> fmt::Debug for Sender<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.shared.ring.describe("Sender", f)
            }
        }
    };
}
pub(super) use sender;

/// The receiving end, which is the only one: it takes itself mutably, and so the ring believes that it is alone.
/// Those at the other end are `Many`, or a `Sole` one.
macro_rules! receiver {
    ([$producers:ty] $channel:literal, $(#[$about:meta])*) => {
        $(#[$about])*
        pub struct Receiver<T> {
            shared: Arc<Shared<T>>,
        }

        impl<T> Receiver<T> {
            /// Waits for an item and takes it from the front. Blocks.
            ///
            /// # Errors
            /// [`GetError::Closed`] if the channel is closed and empty.
            #[doc(alias = "recv")]
            #[inline]
            pub fn get(&mut self) -> Result<T, GetError> {
                // SAFETY: this is the only receiver, and it is borrowed mutably.
                unsafe { self.shared.ring.get(None) }
            }

            /// Takes the item at the front if there is one.
            ///
            /// # Errors
            /// [`GetError::Empty`] if there is none, [`GetError::Closed`] if there will be none.
            #[inline]
            pub fn try_get(&mut self) -> Result<T, GetError> {
                // SAFETY: this is the only receiver, and it is borrowed mutably.
                unsafe { self.shared.ring.try_get() }
            }

            /// Waits for an item, at most `limit`, and takes it from the front. Blocks.
            ///
            /// # Errors
            /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
            pub fn get_timeout(&mut self, limit: Duration) -> Result<T, GetError> {
                // A time beyond what the clock can say is never reached.
                let deadline = Instant::now().checked_add(limit);
                // SAFETY: this is the only receiver, and it is borrowed mutably.
                unsafe { self.shared.ring.get(deadline) }
            }

            /// Waits for an item and takes it from the front.
            ///
            /// # Errors
            /// [`GetError::Closed`] if the channel is closed and empty.
            ///
            /// # Cancel safety
            /// Nothing is lost by dropping the future: an item is taken in the moment in which it is returned.
            #[inline]
            pub async fn get_async(&mut self) -> Result<T, GetError> {
                // Mostly there is an item, and no future is made.
                // SAFETY: this is the only receiver, and the future borrows it mutably.
                match unsafe { self.shared.ring.get_soon() } {
                    Err(GetError::Empty) => {}
                    done => return done,
                }
                // SAFETY: as above.
                unsafe { self.shared.ring.get_future() }.await
            }

            /// Waits for an item, at most `limit`, and takes it from the front. Needs no runtime.
            ///
            /// # Errors
            /// [`GetError::TimedOut`] if there was none by then, [`GetError::Closed`] if there will be none.
            ///
            /// # Cancel safety
            /// As [`get_async`](Receiver::get_async).
            pub async fn get_async_timeout(&mut self, limit: Duration) -> Result<T, GetError> {
                timer::timeout(limit, self.get_async()).await.unwrap_or(Err(GetError::TimedOut))
            }

            /// Takes items, waiting for each, until the channel is closed and empty. Blocks.
            pub fn iter(&mut self) -> impl Iterator<Item = T> {
                std::iter::from_fn(|| self.get().ok())
            }

            /// Takes items until there is none, without waiting. What comes meanwhile is taken too.
            pub fn try_iter(&mut self) -> impl Iterator<Item = T> {
                std::iter::from_fn(|| self.try_get().ok())
            }

            /// Takes items, waiting for each, until the channel is closed and empty, in async code.
            pub fn stream(&mut self) -> Stream<'_, T> {
                Stream { ring: &self.shared.ring, get: None, _receiver: PhantomData }
            }

            /// How many items are inside now.
            #[must_use]
            pub fn len(&self) -> usize {
                self.shared.ring.len()
            }

            /// Whether nothing is inside now.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// Whether nothing more will come: all senders have gone. Something may still be inside.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.shared.ring.is_closed()
            }
        }

        /// Takes items until the channel is closed and empty, in async code; see [`Receiver::stream`].
        ///
        /// With the feature `stream` it is a `Stream` of the crate `futures-core`, for which others have adapters.
        ///
        /// # Waiting
        /// - **Blocks** nobody: a poll waits for nobody, but for a lock that is held for some instructions.
        /// - **Allocates** nothing.
        /// - **Order**: as the [`Receiver`], which it borrows.
        /// - **Dropped**, it has taken nothing that it has not given. The future of [`next`](Stream::next) only borrows it: where that
        ///   alone is dropped, the stream waits on. *Forgotten* while it waits, it takes one notification with it: a task that waits here
        ///   after that hears of the second item.
        /// - **A waker that panics**: as the [`Receiver`].
        ///
        /// # Examples
        /// ```
        #[doc = $channel]
        /// (1..=3).try_for_each(|number| sender.put(number))?;
        /// drop(sender);
        /// let sum = sync::park::block_on(async {
        ///     let (mut stream, mut sum) = (std::pin::pin!(receiver.stream()), 0);
        ///     while let Some(number) = stream.as_mut().next().await {
        ///         sum += number;
        ///     }
        ///     sum
        /// });
        /// assert_eq!(sum, 6);
        /// # Ok::<(), sync::queue::PutError<i32>>(())
        /// ```
        #[must_use = "streams do nothing unless polled"]
        pub struct Stream<'a, T> {
            ring: &'a Ring<T, $producers, Sole>,
            /// There while an item is waited for.
            get: Option<Get<'a, T, $producers, Sole>>,
            /// Nobody else takes as long as this is there.
            _receiver: PhantomData<&'a mut Receiver<T>>,
        }

        one_by_one!(ring, {
            // Mostly there is an item, and no future is made.
            // SAFETY: the only receiver is borrowed mutably by the stream, and the stream by whoever polls it.
            match unsafe { ring.get_soon() } {
                // SAFETY: as above, each time that it is polled.
                Err(GetError::Empty) => Ok(unsafe { ring.get_future() }),
                done => Err(done),
            }
        });

        impl<T> fmt::Debug for Stream<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct("Stream").field("waits", &self.get.is_some()).finish_non_exhaustive()
            }
        }

        impl<T> fmt::Debug for Receiver<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.shared.ring.describe("Receiver", f)
            }
        }

        impl<T> Drop for Receiver<T> {
            fn drop(&mut self) {
                self.shared.ring.close();
                drop_all(|| self.try_get().ok());
            }
        }
    };
}
pub(super) use receiver;
