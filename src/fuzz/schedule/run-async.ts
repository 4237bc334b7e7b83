/**
 * Runs a program: chains of calls that are under way at the same time, on a machine whose waits are held, in an order of choices; and
 * says what is wrong with what has come of it.
 *
 * When all calls are over, all that is there is looked at, then again when nothing is cached any more: what it should be, the model says.
 */
import { type AsyncCall, SHARED_SLOT, showAsyncCall } from "./async-call.ts";
import { type FaultPlan, faultPlan } from "./fault-plan.ts";
import { Linearizer } from "./linearize.ts";
import type { AsyncMachine, MakeAsyncMachine } from "./machine.ts";
import { FILE_SYSTEM, FIRST_ID, type ModelCall, type ModelStage, type ModelState } from "./model.ts";
import { AsyncPerformer } from "./perform-async.ts";
import { type Choose, Scheduler } from "./scheduler.ts";

export type FaultKind = "stuck" | "order" | "EAGAIN" | "broken";

export interface AsyncFinding {
  readonly kind: FaultKind;
  readonly text: string;
}

export interface AsyncRun {
  readonly finding?: AsyncFinding;
  /** What was chosen, where there was a choice. */
  readonly choices: readonly number[];
  /** What has happened, a line each. */
  readonly history: readonly string[];
  readonly nrCalls: number;
  /** How often something waited. */
  readonly nrHeld: number;
  /** Pairs of call and answer. */
  readonly pairs: readonly string[];
}

export interface AsyncRunOptions {
  readonly make: MakeAsyncMachine;
  readonly calls: readonly AsyncCall[];
  readonly nrChains: number;
  readonly choose: Choose;
  readonly isShared?: boolean;
  /** Which calls of the store fail; left out, none does. */
  readonly faultSeed?: number;
  /** Loses what it is to release. */
  readonly loses?: (name: string) => boolean;
  /** Looked at when all is over. */
  readonly paths: readonly string[];
}

/** What a call answers that was given up. */
const ABORTED = "ABORT_ERR";
/** Who looks at what has come of it. */
const LOOKER = 0;

class Found extends Error {
  readonly finding: AsyncFinding;
  constructor(kind: FaultKind, text: string) {
    super(text);
    this.finding = { kind, text };
  }
}

export async function runAsync(options: AsyncRunOptions): Promise<AsyncRun> {
  const run = new Run(options);
  const finding = await run.run();
  return { ...run.so(), ...(finding === undefined ? {} : { finding }) };
}

class Run {
  readonly #options: AsyncRunOptions;
  readonly #scheduler: Scheduler;
  readonly #machine: AsyncMachine;
  readonly #performer: AsyncPerformer;
  readonly #order = new Linearizer<ModelState, ModelCall, ModelStage>(FILE_SYSTEM);
  readonly #choices: number[] = [];
  readonly #history: string[] = [];
  readonly #pairs = new Set<string>();
  /** Calls under way, by id. */
  readonly #pending = new Map<number, AsyncCall>();
  readonly #faults: FaultPlan;
  #nrCalls = 0;
  #finding: AsyncFinding | undefined;

  constructor(options: AsyncRunOptions) {
    this.#options = options;
    this.#scheduler = new Scheduler((names) => this.#choose(names), options.loses);
    const { make, nrChains, isShared, faultSeed } = options;
    this.#faults = faultPlan(faultSeed, (text) => this.#history.push(`      ${text}`));
    const { plan } = this.#faults;
    this.#machine = make({ nrChains, isShared, plan, hold: (name) => this.#scheduler.hold(name) });
    this.#performer = new AsyncPerformer(this.#machine.hands, this.#machine.shared);
    this.#machine.begin();
    this.#faults.isOn = true;
  }

  so(): Omit<AsyncRun, "finding"> {
    return {
      choices: this.#choices,
      history: this.#history,
      nrCalls: this.#nrCalls,
      nrHeld: this.#scheduler.nrHeldEver,
      pairs: [...this.#pairs],
    };
  }

  async run(): Promise<AsyncFinding | undefined> {
    try {
      await this.#drive(this.#chains());
      await this.#scheduler.drain();
      this.#faults.isOn = false;
      this.#order.settle();
      await this.#drive(this.#look());
      await this.#drive(this.#closeAll());
      await this.#drive(this.#machine.renew());
      await this.#drive(this.#look());
      await this.#drive(this.#machine.renew());
      await this.#scheduler.drain();
      this.#machine.end();
    } catch (error) {
      this.#find(error instanceof Found ? error.finding : { kind: "broken", text: String(error) });
    }
    return this.#finding;
  }

  #choose(names: readonly string[]): number {
    const choice = this.#options.choose(names) % names.length;
    this.#choices.push(choice);
    this.#history.push(`      (${names[choice]})`);
    return choice;
  }

