/** foliofs/streams for Node, where foliofs has streams from the start: only to give other libraries a place. */
export { registerStreams, type StreamLibrary } from "./index-streams.ts";
