/** What a call of the model fails with: the code that a system call answers, and its name, which the face of node:fs adds. */
export class Fault extends Error {
  readonly code: string;
  /** The system call as Node names it; undefined of an argument that Node refuses itself. */
  syscall: string | undefined;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export function fail(code: string): never {
  throw new Fault(code);
}
