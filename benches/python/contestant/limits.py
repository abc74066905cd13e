"""Which errors are limits of the machine, and what to do about them. They are neither crashes nor wrong answers."""

import errno
import sys


def limit(error):
    """The limit that `error` ran into, its value and the remedy; None if it is another kind of error."""
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return f"no more threads ({allowance('threads')}): raise the lowest of these, or choose a smaller scale"
    if isinstance(error, MemoryError):
        return "no more memory: choose a smaller scale"
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"no more open files ({allowance('files')}): raise it by `ulimit -n`, or choose a smaller scale"
    if error.errno == errno.EAGAIN:
        return f"no more processes ({allowance('processes')}): raise it by `ulimit -u`, or choose a smaller scale"
    if error.errno == errno.ENOMEM:
        return "no more memory: choose a smaller scale"
    return None


def allowance(what):
    """The settings that bound `what`, with their values on this machine."""
    import resource

    if what == "files":
        return f"RLIMIT_NOFILE {resource.getrlimit(resource.RLIMIT_NOFILE)[0]}"
    processes = f"RLIMIT_NPROC {resource.getrlimit(resource.RLIMIT_NPROC)[0]}"
    if what == "processes":
        return processes
    settings = (f"{name} {setting(name)}" for name in ("vm.max_map_count", "kernel.threads-max"))
    return ", ".join((processes, *settings))


def setting(name):
    """A kernel setting's value, as text."""
    try:
        with open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def end_children():
    """Kills the children that this process started by multiprocessing, if any. For the way out after an error."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None:
        return
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
