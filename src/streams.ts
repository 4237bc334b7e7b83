/**
 * foliofs/streams: streams over files for browsers, on readable-stream, which the program installs beside. In Node they
 * stand on node:stream, and are there without this. Nothing of foliofs's state is in here, so that it fits the kernel of
 * any entry; faces that are made after it has been imported have streams.
 */
// @ts-expect-error: it has no types of its own
import library from "readable-stream";
import { registerStreams, type StreamLibrary } from "./index-streams.ts";

export { registerStreams, type StreamLibrary } from "./index-streams.ts";
export { toWebReadable, toWebWritable } from "./node/streams/to-web.ts";

registerStreams(library as StreamLibrary);
