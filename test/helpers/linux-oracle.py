"""Makes scripts of system calls on the host, by several processes: the oracle of fs.kernel.linux.

Reads {"root", "tasks": [{"uid", "gid", "groups"}], "steps": [{"task", "call", "args", "later"?, "settle"?}]} and prints a list of
outcomes: a value, or the name of an error. Bytes are {"hex": ...}. A step with "later" is begun and not waited for; its outcome is
"waits" if it has not ended soon; "settle" gives the outcome of that step, or "waits". "ends" has it waited for in both.
"""
import ctypes, errno, fcntl, json, os, re, select, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
SOON = 0.002
STARTED = "started\n"
AT_MOST = 10.0
ROOT = ""


class Slots(dict):
    """Descriptors by their names in the script; one that is not open is none."""

    def __missing__(self, name):
        return 9999


slots = Slots()


def path(p):
    return os.fsencode(p.replace("ROOT", ROOT, 1)) if isinstance(p, str) else bytes.fromhex(p["hex"])


def data(v):
    return bytes.fromhex(v["hex"]) if isinstance(v, dict) else v.encode()


def shown(b):
    return {"hex": b.hex()}


def check(rc):
    if rc < 0:
        raise OSError(ctypes.get_errno(), "")
    return rc


def done(rc):
    check(rc)


def target(way, t):
    return slots[t] if way == "f" else path(t)


def xattr(way, name, t, args):
    # By libc: Python's own calls refuse names by rules of their own.
    where = target(way, t)
    first = ctypes.c_int(where) if way == "f" else ctypes.c_char_p(where)
    call = getattr(libc, way + name)
    if name == "listxattr":
        size = check(call(first, None, ctypes.c_size_t(0)))
        buffer = ctypes.create_string_buffer(65536)
        size = check(call(first, buffer, ctypes.c_size_t(65536)))
        return [shown(n) for n in buffer.raw[:size].split(b"\0")[:-1]]
    key = ctypes.c_char_p(data(args[0]))
    if name == "getxattr":
        buffer = ctypes.create_string_buffer(65536)
        size = check(call(first, key, buffer, ctypes.c_size_t(65536)))
        return shown(buffer.raw[:size])
    if name == "removexattr":
        return done(call(first, key))
    value = data(args[1])
    check(call(first, key, ctypes.c_char_p(value), ctypes.c_size_t(len(value)), ctypes.c_int(args[2])))


F = {"F_SETPIPE_SZ": 1031, "F_GETPIPE_SZ": 1032, "F_GETLK": 5, "F_SETLK": 6, "F_SETLKW": 7, "F_OFD_GETLK": 36, "F_OFD_SETLK": 37, "F_OFD_SETLKW": 38}


def control(fd, cmd, *rest):
    if "PIPE" in cmd:
        return check(libc.fcntl(slots[fd], F[cmd], ctypes.c_ulong(rest[0] if rest else 0)))
    return record_lock(fd, cmd, *rest)


def record_lock(fd, cmd, kind, whence, start, length):
    arg = struct.pack("hhqqi4x", kind, whence, start, length, 0)
    kind, whence, start, length, pid = struct.unpack("hhqqi4x", fcntl.fcntl(slots[fd], F[cmd], arg))
    if not cmd.endswith("GETLK"):
        return None
    if kind == fcntl.F_UNLCK:
        return None
    return {"type": kind, "start": start, "length": length, "pid": pid, "isOfd": pid == -1}


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


def timespec(t):
    return Timespec(*{"now": (0, 0x3fffffff), "omit": (0, 0x3ffffffe)}.get(t) or divmod(int(t), 10**9))


def utimensat(dir, p, atime, mtime, flags):
    times = (Timespec * 2)(timespec(atime), timespec(mtime))
    check(libc.utimensat(-100 if dir is None else slots[dir], path(p), times, flags))


def times(p):
    """Nanoseconds, "now" for those of this century."""
    s = os.lstat(path(p))
    return [str(ns) if ns < 946684800 * 10**9 else "now" for ns in (s.st_atime_ns, s.st_mtime_ns)]


