/**
 * A face as cases see it: what it does not have, or is said not to have, skips the case that asks for it.
 *
 * Does not own: which cases there are.
 */
import nodeFs from "node:fs";
import { SkippedCase } from "./skipped-case.ts";
import type { BeyondNode, SubjectFs } from "./subject.ts";

/** What a file system may lack, and the methods that show it. */
export const ABILITIES = {
  /** Symbolic links. */
  symlinks: ["symlinkSync"],
  /** Several names of one file. */
  links: ["linkSync"],
  /** Permission bits that can be changed. */
  modes: ["chmodSync", "fchmodSync"],
  /** Owners that can be changed. */
  owners: ["chownSync", "fchownSync", "lchownSync"],
  /** Times that can be set. Cases about times that calls change set them before. */
  times: ["utimesSync", "futimesSync", "lutimesSync"],
  /** Fifos, sockets and devices. */
  specialFiles: ["mknodSync"],
  /** lseek. */
  seek: ["lseekSync"],
  /** fallocate. */
  allocation: ["fallocateSync"],
  /** renameat2. */
  renameFlags: ["renameat2Sync"],
  /** copy_file_range. */
  copyRange: ["copyFileRangeSync"],
  /** flock. */
  locks: ["flockSync"],
  /** Directories that are read entry by entry. */
  opendir: ["opendirSync"],
  /** Numbers about the whole file system. */
  statfs: ["statfsSync"],
  /** Other users: permissions that are enforced. Without `as` of the subject nobody has them. */
  users: [],
} as const satisfies Record<string, readonly (keyof SubjectFs)[]>;

/** Something that a file system may lack. */
export type Ability = keyof typeof ABILITIES;

const BEYOND_NODE = [
  "mknodSync",
  "lseekSync",
  "fallocateSync",
  "renameat2Sync",
  "copyFileRangeSync",
  "flockSync",
] as const satisfies (keyof BeyondNode)[];

/** Whether cases may ask for it. */
function isKnown(name: string): boolean {
  return name in nodeFs || (BEYOND_NODE as readonly string[]).includes(name);
}

/** Functions that are found on the object itself need no `this`; those of a class get it. */
function functionOf(fs: object, name: string | symbol, value: unknown): unknown {
  return typeof value === "function" && !Object.hasOwn(fs, name) ? value.bind(fs) : value;
}

/** @param lacking what it does not have, and why not */
export function guardedFs(fs: object, lacking: Partial<Record<Ability, string>>): SubjectFs {
  const refused = new Map<string | symbol, string>();
  for (const [ability, reason] of Object.entries(lacking))
    for (const name of ABILITIES[ability as Ability]) refused.set(name, reason as string);
  return new Proxy(fs, {
    get(target, name) {
      const reason = refused.get(name);
      const value = Reflect.get(target, name) as unknown;
      const isMissing = value === undefined && typeof name === "string" && isKnown(name);
      if (reason === undefined && !isMissing) return functionOf(target, name, value);
      return () => {
        throw new SkippedCase(reason ?? `it has no ${String(name)}()`);
      };
    },
  }) as SubjectFs;
}
