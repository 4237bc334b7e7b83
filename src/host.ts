/**
 * foliofs/host, for Node: hostfs, by which a folder of the host is mounted. Nothing of foliofs's state is in here, so that it
 * fits the kernel of any entry.
 */

export { createHostfs, hostfs } from "./fs/hostfs/hostfs.ts";
export type { HostNative } from "./fs/hostfs/native.ts";
