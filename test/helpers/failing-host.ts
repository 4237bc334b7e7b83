/** A host that fails for hostfs: calls of node:fs that hostfs makes answer errors, at once and later. */
import { HOST_LATER, HOST_NOW } from "../../src/fs/hostfs/host-steps.ts";

type HostCallName = keyof typeof HOST_NOW;
type AnyCall = (...args: unknown[]) => unknown;
/** @returns the code of an error ("ENOSPC"), or undefined: the host makes the call */
export type Fault = (name: HostCallName, args: readonly unknown[]) => string | undefined;

export interface FailingHost {
  /** Calls that the host has been asked for, those that failed included. */
  readonly calls: HostCallName[];
  /** The host is itself again. */
  restore(): void;
}

/** @param code as Node has it; "Unknown system error -122" for what has no name */
export function errorOf(code: string): Error {
  const errno = /^Unknown system error (-\d+)$/.exec(code)?.[1];
  return Object.assign(new Error(`${code}: a fault of the test`), { code, errno: Number(errno ?? 0) });
}

export function failHost(fault: Fault): FailingHost {
  const calls: HostCallName[] = [];
  const undo: (() => void)[] = [];
  const ask = (name: HostCallName, args: readonly unknown[]): string | undefined => {
    calls.push(name);
    return fault(name, args);
  };
  for (const name of Object.keys(HOST_NOW) as HostCallName[]) {
    const [now, later] = [HOST_NOW[name] as AnyCall, HOST_LATER[name] as AnyCall];
    HOST_NOW[name] = (...args: unknown[]) => {
      const code = ask(name, args);
      if (code !== undefined) throw errorOf(code);
      return now(...args);
    };
    HOST_LATER[name] = (...args: unknown[]) => {
      const code = ask(name, args.slice(0, -1));
      const callback = args.at(-1) as (error: Error) => void;
      if (code === undefined) later(...args);
      else setImmediate(() => callback(errorOf(code)));
    };
    undo.push(() => {
      HOST_NOW[name] = now;
      HOST_LATER[name] = later;
    });
  }
  return {
    calls,
    restore: () => {
      for (const one of undo) one();
    },
  };
}
