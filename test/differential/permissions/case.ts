/** A case of the permission matrix: who does what to a tree, and who owns what afterwards. */
import { constants } from "node:fs";
import type { Credentials, NodeFs, Subject } from "../../helpers/subject.ts";
import { emptyRoot, outcomeOf } from "../../helpers/subject.ts";

/** Owner and group of the objects in most cases. */
export const OWNER = 1000;
export const GROUP = 2000;

/** One caller for each class of the mode bits, and root. */
export const CALLERS: Readonly<Record<string, Credentials>> = {
  owner: { uid: OWNER, gid: 1000 },
  group: { uid: 1001, gid: GROUP },
  supplementary: { uid: 1002, gid: 1002, groups: [5, GROUP] },
  other: { uid: 1003, gid: 1003 },
  root: { uid: 0, gid: 0 },
};

/** Bits from the right of the class that a caller falls in. */
export const CLASS_SHIFT: Readonly<Record<string, number>> = {
  owner: 6,
  group: 3,
  supplementary: 3,
  other: 0,
  root: 0,
};

export interface PermissionCase {
  readonly id: string;
  readonly caller: Credentials;
  /** Builds the tree, as root. */
  setUp(fs: NodeFs, root: string): void;
  /** The call under test. */
  call(fs: NodeFs, root: string): unknown;
}

export interface Owned {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** Makes a file and gives it away. chown comes first: it clears the set-id bits. */
export function makeFile(fs: NodeFs, path: string, { uid = OWNER, gid = GROUP, mode = 0o644 }: Owned = {}): void {
  fs.writeFileSync(path, "content");
  fs.chownSync(path, uid, gid);
  fs.chmodSync(path, mode);
}

export function makeDirectory(fs: NodeFs, path: string, { uid = OWNER, gid = GROUP, mode = 0o755 }: Owned = {}): void {
  fs.mkdirSync(path);
  fs.chownSync(path, uid, gid);
  fs.chmodSync(path, mode);
}

/** Names that are made at random, and links, are shown by kind only. */
function listTree(fs: NodeFs, directory: string): string[] {
  return fs.readdirSync(directory).flatMap((name) => {
    const path = `${directory}/${name}`;
    const stats = fs.lstatSync(path);
    const shown = name.startsWith("tmp-") ? "tmp-" : name;
    const size = stats.isFile() ? ` ${stats.size}` : "";
    const line = `${shown} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} nlink ${stats.nlink}${size}`;
    return stats.isDirectory() ? [line, ...listTree(fs, path).map((child) => `${shown}/${child}`)] : [line];
  });
}

/** @returns the outcome of the call and the tree after it, as text */
export function runPermissionCase(subject: Subject, test: PermissionCase): string {
  const { fs, root } = subject;
  emptyRoot(subject);
  fs.chownSync(root, 0, 0);
  fs.chmodSync(root, 0o755);
  test.setUp(fs, root);
  subject.layers?.sink();
  const outcome = subject.as(test.caller, (face) => outcomeOf(() => test.call(face, root)));
  return [outcome, ...listTree(fs, root)].join("\n");
}

/** Opens with numeric flags and closes again. */
export function openAndClose(fs: NodeFs, path: string, flags: number | string, mode?: number): void {
  fs.closeSync(fs.openSync(path, flags, mode));
}

export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20200000;
export const { O_NOATIME, O_RDWR, O_TRUNC, O_WRONLY } = constants;
