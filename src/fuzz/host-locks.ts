/**
 * flock(2) for the processes that make calls of the host's kernel: node:fs has none, and no program is in their root.
 *
 * Beside them, outside of their root, runs a Python that they ask by pipes: it takes a descriptor out of the process that asks
 * (pidfd_getfd(2)), which so is the same open file, does flock(2), and closes it. The lock belongs to the open file, and stays. All that the
 * processes get is the pipes, and all that can be said in these is numbers.
 *
 * Does not own: the process's end of the pipes (oracle-locks.ts).
 */
import { spawnSync } from "node:child_process";

/** Answers "PID FD OPERATION" by an errno, 0 = done; a line each. Of what is no descriptor flock() itself says what comes first. */
const HELPER = `
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
PIDFD_OPEN, PIDFD_GETFD = 434, 438

def flock(pid, fd, operation):
    task = libc.syscall(PIDFD_OPEN, pid, 0)
    if task < 0: sys.exit("pidfd_open: " + os.strerror(ctypes.get_errno()))
    copy = libc.syscall(PIDFD_GETFD, task, fd, 0)
    os.close(task)
    if copy < 0 and ctypes.get_errno() != errno.EBADF: sys.exit("pidfd_getfd: " + os.strerror(ctypes.get_errno()))
    code = 0 if libc.flock(copy, operation) == 0 else ctypes.get_errno()
    if copy >= 0: os.close(copy)
    return code
`;

const SERVE = `
for line in sys.stdin: print(flock(*map(int, line.split())), flush=True)
`;

/** Whether it may take descriptors out of processes of others. */
const PROBE = `
import signal
child = os.fork()
if child == 0:
    os.setuid(1)
    os.kill(os.getpid(), signal.SIGSTOP)
os.waitpid(child, os.WUNTRACED)
try: code = flock(child, 0, 8)
finally: os.kill(child, signal.SIGKILL)
sys.exit(code)
`;

/** Descriptors that the processes have the pipes by: sh(1) has none above 9. */
export const LOCK_PIPES = { ask: 8, answer: 9 } as const;

/** What is in the environment of the script below. */
export const LOCKS_PROGRAM = HELPER + SERVE;

/** Starts the helper, from a shell with the program in `$LOCKS`; it ends with the last process that can ask. @param closed what it is not to have */
export function startLocks(closed: string): string {
  return `mkfifo "$S/ask" "$S/answer"\npython3 -c "$LOCKS" <"$S/ask" >"$S/answer" ${closed} &`;
}

/** Gives a process the pipes. */
export const LOCK_REDIRECTIONS = `${LOCK_PIPES.ask}>"$S/ask" ${LOCK_PIPES.answer}<"$S/answer"`;

let isThere: boolean | undefined;

/** Whether processes with a root of their own can lock: that needs Python 3, and the right to take descriptors out of others. */
export function hasHostLocks(): boolean {
  const { PATH } = process.env;
  isThere ??= spawnSync("python3", ["-c", HELPER + PROBE], { stdio: "ignore", env: { PATH } }).status === 0;
  return isThere;
}
