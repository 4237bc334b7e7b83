/** Thrown by what a file system does not have, so that the case which asks for it ends, and is skipped. */
export class SkippedCase extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "SkippedCase";
  }
}
