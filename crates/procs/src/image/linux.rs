//! Where a function is, said in a way that another process of the same program understands.
//!
//! Two processes of one program have their code at different addresses, because the system loads each at a random
//! place. What they share is the file: a function is at the same offset from the start of its **image**, which is the
//! program or one of the shared libraries that it was started with. So an [`Address`] is an image and an offset.
//!
//! An image is known by a hash over its program headers (where each segment lies, how long it is, what may be done with
//! it) and its build id, if the linker wrote one. The program itself is the same file in both processes by construction;
//! the hash is what notices a shared library that was replaced in between. [`Address::find`] believes nothing: the image
//! must be there, and the address must be in a part of it that is executable.

#![allow(unsafe_code, reason = "the loader describes images by pointers")]

use super::Address;
use std::ffi::{c_int, c_void};
use std::io;
use std::ops::ControlFlow;

impl Address {
    /// Of something that lies at `address` in this process.
    ///
    /// # Errors
    /// It is in no image: made at run time, for example.
    pub(crate) fn of(address: usize) -> io::Result<Address> {
        let found = each_image(|image| match image.contains(address, 0) {
            true => ControlFlow::Break(Address {
                image: image.identity(),
                offset: address.wrapping_sub(image.base) as u64,
            }),
            false => ControlFlow::Continue(()),
        });
        found.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the function is in no image of this process")
        })
    }

    /// Where it is in this process; `None` if there is no such image, or no code at that place of it.
    pub(crate) fn find(self) -> Option<usize> {
        let offset = usize::try_from(self.offset).ok()?;
        each_image(|image| match image.identity() == self.image {
            true => {
                let address = image.base.wrapping_add(offset);
                ControlFlow::Break(image.contains(address, libc::PF_X).then_some(address))
            }
            false => ControlFlow::Continue(()),
        })
        .flatten()
    }
}

/// Whether `address` lies in the program, not in a shared library that was loaded into it.
pub(crate) fn in_program(address: usize) -> bool {
    // The first image is the program.
    each_image(|image| ControlFlow::Break(image.contains(address, 0))).unwrap_or(false)
}

/// What the loader tells of an image.
struct Image<'a> {
    base: usize,
    headers: &'a [Header],
}

#[cfg(target_pointer_width = "64")]
type Header = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type Header = libc::Elf32_Phdr;

impl Image<'_> {
    /// Whether `address` lies in a loaded segment that has `flags`.
    fn contains(&self, address: usize, flags: u32) -> bool {
        self.headers.iter().any(|header| {
            header.p_type == libc::PT_LOAD
                && header.p_flags & flags == flags
                && address.wrapping_sub(self.base.wrapping_add(header.p_vaddr as usize))
                    < header.p_memsz as usize
        })
    }

    fn identity(&self) -> u64 {
        let mut hash = Fnv::new();
        for header in self.headers {
            for number in [u64::from(header.p_type), u64::from(header.p_flags)] {
                hash.add(&number.to_le_bytes());
            }
            #[expect(clippy::useless_conversion, reason = "these are 32 bits wide on targets with 32 bits")]
            for number in [header.p_offset, header.p_vaddr, header.p_filesz, header.p_memsz, header.p_align] {
                hash.add(&u64::from(number).to_le_bytes());
            }
            // The build id is in a note.
            if header.p_type == libc::PT_NOTE {
                hash.add(self.bytes_of(header));
            }
        }
        hash.0
    }

    /// What a segment holds. Only for segments that nobody writes: notes.
    fn bytes_of(&self, header: &Header) -> &[u8] {
        let (start, length) = (self.base.wrapping_add(header.p_vaddr as usize), header.p_memsz as usize);
        let last = start.wrapping_add(length.saturating_sub(1));
        let loaded = self.contains(start, libc::PF_R) && self.contains(last, libc::PF_R);
        if !loaded || header.p_flags & libc::PF_W != 0 {
            return &[];
        }
        let start = std::ptr::with_exposed_provenance(start);
        // SAFETY: the segment begins and ends in loaded ones that can be read, notes have no gaps, nobody writes them, and
        // the image stays loaded while the loader's lock is held, as it is in `each_image`.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

/// Shows every image to `look`, the program first, until it breaks.
fn each_image<B>(mut look: impl FnMut(Image<'_>) -> ControlFlow<B>) -> Option<B> {
    struct Looking<'a, B> {
        look: &'a mut dyn FnMut(Image<'_>) -> ControlFlow<B>,
        found: Option<B>,
    }

    unsafe extern "C" fn visit<B>(info: *mut libc::dl_phdr_info, _: usize, looking: *mut c_void) -> c_int {
        // SAFETY: `looking` is the pointer that is passed below, to a `Looking<B>` that nobody else uses meanwhile.
        let looking = unsafe { &mut *looking.cast::<Looking<'_, B>>() };
        // SAFETY: the loader passes a valid description.
        let info = unsafe { &*info };
        if info.dlpi_phdr.is_null() {
            return 0;
        }
        // SAFETY: the loader describes that many headers at that place, and keeps them while it holds its lock.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
        match (looking.look)(Image { base: info.dlpi_addr as usize, headers }) {
            ControlFlow::Continue(()) => 0,
            ControlFlow::Break(found) => {
                looking.found = Some(found);
                1
            }
        }
    }

    let mut looking = Looking { look: &mut look, found: None };
    // SAFETY: `visit` does what the loader expects of it, does not unwind (what `look` does here cannot panic), and gets
    // a pointer that is valid for the time of this call.
    unsafe { libc::dl_iterate_phdr(Some(visit::<B>), (&raw mut looking).cast()) };
    looking.found
}

/// The hash of Fowler, Noll and Vo, variant 1a with 64 bits: short, and there is no enemy to choose the input.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_function() {}

    #[test]
    fn a_function_is_found_where_it_is() {
        let here = some_function as fn() as usize;
        let address = Address::of(here).expect("the tests are in an image");
        assert_eq!(address.find(), Some(here));
        assert!(in_program(here));
    }

    #[test]
    fn a_function_of_a_library_is_found_and_is_not_the_programs() {
        let here = libc::getpid as unsafe extern "C" fn() -> i32 as usize;
        let loaded = std::fs::read_to_string("/proc/self/maps").expect("maps").contains("libc.so");
        if loaded {
            // The address may be that of an entry in the program's table of jumps: found all the same.
            assert_eq!(Address::of(here).ok().and_then(Address::find), Some(here));
        }
        let library =
            each_image(|image| match image.base == 0 || image.contains(some_function as fn() as usize, 0) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(image.base),
            });
        assert!(library.is_none_or(|base| !in_program(base)));
    }

    #[test]
    fn data_is_no_code() {
        static DATA: u64 = 7;
        let address = Address::of(&raw const DATA as usize).expect("a static is in an image");
        assert_eq!(address.find(), None);
    }

    #[test]
    fn what_is_on_the_stack_is_in_no_image() {
        let local = 7_u64;
        assert!(Address::of(&raw const local as usize).is_err());
    }

    #[test]
    fn another_image_or_an_offset_beyond_it_is_not_found() {
        let address = Address::of(some_function as fn() as usize).expect("the tests are in an image");
        assert_eq!(Address { image: address.image ^ 1, ..address }.find(), None);
        for offset in [u64::MAX, 1 << 46, address.offset.wrapping_neg()] {
            assert_eq!(Address { offset, ..address }.find(), None);
        }
    }
}
