/**
 * Programs of the host that take our proc for theirs: its files are copied into a folder, which is bound over /proc in a mount
 * namespace of the program's own. What they need beside it are copies of the host's.
 */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { dirname, join } from "node:path";
import type { FolioFs } from "../../src/index.ts";

/** What programs look at that is about the machine, and not about its memory or mounts. */
const OF_THE_HOST = ["stat", "uptime", "cpuinfo", "loadavg", "version", "zoneinfo", "diskstats"];

/** Why this cannot be done here; undefined when it can. @param program is it installed? */
export function missingFor(program: string): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  if (spawnSync("unshare", ["-m", "true"]).status !== 0) return "needs mount namespaces";
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0 ? undefined : `needs ${program}`;
}

/** Copies a tree: files by their content, links as files where they lead to one. `self` is the first task's. */
function copyTree(fs: FolioFs, from: string, to: string): void {
  nodeFs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copyTree(fs, source, target);
    else if (entry.isFile() && (fs.statSync(source).mode & 0o444) !== 0)
      nodeFs.writeFileSync(target, fs.readFileSync(source));
    else if (entry.isSymbolicLink() && ["self", "mounts"].includes(entry.name))
      nodeFs.symlinkSync(fs.readlinkSync(source), target);
  }
}

/** Runs a program on our proc. @returns what it prints @throws Error when it fails */
export function runWithProc(fs: FolioFs, command: readonly string[]): string {
  const folder = nodeFs.mkdtempSync("/tmp/foliofs-proc-");
  try {
    copyTree(fs, "/proc", folder);
    for (const name of OF_THE_HOST) {
      const path = join(folder, name);
      nodeFs.mkdirSync(dirname(path), { recursive: true });
      if (nodeFs.existsSync(`/proc/${name}`)) nodeFs.writeFileSync(path, nodeFs.readFileSync(`/proc/${name}`));
    }
    const script = 'mount --bind "$0" /proc && exec "$@"';
    const { stdout, stderr, status, error } = spawnSync("unshare", ["-m", "sh", "-c", script, folder, ...command], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
    return stdout;
  } finally {
    nodeFs.rmSync(folder, { recursive: true });
  }
}
