/**
 * Question: what does an Error of Node's shape (errno, code, syscall, path) cost, and what part of it is the stack?
 */
import { compare } from "./compare.ts";

const MESSAGE = "ENOENT: no such file or directory, open '/no/such/file'";

class UvException extends Error {
  errno: number;
  code: string;
  syscall: string;
  path: string;
  constructor(message: string) {
    super(message);
    this.errno = -2;
    this.code = "ENOENT";
    this.syscall = "open";
    this.path = "/no/such/file";
  }
}

function assigned(message: string): Error {
  return Object.assign(new Error(message), { errno: -2, code: "ENOENT", syscall: "open", path: "/no/such/file" });
}

function oneByOne(message: string): Error {
  const error = new Error(message) as Error & Record<string, unknown>;
  error.errno = -2;
  error.code = "ENOENT";
  error.syscall = "open";
  error.path = "/no/such/file";
  return error;
}

function withLimit(limit: number, make: () => Error): Error {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = limit;
  const error = make();
  Error.stackTraceLimit = before;
  return error;
}

/** As lib/internal/errors.js does it: made without a stack, which is then captured below the public function. */
function captured(message: string): Error {
  const error = withLimit(0, () => oneByOne(message));
  Error.captureStackTrace(error, captured);
  return error;
}

/** Makes errors ten calls deep, which is what the stack limit counts. */
function deep(depth: number, make: () => Error): number {
  return depth === 0 ? make().message.length : deep(depth - 1, make) + 0;
}

function way(name: string, make: () => Error): { name: string; run(nrCalls: number): number } {
  return {
    name,
    run(nrCalls) {
      let sum = 0;
      for (let i = 0; i < nrCalls; i++) sum += deep(10, make);
      return sum;
    },
  };
}

compare("an Error of node:fs", [
  way("new Error, four assignments", () => oneByOne(MESSAGE)),
  way("Object.assign(new Error, {...})", () => assigned(MESSAGE)),
  way("class extends Error", () => new UvException(MESSAGE)),
  way("stackTraceLimit = 0", () => withLimit(0, () => oneByOne(MESSAGE))),
  way("stackTraceLimit = 0, then captureStackTrace", () => captured(MESSAGE)),
]);
