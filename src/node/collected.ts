/**
 * What its owner forgot to close is closed when the owner is collected, and said so in Node's words: a warning, or from
 * Node 25 on an error that nobody can catch.
 *
 * A registry belongs to one face and goes with it, so that it keeps no kernel alive.
 */
import { collectedHandleError } from "./errors.ts";
import { emitWarning, nodeMajor } from "./platform.ts";

/** Versions of Node from here on throw. */
const FIRST_THROWING_MAJOR = 25;

const { FinalizationRegistry: Registry } = globalThis as { FinalizationRegistry?: typeof FinalizationRegistry };

type Register<T> = (owner: object, resource: T) => void;

/** @param close must not refer to owners @returns what is to be called for each new owner */
export function closingWhenCollected<T extends object>(close: (resource: T) => void): Register<T> {
  if (Registry === undefined) return () => {};
  let registry: FinalizationRegistry<T> | undefined;
  return (owner, resource) => {
    registry ??= new Registry(close);
    registry.register(owner, resource);
  };
}

let hasWarnedOfHandles = false;

/** Complains of a FileHandle that was collected open. @throws ERR_INVALID_STATE where Node does */
export function complainOfHandle(fd: number, path: string): void {
  if (nodeMajor >= FIRST_THROWING_MAJOR) throw collectedHandleError(fd, path);
  emitWarning(`Closing file descriptor ${fd} on garbage collection`);
  if (hasWarnedOfHandles) return;
  hasWarnedOfHandles = true;
  emitWarning(
    "Closing a FileHandle object on garbage collection is deprecated. Please close FileHandle objects explicitly " +
      "using FileHandle.prototype.close(). In the future, an error will be thrown if a file descriptor is closed during " +
      "garbage collection.",
    "DeprecationWarning",
    "DEP0137",
  );
}

/** Complains of a Dir that was collected open. */
export function complainOfDir(): void {
  emitWarning("Closing directory handle on garbage collection");
}
