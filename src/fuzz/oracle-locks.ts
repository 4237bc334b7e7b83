/**
 * flock(2) in a process that makes calls of the host's kernel: asks the helper outside of its root (host-locks.ts), and waits.
 *
 * Without the helper there are no answers, and no outcome is made up: the process ends.
 */
import { readSync, writeSync } from "node:fs";
import { getSystemErrorName } from "node:util";

const MOST_ANSWER_BYTES = 16;

/** Descriptors of pipes to the helper and from it. */
export interface LockPipes {
  readonly ask: number;
  readonly answer: number;
}

function asked({ ask, answer }: LockPipes, question: string): number {
  const bytes = Buffer.alloc(MOST_ANSWER_BYTES);
  try {
    writeSync(ask, `${question}\n`);
    const text = bytes.toString("latin1", 0, readSync(answer, bytes));
    if (text.endsWith("\n")) return Number(text);
  } catch {}
  console.error("whoever locks has ended");
  process.exit(1);
}

/** @returns flock(), which throws what node:fs would */
export function locksBy(pipes: LockPipes): (fd: number, operation: number) => void {
  return (fd, operation) => {
    const errno = asked(pipes, `${process.pid} ${fd} ${operation}`);
    if (errno === 0) return;
    const code = getSystemErrorName(-errno);
    throw Object.assign(new Error(`${code}, flock`), { code, syscall: "flock" });
  };
}
