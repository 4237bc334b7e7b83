/**
 * A thread that runs programs on a file system of others: such a call may never return, or end the thread, and the fuzzer goes on.
 *
 * It says that it is loaded, and then what each call has come to, one message each.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Call } from "./call.ts";
import type { Detail } from "./describe.ts";
import { loadOther } from "./other-subjects.ts";
import { TaskPerformer } from "./perform.ts";

export interface OtherSetup {
  readonly name: string;
  readonly root: string;
  readonly detail: Detail;
}

/** A call that is undefined is not made. */
export type OtherRequest = readonly (Call | undefined)[];

const { name, root, detail } = workerData as OtherSetup;
const make = await loadOther(name);

parentPort?.on("message", (calls: OtherRequest) => {
  const { faces, end } = make({ tasks: [], detail, root });
  const performer = new TaskPerformer(faces[0], { root, detail });
  for (const call of calls) parentPort?.postMessage(call === undefined ? null : performer.perform(call));
  end();
});
parentPort?.postMessage("loaded");
