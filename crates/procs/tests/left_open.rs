//! What the program has left open. One test, because it must be open before the zygote is started, and nobody knows when
//! others start one.

use procs::Process;
use std::io;

#[test]
fn descriptors_that_the_program_left_open_do_not_reach_a_worker() -> Result<(), Box<dyn std::error::Error>> {
    // Without the flag that closes it on `exec`, as a library in C may leave it.
    let file = tempfile_without_flag()?;
    let open = Process::spawn(
        |_: ()| {
            let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
            let links = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
            links.map(|link| link.to_string_lossy().into_owned()).collect::<Vec<_>>()
        },
        (),
    )?
    .join()?;
    assert!(!open.iter().any(|link| link.contains("trefoil-left-open")), "{open:?}");
    // The three standard streams, its link, and the folder that was listed.
    assert_eq!(open.len(), 5, "{open:?}");
    drop(file);
    Ok(())
}

fn tempfile_without_flag() -> io::Result<std::os::fd::OwnedFd> {
    let file = rustix::fs::memfd_create("trefoil-left-open", rustix::fs::MemfdFlags::empty())?;
    assert!(!rustix::io::fcntl_getfd(&file)?.contains(rustix::io::FdFlags::CLOEXEC));
    Ok(file)
}
