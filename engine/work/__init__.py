"""Background work: one port, two dispatchers, and the scheduler that wakes them."""

from engine.work.ports import Handler, Handlers, InsideHandler, Job, JobQueue, RetryPolicy

__all__ = ["Handler", "Handlers", "InsideHandler", "Job", "JobQueue", "RetryPolicy"]
