/**
 * What a test suite runs against: one file system behind the face of node:fs, with an empty directory to work in.
 *
 * Two makers exist: `subject-foliofs.ts` and `subject-node-fs.ts` (the oracle, on a Linux tmpfs). Suites take a
 * `() => Subject` and know nothing else of either.
 */
import type { Credentials, Kernel, NodeFs, SubjectFs } from "../../src/testing/conformance/subject.ts";

export type {
  BeyondNode,
  Credentials,
  Kernel,
  NodeFs,
  SubjectFs,
  TaskOptions,
} from "../../src/testing/conformance/subject.ts";
export { outcomeOf } from "../../src/testing/conformance/subject.ts";

/** Layers of an overlay that a suite works on. */
export interface Layers {
  /** Makes `root` empty, over lower layers that have nothing else. */
  renew(): void;
  /** Lays all that is there below. @returns false when there is nothing, or something is open: then all is as it was */
  sink(): boolean;
}

export interface Subject {
  readonly name: string;
  /** Bound to root's credentials, umask 0o022 and `root` as the working directory (after `enter`). */
  readonly fs: SubjectFs;
  /** Absolute path of a directory, empty at first, owned by 0:0, mode 0o755. */
  readonly root: string;
  /** Largest size of a file, in bytes. */
  readonly maxFileBytes: bigint;
  /** foliofs only. */
  readonly kernel?: Kernel;
  /** Overlays only. */
  readonly layers?: Layers;
  /** Makes relative paths start at `root`: call it before each case. */
  enter(): void;
  /** Runs `call`, which must be synchronous, with other credentials. */
  as<T>(credentials: Credentials, call: (fs: NodeFs) => T): T;
  /** As `as`, until what `call` promises has come: nothing else may run meanwhile. @param cwd `root` if left out */
  asWhile<T>(credentials: Credentials, call: (fs: NodeFs) => Promise<T>, cwd?: string): Promise<T>;
  /** Runs `call` with another working directory until what it promises has come; `call` may remove the directory. */
  within<T>(directory: string, call: (fs: NodeFs) => Promise<T>): Promise<T>;
  /** access(2) with other credentials (it asks for the real user id, which `as` may not change). @returns a code or "ok" */
  accessAs(credentials: Credentials, requests: readonly AccessRequest[]): string[];
  /** utimensat(2) to the time of day, which node:fs cannot say. @returns a code or "ok" for each path */
  touchAs(credentials: Credentials, paths: readonly string[]): string[];
  dispose(): void;
}

export interface AccessRequest {
  readonly path: string;
  /** F_OK, or a union of R_OK, W_OK, X_OK. */
  readonly mode: number;
}

/** Makes the root of a subject empty. */
export function emptyRoot({ fs, layers, root }: Subject): void {
  if (layers) layers.renew();
  else emptyDirectory(fs, Buffer.from(root));
}

/** Removes all that is in `directory`, whatever its names are made of, and leaves the directory. */
export function emptyDirectory(fs: NodeFs, directory: Buffer): void {
  for (const name of fs.readdirSync(directory, { encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), name]);
    if (fs.lstatSync(path).isDirectory()) {
      emptyDirectory(fs, path);
      fs.rmdirSync(path);
    } else {
      fs.unlinkSync(path);
    }
  }
}
