/** What a snapshot says of itself: JSON of strangers. */
import { utf8Decoder } from "../base/utf8.ts";
import { isTypeName } from "../vfs/fs-type.ts";
import type { SnapshotMeta } from "../vfs/snapshot-format.ts";
import { demand, refuse } from "./demand.ts";

/** Options that snapshots keep: others are not theirs to give. */
const OPTIONS = ["memoryLimit", "preallocate", "uid", "gid", "groups", "umask", "cwd", "maxFiles", "fileSizeLimit"];
const MAX_BYTES = 2 ** 24;

/**
 * Reads it. What values the options may have is not checked here, since it is the same for all that make kernels.
 *
 * @throws SnapshotError
 */
export function readMeta(bytes: Uint8Array): SnapshotMeta {
  demand(bytes.length <= MAX_BYTES, "what it says of itself is too long");
  const meta = parse(bytes);
  checkKeys(meta, ["options", "types", "leftOut"]);
  const { options, types, leftOut } = meta;
  checkKeys(options, OPTIONS);
  demand(
    Array.isArray(types) && types.every((name) => typeof name === "string" && isTypeName(name)),
    "types of file systems are none",
  );
  demand(Array.isArray(leftOut), "mounts that are not in it are none");
  for (const mount of leftOut) {
    checkKeys(mount, ["type", "target"]);
    demand(typeof mount.type === "string" && typeof mount.target === "string", "a mount that is not in it is none");
  }
  return meta as unknown as SnapshotMeta;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8Decoder.decode(bytes));
  } catch {
    refuse("what it says of itself is no JSON");
  }
}

/** It is a plain object with these keys at most. */
function checkKeys(value: unknown, known: readonly string[]): asserts value is Record<string, unknown> {
  demand(
    typeof value === "object" && value !== null && !Array.isArray(value),
    "what it says of itself is of another form",
  );
  demand(
    Object.keys(value).every((key) => known.includes(key)),
    "it says more of itself than snapshots do",
  );
}
