/** A file system with proc, and how a call on it ends, to be compared with the host's. */
import nodeFs from "node:fs";
import { createFsSync, type FolioFs } from "../../src/index.ts";
import type { FsOptions } from "../../src/index-options.ts";
import { proc } from "../../src/proc.ts";

const MEMORY_LIMIT = 64 * 2 ** 20;

/** With proc at /proc, and a directory /tmp. */
export function fsWithProc(options: FsOptions = {}): FolioFs {
  const { types = [], ...rest } = options;
  const fs = createFsSync({ memoryLimit: MEMORY_LIMIT, types: [proc, ...types], ...rest });
  fs.mkdirSync("/proc");
  fs.mkdirSync("/tmp");
  fs.kernel.mount({ type: "proc", target: "/proc" });
  return fs;
}

/** What comes of a call: its value, or code and system call of its Error, as JSON. */
export function outcomeOf(call: () => unknown): string {
  try {
    return JSON.stringify(call()) ?? "undefined";
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return `${code} ${syscall}`;
  }
}

/** Why the host's proc cannot be asked here; undefined when it can. */
export function missingForHostProc(): string | undefined {
  if (process.platform !== "linux" || !nodeFs.existsSync("/proc/self/mountinfo")) return "no proc of Linux";
  return process.getuid?.() === 0 ? undefined : "needs root";
}
