/**
 * Runs the scenes of the table: on foliofs each in a kernel of its own, on the host all of them in one perl, which forks for each a
 * process that has an empty tmpfs for its root.
 *
 * Does not own: the scenes (table/), the calls (calls.ts).
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as errnos from "../../src/base/errno.ts";
import type { FileSystemType } from "../../src/index.ts";
import { proc } from "../../src/proc.ts";
import { devtmpfs } from "../../src/store.ts";
import { type HostLine, Machine, type Outcome, PERL_LINE } from "../helpers/call-script.ts";
import { FaultStore } from "../helpers/fault-store.ts";
import { MockStore } from "../helpers/mock-store.ts";
import { callNamed, type SceneStep } from "./calls.ts";
import type { FaultPair } from "./pair.ts";

const CLONE_NEWNS = 0x20000;
const UNSHARE = 272;
/** More than any call here allocates. */
const MOST_ALLOCATIONS = 200;
const END = "=";

const PERL = String.raw`${PERL_LINE}
  my @scene;
  while (my $line = <STDIN>) {
    chomp $line;
    if ($line ne "${END}") { push @scene, $line; next }
    my $pid = fork;
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
      die "unshare: $!" if syscall(${UNSHARE}, ${CLONE_NEWNS}) < 0;
      line($_) for @scene;
      exit 0;
    }
    waitpid($pid, 0);
    print "${END}\n";
    @scene = ();
  }
`;

const OTHER_NAMES: Readonly<Record<string, number>> = { ENOTSUP: errnos.EOPNOTSUPP, EWOULDBLOCK: errnos.EAGAIN };

/** The number of an errno as manual pages name it, negated. */
export function negated(name: string): number {
  const errno = OTHER_NAMES[name] ?? (errnos as unknown as Record<string, number>)[name];
  assert(typeof errno === "number", `no errno ${name}`);
  return -errno;
}

/** Where each scene begins: at the root of an empty tmpfs. */
function setUp(base: string): SceneStep[] {
  return [
    ["mount", "none", base, "tmpfs", 0, "mode=755"],
    ["chroot", base],
    ["chdir", "/"],
    ["umask", 0o022],
  ];
}

function hostLine([name, ...args]: SceneStep): HostLine {
  return callNamed(name).host(...args);
}

function outcomeOfReply({ show }: HostLine, reply: string): Outcome {
  const [result, hex = ""] = reply.split(" ");
  return show?.(Number(result), Buffer.from(hex, "hex")) ?? Number(result);
}

/** Outcomes of scenes on the host's kernel. */
export function runOnHost(scenes: readonly (readonly SceneStep[])[]): Outcome[][] {
  const base = mkdtempSync(join(tmpdir(), "foliofs-errno-"));
  const first = setUp(base);
  try {
    const lines = scenes.map((steps) => [...first, ...steps].map(hostLine));
    const shown = lines.map((scene) =>
      scene.map(({ keep, words }) => `${[keep ?? "-", ...words].join(" ")}\n`).join(""),
    );
    const input = shown.map((scene) => `${scene}${END}\n`).join("");
    const child = spawnSync("unshare", ["-m", "perl", "-e", PERL], { input, maxBuffer: 2 ** 28 });
    const replies = child.stdout.toString().split(`${END}\n`).slice(0, -1);
    if (child.status !== 0 || replies.length !== scenes.length) throw new Error(`perl: ${child.stderr}`);
    return replies.map((reply, scene) => {
      const said = reply.trimEnd().split("\n");
      assert.equal(said.length, lines[scene].length, `scene ${scene} ended early: ${child.stderr}`);
      return said.map((line, i) => outcomeOfReply(lines[scene][i], line)).slice(first.length);
    });
  } finally {
    rmdirSync(base);
  }
}

/** What is mounted at /m where something is to fail. */
type Store = { readonly type: FileSystemType };

function newMachine(store?: Store): Machine {
  const machine = new Machine({ types: [proc, devtmpfs, ...(store ? [store.type] : [])] });
  if (store && machine.fs.kernel.vm) machine.fs.kernel.vm.dirty_writeback_centisecs = 0; // nothing is written before it is asked for
  return machine;
}

function make(machine: Machine, [name, ...args]: SceneStep): Outcome {
  return callNamed(name).folio(machine, ...args);
}

function withMachine<T>(store: Store | undefined, work: (machine: Machine) => T): T {
  const machine = newMachine(store);
  try {
    const result = work(machine);
    machine.kernel.verify();
    return result;
  } finally {
    machine.fs.kernel.destroy();
  }
}

/** Outcomes of a scene on foliofs. */
export function runOnFoliofs(steps: readonly SceneStep[]): Outcome[] {
  return withMachine(undefined, (machine) => steps.map((step) => make(machine, step)));
}

function prepare(machine: Machine, steps: readonly SceneStep[]): void {
  for (const step of steps) {
    const outcome = make(machine, step);
    assert(typeof outcome === "string" || outcome >= 0, `${step.join(" ").slice(0, 100)} answers ${outcome}`);
  }
}

/** What the call answers when its nth allocation fails; 0 = none does. */
function whenAllocationFails({ setUp: steps, call }: FaultPair, n: number): Outcome {
  return withMachine(new FaultStore(), (machine) => {
    prepare(machine, steps);
    const { x } = machine.kernel.core;
    x.setFailAfter(n);
    const outcome = make(machine, call);
    x.setFailAfter(0);
    return outcome;
  });
}

function whenAttributesFail({ setUp: steps, call }: FaultPair, errno: number): Outcome {
  const store = new MockStore({ setattr: () => -errno });
  store.files.set("f", Buffer.from("text"));
  return withMachine(store, (machine) => {
    prepare(machine, steps);
    return make(machine, call);
  });
}

interface StoreFailure {
  readonly operations: readonly string[];
  readonly errno: number;
}

function whenStoreFails({ setUp: steps, call }: FaultPair, { operations, errno }: StoreFailure): Outcome {
  const store = new FaultStore();
  return withMachine(store, (machine) => {
    prepare(machine, steps);
    store.plan = (_nr, operation) => (operations.includes(operation) ? -errno : undefined);
    const outcome = make(machine, call);
    store.plan = () => undefined;
    assert(store.failures.length > 0, `the store was asked for none of ${operations.join(", ")}`);
    return outcome;
  });
}

/** Everything that the call answers under its faults. */
export function runFault(pair: FaultPair): Outcome[] {
  const { injection } = pair;
  if (injection !== "allocation")
    return [
      "attributes" in injection ? whenAttributesFail(pair, injection.attributes) : whenStoreFails(pair, injection),
    ];
  const usual = whenAllocationFails(pair, 0);
  const outcomes: Outcome[] = [];
  for (let n = 1; n < MOST_ALLOCATIONS; n++) {
    const outcome = whenAllocationFails(pair, n);
    if (outcome === usual) break;
    outcomes.push(outcome);
  }
  return outcomes;
}
