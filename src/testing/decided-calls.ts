/** What rules have made of calls that wait: they are made again with the same `Wait`, and count once. */
import type { Wait } from "../vfs/waiting.ts";
import type { FaultCall } from "./fault-call.ts";
import type { Decision } from "./faults.ts";

/** Decisions of calls under way. */
export class DecidedCalls {
  readonly #byWait = new WeakMap<Wait, Map<string, Decision>>();

  /** What has been decided before, once; undefined for a call that is made for the first time. */
  take(wait: Wait | undefined, call: FaultCall): Decision | undefined {
    const decided = wait && this.#byWait.get(wait);
    const key = decided && JSON.stringify(call);
    const found = key === undefined ? undefined : decided?.get(key);
    if (found !== undefined) decided?.delete(key as string);
    return found;
  }

  /** The call waits: it is not to wait again for what it has waited for. */
  keep(wait: Wait, call: FaultCall, decision: Decision): void {
    const decided = this.#byWait.get(wait) ?? new Map<string, Decision>();
    this.#byWait.set(wait, decided);
    decided.set(JSON.stringify(call), { ...decision, wait: undefined });
  }
}
