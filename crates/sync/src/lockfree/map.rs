//! A concurrent hash map, which is papaya's.
//!
//! [papaya](https://github.com/ibraheemdev/papaya) 0.2: open addressing after C. Click, "A Lock-Free Wait-Free Hash Table",
//! Stanford EE380, 2007, with memory reclaimed after R. Nikolaev and B. Ravindran, "Hyaline: Fast and Transparent Lock-Free
//! Memory Reclamation", PODC 2019. Writing another would not make it better. What this file adds is an interface that
//! shows none of papaya's types, so that the map behind it may be exchanged.

use papaya::{Compute, HashMap, Operation};
use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

/// A hash map that any number of threads read and change at the same time.
///
/// Reading is lock-free and writes nothing shared; changes to different keys go on side by side. There are no guards that
/// a caller could hold and so lock himself out: values are seen through a closure, or cloned. Changing allocates a node;
/// growing is done bit by bit, by whoever changes the map.
///
/// A value that was replaced or removed is dropped later, when nobody looks at it any more, on any thread that uses the
/// map, and at the latest with the map. Not fair.
///
/// # Examples
/// ```
/// use sync::lockfree::Map;
///
/// let words = Map::new();
/// for word in "to be or not to be".split(' ') {
///     words.update_or_insert(word, |count| count + 1, || 1);
/// }
/// assert_eq!(words.get("be"), Some(2));
/// assert_eq!(words.read("not", |count| count * 10), Some(10));
/// assert_eq!(words.remove("or"), Some(1));
/// assert_eq!(words.len(), 3);
/// ```
#[doc(alias = "dict")]
#[doc(alias = "HashMap")]
pub struct Map<K, V, S = RandomState> {
    map: HashMap<K, V, S>,
}

impl<K, V> Map<K, V> {
    /// An empty map. Allocates nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Map { map: HashMap::new() }
    }
}

impl<K, V, S> Map<K, V, S> {
    /// An empty map that hashes in its own way.
    #[must_use]
    pub fn with_hasher(hasher: S) -> Self {
        Map { map: HashMap::with_hasher(hasher) }
    }
}

impl<K: Hash + Eq, V, S: BuildHasher> Map<K, V, S> {
    /// A clone of the value of `key`.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        V: Clone,
    {
        self.read(key, V::clone)
    }

    /// What `look` says of the value of `key`. The value stays as it was while `look` runs, be it replaced meanwhile.
    pub fn read<Q, R>(&self, key: &Q, look: impl FnOnce(&V) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map.pin().get(key).map(look)
    }

    /// Whether `key` has a value.
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.map.pin().contains_key(key)
    }

    /// Gives `key` a value; `true` if it had none. Allocates.
    pub fn insert(&self, key: K, value: V) -> bool {
        self.map.pin().insert(key, value).is_none()
    }

    /// Gives `key` a value if it has none, and says whether it did; otherwise `value` is given back. Allocates.
    ///
    /// # Errors
    /// The value, if there was one already.
    pub fn try_insert(&self, key: K, value: V) -> Result<(), V> {
        match self.map.pin().try_insert(key, value) {
            Ok(_) => Ok(()),
            Err(refused) => Err(refused.not_inserted),
        }
    }

    /// Replaces the value of `key` by one that is made from it, or inserts one. If another thread comes first, `change` is
    /// called again, so that no change is lost. `first` is called once at most; what it has made may be inserted later, after `change` has
    /// been called in vain. Allocates.
    pub fn update_or_insert(&self, key: K, change: impl Fn(&V) -> V, first: impl FnOnce() -> V) {
        self.map.pin().update_or_insert_with(key, change, first);
    }

    /// Takes `key` out; a clone of its value.
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        V: Clone,
    {
        self.map.pin().remove(key).cloned()
    }

    /// Takes `key` out if its value is as asked; `true` if it was taken out.
    pub fn remove_if(&self, key: K, condition: impl Fn(&V) -> bool) -> bool {
        let map = self.map.pin();
        let removed = map.compute(key, |entry| match entry {
            Some((_, value)) if condition(value) => Operation::<V, ()>::Remove,
            _ => Operation::Abort(()),
        });
        matches!(removed, Compute::Removed(..))
    }

    /// Takes everything out that is there. It is no one step: of what comes meanwhile it takes some too, and a key whose value
    /// comes back, more than once.
    pub fn clear(&self) {
        self.map.pin().clear();
    }

    /// Shows every entry to `look`, in no order. What is put in or taken out meanwhile is shown or not; a key that is taken out and put in
    /// again may be shown more than once, each time with a value that it had meanwhile.
    pub fn for_each(&self, mut look: impl FnMut(&K, &V)) {
        for (key, value) in &self.map.pin() {
            look(key, value);
        }
    }

    /// How many entries there are, while nobody changes the map; otherwise about as many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is no entry, as [`len`](Map::len) says.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

impl<K, V, S: Default> Default for Map<K, V, S> {
    fn default() -> Self {
        Map::with_hasher(S::default())
    }
}

impl<K: Hash + Eq, V, S: BuildHasher + Default> FromIterator<(K, V)> for Map<K, V, S> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K, V, S> fmt::Debug for Map<K, V, S>
where
    K: Hash + Eq + fmt::Debug,
    V: fmt::Debug,
    S: BuildHasher,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.map.pin().iter()).finish()
    }
}
