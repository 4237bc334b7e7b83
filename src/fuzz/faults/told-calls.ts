/**
 * Makes calls one beside the other, and holds what each answers against who is to be told of what could not be written back
 * (told-errors.ts).
 *
 * Does not own: what calls do (write-back.ts).
 */
import { Linearizer } from "../schedule/linearize.ts";
import { DONE, type ToldCall, type ToldState, toldErrors } from "./told-errors.ts";
import { showWriteBack, type WriteBackCall } from "./write-back-call.ts";

/** Makes what changes the answers of a run: for tests of what finds that. */
export type PlantAnswers = () => (call: WriteBackCall, answer: string) => string;

export interface ToldCallsOptions {
  readonly nrFiles: number;
  readonly plantAnswers?: PlantAnswers;
  /** Hears of what is wrong. */
  readonly find: (text: string) => void;
}

interface Outcome {
  readonly code: string;
  readonly value?: unknown;
}

const EAGAIN = "EAGAIN";

export class ToldCalls {
  nrCalls = 0;
  /** How often something was not written. */
  nrFailed = 0;
  /** Calls and what they have answered. */
  readonly pairs = new Set<string>();
  readonly #order: Linearizer<ToldState, ToldCall, { readonly answer?: string }>;
  readonly #planted: (call: WriteBackCall, answer: string) => string;
  readonly #find: (text: string) => void;
  /** What has failed while calls are under way, by the file they are about; undefined = all. */
  readonly #met = new Set<{ readonly file: number | undefined; readonly codes: Set<string> }>();
  #nrIds = 0;
  /** A synchronous call is being made: the store answers at once. */
  #isNow = false;

  constructor({ nrFiles, plantAnswers, find }: ToldCallsOptions) {
    this.#order = new Linearizer(toldErrors(nrFiles));
    this.#planted = plantAnswers?.() ?? ((_call, answer) => answer);
    this.#find = find;
  }

  /** A file was opened by something else than a call of the program. */
  noteOpen(slot: string, file: number): void {
    this.#order.end(this.#start({ what: "open", slot, file }), DONE);
  }

  /** Something of a file was not written. */
  noteFailure(file: number, code: string): void {
    this.nrFailed++;
    for (const met of this.#met) if (met.file === undefined || met.file === file) met.codes.add(code);
    const id = this.#start({ what: "fail", file, code });
    const end = (): void => void this.#order.end(id, DONE);
    if (this.#isNow) end();
    else setImmediate(end); // by then the answer has come to whoever has asked
  }

  /** Makes a synchronous call of the face. */
  now<T>(make: () => T): T {
    this.#isNow = true;
    try {
      return make();
    } finally {
      this.#isNow = false;
    }
  }

  /** Makes a call that tells what has failed of a file. @returns what comes of it when it is done */
  tellOfFile(call: WriteBackCall, slot: string, file: number, make: () => unknown): Promise<unknown> {
    const met = new Set<string>();
    return this.#meeting(file, met, () => this.tell(call, { what: "sync file", slot, met }, make));
  }

  /** Makes a call that tells what has failed, or is about who is told. @returns what comes of it when it is done */
  async tell(call: WriteBackCall, asked: ToldCall, make: () => unknown): Promise<unknown> {
    const id = this.#start({ ...asked, mayEagain: call.form === "sync" });
    const { code, value } = await this.#made(call, make);
    const possible = this.#order.possible(id);
    if (!this.#order.end(id, code))
      this.#find(`${showWriteBack(call)} answers ${code}, and should have told ${possible.join(" or ")}`);
    return code === DONE ? value : undefined;
  }

  /** Makes a call that tells what fails while it is made, which others are told all the same. */
  async tellOfNow(call: WriteBackCall, make: () => unknown): Promise<void> {
    const codes = new Set([DONE]);
    const { code } = await this.#meeting(undefined, codes, () => this.#made(call, make));
    if (!codes.has(code)) this.#find(`${showWriteBack(call)} answers ${code}, and there was ${[...codes].join(", ")}`);
  }

  /** Makes a call that has nothing to tell. @returns what comes of it; undefined where it would have had to wait */
  async plain(call: WriteBackCall, make: () => unknown): Promise<unknown> {
    const { code, value } = await this.#made(call, make);
    if (code === DONE) return value;
    if (code !== EAGAIN || call.form !== "sync") this.#find(`${showWriteBack(call)} answers ${code}`);
    return undefined;
  }

  #start(call: ToldCall): number {
    const id = this.#nrIds++;
    this.#order.start(id, call);
    return id;
  }

  async #made(call: WriteBackCall, make: () => unknown): Promise<Outcome> {
    this.nrCalls++;
    const { code, value } = await outcomeOf(make);
    const answer = this.#planted(call, code);
    this.pairs.add(`${call.call} ${answer}`);
    return { code: answer, value };
  }

  /** Notes what fails of a file, or of all, while a call is made. */
  async #meeting<T>(file: number | undefined, codes: Set<string>, make: () => Promise<T>): Promise<T> {
    const met = { file, codes };
    this.#met.add(met);
    try {
      return await make();
    } finally {
      this.#met.delete(met);
    }
  }
}

async function outcomeOf(make: () => unknown): Promise<Outcome> {
  try {
    const made = make();
    return { code: DONE, value: made instanceof Promise ? await made : made };
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}
