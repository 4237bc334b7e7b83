/**
 * A root of its own for the processes that make calls of the host's kernel, so that nothing they do is done to the host.
 *
 * Who is root: a mount namespace (unshare(1)) with a file system mounted on a folder that is in no other, and the processes
 * chroot(1)ed into it. Node and its libraries are bound there read-only for the time that it takes to start, and are gone
 * before the first call: then the root has nothing but what calls make. There is no device, no /proc and no way up, and
 * node:fs cannot make one: the file system is not mounted any more by then, so that nothing lies above it for a task whose working
 * directory is moved out of a root of its own. When the processes end, all of it goes. What they lock by stays outside (host-locks.ts).
 * Who is not root: a folder, and confine.ts.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { rootsOf, type TaskSpec } from "./call.ts";
import type { Detail } from "./describe.ts";
import { hasHostLocks, LOCK_PIPES, LOCK_REDIRECTIONS, LOCKS_PROGRAM, startLocks } from "./host-locks.ts";
import { type OracleSetup, READY } from "./oracle-protocol.ts";

/** File systems of the host that programs can run on. All but tmpfs need root. */
export const HOST_FILE_SYSTEMS = ["tmpfs", "ext4", "xfs", "overlayfs"] as const;
export type HostFileSystem = (typeof HOST_FILE_SYSTEMS)[number];

const IMAGE_BYTES = 512 * 2 ** 20;

/** Mounts a file system on `$R`; `$S` is a folder for what it is made of, on a tmpfs. */
const MOUNT: Readonly<Record<HostFileSystem, string>> = {
  tmpfs: "mount -t tmpfs -o mode=755 none $R",
  ext4: `truncate -s ${IMAGE_BYTES} $S/image; mkfs.ext4 -q $S/image; mount -o loop $S/image $R; rmdir $R/lost+found`,
  xfs: `truncate -s ${IMAGE_BYTES} $S/image; mkfs.xfs -q $S/image; mount -o loop $S/image $R`,
  overlayfs:
    "mkdir $S/lower $S/upper $S/work; mount -t overlay -o lowerdir=$S/lower,upperdir=$S/upper,workdir=$S/work none $R",
};

const SCRIPT = `
set -e
mount -t tmpfs -o mode=700 none "$S"
MOUNT_IT
bind() { mkdir -p "$(dirname "$2")"; : > "$2"; mount --bind "$1" "$2"; mount -o remount,bind,ro "$2"; }
for top in "$R" $ROOTS; do
  bind "$NODE" "$top/.node/node"
  bind "$PROGRAM" "$top/.node/oracle.mjs"
  for library in $LIBRARIES; do bind "$library" "$top$library"; done
done
START_LOCKS
START_THEM
exec CLOSE_THEM
read go
for top in "$R" $ROOTS; do
  umount -l "$top/.node/node" "$top/.node/oracle.mjs"
  for library in $LIBRARIES; do umount -l "$top$library"; done
done
find "$R" -mindepth 1 $BUT_ROOTS -delete
umount -l "$R"
echo done
wait
`;

export interface HostProcesses {
  /** One socket a task. */
  readonly sockets: readonly Duplex[];
  /** Ends them, and removes the folder. @returns what they have complained of */
  close(): Promise<string>;
}

export interface HostOptions {
  readonly fileSystem: HostFileSystem;
  /** Whom the processes become; who is not root has one, and stays who it is. */
  readonly tasks: readonly TaskSpec[];
  readonly detail: Detail;
  /** Text of the module that runs in them. */
  readonly program: string;
  /** Keeps calls below a folder though the process may have a root of its own. */
  readonly isConfined?: boolean;
}

let ownRoot: boolean | undefined;

/** Whether processes get a root of their own: in some containers nobody may mount. */
export function hasOwnRoot(): boolean {
  ownRoot ??= process.platform === "linux" && process.getuid?.() === 0 && mayMount();
  return ownRoot;
}

function mayMount(): boolean {
  const args = ["--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/dev/shm"];
  return spawnSync("unshare", args, { stdio: "ignore" }).status === 0;
}

/** The folder that calls are kept below, as a subject has to have it too; "" with a root of their own. */
export interface StartedHost extends HostProcesses {
  readonly root: string;
}

/** @throws Error when the host cannot keep calls from its own files */
export async function startHost(options: HostOptions): Promise<StartedHost> {
  if (process.platform !== "linux") throw new Error("the oracle is Linux, and this is none");
  const base = realpathSync(mkdtempSync("/dev/shm/foliofs-fuzz-")); // a tmpfs, where there is no root of its own either
  try {
    return hasOwnRoot() && options.isConfined !== true
      ? await startInRoot(base, options)
      : await startInFolder(base, options);
  } catch (error) {
    rmSync(base, { recursive: true, force: true });
    throw error;
  }
}

