/**
 * Runs a program: chains of calls that are under way at the same time, on a machine whose waits are held, in an order of choices; and
 * says what is wrong with what has come of it.
 *
 * Answers that are missing come when nothing else does. Until then calls may wait for them, but nobody who has nothing to do with them,
 * nobody who has given up, and not umount, which is EBUSY; and when they come, all calls are over.
 *
 * When all calls are over, all that is there is looked at, then again when nothing is cached any more: what it should be, the model says.
 */
import { type AsyncCall, NR_SLOTS, SHARED_SLOT, showAsyncCall } from "./async-call.ts";
import { BYSTANDER_CALLS, BYSTANDER_CLOSES, BYSTANDER_OPENS } from "./bystander.ts";
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
const NO_FAULTS: ReadonlySet<string> = new Set();

/** Answers that an inode's end may wait for, and umountAsync with it. */
const OF_ENDS = /^(evictInode|flush|writeInode|writePages) /;

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
    const { make, nrChains, isShared, faultSeed, loses } = options;
    this.#faults = faultPlan(faultSeed, (text) => this.#history.push(`      ${text}`));
    const { plan, isMissing } = this.#faults;
    this.#scheduler = new Scheduler((names) => this.#choose(names), { loses, withholds: isMissing });
    this.#machine = make({ nrChains, isShared, plan, hold: (name) => this.#scheduler.hold(name) });
    this.#performer = new AsyncPerformer(this.#machine.hands, this.#machine.shared);
    void this.#call(BYSTANDER_OPENS);
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
      await this.#driveChains();
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

  async #driveChains(): Promise<void> {
    const chains = this.#chains();
    while (!(await this.#scheduler.drive(chains)) && this.#scheduler.withheld.length > 0) {
      await this.#withoutAnswers();
      this.#scheduler.giveBack();
    }
    await this.#drive(chains);
  }

  /** Nothing comes any more but answers that are missing. */
  async #withoutAnswers(): Promise<void> {
    const missing = this.#scheduler.withheld.join(", ");
    const given = [...this.#pending.values()].find(({ call }) => call.startsWith("abort"));
    if (given !== undefined) throw new Found("stuck", `${showAsyncCall(given)} was given up, and waits for ${missing}`);
    this.#faults.isOn = false;
    const bystander = this.#bystand();
    if (!(await this.#scheduler.drive(bystander)))
      throw new Found("stuck", `who has nothing to do with ${missing} waits for it: ${this.#underWay()}`);
    await bystander;
    this.#machine.verify();
    this.#faults.isOn = true;
  }

  async #bystand(): Promise<void> {
    for (const call of BYSTANDER_CALLS) await this.#call(call, NO_FAULTS);
    for (const close of this.#closes()) {
      if (!this.#performer.isHandle(close)) await this.#call(close);
    }
    const waits = !this.#scheduler.withheld.some((name) => OF_ENDS.test(name));
    const code = await this.#machine.umount(waits).then(
      () => "ok",
      (error: NodeJS.ErrnoException) => error.code ?? String(error),
    );
    if (code !== "EBUSY") throw new Found("broken", `umount of what is in use answers ${code}`);
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

  /** @param faults what it may fail with */
  async #call(call: AsyncCall, faults = this.#faults.codes): Promise<void> {
    const id = FIRST_ID + this.#nrCalls++;
    const isSync = call.form === "sync" && !call.call.startsWith("abort");
    const mayEagain = isSync && this.#mayEagain();
    this.#history.push(`${id} ${showAsyncCall(call)}`);
    this.#pending.set(id, call);
    this.#order.start(id, { call, mayEagain, faults });
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

  /** Closes what chains have open. */
  #closes(): AsyncCall[] {
    const { nrChains } = this.#options;
    const nr = nrChains * NR_SLOTS;
    return Array.from({ length: nr }, (_, i) => {
      return { task: Math.floor(i / NR_SLOTS), call: "close", args: [i % NR_SLOTS], form: "callback" };
    });
  }

  async #closeAll(): Promise<void> {
    for (const close of this.#closes()) await this.#call(close);
    await this.#call({ task: LOOKER, call: "close", args: [SHARED_SLOT], form: "callback" });
    await this.#call(BYSTANDER_CLOSES);
  }
}
