/**
 * What a suite works on: one file system behind the face of node:fs, with an empty directory.
 *
 * Does not own: how one is made (conformance.ts for users, test/helpers for foliofs itself).
 */
import type { NodeModule } from "../../node/face/node-types.ts";
import { SkippedCase } from "./skipped-case.ts";

export type NodeFs = NodeModule;

/** Whom a call runs as. `umask` defaults to 0o022, `groups` (the supplementary ones) to none. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups?: readonly number[];
  readonly umask?: number;
}

/** System calls that node:fs lacks; foliofs has them as methods. */
export interface BeyondNode {
  mknodSync(path: string, mode: number, dev?: number): void;
  lseekSync(fd: number, offset: number, whence: number): number;
  fallocateSync(fd: number, mode: number, offset: number, length: number): void;
  renameat2Sync(from: string, to: string, flags: number): void;
  /** Copies at the files' own positions, and moves them. */
  copyFileRangeSync(fdIn: number, positionIn: null, fdOut: number, positionOut: null, length: number): number;
  flockSync(fd: number, operation: number): void;
}

export type SubjectFs = NodeFs & BeyondNode;

export interface TaskOptions extends Partial<Credentials> {
  readonly cwd?: string;
  readonly root?: string;
  /** A face whose descriptors are to be shared (CLONE_FILES). */
  readonly files?: SubjectFs;
  /** Bytes; RLIMIT_FSIZE. */
  readonly fileSizeLimit?: number;
}

/** The machine behind a foliofs face, as far as tests use it. */
export interface Kernel {
  task(options: TaskOptions): SubjectFs & { readonly kernel: Kernel };
  /** Ends the task behind a face. */
  exit(face: SubjectFs): void;
  vmstat(): Record<string, number>;
  destroy(): void;
  verify?(): unknown;
}

/** What suites ask of a subject. */
export interface Subject {
  /** Bound to root's credentials, umask 0o022. */
  readonly fs: SubjectFs;
  /** Absolute path of a directory, empty at first, owned by 0:0, mode 0o755. */
  readonly root: string;
  /** Largest size of a file, in bytes. */
  readonly maxFileBytes: bigint;
  /** foliofs only. */
  readonly kernel?: Kernel;
  /** Runs `call`, which must be synchronous, with other credentials. */
  as<T>(credentials: Credentials, call: (fs: NodeFs) => T): T;
}

/** The code of what `call` throws, or "ok". */
export function outcomeOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    if (error instanceof SkippedCase) throw error;
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
