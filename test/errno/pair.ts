/**
 * What the table of errnos says of one pair of call and errno: how it is produced, or why it cannot be.
 */
import type { LinuxScript } from "../helpers/linux-script.ts";
import type { SceneStep } from "./calls.ts";

/** Produced by a program, on foliofs and on the host's kernel: the last call of one of the scenes answers it. */
export interface KernelPair {
  readonly by: "kernel";
  readonly when: string;
  readonly scenes: readonly (readonly SceneStep[])[];
}

/** As KernelPair, by several tasks of which some wait: the outcome that is last. */
export interface TasksPair {
  readonly by: "tasks";
  readonly when: string;
  readonly script: LinuxScript;
}

/** What fails under a call. */
export type Injection =
  /** Each allocation of the core in turn. */
  | "allocation"
  /** An operation of the store at /m (fault-store.ts), with an errno; "readPage -5". */
  | { readonly operations: readonly string[]; readonly errno: number }
  /** The attributes of files of a store at /m (mock-store.ts), with an errno. */
  | { readonly attributes: number };

/** Produced by what fails under foliofs: memory, or a store. */
export interface FaultPair {
  readonly by: "fault";
  readonly when: string;
  readonly injection: Injection;
  readonly setUp: readonly SceneStep[];
  readonly call: SceneStep;
}

/** Cannot come of a call here. */
export interface NoPair {
  readonly by: "none";
  readonly why: string;
}

export type Pair = KernelPair | TasksPair | FaultPair | NoPair;
/** Of one call, by errno. */
export type Pairs = Readonly<Record<string, Pair>>;

/** @param scenes calls each; the last one answers the errno */
export function kernel(when: string, ...scenes: readonly (readonly SceneStep[])[]): KernelPair {
  return { by: "kernel", when, scenes };
}

export function tasks(when: string, script: LinuxScript): TasksPair {
  return { by: "tasks", when, script };
}

export function none(why: string): NoPair {
  return { by: "none", why };
}

/** Memory is short at some allocation of the call. */
export function noMemory(when: string, setUp: readonly SceneStep[], call: SceneStep): FaultPair {
  return { by: "fault", when, injection: "allocation", setUp, call };
}

/** The store under the call cannot change attributes of its file f. @param make the call, by descriptor */
export function attributesFail(when: string, errno: number, make: (name: string) => SceneStep): FaultPair {
  const setUp: readonly SceneStep[] = [
    ["mkdir", "/m"],
    ["mount", "none", "/m", "mockfs", 0, ""],
    ["open", "stored", "/m/f", 0],
  ];
  return { by: "fault", when, injection: { attributes: errno }, setUp, call: make("stored") };
}

/** The store under the call fails. */
export function storeFails(
  when: string,
  operations: readonly string[],
  errno: number,
  setUp: readonly SceneStep[],
  call: SceneStep,
): FaultPair {
  return { by: "fault", when, injection: { operations, errno }, setUp, call };
}
