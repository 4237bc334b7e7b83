/** The store of hostfs with its steps made at once, for tests of the store by itself. */
import { runNow, type Steps } from "../../src/fs/hostfs/host-steps.ts";
import type { HostStore } from "../../src/fs/hostfs/host-store.ts";

type AtOnce<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Steps<infer R> ? (...args: A) => R : T[K];
};
export type HostStoreNow = AtOnce<HostStore>;

function isSteps(value: unknown): value is Steps<unknown> {
  return typeof (value as Partial<Steps<unknown>> | null)?.next === "function";
}

export function atOnce(store: HostStore): HostStoreNow {
  return new Proxy(store, {
    get(target, key) {
      const value = Reflect.get(target, key, target) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const answer: unknown = value.apply(target, args);
        return isSteps(answer) ? runNow(answer) : answer;
      };
    },
  }) as unknown as HostStoreNow;
}
