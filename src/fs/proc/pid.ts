/**
 * Numbers of tasks. A task gets the next number of its kernel when proc first has to name it or one that is younger, the first
 * task 1; numbers are not given again. They live beside the tasks, in JavaScript, and are in no snapshot.
 *
 * Does not own: tasks (vfs/task.ts), which have no numbers of their own.
 *
 * @see Linux kernel/pid.c
 */
import type { Kernel } from "../../vfs/kernel.ts";
import type { Task } from "../../vfs/task.ts";

interface Numbers {
  last: number;
  readonly of: WeakMap<Task, number>;
  readonly tasks: Map<number, WeakRef<Task>>;
}

const numbersOfKernel = new WeakMap<Kernel, Numbers>();

/** Numbers those that have none, oldest first. */
function numbersOf(kernel: Kernel): Numbers {
  const numbers = numbersOfKernel.get(kernel) ?? { last: 0, of: new WeakMap(), tasks: new Map() };
  numbersOfKernel.set(kernel, numbers);
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
  return numbersOfKernel.get(kernel)?.of.get(task) ?? numbersOf(kernel).of.get(task) ?? 0;
}

/** The task of a number, if it lives. @see Linux find_task_by_pid_ns() */
export function findTaskByPid(kernel: Kernel, pid: number): Task | undefined {
  const known = numbersOfKernel.get(kernel);
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