/** What Node is linked to, by the names that it looks for. */
function libraries(): string[] {
  try {
    const told = execFileSync("ldd", [process.execPath], { encoding: "utf8" });
    return [...told.matchAll(/(?:^|\s)(\/\S+)/g)].map(([, path]) => path).filter((path) => !path.endsWith(":"));
  } catch {
    return []; // linked statically
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

async function startInRoot(base: string, { fileSystem, tasks, detail, program }: HostOptions): Promise<StartedHost> {
  const [folder, stuff, file] = ["root", "stuff", "oracle.mjs"].map((name) => join(base, name));
  for (const path of [folder, stuff]) mkdirSync(path);
  writeFileSync(file, program);
  const roots = rootsOf(tasks).map((name) => join(folder, name));
  const closed = tasks.map((_, i) => `${FIRST_SOCKET + i}<&-`).join(" ");
  const locks = hasHostLocks() ? LOCK_PIPES : undefined;
  const pipes = locks ? LOCK_REDIRECTIONS : "";
  const starts = tasks.map((task, i) => {
    const setup: OracleSetup = { task, root: "", detail, roots: task.root === undefined ? rootsOf(tasks) : [], locks };
    const command = `chroot ${quoted(join(folder, task.root ?? ""))} /.node/node /.node/oracle.mjs ${quoted(JSON.stringify(setup))}`;
    return `{ ${command}; } <&${FIRST_SOCKET + i} >&${FIRST_SOCKET + i} ${pipes} ${closed} &`;
  });
  const script = SCRIPT.replace("MOUNT_IT", MOUNT[fileSystem])
    .replace("START_LOCKS", () => (locks ? startLocks(closed) : ""))
    .replace("START_THEM", () => starts.join("\n"))
    .replace("CLOSE_THEM", closed);
  const sh = spawn("unshare", ["--mount", "--pid", "--kill-child", "--propagation", "private", "sh", "-c", script], {
    env: {
      PATH: process.env.PATH,
      R: folder,
      S: stuff,
      NODE: process.execPath,
      PROGRAM: file,
      LOCKS: LOCKS_PROGRAM,
      LIBRARIES: libraries().join(" "),
      ROOTS: roots.join(" "),
      BUT_ROOTS: roots.map((path) => `! -path ${path}`).join(" "),
    },
    stdio: ["pipe", "pipe", "pipe", ...tasks.map(() => "pipe" as const)],
  });
  const sockets = tasks.map((_, i) => sh.stdio[FIRST_SOCKET + i] as unknown as Duplex);
  const { failed, complaint } = failureOf(sh);
  await Promise.race([failed, Promise.all(sockets.map((socket) => lineOf(socket, READY)))]);
  sh.stdin?.write("go\n");
  await Promise.race([failed, lineOf(sh.stdout as unknown as Duplex, "done")]);
  return { root: "", sockets, close: () => end(sh, sockets, base).then(complaint) };
}

/** They end as soon as nobody speaks to them. */
const PATIENCE_MS = 10_000;
/** Standard input, output and errors come before them. */
const FIRST_SOCKET = 3;

async function startInFolder(base: string, { fileSystem, tasks, detail, program }: HostOptions): Promise<StartedHost> {
  if (fileSystem !== "tmpfs" || tasks.length > 1 || rootsOf(tasks).length > 0) {
    throw new Error("other tasks, and other file systems than tmpfs, need root, and an unshare(1) that may mount");
  }
  const [root, file] = ["root", "oracle.mjs"].map((name) => join(base, name));
  mkdirSync(root);
  writeFileSync(file, program);
  const setup: OracleSetup = { root, detail, roots: [] };
  const args = ["-c", 'exec "$0" "$@" <&3 >&3 3<&-', process.execPath, file, JSON.stringify(setup)];
  const child = spawn("sh", args, { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  const socket = child.stdio[FIRST_SOCKET] as unknown as Duplex;
  const { failed, complaint } = failureOf(child);
  await Promise.race([failed, lineOf(socket, READY)]);
  return { root, sockets: [socket], close: () => end(child, [socket], base).then(complaint) };
}

/** `failed` rejects when the process ends, with what it has complained of. */
function failureOf(child: ChildProcess): { failed: Promise<never>; complaint: () => string } {
  let complaint = "";
  child.stderr?.on("data", (bytes) => {
    complaint += bytes;
  });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("close", (status) => reject(new Error(`the host's oracle ended (${status}): ${complaint}`)));
  });
  failed.catch(() => {}); // whoever waits for it hears; later nobody does
  return { failed, complaint: () => complaint };
}

/** Waits for a line that says so, alone. */
async function lineOf(stream: Duplex, line: string): Promise<void> {
  let text = "";
  return new Promise((resolve) => {
    const hear = (bytes: Buffer): void => {
      text += bytes;
      if (text !== `${line}\n`) return;
      stream.off("data", hear);
      resolve();
    };
    stream.on("data", hear);
  });
}

async function end(child: ChildProcess, sockets: readonly Duplex[], base: string): Promise<void> {
  const isOver = child.exitCode !== null || child.signalCode !== null;
  const ended = isOver ? undefined : new Promise((resolve) => child.once("close", resolve));
  for (const socket of sockets) socket.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS); // one that hangs
  await ended;
  clearTimeout(timer);
  rmSync(base, { recursive: true, force: true });
}
