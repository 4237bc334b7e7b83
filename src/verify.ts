/**
 * foliofs/verify: snapshots of strangers are checked before they are restored. Nothing of foliofs's state is in here, so that it fits the kernels
 * of any entry.
 */
export { type VerifyOptions, verifySnapshot } from "./index-verify.ts";
export { SnapshotError } from "./vfs/snapshot-error.ts";
