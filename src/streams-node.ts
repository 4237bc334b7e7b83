/** foliofs/streams for Node, where foliofs has streams from the start: to give other libraries a place, and for web streams. */
export { registerStreams, type StreamLibrary } from "./index-streams.ts";
export { toWebReadable, toWebWritable } from "./node/streams/to-web.ts";
