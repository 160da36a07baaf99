"""Training that is watched and steered while it runs, in a process of its own.

    training = Training(Plan("mnist", family="vae"), owner="a session")
    training.seen()              # now and then, or it ends
    training.frames(after=-1)    # what it looked like at every quarter of a second
    training.set_beta(4.0); training.send("pause"); training.send("stop")
    training.result()            # a folder that a Store can read

Nothing here imports torch: the process of the pages watches, another one trains. Where trainings are allowed, and for
how long, is one setting of the server, see `settings`.
"""

from .film import Curve, Frame, Scene
from .plan import FAMILIES, LIKELIHOODS, MAX_BETA, MAX_DIMS, MIN_DIMS, SIZES, Plan
from .training import Training, find, warm_up

__all__ = [
    "Curve", "FAMILIES", "Frame", "LIKELIHOODS", "MAX_BETA", "MAX_DIMS", "MIN_DIMS", "Plan", "SIZES", "Scene",
    "Training", "find", "warm_up",
]  # fmt: skip
