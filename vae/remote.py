"""Arrays from another process of the same machine and user, over a local connection.

The process that has a model serves it; the app, which runs in another one, asks. Both prove that they know a random
key. Messages are safetensors, so nothing is unpickled.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

Arrays = dict[str, np.ndarray]
ADDRESS, KEY = "VAE_REMOTE_ADDRESS", "VAE_REMOTE_KEY"  # in the environment of a process that asks
MAX_BYTES = 2**30  # of a message
ERROR = "error"  # the array of an answer that holds the UTF-8 of a sentence
TIMEOUT = 60.0  # seconds for an answer; other questions wait for it
SLOW = "The Python process of this model did not answer within a minute."
ENDED = "The Python process of this model has ended: call app() again in your notebook or script."


class Server:
    """Answers requests in threads of this process until it is closed.

    answer(question, array) -> arrays by name; a ValueError's sentence reaches the process that asked.
    """

    def __init__(self, answer: Callable[[str, np.ndarray], Arrays]):
        self.answer, self.key = answer, secrets.token_bytes(32)
        self.listener = Listener(authkey=self.key)
        self.connections: list[Connection] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that let a process ask."""
        return {ADDRESS: str(self.listener.address), KEY: self.key.hex()}

    def close(self) -> None:
        self.listener.close()
        for connection in self.connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self.listener.accept()
            except (AuthenticationError, EOFError, ConnectionError):
                continue  # of somebody without the key
            except OSError:
                return  # closed
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            while True:
                connection.send_bytes(self._reply(connection.recv_bytes(MAX_BYTES)))
        except (EOFError, OSError, TypeError):  # the last one where close() has taken the handle of a waiting read
            connection.close()

    def _reply(self, request: bytes) -> bytes:
        try:
            ((question, array),) = load(request).items()
            return save(self.answer(question, array))
        except Exception as error:  # a network of somebody's own may raise anything
            return save({ERROR: np.frombuffer(str(error).encode(errors="replace") or b"unknown", np.uint8)})


_lock = threading.Lock()
_connection: Connection | None = None
_problem = ""


def ask(question: str, array: np.ndarray) -> Arrays | None:
    """Return the answer of the serving process; None where there is none, and problem() says why."""
    global _connection, _problem
    with _lock:
        try:
            if _connection is None:
                _connection = Client(os.environ[ADDRESS], authkey=bytes.fromhex(os.environ[KEY]))
            _connection.send_bytes(save({question: np.ascontiguousarray(array)}))
            if not _connection.poll(TIMEOUT):
                _connection, _problem = None, SLOW
                return None
            found = load(_connection.recv_bytes(MAX_BYTES))
        except (KeyError, EOFError, OSError, ValueError, AuthenticationError, SafetensorError):
            _connection, _problem = None, ENDED
            return None
        _problem = found[ERROR].tobytes().decode(errors="replace") if ERROR in found else ""
        return None if _problem else found


def problem() -> str:
    """Return why the last question had no answer, in one sentence; "" where it had one."""
    return _problem
