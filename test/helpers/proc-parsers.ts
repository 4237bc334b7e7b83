/**
 * Parsers of files of proc, strict: what is not as proc(5) says is an Error. The same read the host's files and ours.
 */
import { strict as assert } from "node:assert";

/** Lines without their ends. @throws Error for a file that does not end with one */
export function lines(text: string): string[] {
  assert.ok(text === "" || text.endsWith("\n"), `no end of line: ${JSON.stringify(text.slice(-20))}`);
  return text.split("\n").slice(0, -1);
}

function match(pattern: RegExp, line: string): string[] {
  const found = pattern.exec(line);
  assert.ok(found, `${JSON.stringify(line)} is not as ${pattern}`);
  return found.slice(1);
}

/** proc_meminfo(5): KiB by name; numbers of huge pages have no unit. */
export function parseMeminfo(text: string): Map<string, number> {
  const found = lines(text).map((line) => {
    assert.ok(/^HugePages_/.test(line) || line.length >= 27, `${line} is not aligned`);
    return match(/^([A-Za-z][\w()]*):\s+(\d+)(?: kB)?$/, line);
  });
  return new Map(found.map(([name, n]) => [name, Number(n)]));
}

/** proc_vmstat(5). */
export function parseVmstat(text: string): Map<string, number> {
  const found = lines(text).map((line) => match(/^(\w+) (\d+)$/, line));
  assert.equal(new Set(found.map(([name]) => name)).size, found.length, "a counter comes twice");
  return new Map(found.map(([name, n]) => [name, Number(n)]));
}

/** proc_filesystems(5). */
export function parseFilesystems(text: string): { name: string; nodev: boolean }[] {
  return lines(text).map((line) => {
    const [nodev, name] = match(/^(nodev)?\t(\S+)$/, line);
    return { name, nodev: nodev !== undefined };
  });
}

function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

export interface MountLine {
  source: string;
  target: string;
  type: string;
  options: string[];
}

/** proc_pid_mounts(5), which is fstab(5). */
export function parseMounts(text: string): MountLine[] {
  return lines(text).map((line) => {
    const [source, target, type, options] = match(/^(\S+) (\/\S*) (\S+) (r[ow](?:,\S+)?) 0 0$/, line).map(unescaped);
    return { source, target, type, options: options.split(",") };
  });
}

export interface MountinfoLine extends MountLine {
  id: number;
  parent: number;
  /** "major:minor" */
  dev: string;
  root: string;
  superOptions: string[];
}

const MOUNTINFO = /^(\d+) (\d+) (\d+:\d+) (\S+) (\/\S*) (r[ow](?:,\S+)?)(?: \S+)* - (\S+) (\S+) (r[ow](?:,\S+)?)$/;

/** proc_pid_mountinfo(5); optional fields are read over. */
export function parseMountinfo(text: string): MountinfoLine[] {
  return lines(text).map((line) => {
    const [id, parent, dev, root, target, options, type, source, own] = match(MOUNTINFO, line).map(unescaped);
    const [shown, superOptions] = [options.split(","), own.split(",")];
    return { id: Number(id), parent: Number(parent), dev, root, target, options: shown, type, source, superOptions };
  });
}

/** proc_pid_status(5). */
export function parseStatus(text: string): Map<string, string> {
  return new Map(lines(text).map((line) => match(/^(\w+):\t(.*)$/, line) as [string, string]));
}

/** proc_pid_io(5). */
export function parseIo(text: string): Map<string, number> {
  return new Map(
    lines(text)
      .map((line) => match(/^(\w+): (\d+)$/, line))
      .map(([name, n]) => [name, Number(n)]),
  );
}

export interface SlabLine {
  name: string;
  activeObjects: number;
  objects: number;
  size: number;
  perSlab: number;
  pagesPerSlab: number;
  activeSlabs: number;
  slabs: number;
}

const SLAB =
  /^(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables +(\d+) +(\d+) +(\d+) : slabdata +(\d+) +(\d+) +(\d+)$/;

/** slabinfo(5), version 2.1: the header, and the caches. */
export function parseSlabinfo(text: string): { header: string[]; caches: SlabLine[] } {
  const [version, columns, ...rest] = lines(text);
  const caches = rest.map((line) => {
    const [name, ...words] = match(SLAB, line);
    const [activeObjects, objects, size, perSlab, pagesPerSlab, , , , activeSlabs, slabs] = words.map(Number);
    return { name, activeObjects, objects, size, perSlab, pagesPerSlab, activeSlabs, slabs };
  });
  return { header: [version, columns], caches };
}

/** proc_buddyinfo(5): free blocks by order. */
export function parseBuddyinfo(text: string): { node: number; zone: string; blocks: number[] }[] {
  return lines(text).map((line) => {
    const [node, zone, counts] = match(/^Node (\d+), zone +(\S+) ((?: *\d+ )+)$/, line);
    return { node: Number(node), zone, blocks: counts.trim().split(/ +/).map(Number) };
  });
}

/** proc_swaps(5): names of the columns, and the areas. */
export function parseSwaps(text: string): { header: string[]; areas: string[][] } {
  const [header, ...areas] = lines(text).map((line) => line.split(/[ \t]+/));
  return { header, areas };
}

/** Numbers with tabs between, as most files of sys/fs have. */
export function parseNumbers(text: string): number[] {
  const [line] = lines(text);
  assert.match(line, /^\d+(\t\d+)*$/);
  return line.split("\t").map(Number);
}
