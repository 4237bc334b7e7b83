/**
 * Numbers of tasks. A task gets the next number of its kernel when somebody first has to name it or one that is younger, the first
 * task 1; numbers are not given again. They live beside the tasks, in JavaScript, and are in no snapshot.
 *
 * Does not own: tasks (vfs/task.ts), which have no numbers of their own.
 *
 * @see Linux kernel/pid.c
 */
import type { Kernel } from "./kernel.ts";
import type { Task } from "./task.ts";

interface Numbers {
  last: number;
  readonly of: WeakMap<Task, number>;
  readonly tasks: Map<number, WeakRef<Task>>;
}

/** Where a kernel has them: proc and fs.kernel.linux may come from two bundles, and mean the same numbers. */
const NUMBERS = Symbol.for("foliofs.pids");

function knownNumbers(kernel: Kernel): Numbers | undefined {
  return (kernel as { [NUMBERS]?: Numbers })[NUMBERS];
}

/** Numbers those that have none, oldest first. */
function numbersOf(kernel: Kernel): Numbers {
  const numbers = knownNumbers(kernel) ?? { last: 0, of: new WeakMap(), tasks: new Map() };
  (kernel as { [NUMBERS]?: Numbers })[NUMBERS] = numbers;
  for (const task of kernel.tasks()) {
    if (numbers.of.has(task)) continue;
    numbers.of.set(task, ++numbers.last);
    numbers.tasks.set(numbers.last, new WeakRef(task));
  }
  return numbers;
}

/** The number of a task that lives. @returns 0 for one that has ended, or for none */
export function taskPid(kernel: Kernel, task: Task | undefined): number {
  if (task?.kernel !== kernel) return 0;
  return knownNumbers(kernel)?.of.get(task) ?? numbersOf(kernel).of.get(task) ?? 0;
}

/** The task of a number, if it lives. @see Linux find_task_by_pid_ns() */
export function findTaskByPid(kernel: Kernel, pid: number): Task | undefined {
  const known = knownNumbers(kernel);
  const { tasks } = known !== undefined && pid <= known.last ? known : numbersOf(kernel);
  const task = tasks.get(pid)?.deref();
  if (task?.kernel === kernel) return task;
  tasks.delete(pid);
  return undefined;
}

/** Numbers of all tasks that live, in ascending order. */
export function livePids(kernel: Kernel): number[] {
  const { of } = numbersOf(kernel);
  return [...kernel.tasks()].map((task) => of.get(task) as number).sort((a, b) => a - b);
}
