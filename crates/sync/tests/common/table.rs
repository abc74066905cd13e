//! Tables of what may go to another thread and be shared between threads, checked when they compile.

/// Asks the compiler whether a type has a trait: the constant of the inherent `impl`, which needs the trait, hides the
/// constant of `Otherwise`, which does not.
macro_rules! has {
    ($type:ty: $trait:path) => {{
        struct Asked<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "one of the two answers is not used")]
        impl<T: ?Sized + $trait> Asked<T> {
            const ANSWER: bool = true;
        }
        #[allow(dead_code, reason = "one of the two answers is not used")]
        trait Otherwise {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Otherwise for T {}
        <Asked<$type>>::ANSWER
    }};
}

/// `Send`, `Sync` of each type.
macro_rules! table {
    ($($type:ty => $send:literal, $sync:literal;)*) => {
        $(const _: () = {
            assert!(has!($type: Send) == $send, concat!(stringify!($type), ": Send is not ", stringify!($send)));
            assert!(has!($type: Sync) == $sync, concat!(stringify!($type), ": Sync is not ", stringify!($sync)));
        };)*
    };
}
