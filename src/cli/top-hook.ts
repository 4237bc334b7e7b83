/**
 * Runs in the script's process before the script (`node --import`), and tells of the kernels that are made there.
 *
 * Each copy of foliofs that is loaded for Node announces itself (index-top.ts). Kernels of the main thread are looked at in
 * turns, before they are destroyed, and when the process ends. What is used of the platform is taken now, since scripts put other things in its
 * place.
 */
import { writeSync } from "node:fs";
import { TOP_LISTENER, type Watched } from "../index-top.ts";
import { INTERVAL_VARIABLE, type KernelSample, SAMPLE_FD, type TopSample } from "./top-sample.ts";

const { setInterval, clearInterval, performance, process } = globalThis;
const now = performance.now.bind(performance);
const on = process.on.bind(process);
const off = process.off.bind(process);
const write = writeSync;
const { stringify } = JSON;

type Kernel = InstanceType<Watched["Kernel"]>;

const copies: Watched[] = [];
const ids = new WeakMap<Kernel, number>();
/** By number, as they were last seen. */
const seen = new Map<number, KernelSample>();
let nrKernels = 0;

function idOf(kernel: Kernel): number {
  const id = ids.get(kernel) ?? ++nrKernels;
  ids.set(kernel, id);
  return id;
}

function look(kernel: Kernel, { vmstat }: Watched, isEnded: boolean): void {
  const id = idOf(kernel);
  seen.set(id, { id, isEnded, stat: vmstat(kernel) });
}

/** Those that are not there any more stay as they were. */
function lookAtAll(): void {
  for (const sample of seen.values()) seen.set(sample.id, { ...sample, isEnded: true });
  for (const copy of copies) for (const kernel of copy.liveKernels()) look(kernel, copy, false);
}

/** Tells of all. Nobody listens any more: no more is told. */
function tell(): void {
  lookAtAll();
  const sample: TopSample = { ms: now(), kernels: [...seen.values()] };
  try {
    write(SAMPLE_FD, `${stringify(sample)}\n`);
  } catch {
    clearInterval(timer);
  }
}

/** A kernel is looked at when it is new, before it is destroyed, and in between when it is its turn. */
function watch(copy: Watched): void {
  copies.push(copy);
  const { prototype } = copy.Kernel;
  const { adopt, destroy, newTask } = prototype;
  prototype.newTask = function (this: Kernel, ...args) {
    const task = newTask.apply(this, args);
    if (!ids.has(this)) look(this, copy, false);
    beLastAtExit();
    return task;
  };
  prototype.adopt = function (this: Kernel, other: Kernel) {
    adopt.call(this, other); // a rollback: the other one's memory is this one's now
    if (seen.delete(ids.get(other) ?? 0)) nrKernels--;
  };
  prototype.destroy = function (this: Kernel) {
    for (const kernel of copy.liveKernels()) if (kernel === this) look(kernel, copy, true);
    return destroy.call(this);
  };
}

/** File systems write back at exit, which is to be seen. */
function beLastAtExit(): void {
  off("exit", tell);
  on("exit", tell);
}

let timer: ReturnType<typeof setInterval> | undefined;
const intervalMs = Number(process.env[INTERVAL_VARIABLE]);

// Processes that the script starts may be given the same hook, but not the descriptor.
if (intervalMs > 0) {
  delete process.env[INTERVAL_VARIABLE];
  Reflect.defineProperty(globalThis, Symbol.for(TOP_LISTENER), { value: watch });
  timer = setInterval(tell, intervalMs);
  timer.unref();
  on("beforeExit", beLastAtExit);
  beLastAtExit();
}
