//! Which loop runs the program.

use crate::context;
use std::fmt;
use std::str::FromStr;

/// Which loop runs a program: ours, or one that its users already run. Chosen at run time.
///
/// All four are always named, so that a program can offer them; one whose feature is off is refused when a runtime is
/// made, with the name of the feature. [`Backend::is_available`] tells beforehand.
///
/// # Examples
/// ```
/// use async_rt::Backend;
///
/// let backend: Backend = "native".parse()?;
/// assert!(backend.is_available());
/// # Ok::<(), async_rt::UnknownBackend>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Our own loop, always there.
    #[default]
    Native,
    /// Tokio, by the feature `tokio`.
    Tokio,
    /// async-std, by the feature `async-std`. It is no longer developed; it is here for programs that still run it.
    AsyncStd,
    /// Smol, by the feature `smol`.
    Smol,
}

impl Backend {
    /// All of them, whether they are available or not.
    pub const ALL: [Backend; 4] = [Backend::Native, Backend::Tokio, Backend::AsyncStd, Backend::Smol];

    /// Whether the feature that it needs is on.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Backend::Native => true,
            Backend::Tokio => cfg!(feature = "tokio"),
            Backend::AsyncStd => cfg!(feature = "async-std"),
            Backend::Smol => cfg!(feature = "smol"),
        }
    }

    /// The backend of the runtime that runs the code which asks; `None` outside one.
    #[must_use]
    pub fn current() -> Option<Backend> {
        context::with(|context| context.core.driver.backend())
    }

    /// Its name, which is that of its feature too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Native => "native",
            Backend::Tokio => "tokio",
            Backend::AsyncStd => "async-std",
            Backend::Smol => "smol",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let found = Backend::ALL.into_iter().find(|backend| backend.name() == name);
        found.ok_or_else(|| UnknownBackend { name: name.into() })
    }
}

/// There is no backend of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBackend {
    name: Box<str>,
}

impl UnknownBackend {
    /// What was taken for a name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for UnknownBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no backend \"{}\"; there are native, tokio, async-std and smol", self.name)
    }
}

impl std::error::Error for UnknownBackend {}
