/** The types of a face by name: Node's own where the program has them. */
import type * as args from "./arguments.ts";
import type * as dir from "./dir.ts";
import type * as handle from "./file-handle.ts";
import type * as node from "./node-types.ts";
import type * as stats from "./stats.ts";
import type * as streams from "./streams.ts";

export type { Bytes, ErrnoException } from "./platform-types.ts";

export type PathLike = node.IfNode<node.NodePathLike, args.PathLike>;
export type Stats = node.IfNode<node.NodeStats, stats.Stats>;
export type BigIntStats = node.IfNode<node.NodeBigIntStats, stats.BigIntStats>;
export type StatsFs = node.IfNode<node.NodeStatsFs, stats.StatsFs>;
export type BigIntStatsFs = node.IfNode<node.NodeBigIntStatsFs, stats.BigIntStatsFs>;
export type Dir = node.IfNode<node.NodeDir, dir.Dir>;
export type Dirent = node.IfNode<node.NodeDirent, dir.Dirent>;
export type ReadStream = node.IfNode<node.NodeReadStream, streams.ReadStream>;
export type WriteStream = node.IfNode<node.NodeWriteStream, streams.WriteStream>;
/** Not FileHandle: that is an open file of the kernel, for authors of file systems. */
export type NodeFileHandle = node.IfNode<node.NodeFileHandle, handle.FileHandle>;
