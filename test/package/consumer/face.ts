/**
 * What the compiler must know of a face, as a user has it: right with Node's types and without, in every version of
 * TypeScript. That it compiles is the test; each line that must not is marked.
 */
import {
  type BigIntStats,
  type BigIntStatsFs,
  type Bytes,
  createFs,
  createFsSync,
  type Dir,
  type Dirent,
  type FolioFs,
  type NodeFileHandle,
  type NodeFsPromises,
  type PathLike,
  type Stats,
  type StatsFs,
} from "foliofs";
import "foliofs/shared";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the type of `_value` is exactly `Expected`. */
declare function isExactly<Expected>(): <Actual>(
  value: Actual,
  ...same: Equal<Actual, Expected> extends true ? [] : [never]
) => void;

const fs: FolioFs = createFsSync();
const path: PathLike = "/x";

export function checkErrors(): void {
  // @ts-expect-error text is no number
  const _n: number = fs.readFileSync("/x", "utf8");
  // @ts-expect-error no such function
  fs.nonsense();
  // @ts-expect-error no such function
  fs.promises.nonsense();
  // @ts-expect-error a path is no boolean
  fs.mkdirSync(true);
  // @ts-expect-error a number is no path
  fs.readdirSync(3);
  // @ts-expect-error no such option
  fs.statSync("/x", { bigInt: true });
  // @ts-expect-error no such encoding
  fs.readFileSync("/x", "utf9");
  // @ts-expect-error an error first
  fs.readFile("/x", (text: string) => text);
  // @ts-expect-error no such option
  createFsSync({ memorylimit: 1 });
  // @ts-expect-error constants stay as they are
  fs.constants.O_CREAT = 1;
  // @ts-expect-error seconds are not enough
  fs.utimensSync("p", 5, "now");
}