def dirfd(slot):
    return None if slot is None else slots[slot]


def statted(s):
    return [s.st_mode, s.st_nlink, s.st_uid, s.st_gid, s.st_size]


def renameat2(olddir, old, newdir, new, flags):
    at = lambda slot: -100 if slot is None else slots[slot]
    check(libc.renameat2(at(olddir), path(old), at(newdir), path(new), flags))


def linkat(olddir, old, newdir, new, flags):
    at = lambda slot: -100 if slot is None else slots[slot]
    check(libc.linkat(at(olddir), path(old), at(newdir), path(new), flags))


def chattr(p, flags):
    fd = os.open(path(p), os.O_RDONLY | os.O_NONBLOCK)
    try:
        if flags is not None:
            fcntl.ioctl(fd, 0x40086602, struct.pack("q", flags))
            return None
        return struct.unpack("q", fcntl.ioctl(fd, 0x80086601, struct.pack("q", 0)))[0]
    finally:
        os.close(fd)


def open_at(slot, dir, p, flags, mode=0o666):
    slots[slot] = os.open(path(p), flags, mode, dir_fd=dirfd(dir))


class Inotify:
    """One instance, with its watches by their names in the script."""

    def __init__(self):
        self.fd = check(libc.inotify_init1(os.O_NONBLOCK))
        self.names = {}
        self.cookies = {0: 0}

    def watch(self, name, p, mask):
        self.names.setdefault(check(libc.inotify_add_watch(self.fd, path(p), mask)), name)

    def events(self):
        """All that wait: name of the watch, mask, ordinal of the cookie, name."""
        told = []
        while True:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return told
            while data:
                wd, mask, cookie, length = struct.unpack_from("iIII", data)
                name, data = data[16 : 16 + length].rstrip(b"\0"), data[16 + length :]
                told.append([self.names.get(wd), mask, self.cookies.setdefault(cookie, len(self.cookies)), shown(name)])
                if mask & 0x8000:  # IN_IGNORED
                    del self.names[wd]


inotify = None


def inotify_call(call, args):
    global inotify
    inotify = inotify or Inotify()
    return inotify.watch(*args) if call == "watch" else inotify.events()


def mount_overlay(options, target):
    where = path(target)
    check(libc.mount(b"overlay", where, b"overlay", ctypes.c_ulong(0), os.fsencode(options.replace("ROOT", ROOT))))


LAYER = "lowerdir=%s,upperdir=ROOT/u,workdir=ROOT/w,redirect_dir=on,index=off,metacopy=off,xino=off"
TAR = ["tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-C"]


def layer(lowers, target):
    """As kernel.layer(): the upper directory is as the uppermost lower one is."""
    below = os.stat(path(lowers.split(":")[0]))
    upper = path("ROOT/u")
    os.chown(upper, below.st_uid, below.st_gid)
    os.chmod(upper, below.st_mode & 0o7777)
    os.utime(upper, ns=(below.st_atime_ns, below.st_mtime_ns))
    mount_overlay(LAYER % lowers, target)


def save_tar():
    return shown(subprocess.run(TAR + [path("ROOT/u"), "-cf", "-", "."], check=True, stdout=subprocess.PIPE).stdout)


def load_tar(lowers, target, tar):
    subprocess.run(TAR + [path("ROOT/u"), "-pxf", "-"], check=True, input=data(tar))
    mount_overlay(LAYER % lowers, target)


inodes = {}


def attributes(p, dev):
    """All that a file is: of directories without their sizes; numbers of inodes by the order in which they come up."""
    s = os.lstat(p)
    kind = s.st_mode & 0o170000
    what = None
    if kind == 0o100000:
        with open(p, "rb") as f:
            what = f.read().hex()
    elif kind == 0o120000:
        what = os.fsencode(os.readlink(p)).hex()
    xattrs = sorted([n, os.getxattr(p, n, follow_symlinks=False).hex()] for n in os.listxattr(p, follow_symlinks=False))
    mtime = str(s.st_mtime_ns) if s.st_mtime_ns < 946684800 * 10**9 else "now"
    number = inodes.setdefault((s.st_dev if s.st_dev != dev else None, s.st_ino), len(inodes))
    size = 0 if kind == 0o040000 else s.st_size
    return [s.st_mode, s.st_nlink, s.st_uid, s.st_gid, size, mtime, number, what, xattrs]


