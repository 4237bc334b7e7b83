/**
 * Node's own types, where the program has them (@types/node, or a runtime that brings them).
 *
 * Where it has none, the import below means nothing, its types are `any`, and whoever uses them looks first: the keys of
 * `any` are all strings.
 */
// biome-ignore lint/suspicious/noTsIgnore: the module is there or not by the program that reads this
/** @ts-ignore */
import type * as nodeFs from "node:fs";

/** node:fs, or any. */
export type NodeModule = typeof nodeFs;
/** node:fs/promises, or any. */
export type NodePromises = typeof nodeFs.promises;

/** One type where the program has Node's, another where not. */
export type IfNode<With, Without> = string extends keyof NodeModule ? Without : With;

export type NodePathLike = nodeFs.PathLike;
export type NodeStats = nodeFs.Stats;
export type NodeBigIntStats = nodeFs.BigIntStats;
export type NodeStatsFs = nodeFs.StatsFs;
export type NodeBigIntStatsFs = nodeFs.BigIntStatsFs;
export type NodeDir = nodeFs.Dir;
export type NodeDirent = nodeFs.Dirent;
export type NodeReadStream = nodeFs.ReadStream;
export type NodeWriteStream = nodeFs.WriteStream;
export type NodeFileHandle = nodeFs.promises.FileHandle;
