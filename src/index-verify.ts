/**
 * Checking snapshots of strangers, as programs see it (foliofs/verify).
 *
 * Does not own: what has to hold (verify/).
 */
import { byteLengthOf, partOf } from "./base/views.ts";
import { checkedSnapshot, checkOptions, coreOptions, type FsOptions, restoreOptions } from "./index-options.ts";
import { joinChain } from "./verify/chain.ts";
import { readContainer } from "./verify/container.ts";
import { refuse } from "./verify/demand.ts";
import { readMeta } from "./verify/meta.ts";
import { checkMemory } from "./verify/sound-memory.ts";
import type { FileSystemType } from "./vfs/fs-type.ts";
import type { SnapshotBytes } from "./vfs/restore.ts";
import type { SnapshotMeta } from "./vfs/snapshot-format.ts";
import { PAGE_SIZE } from "./wasm/layout.ts";

/** What bytes are to be checked for. restoreFsSync() gives its own options. */
export type VerifyOptions = Pick<FsOptions, "memoryLimit" | "types">;

const MOST_BYTES = 2 ** 32 - 65536;

/**
 * Checks a snapshot, or one and the deltas since, that strangers may have made: that all that a kernel relies on is so, and that it
 * needs no more than `memoryLimit`. What passes can be restored, and worked on: what is in the files is the stranger's, but no call
 * finds memory other than it should be.
 *
 * The time it takes goes with the bytes and the memory that they are of.
 *
 * @param options `memoryLimit`: what the kernel may use; left out, what the snapshot says. `types`: file systems of one's own that it
 *   may have mounted, which have to check their private words themselves
 * @returns a copy, which nobody can change between the check and its use: the bytes of one snapshot
 * @throws ERR_INVALID_ARG_TYPE; ERR_OUT_OF_RANGE; ERR_INVALID_SNAPSHOT, saying what is wrong, and where
 */
export function verifySnapshot(bytes: SnapshotBytes, options: VerifyOptions = {}): Uint8Array {
  const given = [checkedSnapshot(bytes)].flat();
  const { memoryLimit, types } = options;
  checkOptions({ memoryLimit, types });
  try {
    return verified(given.map(copyOf), memoryLimit, types);
  } catch (error) {
    if (error instanceof RangeError && !("code" in error)) refuse("it takes more memory than there is");
    throw error;
  }
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return partOf(bytes, 0, byteLengthOf(bytes)).slice();
}

function verified(
  chain: readonly Uint8Array[],
  memoryLimit: number | undefined,
  types: readonly FileSystemType[] = [],
): Uint8Array {
  const bytes = joinChain(chain, framesIn(memoryLimit ?? MOST_BYTES));
  const container = readContainer(bytes, framesIn(memoryLimit ?? MOST_BYTES));
  const meta = readMeta(container.meta);
  checkKept(meta);
  const limit = coreOptions(restoreOptions(meta.options, { memoryLimit })).memoryLimit;
  if (container.end > framesIn(limit))
    refuse(`it needs ${container.end * PAGE_SIZE} bytes of memory, more than the limit`);
  checkMemory(container, meta, types);
  return bytes;
}

function framesIn(bytes: number): number {
  return Math.floor(bytes / PAGE_SIZE);
}

/** Options that it is restored with are such as anybody may give. */
function checkKept({ options }: SnapshotMeta): void {
  try {
    checkOptions(options);
  } catch (error) {
    refuse(`it has options that cannot be: ${(error as Error).message}`);
  }
}
