/** Arguments of `foliofs fsx`. */
import { FSX_TARGETS, type FsxTarget } from "../fuzz.ts";
import { NR_SEEDS, numberIn, oneOf, optionsIn } from "./option-values.ts";

export interface FsxCliOptions {
  readonly on: FsxTarget;
  readonly seed: number;
  readonly maxOperations: number;
  readonly maxMs: number;
  readonly maxFindings: number;
  /** Bytes of a file. */
  readonly length: number;
  /** Memory of the kernel, bytes. */
  readonly limit?: number | undefined;
  readonly isShared: boolean;
  readonly isMapped: boolean;
  readonly isDirect: boolean;
  /** Where the host's files are made. */
  readonly folder?: string | undefined;
  /** A file that gets each operation, before it is performed. */
  readonly log?: string | undefined;
  /** A file to run again, in the place of all else. */
  readonly replay?: string | undefined;
  /** A folder for replays of what is found. */
  readonly report?: string | undefined;
}

const OPTIONS = {
  on: { type: "string" },
  seed: { type: "string" },
  ops: { type: "string" },
  time: { type: "string" },
  findings: { type: "string" },
  length: { type: "string" },
  limit: { type: "string" },
  build: { type: "string" },
  folder: { type: "string" },
  log: { type: "string" },
  replay: { type: "string" },
  report: { type: "string" },
  "no-mmap": { type: "boolean" },
  "no-direct": { type: "boolean" },
} as const;

const DEFAULT_OPS = 100_000;
const DEFAULT_FINDINGS = 10;
const DEFAULT_LENGTH = 256 * 1024;
/** A page, and what two of the pattern's texts have (pattern.ts). */
const LENGTHS = [4096, 1 << 20] as const;

/** @throws UsageError */
export function parseFsxOptions(args: readonly string[]): FsxCliOptions {
  const values = optionsIn(args, OPTIONS);
  const seconds = numberIn("time", values.time);
  const [least, most] = LENGTHS;
  return {
    on: oneOf("on", values.on ?? "tmpfs", FSX_TARGETS),
    seed: numberIn("seed", values.seed, NR_SEEDS - 1) ?? Math.floor(Math.random() * NR_SEEDS),
    maxOperations: numberIn("ops", values.ops) ?? (seconds === undefined ? DEFAULT_OPS : Number.MAX_SAFE_INTEGER),
    maxMs: seconds === undefined ? Number.MAX_SAFE_INTEGER : seconds * 1000,
    maxFindings: numberIn("findings", values.findings) ?? DEFAULT_FINDINGS,
    length: numberIn("length", values.length, most, least) ?? DEFAULT_LENGTH,
    limit: numberIn("limit", values.limit),
    isShared: oneOf("build", values.build ?? "single", ["single", "shared"]) === "shared",
    isMapped: values["no-mmap"] !== true,
    isDirect: values["no-direct"] !== true,
    folder: values.folder,
    log: values.log,
    replay: values.replay,
    report: values.report,
  };
}
