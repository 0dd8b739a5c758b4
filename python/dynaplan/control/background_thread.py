"""`BackgroundThread`: a thread that calls a method for as long as the method's object is in use."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

__all__ = ["BackgroundThread"]

_LONGEST_SLEEP = 3600.0  # seconds; locks do not take any number of them
_SECONDS_AT_EXIT = 5.0  # that the interpreter waits for a call under way


class BackgroundThread:
    """Calls a method again and again, in a thread that keeps neither it nor its object alive.

    What the method raises is kept until `take_error`; the method is not called before that.
    The thread ends with `end`, when the object is no longer used, or with the interpreter: at once,
    or after a call under way.

    Args:
        work: method of the object that holds this one. It returns the seconds until it is to be
            called again; None: when the thread is woken.
        name: of the thread.

    Attributes:
        news: set when something was raised, and at the end; the method may set it too.
    """

    def __init__(self, work: Callable[[], float | None], name: str) -> None:
        self.news = threading.Event()
        self._error: BaseException | None = None
        self._name = name
        self._work = weakref.WeakMethod(work)
        self._is_closed = False
        self._process = os.getpid()
        # May be filled by signal handlers and finalisers too, where a lock could be held already.
        self._wake: SimpleQueue[None] = SimpleQueue()
        this = weakref.ref(self)
        self._thread = threading.Thread(
            target=_serve, args=(this, self._wake), name=f"dynaplan {name}", daemon=True
        )
        self._finalizer = weakref.finalize(self, _finish, this, self._wake, self._thread)
        self._thread.start()

    def wake(self) -> None:
        """Lets the method be called soon, unless an error is to be seen first."""
        if self._wake.empty():
            self._wake.put(None)

    def end(self) -> None:
        """Ends the thread and waits for it."""
        self._is_closed = True
        self._wake.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join()
        self.news.set()  # nobody shall wait on
        self._finalizer.detach()

    def require(self, call: str) -> None:
        """Refuses the call of that name where there is no thread.

        Raises:
            RuntimeError: it has ended, or stayed in the process that this one was forked from.
        """
        if self._is_closed:
            raise RuntimeError(f"{call}: the {self._name} is closed; make another")
        if os.getpid() != self._process:
            raise RuntimeError(
                f"{call}: the process was forked and the {self._name} stayed behind; make another "
                "in this process"
            )

    def take_error(self) -> BaseException | None:
        """Returns what the method raised, or None; after an error the method is called again."""
        error = self._error
        if error is not None:
            self.news.clear()
            self._error = None
            self._wake.put(None)
        return error

    def _call(self) -> float | None:
        """Calls the method, unless an error is to be seen first; returns the seconds to sleep."""
        work = self._work()
        if self._error is not None or work is None:
            return None
        try:
            seconds = work()
        except BaseException as error:  # for whoever takes it, whatever it is
            self._error = error
            self.news.set()
            return None
        return None if seconds is None else min(seconds, _LONGEST_SLEEP)


def _serve(background: weakref.ref[BackgroundThread], wake: SimpleQueue[None]) -> None:
    """What the thread does; between calls it holds nothing but the two."""
    seconds: float | None = None
    while True:
        with suppress(Empty):
            wake.get(timeout=seconds)
        this = background()
        if this is None or this._is_closed:
            return
        seconds = this._call()
        del this


def _finish(
    background: weakref.ref[BackgroundThread], wake: SimpleQueue[None], thread: threading.Thread
) -> None:
    """Ends the thread when nobody uses it any more, or the interpreter ends."""
    this = background()
    if this is None:
        wake.put(None)
    else:  # the interpreter ends, and must not while a plan is being computed
        this._is_closed = True
        wake.put(None)
        thread.join(_SECONDS_AT_EXIT)
