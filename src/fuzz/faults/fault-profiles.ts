/** All kinds of programs with faults, by the name of what they run on. */
import { type Call, ROOT_TASK, showCall, type TaskSpec } from "../call.ts";
import { generate, PROFILES, type Profile, plainAbilities } from "../generate.ts";
import { seededRandom } from "../random.ts";
import { simplerCalls } from "../simpler.ts";
import { type AllocationOptions, runAllocations } from "./allocations.ts";
import type { FaultProfile } from "./fault-profile.ts";
import { type CutCall, type CutOptions, drawCut, runCut } from "./power-cut.ts";
import { TWIN_SUBJECT_NAMES, type TwinSubject } from "./twin.ts";
import { runWriteBack, type WriteBackOptions } from "./write-back.ts";
import { drawWriteBack, showWriteBack, simplerWriteBack, type WriteBackCall } from "./write-back-call.ts";

export interface FaultSetting {
  /** Of the programs whose allocations fail, in turns. */
  readonly profiles?: readonly Profile[];
  readonly isShared?: boolean;
  readonly planted?: AllocationOptions["planted"];
  readonly makeDisk?: CutOptions["makeDisk"];
  readonly plantAnswers?: WriteBackOptions["plantAnswers"];
}

/** Root and a user: permissions are not what is looked for. */
const TASKS: readonly TaskSpec[] = [ROOT_TASK, { uid: 1000, gid: 1000, groups: [] }];
const ABILITIES = { ...plainAbilities(TASKS), locks: true };
const CALLS_A_PROGRAM = 40;
/** What a program's order is drawn by is not what the program is drawn by. */
const ORDER = 0x5eed;

/** Each allocation of memory fails. */
function ofAllocations(
  subject: TwinSubject,
  { profiles = PROFILES, planted, isShared }: FaultSetting,
): FaultProfile<Call> {
  return {
    draw: (seed, n) => generate(seed, profiles[n % profiles.length], CALLS_A_PROGRAM, ABILITIES),
    run: (_seed, calls) => {
      const { finding, nrTries, nrFailed, pairs } = runAllocations({ subject, tasks: TASKS, isShared, planted }, calls);
      const so = { nrCalls: nrTries, nrFaults: nrFailed, pairs };
      if (finding === undefined) return so;
      const { at, nth, text } = finding;
      return { ...so, problem: { at, kind: calls[at]?.call ?? "", text: `allocation ${nth} of call ${at}: ${text}` } };
    },
    simpler: simplerCalls,
    show: showCall,
  };
}

/** The power goes. */
function ofPower({ isShared, makeDisk }: FaultSetting): FaultProfile<CutCall> {
  return {
    draw: (seed) => drawCut(seededRandom(seed)),
    run: async (seed, calls) => {
      const { finding, nrOver, nrOld } = await runCut(seed ^ ORDER, calls, { isShared, makeDisk });
      const so = { nrCalls: nrOver, nrFaults: nrOld };
      return finding === undefined ? so : { ...so, problem: { kind: "power", text: finding } };
    },
    simpler: () => [],
    show: (call) => JSON.stringify(call),
  };
}

/** What is written back fails. */
function ofWriteBack({ isShared, plantAnswers }: FaultSetting): FaultProfile<WriteBackCall> {
  return {
    draw: (seed) => drawWriteBack(seededRandom(seed)),
    run: async (seed, calls) => {
      const { finding, nrCalls, nrFailed, pairs } = await runWriteBack(seed ^ ORDER, calls, {
        isShared,
        plantAnswers,
      });
      const so = { nrCalls, nrFaults: nrFailed, pairs };
      return finding === undefined ? so : { ...so, problem: { kind: "write-back", text: finding } };
    },
    simpler: simplerWriteBack,
    show: showWriteBack,
  };
}

/** A file system in memory, whose allocations fail; `power`, a store whose power is cut; `write-back`, one that does not take all. */
const FAULT_PROFILES: Readonly<Record<string, (setting: FaultSetting) => FaultProfile>> = {
  ...Object.fromEntries(
    TWIN_SUBJECT_NAMES.map((subject) => [subject, (setting: FaultSetting) => ofAllocations(subject, setting)]),
  ),
  power: ofPower,
  "write-back": ofWriteBack,
};

export const FAULT_SUBJECT_NAMES: readonly string[] = Object.keys(FAULT_PROFILES);

/** @throws Error when there is no such subject */
export function faultProfile(subject: string, setting: FaultSetting): FaultProfile {
  if (!Object.hasOwn(FAULT_PROFILES, subject)) throw new Error(`there is no subject ${subject} with faults`);
  return FAULT_PROFILES[subject](setting);
}