def tree(p, dev=None):
    """Every file below a directory, by path."""
    dev = dev or os.lstat(p).st_dev
    told = [["", attributes(p, dev)]]
    for name in sorted(os.listdir(p)):
        below = p + b"/" + name
        if os.path.isdir(below) and not os.path.islink(below):
            told += [[os.fsdecode(name) + at, of] for at, of in tree(below, dev)]
        else:
            told.append([os.fsdecode(name), attributes(below, dev)])
    return [[at if at.startswith("/") or not at else "/" + at, of] for at, of in told]


def simple(call, *args):
    if call == "overlay": return mount_overlay(*args)
    if call == "layer": return layer(*args)
    if call == "saveTar": return save_tar()
    if call == "loadTar": return load_tar(*args)
    if call == "umount": return check(libc.umount2(path(args[0]), 0)) or None
    if call == "tree": return tree(path(args[0]))
    if call in ("watch", "events"): return inotify_call(call, args)
    if call == "rmdir": return os.rmdir(path(args[0]))
    if call == "open": return open_at(args[0], None, *args[1:])
    if call == "openat": return open_at(*args)
    if call == "close": return os.close(slots.pop(args[0], 9999))
    if call == "read": return shown(os.read(slots[args[0]], args[1]))
    if call == "write": return os.write(slots[args[0]], data(args[1]))
    if call == "writev": return os.writev(slots[args[0]], [data(v) for v in args[1:]])
    if call == "mkdir": return os.mkdir(path(args[0]), args[1])
    if call == "mkfifo": return os.mkfifo(path(args[0]), args[1])
    if call == "mknod": return os.mknod(path(args[0]), args[1], args[2])
    if call == "chmod": return os.chmod(path(args[0]), args[1])
    if call == "chown": return os.chown(path(args[0]), args[1], args[2])
    if call == "symlink": return os.symlink(path(args[0]), path(args[1]))
    if call == "link": return os.link(path(args[0]), path(args[1]))
    if call == "unlink": return os.unlink(path(args[0]))
    if call == "rename": return os.rename(path(args[0]), path(args[1]))
    if call == "truncate": return os.truncate(path(args[0]), args[1])
    if call == "fstat": return statted(os.fstat(slots[args[0]]))
    if call == "stat": return statted(os.stat(path(args[0])))
    if call == "flock": return fcntl.flock(slots[args[0]], args[1])
    if call == "fcntl": return control(*args)
    if call == "utimensat": return utimensat(*args)
    if call == "times": return times(*args)
    if call == "chattr": return chattr(*args)
    if call == "lsattr": return chattr(args[0], None)
    if call == "utimes": return os.utime(path(args[0]), None if args[1] is None else (args[1], args[1]))
    if call == "ftruncate": return os.ftruncate(slots[args[0]], args[1])
    if call == "fallocate": return done(libc.fallocate(slots[args[0]], args[1], ctypes.c_long(args[2]), ctypes.c_long(args[3])))
    if call == "copy_file_range": return os.copy_file_range(slots[args[0]], slots[args[1]], args[2])
    if call == "mkdirat": return os.mkdir(path(args[1]), args[2], dir_fd=dirfd(args[0]))
    if call == "mknodat": return os.mknod(path(args[1]), args[2], args[3], dir_fd=dirfd(args[0]))
    if call == "unlinkat": return done(libc.unlinkat(-100 if args[0] is None else slots[args[0]], path(args[1]), args[2]))
    if call == "renameat2": return renameat2(*args)
    if call == "linkat": return linkat(*args)
    if call == "symlinkat": return os.symlink(path(args[0]), path(args[2]), dir_fd=dirfd(args[1]))
    if call == "readlinkat": return shown(os.readlink(path(args[1]), dir_fd=dirfd(args[0])))
    if call == "fstatat": return statted(os.stat(path(args[1]), dir_fd=dirfd(args[0]), follow_symlinks=not args[2] & 0x100))
    if call == "fchmodat": return done(libc.fchmodat(-100 if args[0] is None else slots[args[0]], path(args[1]), args[2], args[3]))
    if call == "fchownat": return os.chown(path(args[1]), args[2], args[3], dir_fd=dirfd(args[0]), follow_symlinks=not args[4] & 0x100)
    if call == "faccessat": return done(libc.faccessat(-100 if args[0] is None else slots[args[0]], path(args[1]), args[2], args[3]))
    if call.endswith("xattr"):
        way, name = re.fullmatch(r"([lf]?)((?:get|set|list|remove)xattr)", call).groups()
        return xattr(way, name, args[0], args[1:])
    raise ValueError(call)


