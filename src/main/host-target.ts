/** The host's own tmpfs through node:fs, as a target. */
import * as fs from "node:fs";
import type { HostTree } from "./host-tree.ts";
import type { Skip, Target } from "./target.ts";

const NAME = "tmpfs";
const FOLDER = "/dev/shm";
const PREFIX_AND_PID = /^foliofs-start-(\d+)-/;
const TMPFS_MAGIC = 0x01021994;
const PAGE_BYTES = 4096;
const BLOCK_BYTES = 512;
const NS_PER_SECOND = 1e9;

function whyNot(tree: HostTree): string | undefined {
  if (!fs.existsSync(FOLDER)) return `there is no ${FOLDER}`;
  const { type, bavail, bsize } = fs.statfsSync(FOLDER);
  if (type !== TMPFS_MAGIC) return `${FOLDER} is no tmpfs`;
  const needed = tree.bytes + tree.entries.length * PAGE_BYTES;
  if (needed > bavail * bsize) return `${FOLDER} has too little room`;
  return undefined;
}

/** Bytes of the blocks of a loaded tree. Lists no folder: that would change access times. */
function blockBytes(root: string, tree: HostTree): number {
  const names = tree.entries.filter(({ linkOf }) => linkOf === undefined);
  return names.reduce((sum, { path }) => sum + fs.lstatSync(`${root}/${path}`).blocks * BLOCK_BYTES, 0);
}

/** Removes what a run that was interrupted has left. */
function removeLeftovers(): void {
  for (const name of fs.readdirSync(FOLDER)) {
    const pid = PREFIX_AND_PID.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) fs.rmSync(`${FOLDER}/${name}`, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Makes an empty folder on the host's tmpfs; `destroy` removes it. */
export function hostTarget(tree: HostTree): Target | Skip {
  const reason = whyNot(tree);
  if (reason !== undefined) return { name: NAME, reason };
  removeLeftovers();
  const root = fs.mkdtempSync(`${FOLDER}/foliofs-start-${process.pid}-`);
  return {
    name: NAME,
    fs,
    root,
    keepsLinkModes: true,
    timeResolutionNs: 2_000n, // node:fs takes seconds as a double and passes on microseconds
    setTimes: (path, atimeNs, mtimeNs) =>
      fs.lutimesSync(path, Number(atimeNs) / NS_PER_SECOND, Number(mtimeNs) / NS_PER_SECOND),
    memoryBytes: () => blockBytes(root, tree),
    clear: () => {
      fs.rmSync(root, { recursive: true });
      fs.mkdirSync(root);
    },
    destroy: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}
