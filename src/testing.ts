/**
 * foliofs/testing: has the calls of a program fail, and wait, in its tests, and the power of its disk go (docs/testing.md).
 *
 * For the conformance suites see foliofs/testing/conformance.
 */
export { CALL_NAMES, type CallName, type FaultCall, type LoggedCall } from "./testing/fault-call.ts";
export type { CallFilter, FaultRule } from "./testing/fault-rule.ts";
export type { Clock, DelayTime, DiskFullOptions, Faults, NthOptions, ShortOptions } from "./testing/faults.ts";
export { type InjectOptions, injectFaults } from "./testing/inject-faults.ts";
export type { Where } from "./testing/path-pattern.ts";
export { type PowerCutOptions, TestDisk, type TestDiskOptions } from "./testing/test-disk.ts";