def outcome(call, args):
    try:
        return simple(call, *args)
    except BlockingIOError as error:
        return errno.errorcode[error.errno]
    except OSError as error:
        code = errno.errorcode.get(error.errno, str(error.errno))
        return {"EOPNOTSUPP": "ENOTSUP", "EDEADLOCK": "EDEADLK"}.get(code, code)


def worker(who, requests, answers):
    os.setgroups(who.get("groups", []))
    os.setresgid(who["gid"], who["gid"], who["gid"])
    os.setresuid(who["uid"], who["uid"], who["uid"])
    os.umask(who.get("umask", 0o022))
    os.chdir(ROOT)
    for line in requests:
        call, args = json.loads(line)
        answers.write(STARTED)
        answers.flush()
        answers.write(json.dumps(outcome(call, args)) + "\n")
        answers.flush()


PIDS = []


def by_index(answer):
    """Processes by the numbers of their tasks."""
    if isinstance(answer, dict) and answer.get("pid", -1) > 0:
        answer["pid"] = PIDS.index(answer["pid"])
    return answer


class Task:
    def __init__(self, who):
        down, self.write = os.pipe()
        self.read, up = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.write)
            os.close(self.read)
            worker(who, os.fdopen(down), os.fdopen(up, "w"))
            os._exit(0)
        PIDS.append(self.pid)
        os.close(down)
        os.close(up)
        self.said = b""

    def ask(self, call, args):
        os.write(self.write, (json.dumps([call, args]) + "\n").encode())
        self.line(AT_MOST)

    def line(self, seconds):
        """What it says next, None if it says nothing in time."""
        while b"\n" not in self.said:
            if not select.select([self.read], [], [], seconds)[0]:
                return None
            said = os.read(self.read, 1 << 20)
            if not said:
                sys.exit("a task has ended")
            self.said += said
        line, self.said = self.said.split(b"\n", 1)
        return line

    def answer(self, ends):
        """The outcome of its call; "waits" once it sleeps in it. @param ends it is to be waited for, as long as that may take"""
        until = time.monotonic() + AT_MOST
        asleep = 0
        while time.monotonic() < until:
            line = self.line(SOON)
            if line is not None:
                return by_index(json.loads(line))
            asleep = asleep + 1 if self.sleeps() else 0
            if asleep == 2 and not ends:
                return "waits"
        return "waits"

    def sleeps(self):
        with open("/proc/%d/stat" % self.pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "S"


def main():
    global ROOT
    script = json.load(sys.stdin)
    ROOT = script["root"]
    tasks = [Task(who) for who in script["tasks"]]
    try:
        print(json.dumps(run(tasks, script["steps"])))
    finally:
        for task in tasks:
            os.kill(task.pid, 9)


def run(tasks, steps):
    outcomes = []
    for step in steps:
        if "settle" in step:
            outcomes.append(tasks[step["settle"]].answer(step.get("ends")))
            continue
        task = tasks[step["task"]]
        task.ask(step["call"], step["args"])
        answer = task.answer(step.get("ends") or not step.get("later"))
        if answer == "waits" and not step.get("later"):
            sys.exit("step %d waits: %s" % (len(outcomes), json.dumps(step)))
        outcomes.append(answer)
    return outcomes


main()
