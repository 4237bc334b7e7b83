"""Makes a script of calls on a file system of the host that knows reflinks: the oracle of clones.

Argument: a directory for an image, and to mount it. Reads {"scripts": [[[call, arg ...] ...] ...]} and prints, for each script, the outcomes of its calls:
a value, or the name of an error. Each script has a directory of its own; paths that begin with "other/" are on a tmpfs.
"""
import ctypes, errno, fcntl, hashlib, json, os, resource, signal, struct, subprocess, sys

FICLONE, FICLONERANGE = 0x40049409, 0x4020940D
libc = ctypes.CDLL(None, use_errno=True)
base = sys.argv[1]


class Slots(dict):
    def __missing__(self, name):
        return 9999


def path(root, p):
    return os.path.join(base, "other", p[6:]) if p.startswith("other/") else os.path.join(root, p)


def fallocate(fd, mode, at, length):
    if libc.fallocate(fd, mode, ctypes.c_long(at), ctypes.c_long(length)) < 0:
        raise OSError(ctypes.get_errno(), "")


def clone(dest, src, *of):
    if not of:
        return fcntl.ioctl(dest, FICLONE, src)
    at, length, to = of
    fcntl.ioctl(dest, FICLONERANGE, struct.pack("qQQQ", src, at, length, to))


def chattr(p, flags):
    fd = os.open(p, os.O_RDONLY)
    fcntl.ioctl(fd, 0x40086602, struct.pack("q", flags))
    os.close(fd)


def make(root, slots, call, *args):
    if call == "open":
        slots[args[0]] = os.open(path(root, args[1]), args[2], 0o644)
    elif call == "close":
        os.close(slots.pop(args[0]))
    elif call == "mkdir":
        os.mkdir(path(root, args[0]))
    elif call == "mkfifo":
        os.mkfifo(path(root, args[0]))
    elif call == "write":
        return os.pwrite(slots[args[0]], bytes([args[3]]) * args[2], args[1])
    elif call == "ftruncate":
        os.ftruncate(slots[args[0]], args[1])
    elif call == "fallocate":
        fallocate(slots[args[0]], *args[1:])
    elif call == "ficlone":
        clone(slots[args[0]], slots[args[1]])
    elif call == "ficlonerange":
        clone(slots[args[0]], slots[args[1]], *args[2:])
    elif call == "chmod":
        os.chmod(path(root, args[0]), args[1])
    elif call == "chattr":
        chattr(path(root, args[0]), args[1])
    elif call == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (args[0], resource.RLIM_INFINITY))
    elif call == "old":
        os.utime(path(root, args[0]), (1, 1))
    elif call == "look":
        with open(path(root, args[0]), "rb") as f:
            content = f.read()
        s = os.stat(path(root, args[0]))
        return [s.st_size, hashlib.sha1(content).hexdigest(), s.st_mode & 0o7777, s.st_mtime == 1]
    else:
        raise Exception(call)


def outcome(root, slots, call, args):
    try:
        rc = make(root, slots, call, *args)
        return rc if isinstance(rc, list) or call == "write" else None
    except OSError as e:
        name = errno.errorcode[e.errno]
        return "ENOTSUP" if name == "EOPNOTSUPP" else name


signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
image, mnt = os.path.join(base, "image"), os.path.join(base, "mnt")
os.mkdir(mnt)
os.mkdir(os.path.join(base, "other"))
with open(image, "wb") as f:
    f.truncate(320 * 2**20)
for command in (
    ["mkfs.xfs", "-q", "-m", "reflink=1", image],
    ["mount", "-o", "loop", image, mnt],
    ["mount", "-t", "tmpfs", "none", os.path.join(base, "other")],
):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
answers = []
for i, script in enumerate(json.load(sys.stdin)["scripts"]):
    root = os.path.join(mnt, str(i))
    os.mkdir(root)
    slots = Slots()
    answers.append([outcome(root, slots, call, args) for call, *args in script])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for fd in slots.values():
        os.close(fd)
print(json.dumps(answers))
