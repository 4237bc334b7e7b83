/**
 * What fsx exercises: two files on some file system, and what can be done to all of it.
 *
 * Does not own: what the files should be (file-model.ts), what is done to them (exerciser.ts).
 */
import type { FolioFs } from "../../index.ts";
import type { NodeModule } from "../../node/face/node-types.ts";

export interface MachineOptions {
  /** Most bytes of a file. */
  readonly length: number;
  /** Memory of the kernel, bytes. */
  readonly limit?: number | undefined;
  /** Left out: as the build has it. */
  readonly isShared?: boolean | undefined;
  /** Where the host's files are; "kernel" alone. */
  readonly folder?: string | undefined;
}

/** What can be asked of it. */
export interface Abilities {
  /** Files can be written to. */
  readonly write: boolean;
  /** O_DIRECT changes something: positions and lengths are multiples of 512. */
  readonly direct: boolean;
  /** What each mode of fallocate() answers: undefined = it is done. */
  readonly fallocate: "all" | "holes" | "none";
  readonly seek: boolean;
  readonly clone: boolean;
  /** A file has two names. */
  readonly secondName: boolean;
}

export interface Machine {
  readonly abilities: Abilities;
  /** Calls of node:fs. Another one after restore() and fork(). */
  readonly fs: NodeModule;
  /** The same where it is foliofs, with calls beyond. */
  readonly folio: FolioFs | undefined;
  /** What a file has at first. */
  initial(file: number): Uint8Array;
  /** Names of a file, one or two. */
  names(file: number): readonly string[];
  /** Why a mapping is refused. @param isStored shared, and to be written to */
  mapRefusal?(isStored: boolean): string | undefined;
  /** May a call be refused so for want of room? */
  mayRefuse?(code: string): boolean;
  /** copyFileRange() may copy less than it is asked for. */
  readonly copiesShort?: boolean;
  /** A file is copied up when it is opened to be written to; what has been mapped of it before stays what it was. */
  readonly copiesUp?: boolean;
  /** Bytes of a file as its store has them after a sync, where somebody can look. */
  stored?(file: number): Uint8Array;

  /** Mounts it with other options, while descriptors are open. */
  remount?(choice: number): void;
  /** remount() is done with nothing mapped. */
  readonly remountsUnmapped?: boolean;

  // What is done with nothing open.
  /** Unmounts and mounts it. */
  umount?(choice: number): void;
  /** Goes on with what bytes of snapshot() restore, in another kernel. */
  restore?(bytes: Uint8Array): void;
  /** Goes back to them in this one; what is open stays so. */
  rollback?(bytes: Uint8Array): void;
  fork?(): void;
  /** Somebody else changes the file of a tree that is read only: all of it. */
  change?(file: number, content: Uint8Array): void;
  /** The end. */
  end(): void;
}

export type MakeMachine = (options: MachineOptions) => Machine;