export function checkSync(): void {
  isExactly<string>()(fs.readFileSync(path, "utf8"));
  isExactly<string>()(fs.readFileSync(path, { encoding: "latin1", flag: "r" }));
  isExactly<Bytes>()(fs.readFileSync(path));
  isExactly<Bytes>()(fs.readFileSync(3));
  isExactly<Bytes>()(fs.readFileSync(path, { flag: "r" }));
  isExactly<Bytes>()(fs.readFileSync(path, null));
  isExactly<Stats>()(fs.statSync(path));
  isExactly<Stats>()(fs.lstatSync(path));
  isExactly<Stats>()(fs.fstatSync(3));
  isExactly<BigIntStats>()(fs.statSync(path, { bigint: true }));
  isExactly<BigIntStats>()(fs.lstatSync(path, { bigint: true }));
  isExactly<BigIntStats>()(fs.fstatSync(3, { bigint: true }));
  isExactly<Stats | undefined>()(fs.statSync(path, { throwIfNoEntry: false }));
  isExactly<BigIntStats | undefined>()(fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  isExactly<number>()(fs.statSync(path).size);
  isExactly<bigint>()(fs.statSync(path, { bigint: true }).mtimeNs);
  isExactly<Date>()(fs.statSync(path).mtime);
  isExactly<boolean>()(fs.statSync(path).isDirectory());
  isExactly<StatsFs>()(fs.statfsSync(path));
  isExactly<BigIntStatsFs>()(fs.statfsSync(path, { bigint: true }));
  isExactly<string[]>()(fs.readdirSync(path));
  isExactly<string[]>()(fs.readdirSync(path, { encoding: "utf8", recursive: true }));
  isExactly<Dirent[]>()(fs.readdirSync(path, { withFileTypes: true }));
  isExactly<Bytes[]>()(fs.readdirSync(path, "buffer"));
  isExactly<Bytes[]>()(fs.readdirSync(path, { encoding: "buffer" }));
  isExactly<string | undefined>()(fs.mkdirSync(path, { recursive: true }));
  isExactly<void>()(fs.mkdirSync(path));
  isExactly<void>()(fs.mkdirSync(path, 0o755));
  isExactly<string>()(fs.mkdtempSync("/t-"));
  // Older types of Node do not have it.
  isExactly<string>()(fs.mkdtempDisposableSync("/t-").path);
  isExactly<string>()(fs.realpathSync(path));
  isExactly<string>()(fs.realpathSync.native(path));
  isExactly<Bytes>()(fs.realpathSync(path, "buffer"));
  isExactly<Bytes>()(fs.readlinkSync(path, { encoding: "buffer" }));
  isExactly<number>()(fs.openSync(path, "r"));
  isExactly<number>()(fs.readSync(3, new Uint8Array(1), 0, 1, 0n));
  isExactly<number>()(fs.readSync(3, new DataView(new ArrayBuffer(1)), { position: 5 }));
  isExactly<number>()(fs.writeSync(3, "text", null, "utf8"));
  isExactly<number>()(fs.writevSync(3, [new Uint8Array(1)]));
  isExactly<boolean>()(fs.existsSync(path));
  isExactly<void>()(fs.rmSync(path, { recursive: true, force: true }));
  isExactly<void>()(fs.closeSync(3));
  isExactly<Dir>()(fs.opendirSync("/"));
  isExactly<Dirent | null>()(fs.opendirSync("/").readSync());
  isExactly<number>()(fs.constants.O_CREAT);
  const value: unknown = fs.statSync(path);
  if (value instanceof fs.Stats) isExactly<Stats>()(value);
  const { isFile } = fs.readdirSync(path, { withFileTypes: true })[0];
  isExactly<boolean>()(isFile());
}

export function checkCallbacks(): void {
  fs.readFile(path, (error, bytes) => {
    isExactly<Bytes>()(bytes);
    isExactly<string | undefined>()(error?.code);
    isExactly<number | undefined>()(error?.errno);
  });
  fs.readFile(path, "utf8", (_error, text) => isExactly<string>()(text));
  fs.stat(path, (_error, stats) => isExactly<Stats>()(stats));
  fs.stat(path, { bigint: true }, (_error, stats) => isExactly<BigIntStats>()(stats));
  fs.lstat(path, { bigint: true }, (_error, stats) => isExactly<BigIntStats>()(stats));
  fs.readdir(path, (_error, names) => isExactly<string[]>()(names));
  fs.readdir(path, "buffer", (_error, names) => isExactly<Bytes[]>()(names));
  fs.readdir(path, { withFileTypes: true }, (_error, entries) => isExactly<Dirent[]>()(entries));
  fs.mkdir(path, { recursive: true }, (_error, made) => isExactly<string | undefined>()(made));
  fs.mkdir(path, (error) => isExactly<string | undefined>()(error?.syscall));
  fs.open(path, "r", (_error, fd) => isExactly<number>()(fd));
  fs.opendir("/", (_error, dir) => isExactly<Dir>()(dir));
  fs.exists(path, (exists) => isExactly<boolean>()(exists));
  fs.realpath.native(path, (_error, found) => isExactly<string>()(found));
  const buffer = new Uint16Array(1);
  fs.read(3, buffer, 0, 1, null, (_error, bytesRead, same) => {
    isExactly<number>()(bytesRead);
    isExactly<typeof buffer>()(same);
  });
  fs.write(3, "text", (_error, _written, text) => isExactly<string>()(text));
  fs.rename(path, "/y", () => {});
  fs.symlink(path, "/y", "file", () => {});
  fs.truncate(path, 3, () => {});
  fs.access(path, fs.constants.R_OK, () => {});
  fs.close(3);
}

export async function checkPromises(): Promise<void> {
  const { promises } = fs;
  isExactly<NodeFsPromises>()(promises);
  isExactly<string>()(await promises.readFile(path, "utf8"));
  isExactly<Bytes>()(await promises.readFile(path));
  isExactly<Stats>()(await promises.stat(path));
  isExactly<BigIntStats>()(await promises.stat(path, { bigint: true }));
  isExactly<BigIntStats>()(await promises.lstat(path, { bigint: true }));
  isExactly<StatsFs>()(await promises.statfs(path));
  isExactly<string[]>()(await promises.readdir(path));
  isExactly<Dirent[]>()(await promises.readdir(path, { withFileTypes: true }));
  isExactly<Bytes[]>()(await promises.readdir(path, { encoding: "buffer" }));
  isExactly<string | undefined>()(await promises.mkdir(path, { recursive: true }));
  isExactly<void>()(await promises.mkdir(path));
  isExactly<string>()(await promises.mkdtemp("/t-"));
  isExactly<Promise<void>>()((await promises.mkdtempDisposable("/t-")).remove());
  isExactly<string>()(await promises.readlink(path));
  isExactly<void>()(await promises.rm(path, { force: true }));
  await promises.writeFile(path, ["a", new Uint8Array(1)]);
}

export async function checkHandles(handle: NodeFileHandle): Promise<void> {
  isExactly<NodeFileHandle>()(await fs.promises.open(path, "r+", 0o600));
  isExactly<number>()(handle.fd);
  isExactly<Stats>()(await handle.stat());
  isExactly<BigIntStats>()(await handle.stat({ bigint: true }));
  isExactly<string>()(await handle.readFile("utf8"));
  isExactly<Bytes>()(await handle.readFile());
  isExactly<string>()(await fs.promises.readFile(handle, "utf8"));
  const view = new Uint8Array(1);
  const { bytesRead, buffer } = await handle.read(view, 0, 1, 0);
  isExactly<number>()(bytesRead);
  isExactly<typeof view>()(buffer);
  isExactly<Bytes>()((await handle.read()).buffer);
  isExactly<number>()((await handle.write("text", 0, "utf8")).bytesWritten);
  await handle.close();
  for await (const entry of fs.opendirSync("/")) isExactly<Dirent>()(entry);
  for await (const entry of await fs.promises.opendir("/")) isExactly<string>()(entry.name);
}

export function checkBeyondNode(): void {
  fs.mknodSync(path, 0o010644);
  fs.utimensSync(path, 5n, "omit", { followSymlinks: false });
  fs.fallocateSync(3, 0, 0, 10);
  isExactly<number>()(fs.lseekSync(3, 0, 4));
  fs.renameat2Sync("/a", "/b", 1);
  fs.fromJSON({ "/a": "text", "/b": null, "/c": new Uint8Array(1) });
  isExactly<number>()(fs.R_OK);
  isExactly<Uint8Array>()(fs.kernel.snapshot());
  isExactly<FolioFs>()(fs.kernel.task({ uid: 1 }));
  isExactly<Promise<FolioFs>>()(createFs({ umask: 0o077 }));
}
