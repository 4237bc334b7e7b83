/**
 * foliofs/fuzz, for Node: random programs of file-system calls on foliofs and on the host's kernel, call by call the same, or a
 * finding; and fsx, which exercises two files on any file system and knows what is in them. `foliofs fuzz` and `foliofs fsx` are made of it.
 */
export { type Call, type Outcome, showCall, type TaskSpec } from "./fuzz/call.ts";
export {
  type CampaignOptions,
  type Finding,
  mergeProgress,
  type Progress,
  runCampaign,
  seedOfProgram,
  shrinkProgram,
} from "./fuzz/campaign.ts";
export { type Compared, compare, type Difference, type Pair, shownOutcomes } from "./fuzz/compare.ts";
export type { Detail } from "./fuzz/describe.ts";
export { FAULT_SUBJECT_NAMES } from "./fuzz/faults/fault-profiles.ts";
export {
  FAULTS_VERSION,
  type FaultReplay,
  readFaults,
  replayFaults,
  showFaults,
  writeFaults,
} from "./fuzz/faults/replay-faults.ts";
export { type FaultFinding, type FaultProgress, searchFaults } from "./fuzz/faults/search-faults.ts";
export {
  FSX_REPLAY_VERSION,
  type FsxReplay,
  type FsxReplayHead,
  readFsxReplay,
  writeFsxReplay,
} from "./fuzz/fsx/fsx-replay.ts";
export type {
  Abilities as FsxAbilities,
  Machine as FsxMachine,
  MachineOptions as FsxMachineOptions,
} from "./fuzz/fsx/machine.ts";
export { FSX_MACHINES, FSX_TARGETS, type FsxTarget } from "./fuzz/fsx/machines.ts";
export { type Operation as FsxOperation, showOperation as showFsxOperation } from "./fuzz/fsx/operation.ts";
export {
  type FsxFinding,
  type FsxOptions,
  type FsxProgress,
  performAll as performFsxOperations,
  runFsx,
} from "./fuzz/fsx/session.ts";
export { tellFinding as tellFsxFinding } from "./fuzz/fsx/tell-finding.ts";
export { type Abilities, generate, PROFILES, type Profile } from "./fuzz/generate.ts";
export type { Known } from "./fuzz/known.ts";
export { MODEL, makeModel } from "./fuzz/model/index.ts";
export type { Runner } from "./fuzz/oracle.ts";
export {
  createFacePairing,
  createPairing,
  createSubject,
  ORACLE_NAMES,
  oracleOf,
  type Pairing,
  type PairingOptions,
  SUBJECT_NAMES,
} from "./fuzz/pairing.ts";
export { REPLAY_VERSION, type Replay, type ReplayHead, readReplay, replayOn, writeReplay } from "./fuzz/replay.ts";
export { type AsyncCall, showAsyncCall } from "./fuzz/schedule/async-call.ts";
export { ASYNC_MACHINES, type AsyncMachine, type MakeAsyncMachine } from "./fuzz/schedule/machine.ts";
export {
  readSchedule,
  replaySchedule,
  SCHEDULE_VERSION,
  type ScheduleReplay,
  writeSchedule,
} from "./fuzz/schedule/replay-async.ts";
export type { AsyncFinding, AsyncRun } from "./fuzz/schedule/run-async.ts";
export { ASYNC_SUBJECT_NAMES, type AsyncProgress, type AsyncShown, searchAsync } from "./fuzz/schedule/search-async.ts";
export { SeenPairs } from "./fuzz/seen-pairs.ts";
export { type Machine, type MakeMachine, Subject, type SubjectOptions } from "./fuzz/subject.ts";
