/**
 * A process that makes calls of the host's kernel as one task. Its standard input and output are one socket.
 *
 * Where it has a root of its own, nothing is in that but what calls make, not even Node: all is loaded when it says so.
 */
import * as fs from "node:fs";
import { KEPT_MODE, KEPT_NAME, type Outcome } from "./call.ts";
import { confine } from "./confine.ts";
import { isNode26 } from "./known.ts";
import { LineReader, writeLine } from "./lines.ts";
import { locksBy } from "./oracle-locks.ts";
import { type Answer, type OracleSetup, READY, type Request } from "./oracle-protocol.ts";
import { type MayCall, type NodeFs, type TaskFace, TaskPerformer } from "./perform.ts";
import { EVENTS, turnEventLoop } from "./watched.ts";

const SLASH = 0x2f;
const CHUNK_BYTES = 1 << 16;
const FOLDER_MODE = 0o755;
/** Begins names that roots of tasks have while all else is removed. */
const AWAY = "away-";

const setup = JSON.parse(process.argv[2]) as OracleSetup;

function become({ uid, gid, groups }: NonNullable<OracleSetup["task"]>): void {
  process.setgroups?.([...groups]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

const chunk = Buffer.alloc(CHUNK_BYTES);
const reader = new LineReader();
const lines: string[] = [];

/** @returns undefined at the end */
function readLine(): string | undefined {
  while (lines.length === 0) {
    const length = fs.readSync(0, chunk, 0, CHUNK_BYTES, null);
    if (length === 0) return undefined;
    lines.push(...reader.read(Buffer.from(chunk.subarray(0, length))));
  }
  return lines.shift();
}

function say(text: string): void {
  writeLine(1, text);
}

/** Roots of tasks stay, wherever they have been moved to: out of the way first. */
function emptyDirectory(directory: Buffer): void {
  for (const name of fs.readdirSync(directory, { encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), name]);
    const stats = fs.lstatSync(path);
    if (stats.isDirectory()) {
      fs.chmodSync(path, 0o700); // whoever is not root may have closed it
      emptyDirectory(path);
      const taskRoot = taskRoots.get(stats.ino);
      if (taskRoot === undefined) fs.rmdirSync(path);
      else fs.renameSync(path, `/${AWAY}${taskRoot}`);
    } else fs.unlinkSync(path);
  }
}

/** As it is at the beginning. */
function renewTaskRoot(name: string): void {
  const path = `/${name}`;
  fs.renameSync(`/${AWAY}${name}`, path);
  fs.writeFileSync(`${path}/${KEPT_NAME}`, "", { mode: KEPT_MODE });
  renewAttributes(path);
}

function renewAttributes(path: string): void {
  fs.chmodSync(path, FOLDER_MODE);
  if (process.getuid?.() === 0) fs.chownSync(path, 0, 0);
  const now = Date.now() / 1000;
  fs.utimesSync(path, now, now);
}

/** Root may always. */
function forgetCwd(): void {
  try {
    process.chdir(".");
  } catch {}
}

const { root, locks } = setup;
/** By the number of their inode. */
const taskRoots = new Map(setup.roots.map((name) => [fs.statSync(`/${name}`).ino, name]));
if (setup.task !== undefined) become(setup.task);
const face = {
  fs: fs as unknown as NodeFs,
  // Node's own takes text alone.
  chdir: (path) => process.chdir(path as string),
  umask: (mask) => process.umask(mask),
  cwd: () => process.cwd(),
  forgetCwd,
  flock: locks && locksBy(locks),
} satisfies TaskFace;
const staysBelow =
  root === ""
    ? undefined
    : confine(face.fs, root, () => {
        forgetCwd();
        return process.cwd();
      });

/** Older Nodes try for ever to make the parents of what is to be in a directory that has been removed. */
function comesToAnEnd(call: string, [path]: readonly (string | Buffer)[]): boolean {
  if (isNode26 || call !== "mkdirs" || path[0] === "/" || path[0] === SLASH) return true;
  try {
    return fs.statSync(".").nlink > 0;
  } catch {
    return true;
  }
}

const mayCall: MayCall = (call, paths) => comesToAnEnd(call, paths) && (staysBelow?.(call, paths) ?? true);
const performer = new TaskPerformer(face, { root, detail: setup.detail, mayCall });

async function answer(request: Request): Promise<Answer> {
  if ("run" in request) {
    const outcomes: Outcome[] = [];
    for (const call of request.run) {
      if (call.call === EVENTS && performer.hasWatched) await turnEventLoop();
      outcomes.push(performer.perform(call));
    }
    return outcomes;
  }
  if (performer.hasWatched) await turnEventLoop(); // nobody has asked for them: none may come in the next program
  performer.reset();
  if (request.reset.empties) {
    const folder = root || "/";
    fs.chmodSync(folder, FOLDER_MODE);
    emptyDirectory(Buffer.from(folder));
    for (const name of setup.roots) renewTaskRoot(name);
    renewAttributes(folder);
  }
  return null;
}

say(READY);
for (let line = readLine(); line !== undefined; line = readLine()) {
  say(JSON.stringify(await answer(JSON.parse(line) as Request)));
}
