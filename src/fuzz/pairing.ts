/** Puts an oracle and a subject together by their names: what both can do is what programs ask for. */
import { readFileSync } from "node:fs";
import { createFsSync } from "../index.ts";
import { ROOT_TASK, type TaskSpec } from "./call.ts";
import type { Pair } from "./compare.ts";
import { type Detail, WHOLE_DETAIL } from "./describe.ts";
import { FOLIOFS_SUBJECTS } from "./foliofs-subjects.ts";
import type { Abilities } from "./generate.ts";
import { hasHostLocks } from "./host-locks.ts";
import { createHostOracle } from "./host-oracle.ts";
import { HOST_FILE_SYSTEMS, type HostFileSystem, hasOwnRoot } from "./host-root.ts";
import { IsolatedSubject } from "./isolated-subject.ts";
import { isNode26, KNOWN, SHORT_OF_MEMORY } from "./known.ts";
import { MODEL, makeModel } from "./model/index.ts";
import type { Runner } from "./oracle.ts";
import { machineOf, OTHER_SUBJECT_NAMES } from "./other-subjects.ts";
import type { NodeFs } from "./perform.ts";
import { type Machine, Subject, type SubjectOptions } from "./subject.ts";

export interface PairingOptions {
  readonly subject: string;
  /** A file system of the host's kernel, or the model. */
  readonly oracle: string;
  /** Bytes of memory of the subject. */
  readonly limit?: number;
  readonly isShared?: boolean;
  /** Text of the module that the host's oracle runs: oracle-process.ts, in one file. Left out: the one beside the bundle. */
  readonly program?: string;
  /** The module that processes for file systems of others run: other-process.ts, in one file. Left out: the one beside the bundle. */
  readonly otherProgram?: URL;
  /** Keeps calls below a folder though the process may have a root of its own. */
  readonly isConfined?: boolean;
}

export interface Pairing extends Pair {
  readonly tasks: readonly TaskSpec[];
  readonly detail: Detail;
  readonly abilities: Abilities;
  /** What the subject has, and the oracle cannot be asked for here: it is not in the programs. */
  readonly without: readonly string[];
  close(): Promise<void>;
}

export const SUBJECT_NAMES: readonly string[] = [...Object.keys(FOLIOFS_SUBJECTS), MODEL, ...OTHER_SUBJECT_NAMES];
export const ORACLE_NAMES: readonly string[] = [...HOST_FILE_SYSTEMS, MODEL];

/** The oracle that a subject is like; the model where there is no Linux to ask. */
export function oracleOf(subject: string): string {
  if (process.platform !== "linux") return MODEL;
  return subject === "overlay" ? "overlayfs" : "tmpfs";
}

/** Root, two users, one whose groups are those of others, and root in a root of its own. */
const TASKS: readonly TaskSpec[] = [
  ROOT_TASK,
  { uid: 1000, gid: 1000, groups: [] },
  { uid: 1001, gid: 1001, groups: [50, 1000] },
  { uid: 0, gid: 50, groups: [], root: "d" },
];

/** File systems whose directories, blocks and access times are those of a tmpfs. */
const LIKE_TMPFS = new Set(["tmpfs", "ramfs", MODEL]);

/** @param isConfined whether the oracle looks at each link of a path before a call (confine.ts), and so reads it */
function detailOf(subject: string, oracle: string, isConfined: boolean): Detail {
  const isAlike = LIKE_TMPFS.has(subject) && LIKE_TMPFS.has(oracle);
  const isOverlay = [subject === "overlay", oracle === "overlayfs"];
  const directoryLinks = isOverlay[0] === isOverlay[1] && !isOther(subject);
  return {
    ...WHOLE_DETAIL,
    blocks: isAlike,
    directorySize: isAlike,
    directoryLinks,
    atime: isAlike && !isConfined,
    syscall: !isOther(subject),
  };
}

/** A setting of the host that foliofs has not, though the model has: off where it cannot be read. */
function setting(name: string): boolean {
  try {
    return readFileSync(`/proc/sys/fs/${name}`, "utf8").trim() !== "0";
  } catch {
    return false;
  }
}

/** Whether the oracle can be asked for flock(2): the host's by a helper outside of its root. */
function canLock(oracle: string, isConfined: boolean): boolean {
  return oracle === MODEL || (!isConfined && hasHostLocks());
}

function abilitiesOf(subject: string, oracle: string, tasks: readonly TaskSpec[], locks: boolean): Abilities {
  const hasModel = [subject, oracle].includes(MODEL);
  return {
    tasks,
    linksOfOthers: hasModel || !setting("protected_hardlinks"),
    hasTaskState: !isOther(subject),
    // The model has the face of Node 26, as foliofs has it, whatever it runs on.
    isNode26: isNode26 || (oracle === MODEL && !isOther(subject)),
    tmpfile: subject !== "hostfs" && !isOther(subject),
    watches: !isOther(subject),
    deeds: true,
    locks: locks && !isOther(subject),
  };
}