  /** Releases what is held until it is over. @throws Found when it never will be */
  async #drive(work: Promise<unknown>): Promise<void> {
    if (await this.#scheduler.drive(work)) await work;
    else throw new Found("stuck", `nothing is held any more, and these are not over: ${this.#underWay()}`);
    if (this.#finding !== undefined) throw new Found(this.#finding.kind, this.#finding.text);
  }

  #underWay(): string {
    const calls = [...this.#pending.values()].map(showAsyncCall);
    return calls.length === 0 ? "no call" : calls.join("; ");
  }

  #find(finding: AsyncFinding): void {
    this.#finding ??= finding;
  }

  // --- Calls ------------------------------------------------------------------------------------------------------------

  #chains(): Promise<unknown> {
    const { calls, nrChains } = this.#options;
    const chains = Array.from({ length: nrChains }, (_, task) => calls.filter((call) => call.task === task));
    return Promise.all(chains.map((links, task) => this.#chain(links, task)));
  }

  async #chain(links: readonly AsyncCall[], task: number): Promise<void> {
    for (const call of links) {
      await this.#scheduler.hold(`turn of ${task}`);
      if (this.#finding !== undefined) return;
      await this.#call(call);
    }
  }

  async #call(call: AsyncCall): Promise<void> {
    const id = FIRST_ID + this.#nrCalls++;
    const isSync = call.form === "sync" && !call.call.startsWith("abort");
    const mayEagain = isSync && this.#mayEagain();
    this.#history.push(`${id} ${showAsyncCall(call)}`);
    this.#pending.set(id, call);
    this.#order.start(id, { call, mayEagain, faults: this.#faults.codes });
    const made = this.#performer.perform(call);
    const answer = typeof made === "string" ? made : await made;
    this.#scheduler.noteEvent();
    this.#pending.delete(id);
    this.#history.push(`${id} = ${answer}`);
    this.#pairs.add(`${call.call} ${/^E[A-Z]+$/.test(answer) ? answer : "ok"}`);
    this.#judge(id, call, answer, mayEagain);
  }

  #mayEagain(): boolean {
    const { eagain } = this.#machine;
    if (eagain === "while waiting")
      return this.#pending.size > 0 || this.#scheduler.names.some((name) => !name.startsWith("turn"));
    return eagain === "always";
  }

  #judge(id: number, call: AsyncCall, answer: string, mayEagain: boolean): void {
    if (answer === ABORTED && call.call.startsWith("abort")) {
      this.#order.abandon(id);
    } else if (answer === "EAGAIN" && !mayEagain) {
      const why = call.form === "sync" ? "and nothing is under way that it could wait for" : "though it can wait";
      this.#find({ kind: "EAGAIN", text: `${showAsyncCall(call)} is EAGAIN, ${why}` });
    } else this.#judgeOrder(id, call, answer);
  }

  #judgeOrder(id: number, call: AsyncCall, answer: string): void {
    const possible = (): string => this.#order.possible(id).join(" or ") || "nothing yet";
    const before = this.#order.isLost ? "" : possible();
    if (this.#order.end(id, answer)) return;
    this.#find({ kind: "order", text: `${showAsyncCall(call)} answers ${answer}; in any order it would be ${before}` });
  }

  // --- What has come of it ----------------------------------------------------------------------------------------------

  async #look(): Promise<void> {
    for (const path of ["", ...this.#options.paths]) {
      const names = path === "" ? ["readdir"] : ["readdir", "stat", "readFile"];
      for (const call of names) await this.#call({ task: LOOKER, call, args: [path], form: "promise" });
    }
  }

  async #closeAll(): Promise<void> {
    const { nrChains } = this.#options;
    for (let task = 0; task < nrChains; task++) {
      for (const slot of [0, 1]) await this.#call({ task, call: "close", args: [slot], form: "callback" });
    }
    await this.#call({ task: LOOKER, call: "close", args: [SHARED_SLOT], form: "callback" });
  }
}
