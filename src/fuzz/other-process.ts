/**
 * A process that runs programs on a file system of others: such a call may never return, or end the process, and the fuzzer goes on.
 *
 * It says that it is loaded, and then what each call has come to, at once. A thread hears what is to be done: it ends the process with
 * its standard input, whatever the other thread is at.
 */
import { Socket } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { LineReader, writeLine } from "./lines.ts";
import { OTHER_FD, type OtherMessage, type OtherRequest, type OtherSetup } from "./other-protocol.ts";
import { loadOther } from "./other-subjects.ts";
import { TaskPerformer } from "./perform.ts";
import { withoutStacks } from "./stacks.ts";

const STDIN = 0;

function say(message: OtherMessage): void {
  writeLine(OTHER_FD, JSON.stringify(message));
}

async function serve({ name, root, detail }: OtherSetup): Promise<void> {
  process.on("uncaughtExceptionMonitor", (error) => say({ thrown: String(error?.message ?? error) }));
  const ears = new Worker(new URL(import.meta.url));
  const make = await loadOther(name);
  ears.on("message", (calls: OtherRequest) => {
    say({ begun: true });
    const { faces, end } = make({ tasks: [], detail, root });
    const performer = new TaskPerformer(faces[0], { root, detail });
    for (const call of calls) say({ outcome: call === null ? null : withoutStacks(() => performer.perform(call)) });
    end();
  });
  say({ loaded: true });
}

function hear(): void {
  const lines = new LineReader();
  const input = new Socket({ fd: STDIN });
  input.on("data", (bytes: Buffer) => {
    for (const line of lines.read(bytes)) parentPort?.postMessage(JSON.parse(line) as OtherRequest);
  });
  input.on("close", () => process.kill(process.pid, "SIGKILL"));
}

if (isMainThread) await serve(JSON.parse(process.argv[2]) as OtherSetup);
else hear();
