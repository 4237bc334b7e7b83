/** Arguments of `foliofs fuzz`. */
import { availableParallelism } from "node:os";
import {
  ASYNC_SUBJECT_NAMES,
  FAULT_SUBJECT_NAMES,
  MODEL,
  ORACLE_NAMES,
  oracleOf,
  PROFILES,
  type Profile,
  SUBJECT_NAMES,
} from "../fuzz.ts";
import { NR_SEEDS, numberIn, oneOf, optionsIn } from "./option-values.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly maxCalls: number;
  readonly maxMs: number;
  readonly maxFindings: number;
  readonly subject: string;
  readonly oracle: string;
  readonly profiles: readonly Profile[];
  /** Subjects whose waits are held, where the profile is `async`: no oracle is asked. */
  readonly asyncSubjects?: readonly string[];
  /** Something fails now and then. */
  readonly hasFaults: boolean;
  /** Subjects with faults, where the profile is not `async`: no oracle is asked. */
  readonly faultSubjects?: readonly string[];
  /** Bytes. */
  readonly limit?: number;
  readonly isShared: boolean;
  /** Threads, each with an oracle and a subject of its own. */
  readonly nrJobs: number;
  /** A file to run again, in the place of all else. */
  readonly replay?: string;
  /** A folder for replays of what is found. */
  readonly report?: string;
  /** Findings are printed as a table, a line each. */
  readonly isTable: boolean;
}

const OPTIONS = {
  seed: { type: "string" },
  ops: { type: "string" },
  time: { type: "string" },
  findings: { type: "string" },
  subject: { type: "string" },
  oracle: { type: "string" },
  profile: { type: "string" },
  limit: { type: "string" },
  build: { type: "string" },
  jobs: { type: "string" },
  replay: { type: "string" },
  report: { type: "string" },
  faults: { type: "boolean" },
  table: { type: "boolean" },
} as const;

const DEFAULT_OPS = 100_000;
const DEFAULT_FINDINGS = 10;
const MAX_JOBS = 64;
const ASYNC_PROFILE = "async";
const ALL_PROFILES: readonly string[] = [...PROFILES, ASYNC_PROFILE];

/** @throws UsageError */
export function parseFuzzOptions(args: readonly string[]): FuzzOptions {
  const values = optionsIn(args, OPTIONS);
  const { profile, build = "single", faults: hasFaults = false } = values;
  const isAsync = profile === ASYNC_PROFILE;
  const isAlone = isAsync || hasFaults;
  const subject = isAlone ? "tmpfs" : oneOf("subject", values.subject ?? "tmpfs", SUBJECT_NAMES);
  const profiles = profile === undefined || isAsync ? PROFILES : [oneOf("profile", profile, ALL_PROFILES) as Profile];
  const limit = numberIn("limit", values.limit);
  const seconds = numberIn("time", values.time);
  const oracle = oneOf("oracle", values.oracle ?? oracleOf(subject), ORACLE_NAMES);
  return {
    seed: numberIn("seed", values.seed, NR_SEEDS - 1) ?? Math.floor(Math.random() * NR_SEEDS),
    maxCalls: numberIn("ops", values.ops) ?? (seconds === undefined ? DEFAULT_OPS : Number.MAX_SAFE_INTEGER),
    maxMs: seconds === undefined ? Number.MAX_SAFE_INTEGER : seconds * 1000,
    maxFindings: numberIn("findings", values.findings) ?? DEFAULT_FINDINGS,
    subject,
    oracle,
    profiles,
    hasFaults,
    ...(isAsync && { asyncSubjects: subjectsOf(values.subject, ASYNC_SUBJECT_NAMES) }),
    ...(hasFaults && !isAsync && { faultSubjects: subjectsOf(values.subject, FAULT_SUBJECT_NAMES) }),
    limit,
    isShared: oneOf("build", build, ["single", "shared"]) === "shared",
    nrJobs: numberIn("jobs", values.jobs, MAX_JOBS) || (oracle === MODEL ? availableParallelism() : 1),
    replay: values.replay,
    report: values.report,
    isTable: values.table === true,
  };
}

/** All in turns, if none is named. */
function subjectsOf(subject: string | undefined, names: readonly string[]): readonly string[] {
  return subject === undefined ? names : [oneOf("subject", subject, names)];
}
