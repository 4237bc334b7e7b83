/** What is thrown for bytes that are no snapshot. A file of its own: entries have it in common, so that programs know it by its class. */

/** Something is wrong with the bytes of a snapshot. */
export class SnapshotError extends Error {
  readonly code = "ERR_INVALID_SNAPSHOT";
  constructor(message: string) {
    super(`foliofs: ${message}`);
    this.name = "SnapshotError";
  }
}
