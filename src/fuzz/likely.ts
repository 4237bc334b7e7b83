/**
 * What earlier calls of a program have left, so that later ones find something to work on: names, and open descriptors.
 *
 * Whether a call has succeeded the model says, on which all are made that change something. It is a guess where the program runs on
 * what is no tmpfs, or where some of its calls are not made.
 */
import { O_CREAT } from "../base/stat-flags.ts";
import type { Arg, Call, TaskSpec } from "./call.ts";
import { codeOf, WHOLE_DETAIL } from "./describe.ts";
import { makeModel } from "./model/index.ts";
import { TaskPerformer } from "./perform.ts";

/** Of the names, the youngest. */
const MOST_NAMES = 10;
/** Longer ones are drawn to fail. */
const LONGEST_NAME = 24;

/** What is open, by the name that it was opened by. */
export interface Descriptor {
  readonly task: number;
  readonly slot: number;
  readonly name: Arg;
}

export class Likely {
  readonly #performers: readonly TaskPerformer[];
  readonly #names = new Set<string>();
  /** Names by slots, of each task. */
  readonly #slots: readonly Map<number, Arg>[];

  constructor(tasks: readonly TaskSpec[]) {
    const options = { root: "", detail: WHOLE_DETAIL, describe: () => "" };
    const { faces } = makeModel({ tasks, ...options });
    this.#performers = faces.map((face) => new TaskPerformer(face, options));
    this.#slots = tasks.map(() => new Map<number, Arg>());
  }

  /** Names that are there, as they were given by whoever made them. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Slots of a task with an open file. */
  slots(task: number): readonly number[] {
    return [...this.#slots[task].keys()];
  }

  /** What all tasks have open. */
  get descriptors(): readonly Descriptor[] {
    return this.#slots.flatMap((slots, task) => Array.from(slots, ([slot, name]) => ({ task, slot, name })));
  }

  /** Makes a call. @returns the code that it fails with; undefined = it is done */
  make(call: Call): string | undefined {
    const code = codeOf(this.#performers[call.task].perform(call) ?? "");
    if (code === undefined) this.#noteDone(call);
    return code;
  }

  #noteDone({ task, call, args: [first, second, third] }: Call): void {
    switch (call) {
      case "open":
        this.#slots[task].set(second as number, first);
        if ((Number(third) & O_CREAT) !== 0) this.#add(first);
        break;
      case "close":
        this.#slots[task].delete(first as number);
        break;
      case "mkdir":
      case "mkdirs":
      case "writeFile":
      case "appendFile":
      case "symlink":
        this.#add(first);
        break;
      case "link":
      case "copyFile":
        this.#add(second);
        break;
      case "rename":
        this.#names.delete(first as string);
        this.#add(second);
        break;
      case "unlink":
      case "rmdir":
        this.#names.delete(first as string);
    }
  }

  #add(name: Arg): void {
    if (typeof name !== "string" || name.length > LONGEST_NAME) return;
    this.#names.delete(name);
    this.#names.add(name);
    for (const oldest of this.#names) if (this.#names.size > MOST_NAMES) this.#names.delete(oldest);
  }
}
