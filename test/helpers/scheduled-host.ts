/**
 * A host for hostfs whose answers come in an order that a seed chooses, and whose calls can be made to fail.
 *
 * What it is asked for by callbacks waits: at each turn one of what waits is made, or, if it has been made, answered. So whatever
 * may come between two calls of a work does, and does so again with the same seed. What is to be written
 * is copied when it is asked for; memory that is read into must not grow (`preallocate`).
 */
import nodeFs from "node:fs";
import { HOST_LATER, HOST_NOW } from "../../src/fs/hostfs/host-steps.ts";
import { errorOf } from "./failing-host.ts";
import type { Random } from "./random.ts";

export type HostCallName = keyof typeof HOST_NOW;
type AnyCall = (...args: unknown[]) => unknown;

/** A call that the host has been asked for. */
export interface AskedCall {
  /** From 1 on. */
  readonly nr: number;
  readonly name: HostCallName;
  /** What it is about, as it was called when the host was asked. */
  readonly path: string;
  /** Of what it is about, and of what a rename replaces; nothing may have been there. */
  readonly inos: readonly bigint[];
  /** The same for calls that follow each other in one work (host-steps.ts), or in one synchronous call. */
  readonly work: number;
}

/** Outcomes that come late in a turn of the event loop go through the next (node/settle.ts): all are in before the next choice. */
const NR_IMMEDIATES = 4;

interface Waiting {
  readonly call: AskedCall;
  readonly make: () => unknown;
  readonly done: AnyCall;
  /** What `done` is given. */
  answer?: readonly unknown[];
}

export class ScheduledHost {
  readonly calls: AskedCall[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #random: Random;
  readonly #fault: (call: AskedCall) => string | undefined;
  readonly #itself = [{ ...HOST_NOW }, { ...HOST_LATER }] as const;
  readonly #turns: (() => void)[] = [];
  /** Of what is being answered. */
  #work: number | undefined;
  #nrWorks = 0;
  #isOn = false;
  #isPaused = false;

  /** @param fault the code of an error ("ENOSPC"), or undefined: the call is made */
  constructor(random: Random, fault: (call: AskedCall) => string | undefined) {
    this.#random = random;
    this.#fault = fault;
    for (const name of Object.keys(HOST_NOW) as HostCallName[]) {
      const now = HOST_NOW[name] as AnyCall;
      HOST_NOW[name] = (...args: unknown[]) => this.#askNow(name, now, args);
      HOST_LATER[name] = (...args: unknown[]) => this.#askLater(name, now, args);
    }
  }

  /** The host is itself again. */
  restore(): void {
    Object.assign(HOST_NOW, this.#itself[0]);
    Object.assign(HOST_LATER, this.#itself[1]);
  }

  /** What is asked meanwhile at once is the test's own: neither counted nor failed. */
  unnoticed<T>(ask: () => T): T {
    this.#isPaused = true;
    try {
      return ask();
    } finally {
      this.#isPaused = false;
    }
  }

  /** Waits until nothing waits that a test asks about. */
  async rest(isMeant: (call: AskedCall) => boolean): Promise<void> {
    while (this.#waiting.some(({ call }) => isMeant(call))) await this.turn();
  }

  /** A test's own wait, until the host has made or answered one call more. */
  turn(): Promise<void> {
    return new Promise((done) => {
      this.#turns.push(done);
      this.#start();
    });
  }

  #ask(name: HostCallName, args: readonly unknown[]): { call: AskedCall; code: string | undefined } {
    const about = subjectOf(args[name === "symlink" ? 1 : 0]);
    const inos = [about, ...(name === "rename" ? [subjectOf(args[1])] : [])].flatMap(({ ino }) => ino ?? []);
    const call = { nr: this.calls.length + 1, name, path: about.path, inos, work: this.#work ?? this.#newWork() };
    this.calls.push(call);
    return { call, code: this.#fault(call) };
  }

  /** It lasts as long as nothing is waited for. */
  #newWork(): number {
    this.#work = ++this.#nrWorks;
    queueMicrotask(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  #askNow(name: HostCallName, now: AnyCall, args: readonly unknown[]): unknown {
    const code = this.#isPaused ? undefined : this.#ask(name, args).code;
    if (code !== undefined) throw errorOf(code);
    return now(...args);
  }

  #askLater(name: HostCallName, now: AnyCall, all: readonly unknown[]): void {
    const args = name === "writev" ? [all[0], copyOf(all[1] as Uint8Array[]), all[2]] : all.slice(0, -1);
    const { call, code } = this.#ask(name, args);
    const done = all.at(-1) as AnyCall;
    this.#waiting.push({
      call,
      make: () => now(...args),
      done,
      ...(code !== undefined && { answer: [errorOf(code)] }),
    });
    this.#start();
  }

  #start(): void {
    if (!this.#isOn) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isOn = true;
    while (this.#waiting.length + this.#turns.length > 0) {
      await settled();
      if (this.#waiting.length > 0) this.#makeOrAnswer(this.#random(this.#waiting.length));
      await settled();
      for (const done of this.#turns.splice(0)) done();
      await settled();
    }
    this.#isOn = false;
  }

  #makeOrAnswer(at: number): void {
    const one = this.#waiting[at];
    if (one.answer === undefined) one.answer = answerOf(one.make);
    else {
      this.#waiting.splice(at, 1);
      this.#work = one.call.work;
      one.done(...one.answer);
      this.#work = undefined;
    }
  }
}

/** Whatever follows from what has been answered has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < NR_IMMEDIATES; i++) await new Promise(setImmediate);
}

function copyOf(views: readonly Uint8Array[]): Uint8Array[] {
  return views.map((view) => new Uint8Array(view));
}

function answerOf(make: () => unknown): unknown[] {
  try {
    return [null, make()];
  } catch (error) {
    return [error];
  }
}

/** What is called by a descriptor, or by a path that begins with one. */
function subjectOf(what: unknown): { path: string; ino: bigint | undefined } {
  const [, fd, rest] = /^(?:\/proc\/self\/fd\/)?(\d+)(.*)$/s.exec(String(what)) ?? [];
  const path = fd === undefined ? String(what) : `${nodeFs.readlinkSync(`/proc/self/fd/${fd}`)}${rest}`;
  const stats =
    rest === ""
      ? nodeFs.fstatSync(Number(fd), { bigint: true })
      : nodeFs.lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return { path: path.replace(/ \(deleted\)$/, ""), ino: stats?.ino };
}
