//! Values that are some words and nothing else.

/// A value that can be taken apart into words of 64 bits and put together again, for [`SeqLock`](super::SeqLock).
///
/// Implemented for numbers, `bool`, `char`, and arrays and tuples of them. For a type of your own it takes no unsafe code:
///
/// ```
/// use sync::lockfree::{Plain, SeqLock};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// struct Tick { price: f64, volume: u32 }
///
/// impl Plain for Tick {
///     type Words = [u64; 2];
///     fn to_words(self) -> [u64; 2] {
///         (self.price, self.volume).to_words()
///     }
///     fn from_words(words: [u64; 2]) -> Self {
///         let (price, volume) = Plain::from_words(words);
///         Tick { price, volume }
///     }
/// }
///
/// let last = SeqLock::new(Tick { price: 1.5, volume: 0 });
/// last.write(Tick { price: 1.25, volume: 7 });
/// assert_eq!(last.read(), Tick { price: 1.25, volume: 7 });
/// ```
pub trait Plain: Copy {
    /// An array of `u64`.
    type Words: Words;

    /// The value as words.
    fn to_words(self) -> Self::Words;

    /// The value that these words were made from. `words` always come from one call of [`to_words`](Plain::to_words).
    fn from_words(words: Self::Words) -> Self;
}

/// A value that fits into one word.
pub trait Word: Copy {
    /// The value as a word.
    fn to_word(self) -> u64;

    /// The value that this word was made from.
    fn from_word(word: u64) -> Self;
}

/// Arrays of `u64`, of any length, and nothing else.
pub trait Words: Copy + AsRef<[u64]> + AsMut<[u64]> + sealed::Stored {}

impl<const N: usize> Words for [u64; N] {}

pub(super) mod sealed {
    use crate::primitive::AtomicU64;

    /// How words are kept where several threads reach them.
    pub trait Stored {
        type Cells: AsRef<[AtomicU64]>;

        fn into_cells(self) -> Self::Cells;
        fn zero() -> Self;
    }

    impl<const N: usize> Stored for [u64; N] {
        type Cells = [AtomicU64; N];

        fn into_cells(self) -> [AtomicU64; N] {
            self.map(AtomicU64::new)
        }

        fn zero() -> Self {
            [0; N]
        }
    }
}

/// Each number fits, and comes back by what went in.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Word for $number {
            #[inline(always)]
            fn to_word(self) -> u64 {
                self as u64
            }

            #[inline(always)]
            fn from_word(word: u64) -> Self {
                word as $number
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

/// Those whose bits need a word of explanation.
macro_rules! others {
    ($($other:ty: $value:ident => $to:expr, $word:ident => $from:expr;)*) => {$(
        impl Word for $other {
            #[inline(always)]
            fn to_word(self) -> u64 {
                let $value = self;
                $to
            }

            #[inline(always)]
            fn from_word($word: u64) -> Self {
                $from
            }
        }
    )*};
}

others! {
    f32: value => u64::from(value.to_bits()), word => f32::from_bits(word as u32);
    f64: value => value.to_bits(), word => f64::from_bits(word);
    bool: value => u64::from(value), word => word != 0;
    char: value => u64::from(value), word => char::from_u32(word as u32).expect("it was made from a char");
}

macro_rules! single {
    ($($single:ty),*) => {$(
        impl Plain for $single {
            type Words = [u64; 1];

            #[inline(always)]
            fn to_words(self) -> [u64; 1] {
                [self.to_word()]
            }

            #[inline(always)]
            fn from_words([word]: [u64; 1]) -> Self {
                Self::from_word(word)
            }
        }
    )*};
}

single!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64, bool, char);

impl<W: Word, const N: usize> Plain for [W; N] {
    type Words = [u64; N];

    #[inline(always)]
    fn to_words(self) -> [u64; N] {
        self.map(W::to_word)
    }

    #[inline(always)]
    fn from_words(words: [u64; N]) -> Self {
        words.map(W::from_word)
    }
}

macro_rules! tuples {
    ($($count:literal: $($letter:ident $name:ident),*;)*) => {$(
        impl<$($letter: Word),*> Plain for ($($letter,)*) {
            type Words = [u64; $count];

            #[inline(always)]
            fn to_words(self) -> [u64; $count] {
                let ($($name,)*) = self;
                [$($name.to_word()),*]
            }

            #[inline(always)]
            fn from_words([$($name),*]: [u64; $count]) -> Self {
                ($($letter::from_word($name),)*)
            }
        }
    )*};
}

tuples! {
    2: A a, B b;
    3: A a, B b, C c;
    4: A a, B b, C c, D d;
}
