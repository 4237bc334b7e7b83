/** File systems in this process as runners: a fresh one for each program, and a face for each task. */
import type { Call, Outcome, TaskSpec } from "./call.ts";
import type { Detail } from "./describe.ts";
import type { Runner } from "./oracle.ts";
import { type TaskFace, TaskPerformer } from "./perform.ts";
import { withoutStacks } from "./stacks.ts";
import { EVENTS, turnEventLoop } from "./watched.ts";

/** A file system for one program. */
export interface Machine {
  /** One for each task. */
  readonly faces: readonly TaskFace[];
  /** Checks it, where it can, and gives it back. @throws Error when it is broken */
  end(): void;
}

export interface SubjectOptions {
  readonly tasks: readonly TaskSpec[];
  readonly detail: Detail;
  /** Where `/` of the programs is: as the oracle has it. */
  readonly root: string;
  /** Bytes that the file system may take. */
  readonly limit?: number;
  readonly isShared?: boolean;
  /** The host's fs.protected_hardlinks, which the model can have, too. */
  readonly protectsHardlinks?: boolean;
}

/** Makes the file system anew. */
export type MakeMachine = (options: SubjectOptions) => Machine;

export class Subject implements Runner {
  readonly name: string;
  readonly #make: MakeMachine;
  readonly #options: SubjectOptions;

  constructor(name: string, make: MakeMachine, options: SubjectOptions) {
    this.name = name;
    this.#make = make;
    this.#options = options;
  }

  /** A fault at the end is told as a last outcome beyond those of the calls. */
  async run(calls: readonly Call[], isSkipped: (index: number) => boolean = () => false): Promise<Outcome[]> {
    const { root, detail } = this.#options;
    const machine = this.#make(this.#options);
    const performers = machine.faces.map((face) => new TaskPerformer(face, { root, detail }));
    const outcomes: Outcome[] = [];
    for (const [i, call] of calls.entries()) {
      if (call.call === EVENTS && performers[call.task].hasWatched) await turnEventLoop();
      outcomes.push(isSkipped(i) ? null : withoutStacks(() => performers[call.task].perform(call)));
    }
    try {
      machine.end();
    } catch (error) {
      outcomes.push(`at the end: ${(error as Error).message}`);
    }
    return outcomes;
  }

  async close(): Promise<void> {}
}