/** Who makes the calls: one task where nobody may become another one. */
function tasksOf(isConfined: boolean): readonly TaskSpec[] {
  if (!isConfined) return TASKS;
  return [{ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, groups: process.getgroups?.() ?? [] }];
}

function isOther(subject: string): boolean {
  return OTHER_SUBJECT_NAMES.includes(subject);
}

/** A subject by its name. @throws Error when it is unknown, or not installed */
export async function createSubject(
  name: string,
  options: SubjectOptions & Pick<PairingOptions, "otherProgram">,
): Promise<Runner> {
  if (!SUBJECT_NAMES.includes(name)) throw new Error(`there is no subject ${name}`);
  if (name === MODEL) return new Subject(MODEL, makeModel, options);
  if (!isOther(name)) return new Subject(name, FOLIOFS_SUBJECTS[name], options);
  const { root, detail, otherProgram = new URL("./fuzz-other.js", import.meta.url) } = options;
  const subject = new IsolatedSubject(name, { root, detail, program: otherProgram });
  await subject.run([]);
  return subject;
}

/** @throws Error when a name is unknown, or the host cannot serve as the oracle */
export async function createPairing(options: PairingOptions): Promise<Pairing> {
  const { subject: name, limit, isShared } = options;
  const asksHost = options.oracle !== MODEL;
  const isConfined = asksHost && (options.isConfined === true || !hasOwnRoot());
  const tasks = isOther(name) && !isConfined ? [ROOT_TASK] : tasksOf(isConfined);
  const detail = detailOf(name, options.oracle, isConfined);
  const { oracle, root } = await createOracle(options, tasks, detail);
  const protectsHardlinks = asksHost && setting("protected_hardlinks");
  const { otherProgram } = options;
  const locks = canLock(options.oracle, isConfined);
  const place = { tasks, detail, root, limit, isShared, protectsHardlinks };
  const subject = await createSubject(name, { ...place, otherProgram });
  return {
    tasks,
    detail,
    oracle,
    subject,
    known: limit === undefined ? KNOWN : [...KNOWN, SHORT_OF_MEMORY],
    abilities: abilitiesOf(name, options.oracle, tasks, locks),
    without: locks || isOther(name) ? [] : ["locks"],
    close: async () => {
      await subject.close();
      await oracle.close();
    },
  };
}

/** foliofs as one face, as others are. */
function plainMachine(): Machine {
  const fs = createFsSync();
  return { ...machineOf(fs as unknown as NodeFs), end: () => void fs.kernel.destroy() };
}

/**
 * Puts somebody's face of node:fs and foliofs together, which stands for the kernel: in this process, on any system. The face has one
 * user, root; what is told of directories, blocks, access times and names of system calls is not compared.
 *
 * @param create gives a new, empty file system; relative paths begin at its root
 * @param name what findings call it
 */
export function createFacePairing(create: () => object, name = "face"): Pairing {
  const tasks = [ROOT_TASK];
  const differing = { blocks: false, directorySize: false, directoryLinks: false, atime: false, syscall: false };
  const options = { tasks, detail: { ...WHOLE_DETAIL, ...differing }, root: "" };
  const oracle = new Subject("tmpfs", plainMachine, options);
  return {
    tasks,
    detail: options.detail,
    oracle,
    subject: new Subject(name, () => machineOf(create() as NodeFs), options),
    known: KNOWN,
    abilities: {
      tasks,
      linksOfOthers: true,
      hasTaskState: false,
      isNode26: true,
      tmpfile: false,
      watches: false,
      deeds: false,
      locks: false,
    },
    without: [],
    close: () => oracle.close(),
  };
}

async function createOracle(
  { oracle, program, isConfined }: PairingOptions,
  tasks: readonly TaskSpec[],
  detail: Detail,
): Promise<{ oracle: Runner; root: string }> {
  if (!ORACLE_NAMES.includes(oracle)) throw new Error(`there is no oracle ${oracle}`);
  if (oracle === MODEL) return { oracle: await createSubject(MODEL, { tasks, detail, root: "" }), root: "" };
  const text = program ?? readFileSync(new URL("./fuzz-oracle.js", import.meta.url), "utf8");
  const host = await createHostOracle({
    fileSystem: oracle as HostFileSystem,
    tasks,
    detail,
    program: text,
    isConfined,
  });
  return { oracle: host, root: host.root };
}
