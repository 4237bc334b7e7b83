/**
 * Is there an order of calls, each at some moment between its start and its end, in which a sequential machine would have answered what
 * they have answered?
 *
 * Configurations are kept: a state of the machine, and how far each call that is under way has come. A call starts: it is under way in
 * all of them. It ends: all that can be reached by steps of calls under way is found, and those configurations stay in which the call
 * has come to that answer. When none is left, there is no such order. Equal configurations are one, so that work does not grow with
 * the length of a history, only with what is under way at a time.
 *
 * A call may take several steps, between which others may come: what an operating system promises to be one is one step.
 *
 * @see Wing, Gong: Testing and Verifying Concurrent Objects, 1993; Lowe: Testing for Linearizability, 2017 (just-in-time)
 */

/** How far a call has come; with an answer it takes no more steps. */
export interface Stage {
  readonly answer?: string;
}

/** States and stages are plain data that is the same text when it is the same. */
export interface Spec<State extends object, Call, S extends Stage> {
  readonly initial: State;
  begin(call: Call): S;
  /** @param id of the call, another one for each @returns what one step may lead to; nothing while it has to wait for others */
  steps(state: State, id: number, call: Call, stage: S): Iterable<readonly [State, S]>;
  /** The state when a call that is under way takes no more steps: what it has locked is free. */
  stop(state: State, id: number): State;
}

interface Configuration<State, S> {
  readonly state: State;
  /** By id. */
  readonly stages: Readonly<Record<number, S>>;
}

/** More configurations than these at a time are not followed: the history is not judged from there on. */
const MOST_CONFIGURATIONS = 5_000;

export class Linearizer<State extends object, Call, S extends Stage> {
  readonly #spec: Spec<State, Call, S>;
  readonly #calls = new Map<number, Call>();
  /** Calls that nobody waits for any more: they may go on, or stop wherever they are. */
  readonly #abandoned = new Set<number>();
  #configurations: Map<string, Configuration<State, S>>;
  /** There were too many possibilities. */
  isLost = false;

  constructor(spec: Spec<State, Call, S>) {
    this.#spec = spec;
    const first = { state: spec.initial, stages: {} };
    this.#configurations = new Map([[keyOf(first), first]]);
  }

  /** A call has started. */
  start(id: number, call: Call): void {
    this.#calls.set(id, call);
    this.#replace((one) => ({ ...one, stages: { ...one.stages, [id]: this.#spec.begin(call) } }));
  }

  /** A call has ended. @returns false if there is no order */
  end(id: number, answer: string): boolean {
    if (this.isLost) return true;
    this.#close();
    if (this.isLost) return true;
    this.#replace(({ state, stages }) =>
      stages[id]?.answer === answer ? { state, stages: without(stages, id) } : undefined,
    );
    this.#calls.delete(id);
    return this.#configurations.size > 0;
  }

  /** Whoever has made a call has given it up. */
  abandon(id: number): void {
    this.#close();
    this.#abandoned.add(id);
    this.#replace((one) => (one.stages[id].answer === undefined ? one : { ...one, stages: without(one.stages, id) }));
  }

  /** Nothing is under way any more: what was given up has come to its end, or has stopped. */
  settle(): void {
    this.#close();
    this.#replace((one) => {
      let { state, stages } = one;
      for (const id of this.#abandoned) {
        if (stages[id] === undefined) continue;
        state = this.#spec.stop(state, id);
        stages = without(stages, id);
      }
      return { state, stages };
    });
    for (const id of this.#abandoned) this.#calls.delete(id);
    this.#abandoned.clear();
  }

  /** What a call could answer now, for whoever reads of one that has answered something else. */
  possible(id: number): string[] {
    this.#close();
    const answers = [...this.#configurations.values()].map(({ stages }) => stages[id]?.answer);
    return [...new Set(answers)].filter((answer) => answer !== undefined).sort();
  }

  #replace(change: (one: Configuration<State, S>) => Configuration<State, S> | undefined): void {
    const changed = new Map<string, Configuration<State, S>>();
    for (const one of this.#configurations.values()) {
      const after = change(one);
      if (after !== undefined) changed.set(keyOf(after), after);
    }
    this.#configurations = changed;
  }

  /** Adds all that steps lead to. A Map goes on with what is added while it is gone through. */
  #close(): void {
    for (const one of this.#configurations.values()) {
      for (const next of this.#after(one)) this.#configurations.set(keyOf(next), next);
      if (this.#configurations.size <= MOST_CONFIGURATIONS) continue;
      this.isLost = true;
      this.#configurations = new Map();
      return;
    }
  }

  *#after({ state, stages }: Configuration<State, S>): Generator<Configuration<State, S>> {
    for (const [id, call] of this.#calls) {
      const stage = stages[id] as S | undefined;
      if (stage === undefined || stage.answer !== undefined) continue;
      const isAbandoned = this.#abandoned.has(id);
      if (isAbandoned) yield { state: this.#spec.stop(state, id), stages: without(stages, id) };
      for (const [next, after] of this.#spec.steps(state, id, call, stage)) {
        const isOver = isAbandoned && after.answer !== undefined;
        yield { state: next, stages: isOver ? without(stages, id) : { ...stages, [id]: after } };
      }
    }
  }
}

function without<S>(stages: Readonly<Record<number, S>>, id: number): Record<number, S> {
  const { [id]: _, ...others } = stages;
  return others;
}

/** The text of objects that many configurations have in common is made once for each. */
const texts = new WeakMap<object, string>();

function textOf(part: object): string {
  let text = texts.get(part);
  if (text === undefined) {
    text = JSON.stringify(part);
    texts.set(part, text);
  }
  return text;
}

/** Stages by the order of ids. */
function keyOf({ state, stages }: Configuration<object, object>): string {
  let key = textOf(state);
  for (const id in stages) key += `\n${id} ${textOf(stages[id])}`;
  return key;
}
