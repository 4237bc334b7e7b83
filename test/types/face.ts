/**
 * What the compiler must know of a face: `npx tsc --noEmit` is the test.
 */
import type * as nodeFs from "node:fs";
import type { BigIntStats, Dirent, Stats, StatsFs } from "node:fs";
import type * as nodeFsPromises from "node:fs/promises";
import { promisify } from "node:util";
import type { FolioFs } from "../../src/index.ts";
import type { NodeFs } from "../../src/node/node-fs.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the type of `_value` is exactly `Expected`. */
function isExactly<Expected>() {
  return <Actual>(_value: Actual, ..._same: Equal<Actual, Expected> extends true ? [] : [never]): void => {};
}

declare const fs: NodeFs;
declare const folio: FolioFs;

declare function takesNodeFs(fs: typeof nodeFs, promises: typeof nodeFsPromises): void;
declare function takesSome(fs: Pick<typeof nodeFs, "readFile" | "stat">): void;

/** Where Node's types are, a face goes wherever node:fs goes, `__promisify__` and all. */
export function checkNodeFs(): void {
  takesNodeFs(fs, fs.promises);
  takesSome(fs);
  fs satisfies typeof nodeFs;
  isExactly<typeof nodeFs.readFile>()(fs.readFile);
}

/** What createFs() gives, too; and what util.promisify() makes of its functions. */
export async function checkPromisified(): Promise<void> {
  takesNodeFs(folio, folio.promises);
  isExactly<boolean>()(await promisify(folio.exists)("p"));
  const bytes = new Uint8Array(1);
  isExactly<{ bytesRead: number; buffer: Uint8Array<ArrayBuffer> }>()(await promisify(folio.read)(3, bytes, 0, 1, 0));
  isExactly<{ bytesWritten: number; buffer: string }>()(await promisify(folio.write)(3, "text"));
  isExactly<Stats>()(await promisify(folio.stat)("p"));
  isExactly<string>()(await promisify(folio.readFile)("p", "utf8"));
}

export function checkSync(): void {
  isExactly<string>()(fs.readFileSync("p", "utf8"));
  isExactly<NonSharedBuffer>()(fs.readFileSync("p"));
  isExactly<Stats>()(fs.statSync("p"));
  isExactly<BigIntStats>()(fs.statSync("p", { bigint: true }));
  isExactly<Stats | undefined>()(fs.statSync("p", { throwIfNoEntry: false }));
  isExactly<StatsFs>()(fs.statfsSync("p"));
  isExactly<string[]>()(fs.readdirSync("p"));
  isExactly<Dirent[]>()(fs.readdirSync("p", { withFileTypes: true }));
  isExactly<NonSharedBuffer[]>()(fs.readdirSync("p", "buffer"));
  isExactly<string | undefined>()(fs.mkdirSync("p", { recursive: true }));
  isExactly<void>()(fs.mkdirSync("p"));
  isExactly<string>()(fs.realpathSync.native("p"));
  isExactly<number>()(fs.readSync(3, new Uint8Array(1), 0, 1, 0n));
  // @ts-expect-error a number is no path
  fs.readdirSync(3);
}

export async function checkAsync(): Promise<void> {
  isExactly<string>()(await fs.promises.readFile("p", "utf8"));
  isExactly<BigIntStats>()(await fs.promises.stat("p", { bigint: true }));
  const handle = await fs.promises.open("p");
  isExactly<nodeFs.promises.FileHandle>()(handle);
  isExactly<Dirent[]>()(await fs.promises.readdir("p", { withFileTypes: true }));
  fs.readFile("p", "utf8", (_error, text) => isExactly<string>()(text));
  fs.stat("p", { bigint: true }, (_error, stats) => isExactly<BigIntStats>()(stats));
  for await (const entry of fs.opendirSync("p")) isExactly<Dirent>()(entry);
}

export function checkBeyondNode(): void {
  fs.mknodSync("p", 0o010644);
  fs.utimensSync("p", 5n, "omit", { followSymlinks: false });
  // @ts-expect-error seconds are not enough
  fs.utimensSync("p", 5, "now");
  fs.fallocateSync(3, 0, 0, 10);
  isExactly<number>()(fs.lseekSync(3, 0, 4));
  isExactly<number>()(fs.copyFileRangeSync(3, null, 4, 0, 10));
  fs.renameat2Sync("a", "b", 1);
  fs.syncSync();
  fs.flockSync(3, 2);
  fs.fromJSON({ "/a": "text", "/b": null, "/c": new Uint8Array(1) });
  isExactly<Record<string, string | Uint8Array | null>>()(fs.toJSON());
  fs.reset();
  isExactly<number>()(fs.R_OK);
}
