/** foliofs/testing/conformance, for Node: what file systems with the face of node:fs have to pass (docs/testing.md). */
export {
  type CaseResult,
  type ConformanceCase,
  type ConformanceSubject,
  conformance,
  conformanceCases,
  type Expectations,
  type Runner,
  runConformance,
} from "./testing/conformance/conformance.ts";
export type { Ability } from "./testing/conformance/guarded-fs.ts";
export type { Credentials } from "./testing/conformance/subject.ts";
