/**
 * The declarations that stand in for Node's types say what those say: whatever is declared could take the place of its
 * namesake. `npx tsc --noEmit` is the test; an exception that explains nothing fails it.
 */
import type * as nodeFs from "node:fs";
import type { Dir, Dirent } from "../../src/node/face/dir.ts";
import type { FileHandle } from "../../src/node/face/file-handle.ts";
import type { PromiseFace } from "../../src/node/face/promises.ts";
import type { BigIntStats, BigIntStatsFs, Stats, StatsFs } from "../../src/node/face/stats.ts";
import type { TreePromises } from "../../src/node/face/trees.ts";
import type { WatchPromises } from "../../src/node/face/watch.ts";
import type { DeclaredFace } from "../../src/node/node-fs.ts";

/** A function's overloads alone, without what util.promisify() is told by a type. */
type Calls<F> = F extends {
  (...args: infer A1): infer R1;
  (...args: infer A2): infer R2;
  (...args: infer A3): infer R3;
  (...args: infer A4): infer R4;
  (...args: infer A5): infer R5;
  (...args: infer A6): infer R6;
  (...args: infer A7): infer R7;
  (...args: infer A8): infer R8;
}
  ? {
      (...args: A1): R1;
      (...args: A2): R2;
      (...args: A3): R3;
      (...args: A4): R4;
      (...args: A5): R5;
      (...args: A6): R6;
      (...args: A7): R7;
      (...args: A8): R8;
    }
  : F;

/** Names of `Theirs` that `Ours` has not, or has otherwise. */
type Differing<Ours, Theirs> = keyof {
  [Name in keyof Theirs as Name extends keyof Ours
    ? Ours[Name] extends Calls<Theirs[Name]>
      ? never
      : Name
    : Name]: Name;
};

/** Compiles only when the names are exactly these. */
declare function isExactly<A>(): <B>(
  ..._same: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never]
) => void;

/** Node's are those of its library, which have more. */
type OverStreams = "createReadStream" | "createWriteStream";

export function checkFace(): void {
  type Expected =
    | OverStreams
    // Their watchers are event emitters in full.
    | ("watch" | "watchFile")
    | ("ReadStream" | "WriteStream" | "Utf8Stream")
    // Apart, below; classes, which Node's types let nobody make; StatsFs is none, in truth.
    | ("promises" | "Dir" | "Dirent" | "Stats" | "StatsFs")
    // Undefined on Linux.
    | ("lchmod" | "lchmodSync")
    // Node's types have O_SYMLINK, which Linux has not.
    | "constants";
  isExactly<Expected>()<Differing<DeclaredFace, typeof nodeFs>>();
}

export function checkPromises(): void {
  type Expected =
    | "constants"
    // Node's types take an encoding in place of options, which is refused.
    | "watch"
    // Their FileHandles have what comes later.
    | ("appendFile" | "open" | "readFile" | "writeFile")
    // Node's types take any text for the encoding of names, and for the type of a link.
    | ("readlink" | "symlink");
  isExactly<Expected>()<Differing<PromiseFace & TreePromises & WatchPromises, typeof nodeFs.promises>>();
}

export function checkFileHandle(): void {
  type Expected = OverStreams | "pull" | "readableWebStream" | "readLines" | "writer";
  isExactly<Expected>()<Differing<FileHandle, nodeFs.promises.FileHandle>>();
}

export function checkResults(all: [Stats, BigIntStats, StatsFs, BigIntStatsFs, Dir, Dirent]): void {
  all satisfies [nodeFs.Stats, nodeFs.BigIntStats, nodeFs.StatsFs, nodeFs.BigIntStatsFs, nodeFs.Dir, nodeFs.Dirent];
}
