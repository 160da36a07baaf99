"""The C library is told to return memory, where it is glibc."""

from pages.components.shell import memory


def test_malloc_is_tuned_once_and_takes_its_settings(monkeypatch):
    asked = []

    class Library:
        def __init__(self, name):
            pass

        def mallopt(self, option, value):
            asked.append((option, value))

    monkeypatch.setattr(memory.ctypes, "CDLL", Library)
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("glibc", "2.36"))
    memory.tune_malloc.cache_clear()
    memory.tune_malloc()
    memory.tune_malloc()
    assert asked == [memory.ARENAS, memory.MMAP_THRESHOLD]
    monkeypatch.setattr(memory.platform, "libc_ver", lambda: ("", ""))
    memory.tune_malloc.cache_clear()
    memory.tune_malloc()
    assert len(asked) == 2
    memory.tune_malloc.cache_clear()
