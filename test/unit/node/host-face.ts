/**
 * A face over the host's file system, in a scratch folder that is removed after each test.
 */
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { createFace, type NodeFs } from "../../../src/node/index.ts";
import { HostSyscalls } from "../../helpers/host-syscalls.ts";

const made: string[] = [];

afterEach(() => {
  for (const root of made.splice(0)) nodeFs.rmSync(root, { recursive: true, force: true });
});

export interface HostFace {
  fs: NodeFs;
  sys: HostSyscalls;
  /** Path inside the scratch folder. */
  at: (name: string) => string;
}

export function hostFace(): HostFace {
  const parent = nodeFs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const root = nodeFs.mkdtempSync(join(parent, "foliofs-unit-node-"));
  made.push(root);
  const sys = new HostSyscalls();
  return { fs: createFace(sys), sys, at: (name) => join(root, name) };
}

/** What a call throws; fails when it does not. */
export function thrownBy(call: () => unknown): Error & Record<string, unknown> {
  try {
    call();
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error("did not throw");
}
