/**
 * foliofs itself: the built package where there is one, else the sources.
 *
 * Subjects are directories of one file system, as those of tmpfs are, unless a row wants memory of its own: a program has
 * one kernel as a rule, and V8 then calls straight into its Wasm instance. With a second kernel in the process each of
 * these calls costs some 50 to 100 ns more on Node 20.
 *
 * `FOLIOFS_ENTRY=<file>` measures another build, such as the one of the commit before.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BenchFs, Contender, Subject } from "./contender.ts";

interface Kernel {
  registerFileSystem(type: unknown): void;
  mount(options: object): void;
  umount(target: string): void;
  snapshot(): Uint8Array;
  fork(): { fs: FolioFs };
  vmstat(): Record<string, number>;
  sync(): void;
  destroy(): void;
}
type FolioFs = BenchFs & { readonly kernel: Kernel };
interface Entry {
  createFsSync(): FolioFs;
  restoreFsSync(bytes: Uint8Array): FolioFs;
}

const project = fileURLToPath(new URL("../../", import.meta.url));

/** @throws whatever the entry throws while it loads */
export async function loadFoliofs(): Promise<Contender> {
  const file = entryFile();
  const entry = (await import(pathToFileURL(file).href)) as Entry;
  const hostfs = await loadHostfs(file);
  let shared: FolioFs | undefined;
  let nrSubjects = 0;
  const create = (isOwn: boolean): Subject => {
    if (isOwn) return subjectOf(entry, entry.createFsSync());
    shared ??= withHostfs(entry.createFsSync(), hostfs);
    return directoryOf(shared, `/s${nrSubjects++}`);
  };
  return { name: "foliofs", origin: describe(file), create };
}

/** hostfs of the same build. @returns undefined for one that has none */
async function loadHostfs(entry: string): Promise<unknown> {
  const file = `${dirname(entry)}/host${extname(entry)}`;
  return existsSync(file) ? (await import(pathToFileURL(file).href)).hostfs : undefined;
}

function withHostfs(fs: FolioFs, hostfs: unknown): FolioFs {
  if (hostfs !== undefined) fs.kernel.registerFileSystem(hostfs);
  return fs;
}

function directoryOf(fs: FolioFs, root: string): Subject {
  fs.mkdirSync(root);
  const mounts: string[] = [];
  return {
    fs,
    root,
    mountHost: (source, data) => {
      const target = `${root}/host${mounts.length}`;
      fs.mkdirSync(target);
      fs.kernel.mount({ type: "hostfs", source, target, data });
      mounts.push(target);
      return target;
    },
    syncHost: () => fs.kernel.sync(),
    dispose: () => {
      for (const target of mounts) fs.kernel.umount(target);
      fs.rmSync(root, { recursive: true });
    },
  };
}

function entryFile(): string {
  const asked = process.env.FOLIOFS_ENTRY;
  if (asked !== undefined) return resolve(asked);
  try {
    const built = fileURLToPath(import.meta.resolve("foliofs")); // by the package's own exports
    if (existsSync(built)) return built;
  } catch {
    // The package has no exports yet.
  }
  return `${project}src/index.ts`;
}

/** The file, and a warning if it was built before the last change of a source. */
function describe(file: string): string {
  const shown = file.startsWith(project) ? file.slice(project.length) : file;
  if (!shown.startsWith("dist")) return shown;
  const isStale = newestSourceMs() > statSync(file).mtimeMs;
  return isStale ? `${shown} (OLDER THAN THE SOURCES: build first)` : shown;
}

function newestSourceMs(): number {
  const files = ["src", "assembly"].flatMap((folder) =>
    readdirSync(project + folder, { recursive: true }).map((name) => `${project}${folder}/${name}`),
  );
  return Math.max(0, ...files.filter((file) => file.endsWith(".ts")).map((file) => statSync(file).mtimeMs));
}

function subjectOf(entry: Entry, fs: FolioFs): Subject {
  const { kernel } = fs;
  return {
    fs,
    root: "",
    machine: {
      snapshot: () => kernel.snapshot(),
      restore: (bytes) => subjectOf(entry, entry.restoreFsSync(bytes)),
      fork: () => subjectOf(entry, kernel.fork().fs),
      vmstat: () => kernel.vmstat(),
    },
    dispose: () => kernel.destroy(),
  };
}
