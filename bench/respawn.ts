/** Runs the program again with the flags of Node that the bench wants: a callable gc, and node:vfs where there is one. */
import { spawnSync } from "node:child_process";
import { isBuiltin } from "node:module";

const MARK = "FOLIOFS_BENCH_RESPAWNED";

/** Does not return if flags were missing: exits with the code of the second run. */
export function respawnWithFlags(): void {
  const flags = missingFlags();
  if (flags.length === 0 || process.env[MARK] !== undefined) return;
  const args = [...flags, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit", env: { ...process.env, [MARK]: "1" } });
  process.exit(status ?? 1);
}

/** Flags that this process was started without. */
export function missingFlags(): string[] {
  const flags: string[] = [];
  if (globalThis.gc === undefined) flags.push("--expose-gc");
  const knowsVfs = process.allowedNodeEnvironmentFlags.has("--experimental-vfs");
  if (knowsVfs && !isBuiltin("node:vfs")) flags.push("--experimental-vfs", "--disable-warning=ExperimentalWarning");
  return flags;
}
